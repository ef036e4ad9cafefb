import { check } from '../kernel/check.ts';
import { exactJson } from '../kernel/exact-json.ts';
import { Problem } from '../kernel/problem.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import { lockFile } from './file-store.ts';

export type AnswerStage = 'validation' | 'answer';

/** 결과 파일. What a provider answered to a file, a row for each version of its bytes. */
export type AnswerFile = {
  readonly answerId: bigint;
  readonly fileId: bigint;
  readonly stage: AnswerStage;
  readonly version: number;
  readonly fileName: string;
  readonly sha256: string;
  readonly bytes: bigint;
  readonly state: 'received' | 'applied' | 'refused';
};

/** What applying an answer came to; `differenceWon` is theirs, of the newly accepted. */
export type AnswerCounts = {
  readonly lines: bigint;
  readonly accepted: bigint;
  readonly rejected: bigint;
  readonly repeated: bigint;
  readonly setAside: bigint;
  readonly differenceWon: bigint;
};

const columns = `answer_id as "answerId", file_id as "fileId", stage, version, file_name as "fileName", sha256, bytes, state`;

/** @throws Problem `not_found` */
export async function answerFile(db: Queryable, answerId: bigint): Promise<AnswerFile> {
  const [answer] = await query<AnswerFile>(db, `select ${columns} from answer_file where answer_id = $1`, [answerId]);
  if (answer === undefined) throw new Problem('not_found', { what: 'answer', id: answerId });
  return answer;
}

/** A file as it stands at the provider's, or as it was when we last saw it. */
export type Sighted = { readonly bytes: number; readonly modifiedAtMs: number };

/** True where the file that stands there is what came last: by its length and the server's time. */
export async function isKnown(
  db: Queryable,
  { fileId, stage }: { readonly fileId: bigint; readonly stage: AnswerStage },
  { bytes, modifiedAtMs }: Sighted,
): Promise<boolean> {
  // A server that tells no time may have replaced any file: it is read again.
  if (modifiedAtMs === 0) return false;
  const rows = await query(
    db,
    `select from (select bytes, modified_at from answer_file where file_id = $1 and stage = $2 order by version desc limit 1) a
      where bytes = $3 and modified_at = $4`,
    [fileId, stage, bytes, new Date(modifiedAtMs)],
  );
  return rows.length > 0;
}

/**
 * Notes bytes that came: the stage's first version, or the next where they differ from what came last. Bytes of an older
 * version that come back take back the correction in between: they are a version of their own. Returns the answer's number.
 */
export async function registerAnswer(
  tx: PoolClient,
  answer: {
    readonly fileId: bigint;
    readonly stage: AnswerStage;
    readonly fileName: string;
    readonly kept: { readonly sha256: string; readonly bytes: number; readonly path: string };
    readonly modifiedAtMs: number;
    readonly at: Temporal.Instant;
  },
): Promise<bigint> {
  const { fileId, stage, fileName, kept, modifiedAtMs, at } = answer;
  // One at a time, so that versions are counted without a gap.
  await lockFile(tx, fileId);
  const modifiedAt = modifiedAtMs === 0 ? null : new Date(modifiedAtMs);
  const [same] = await query<{ answerId: bigint }>(
    tx,
    `update answer_file set modified_at = $4
      where file_id = $1 and stage = $2 and sha256 = $3
        and version = (select max(version) from answer_file where file_id = $1 and stage = $2)
     returning answer_id as "answerId"`,
    [fileId, stage, kept.sha256, modifiedAt],
  );
  if (same !== undefined) return same.answerId;
  const [row] = await query<{ answerId: bigint }>(
    tx,
    `insert into answer_file (file_id, stage, version, file_name, sha256, bytes, archive_path, modified_at, received_at, state)
     select $1, $2, 1 + coalesce(max(version), 0), $3, $4, $5, $6, $7, $8, 'received'
       from answer_file where file_id = $1 and stage = $2
     returning answer_id as "answerId"`,
    [fileId, stage, fileName, kept.sha256, kept.bytes, kept.path, modifiedAt, at.toString()],
  );
  check(row, 'an insert returns its row');
  return row.answerId;
}

/** Answers to these files that are kept and not yet applied, validations first, in the order of their versions. */
export async function answersToApply(db: Queryable, fileIds: readonly bigint[]): Promise<bigint[]> {
  const rows = await query<{ answerId: bigint }>(
    db,
    `select answer_id as "answerId" from answer_file where file_id = any ($1::bigint[]) and state = 'received'
      order by file_id, stage desc, version`,
    [fileIds],
  );
  return rows.map(({ answerId }) => answerId);
}

/** Takes an answer to apply it; undefined where that was done, or is refused. Whoever else wants to waits. */
export async function takeAnswer(tx: PoolClient, answerId: bigint): Promise<AnswerFile | undefined> {
  const [answer] = await query<AnswerFile>(
    tx,
    `select ${columns} from answer_file where answer_id = $1 and state = 'received' for update`,
    [answerId],
  );
  return answer;
}

export async function noteApplied(tx: PoolClient, answerId: bigint, counts: AnswerCounts): Promise<void> {
  await tx.query(
    `update answer_file set state = 'applied', applied_at = clock_timestamp(), lines = $2, accepted = $3, rejected = $4,
            repeated = $5, set_aside = $6, difference_won = $7
      where answer_id = $1 and state = 'received'`,
    [answerId, counts.lines, counts.accepted, counts.rejected, counts.repeated, counts.setAside, counts.differenceWon],
  );
}

/** The file as a whole cannot be used: nothing of it was applied. */
export async function noteRefused(
  tx: PoolClient,
  answerId: bigint,
  problem: { readonly code: string; readonly details: unknown },
): Promise<void> {
  await tx.query(`update answer_file set state = 'refused', problem = $2::jsonb where answer_id = $1`, [
    answerId,
    exactJson(problem),
  ]);
}

/** Whether a stage of a file has been answered with something that was applied. */
export async function isApplied(db: Queryable, fileId: bigint, stage: AnswerStage): Promise<boolean> {
  const rows = await query(
    db,
    `select from answer_file where file_id = $1 and stage = $2 and state = 'applied' limit 1`,
    [fileId, stage],
  );
  return rows.length > 0;
}

/** The sum of what was applied to a file, all stages and versions together, and how many answers that were. */
export async function answerTotals(
  db: Queryable,
  fileId: bigint,
): Promise<AnswerCounts & { readonly answers: bigint }> {
  const [row] = await query<AnswerCounts & { readonly answers: bigint }>(
    db,
    `select count(*) as answers, coalesce(sum(lines), 0)::bigint as lines, coalesce(sum(accepted), 0)::bigint as accepted,
            coalesce(sum(rejected), 0)::bigint as rejected, coalesce(sum(repeated), 0)::bigint as repeated,
            coalesce(sum(set_aside), 0)::bigint as "setAside",
            coalesce(sum(difference_won), 0)::bigint as "differenceWon"
       from answer_file where file_id = $1 and state = 'applied'`,
    [fileId],
  );
  check(row, 'sums are a row');
  return row;
}
