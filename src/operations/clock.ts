import type { Log } from '../platform/durable/engine-log.ts';

/** 시계 이상. This node's clock is not the database's, or it stands before slots that were begun already. */
export type ClockFault = { readonly kind: 'clock_ahead' | 'clock_behind'; readonly byMs: number };

/** How far a node's clock may be from the database's before people are told, and how much it may be set unnoticed. */
export const skewMostMs = 10_000;
const stepLeastMs = 2_000;

export type SteadyClock = {
  /** The earlier of both clocks, so that nothing starts that has not come by both. */
  now(): Temporal.Instant;
  /** The same, as milliseconds with their fraction. */
  preciseMs(): number;
  /** The earlier of this moment of the database and of our clock. */
  earlier(databaseNow: Temporal.Instant): Temporal.Instant;
  /** Asks the database for its time, and learns from it how far it is from ours. Answers with what it said. */
  observe(ask: () => Promise<Temporal.Instant>): Promise<Temporal.Instant>;
  /** What is wrong, given the latest slots that have been begun; null: nothing. */
  fault(last: ReadonlyMap<bigint, Temporal.Instant>): ClockFault | null;
  /** Ours less the database's. */
  aheadMs(): number;
};

/**
 * Keeps this node's clock and the database's side by side. Between two observations the database's time is told by what no
 * one sets; a step of our own clock is noticed by the same.
 */
export function createSteadyClock({
  now,
  monotonicMs,
  log,
}: {
  now(): Temporal.Instant;
  readonly monotonicMs: () => number;
  readonly log: Log;
}): SteadyClock {
  /** The database's clock less the monotonic one; unknown until it was asked. */
  let offsetMs: number | undefined;
  let seen = { wallMs: now().epochMilliseconds, monotonicMs: monotonicMs() };
  const databaseMs = () => (offsetMs === undefined ? Number.POSITIVE_INFINITY : offsetMs + monotonicMs());
  const preciseMs = () => Math.min(now().epochMilliseconds, databaseMs());
  const aheadMs = () => (offsetMs === undefined ? 0 : Math.round(now().epochMilliseconds - databaseMs()));
  return {
    now: () => Temporal.Instant.fromEpochMilliseconds(Math.floor(preciseMs())),
    preciseMs,
    earlier(databaseNow) {
      const ours = now();
      return Temporal.Instant.compare(ours, databaseNow) < 0 ? ours : databaseNow;
    },
    async observe(ask) {
      const wallMs = now().epochMilliseconds;
      const askedMs = monotonicMs();
      const steppedMs = Math.round(wallMs - seen.wallMs - (askedMs - seen.monotonicMs));
      seen = { wallMs, monotonicMs: askedMs };
      if (Math.abs(steppedMs) >= stepLeastMs) log.warn({ steppedMs }, 'the clock was set, or this machine slept');
      const databaseNow = await ask();
      // It said so somewhere between the question and the answer.
      offsetMs = databaseNow.epochMilliseconds - (askedMs + monotonicMs()) / 2;
      return databaseNow;
    },
    fault(last) {
      const ahead = aheadMs();
      if (ahead > skewMostMs) return { kind: 'clock_ahead', byMs: ahead };
      if (ahead < -skewMostMs) return { kind: 'clock_behind', byMs: -ahead };
      const behind = Math.max(0, ...[...last.values()].map((slot) => slot.epochMilliseconds - preciseMs()));
      return behind > skewMostMs ? { kind: 'clock_behind', byMs: Math.round(behind) } : null;
    },
    aheadMs,
  };
}
