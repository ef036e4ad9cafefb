/**
 * How long this process has known payouts to be sent without a definite word. By a clock that only goes forward: a wall
 * clock that jumps must not make NOT_FOUND a proof. A process that begins anew waits anew.
 */
export type Sightings = {
  /** Milliseconds since it was first seen here; 0 when this is the first time. */
  see(payoutId: bigint): number;
  forget(payoutId: bigint): void;
};

/** Beyond this the oldest is forgotten, and waits anew. */
const most = 50_000;

export function createSightings(clock: () => number = () => performance.now()): Sightings {
  const firstSeen = new Map<bigint, number>();
  return {
    see(payoutId) {
      const now = clock();
      const since = firstSeen.get(payoutId);
      if (since !== undefined) return now - since;
      const [oldest] = firstSeen.keys();
      if (oldest !== undefined && firstSeen.size >= most) firstSeen.delete(oldest);
      firstSeen.set(payoutId, now);
      return 0;
    },
    forget: (payoutId) => void firstSeen.delete(payoutId),
  };
}
