/** The clock of a simulation. It stands still while anybody works, and goes to the next moment once all wait. */
export type VirtualClock = {
  now(): Temporal.Instant;
  /** Resolves when the clock has come to `at`; at once where it is there already. */
  waitUntil(at: Temporal.Instant): Promise<void>;
  /** From here on the clock waits for one more; until the one that is returned is called. */
  join(): () => void;
  /** It stands still until this is called: who takes part again after a restart is not known before. */
  start(): void;
};

export type ClockOptions = {
  readonly from: Temporal.Instant;
  /** Told where the clock goes, before those who wait for it hear of it. */
  readonly onAdvance?: (to: Temporal.Instant) => Promise<void>;
};

type Waiting = { readonly atMs: number; go(): void };

/**
 * 가상 시계. Whoever takes part joins first and works or waits, never both: where as many wait as have joined, the clock
 * goes to the earliest moment that is waited for. What goes wrong in `onAdvance` is told to all who wait.
 */
export function virtualClock({ from, onAdvance }: ClockOptions): VirtualClock {
  let nowMs = from.epochMilliseconds;
  let joined = 0;
  let advancing = false;
  let started = false;
  let waiting: (Waiting & { fail(error: unknown): void })[] = [];

  const advance = async (): Promise<void> => {
    if (advancing || !started) return;
    advancing = true;
    try {
      // More may have begun to wait while the last step was told.
      while (waiting.length > 0 && waiting.length >= joined) {
        nowMs = Math.max(nowMs, Math.min(...waiting.map(({ atMs }) => atMs)));
        await onAdvance?.(Temporal.Instant.fromEpochMilliseconds(nowMs));
        const due = waiting.filter(({ atMs }) => atMs <= nowMs);
        waiting = waiting.filter(({ atMs }) => atMs > nowMs);
        for (const each of due) each.go();
      }
    } catch (error) {
      const all = waiting;
      waiting = [];
      for (const each of all) each.fail(error);
    } finally {
      advancing = false;
    }
  };
  return {
    now: () => Temporal.Instant.fromEpochMilliseconds(nowMs),
    waitUntil(at) {
      if (at.epochMilliseconds <= nowMs) return Promise.resolve();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ atMs: at.epochMilliseconds, go: resolve, fail: reject });
      void advance();
      return promise;
    },
    start() {
      started = true;
      void advance();
    },
    join() {
      joined += 1;
      let isIn = true;
      return () => {
        if (!isIn) return;
        isIn = false;
        joined -= 1;
        void advance();
      };
    },
  };
}
