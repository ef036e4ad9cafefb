/** 요청 한도. So many at once, and so many a second from then on. */
export type Rate = { readonly burst: number; readonly perSecond: number };

export type RateLimiter = {
  /** Takes `cost` from what `name` may still ask. Undefined where it was there, else how many seconds until it is. */
  take(name: string, cost?: number): number | undefined;
};

type Bucket = { left: number; readAtMs: number };

/**
 * A bucket of tokens for each name, in this process alone: with several servers somebody may ask each of them so often.
 * Of the names only the latest `most` are kept; who is forgotten begins anew, so `most` is far above what one attacker has
 * addresses. `nowMs` never goes back.
 */
export function createRateLimiter({ burst, perSecond }: Rate, nowMs: () => number, most = 20_000): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take(name, cost = 1) {
      const at = nowMs();
      const bucket = buckets.get(name) ?? { left: burst, readAtMs: at };
      bucket.left = Math.min(burst, bucket.left + ((at - bucket.readAtMs) / 1000) * perSecond);
      bucket.readAtMs = at;
      // The map is in the order of use: the first one has been silent for longest.
      buckets.delete(name);
      buckets.set(name, bucket);
      if (buckets.size > most) for (const [oldest] of buckets.entries().take(1)) buckets.delete(oldest);
      if (bucket.left >= cost) {
        bucket.left -= cost;
        return undefined;
      }
      return Math.max(1, Math.ceil((cost - bucket.left) / perSecond));
    },
  };
}
