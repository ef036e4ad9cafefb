import type { Words } from '../platform/http/route.ts';

/**
 * 보존. Something that is kept for a time only. Its owner's store removes it, the oldest first and so many at a time;
 * how long it is kept is a row of `retention_rule`, or `keepDays` where there is none.
 */
export type Expiring = {
  /** `run_log`: its key in the rules. */
  readonly kind: string;
  readonly words: Words;
  readonly keepDays: number;
  /** Rows of one transaction. */
  readonly chunk: number;
  /** Removes at most `most` that are from before `before`; returns how many: fewer than `most` means that none is left. */
  remove(before: Temporal.Instant, most: number): Promise<number>;
};
