import type { PoolClient } from 'pg';
import type { Archive } from '../platform/archive.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { AnswerCounts } from './answer-store.ts';

/** What an answer is applied with. */
export type Applying = {
  readonly answerId: bigint;
  readonly provider: DifferentialProvider;
  readonly archive: Archive;
  /** Who applies it: a run. */
  readonly by: string;
  /** The business day on which it is booked, `YYYY-MM-DD`. */
  readonly on: string;
};

/**
 * 결과 반영. Applies a validation or an answer, by the set, in the one transaction that is given: what it says of each claim
 * is written, and what it is worth is booked for the merchants. Applied again it changes nothing.
 * @throws Problem `statement_…` where the file as a whole cannot be read; `archive_damaged`
 */
export async function applyAnswer(_tx: PoolClient, { answerId }: Applying): Promise<AnswerCounts> {
  throw new Error(`not written yet: ${answerId}`);
}
