import type { PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import type { Archive } from '../platform/archive.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { loadAnswer } from './answer-load.ts';
import { type AnswerCounts, answerFile } from './answer-store.ts';
import { writeBreaks } from './apply-break-store.ts';
import { type Judging, judgeLines } from './apply-judge-store.ts';
import { decide } from './apply-outcome-store.ts';
import { bookAndWrite, countLines } from './apply-write-store.ts';
import { claimDays } from './batch-store.ts';
import { planForSets } from './candidate-store.ts';
import { claimFile } from './file-store.ts';

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
export async function applyAnswer(
  tx: PoolClient,
  { answerId, provider, archive, by, on }: Applying,
): Promise<AnswerCounts> {
  const answer = await answerFile(tx, answerId);
  const file = await claimFile(tx, answer.fileId);
  check(file.batchId !== null && file.provider === provider.id, `answer ${answerId} is to claims of ${provider.id}`);
  await planForSets(tx);
  const { unreadable } = await loadAnswer(tx, { archive, provider, file, answer });
  await alone(tx, provider);
  const judging: Judging = { provider, file, answer, by, on, days: await claimDays(tx, file.batchId) };
  await judgeLines(tx, judging);
  await decide(tx, judging);
  const differenceWon = await bookAndWrite(tx, judging);
  await writeBreaks(tx, judging, unreadable);
  const counts = await countLines(tx, unreadable.length, differenceWon);
  await tx.query('drop table answer_line, repeated, judged, aside, refunded');
  return counts;
}

/**
 * From here on no other answer of the provider is applied until this one is written: a cancel's answer has to see that of
 * its approval, or be seen by it, though they stand in files of different days.
 */
async function alone(tx: PoolClient, { id }: DifferentialProvider): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('jeongsan:answers:' || $1))`, [id]);
}
