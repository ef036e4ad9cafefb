/**
 * How long this process has known the latest sending of payouts without a definite word. By a clock that only goes forward: a wall
 * clock that jumps must not make NOT_FOUND a proof. A process that begins anew waits anew.
 */
export type Sightings = {
  /** Milliseconds since the `sends`th sending was first seen here; 0 when this is the first time. */
  see(payoutId: bigint, sends: number): number;
  forget(payoutId: bigint): void;
};

/** Beyond this the oldest is forgotten, and waits anew. */
const most = 50_000;

export function createSightings(clock: () => number = () => performance.now()): Sightings {
  const firstSeen = new Map<bigint, { readonly at: number; readonly sends: number }>();
  return {
    see(payoutId, sends) {
      const now = clock();
      const known = firstSeen.get(payoutId);
      if (known?.sends === sends) return now - known.at;
      const [oldest] = firstSeen.keys();
      if (oldest !== undefined && firstSeen.size >= most) firstSeen.delete(oldest);
      firstSeen.set(payoutId, { at: now, sends });
      return 0;
    },
    forget: (payoutId) => void firstSeen.delete(payoutId),
  };
}
