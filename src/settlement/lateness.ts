/** 지연 기준. How long after its slot money may be credited before the person in charge hears of it, and operations. */
export type LatenessLimits = { readonly lateMs: number; readonly veryLateMs: number };

export const latenessDefaults: LatenessLimits = { lateMs: 240_000, veryLateMs: 600_000 };

/** Who has to know that the last wallet of a slot was, or is still not, credited so long after it; nobody: undefined. */
export function latenessAudience(
  creditedAfterMs: number,
  { lateMs, veryLateMs }: LatenessLimits,
): 'in_charge' | 'operations' | undefined {
  if (creditedAfterMs > veryLateMs) return 'operations';
  return creditedAfterMs > lateMs ? 'in_charge' : undefined;
}

/** What a past cycle took: captures that it judged, and the time from its start to the last wallet. */
export type CyclePace = { readonly captures: number; readonly tookMs: number };

/** 처리 속도. Milliseconds a capture over the last cycles, the large ones counting most; undefined where none is known. */
export function msPerCapture(cycles: readonly CyclePace[]): number | undefined {
  const captures = cycles.reduce((sum, cycle) => sum + cycle.captures, 0);
  if (captures === 0) return undefined;
  return cycles.reduce((sum, cycle) => sum + cycle.tookMs, 0) / captures;
}

/** What is known before a slot: the captures that wait for it, and those that a running cycle has still to settle. */
export type Backlog = {
  readonly now: Temporal.Instant;
  readonly nextSlot: Temporal.Instant;
  readonly waiting: number;
  readonly stillRunning: number;
  readonly msPerCapture: number;
};

export type Forecast = {
  /** skipped: the running cycle is not over by then; late: credited later than the limit. */
  readonly kind: 'skipped' | 'late';
  /** From the slot to its last wallet, or to the end of the cycle that is in its way. */
  readonly expectedMs: number;
};

/** 지연 예측. What will go wrong with the next slot at the measured pace, in the time that is left; or undefined. */
export function forecastSlot(backlog: Backlog, { lateMs }: LatenessLimits): Forecast | undefined {
  const { now, nextSlot, waiting, stillRunning } = backlog;
  const leftMs = nextSlot.epochMilliseconds - now.epochMilliseconds;
  const runningOverMs = Math.round(stillRunning * backlog.msPerCapture - leftMs);
  if (stillRunning > 0 && runningOverMs > 0) return { kind: 'skipped', expectedMs: runningOverMs };
  const expectedMs = Math.round(waiting * backlog.msPerCapture);
  return expectedMs > lateMs ? { kind: 'late', expectedMs } : undefined;
}
