import type { PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import type { Archive } from '../platform/archive.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { type AnswerCounts, answerFile } from './answer-store.ts';
import { setAside } from './apply-aside-store.ts';
import { writeBreaks } from './apply-break-store.ts';
import { type Judging, judgeLines } from './apply-judge-store.ts';
import { decide } from './apply-outcome-store.ts';
import { bookAndWrite, countLines } from './apply-write-store.ts';
import { claimDays } from './batch-store.ts';
import { lanes, type Share } from './candidate-store.ts';
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

/** Everything but the lines that judging an answer needs to know. */
export async function judgingOf(
  tx: PoolClient,
  { answerId, provider, by, on }: Omit<Applying, 'archive'>,
): Promise<Omit<Judging, 'lines' | 'repeats'>> {
  const answer = await answerFile(tx, answerId);
  const file = await claimFile(tx, answer.fileId);
  check(file.batchId !== null && file.provider === provider.id, `answer ${answerId} is to claims of ${provider.id}`);
  return { provider, file, answer, by, on, days: await claimDays(tx, file.batchId) };
}

/** Applies the lines that are loaded, of all merchants or those of a part: judged, decided, booked, written. */
export async function applyLines(tx: PoolClient, judging: Judging): Promise<AnswerCounts> {
  const judged = await judgeLines(tx, judging);
  await setAside(tx, judging, judged.before);
  await decide(tx, judging);
  const written = await bookAndWrite(tx, judging);
  await writeBreaks(tx, judging);
  const counts = await countLines(tx, judged, written);
  await tx.query('drop table judged, apart, approval_here, aside, refunded');
  return counts;
}

/**
 * From here on nobody else applies answers of the provider to the same merchants, or lets claims of theirs go again, until
 * this is committed: a cancel's answer has to see that of its approval, or be seen by it, though they stand in files of
 * different days. Parts of different lanes have no merchant in common.
 */
export async function alone(tx: PoolClient, { id }: DifferentialProvider, share?: Share): Promise<void> {
  const all = Array.from({ length: lanes }, (_, lane) => lane);
  for (const lane of share === undefined ? all : [share.part % lanes]) {
    await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`jeongsan:answers:${id}:${lane}`]);
  }
}
