/** One thing that runs now. */
export type ActiveEntry = { readonly name: string; readonly sinceMs: number };

/** What this process has in hand, by name: what the log lists at start and before the end. */
export type ActiveWork = {
  /** Call `end` exactly when it is over; calling it again does nothing. */
  begin(name: string): { end(): void };
  /** Oldest first. */
  list(): ActiveEntry[];
  /** True once nothing is left, false if `timeoutMs` passed first. */
  whenIdle(timeoutMs: number): Promise<boolean>;
};

/** An empty registry. `now` in ms, passed in so that tests own the clock. */
export function createActiveWork(now: () => number = () => performance.now()): ActiveWork {
  const entries = new Set<{ name: string; beganAt: number }>();
  const waiting = new Set<() => void>();
  return {
    begin(name) {
      const entry = { name, beganAt: now() };
      entries.add(entry);
      return {
        end() {
          entries.delete(entry);
          if (entries.size === 0) for (const tell of waiting) tell();
        },
      };
    },
    list: () => [...entries].map(({ name, beganAt }) => ({ name, sinceMs: Math.round(now() - beganAt) })),
    whenIdle(timeoutMs) {
      if (entries.size === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const finish = (idle: boolean) => {
          clearTimeout(timer);
          waiting.delete(tell);
          resolve(idle);
        };
        const tell = () => finish(true);
        const timer = setTimeout(() => finish(false), timeoutMs);
        waiting.add(tell);
      });
    },
  };
}
