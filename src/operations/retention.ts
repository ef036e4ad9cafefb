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

/** What one kind came to. `isLeft`: there was more than one run removes; the next goes on. */
export type Removed = { readonly removed: number; readonly chunks: number; readonly isLeft: boolean };

/** Rounds of one kind in one run: with thousands of rows each, more than a day brings. */
const chunksMost = 2_000;

/**
 * Removes what is older than `before`, chunk after chunk, each a transaction of its own and short. `pause` lets others
 * in between.
 */
export async function removeAll(
  { chunk, remove }: Pick<Expiring, 'chunk' | 'remove'>,
  before: Temporal.Instant,
  pause: () => Promise<void>,
): Promise<Removed> {
  let removed = 0;
  for (let chunks = 1; chunks <= chunksMost; chunks += 1) {
    const gone = await remove(before, chunk);
    removed += gone;
    if (gone < chunk) return { removed, chunks, isLeft: false };
    await pause();
  }
  return { removed, chunks: chunksMost, isLeft: true };
}
