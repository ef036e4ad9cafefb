import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';

export type ClaimFileState = 'written' | 'sent' | 'answered' | 'expired' | 'failed';

/** 청구 파일. What was, or will be, sent to a provider: claims of a batch, or registrations. */
export type ClaimFile = {
  readonly fileId: bigint;
  /** Null: registrations. */
  readonly batchId: bigint | null;
  readonly provider: string;
  readonly kind: 'claims' | 'registration';
  readonly on: string;
  /** '' where a file holds all MIDs. */
  readonly mid: string;
  readonly fileName: string;
  readonly state: ClaimFileState;
  readonly lines: bigint;
  readonly amountWon: bigint;
  readonly differenceWon: bigint;
  readonly bytes: bigint;
  readonly sha256: string;
  readonly archivePath: string;
  /** The first byte may have left from here on. */
  readonly sendingAt: Date | null;
  readonly sentAt: Date | null;
  readonly foundThere: boolean | null;
  readonly pollFrom: Date | null;
  readonly deadlineAt: Date | null;
  readonly reason: string | null;
};

const columns = `file_id as "fileId", batch_id as "batchId", provider, kind, on_day as "on", mid, file_name as "fileName",
  state, lines, amount_won as "amountWon", difference_won as "differenceWon", bytes, sha256, archive_path as "archivePath",
  sending_at as "sendingAt", sent_at as "sentAt", found_there as "foundThere", poll_from as "pollFrom",
  deadline_at as "deadlineAt", reason`;

/** A file whose bytes are in the archive. */
export type WrittenFile = Pick<
  ClaimFile,
  'batchId' | 'provider' | 'kind' | 'on' | 'mid' | 'fileName' | 'lines' | 'amountWon' | 'differenceWon'
> & { readonly kept: { readonly sha256: string; readonly bytes: number; readonly path: string } };

/** Notes a written file, under the number that was drawn for it, or the next one. Returns its number. */
export async function insertFile(tx: Queryable, file: WrittenFile, fileId?: bigint): Promise<bigint> {
  const [row] = await query<{ fileId: bigint }>(
    tx,
    `insert into claim_file (file_id, batch_id, provider, kind, on_day, mid, file_name, state, lines, amount_won,
                             difference_won, bytes, sha256, archive_path)
     overriding system value
     values (coalesce($1, nextval(pg_get_serial_sequence('claim_file', 'file_id'))), $2, $3, $4, $5, $6, $7, 'written',
             $8, $9, $10, $11, $12, $13)
     returning file_id as "fileId"`,
    [
      fileId ?? null,
      file.batchId,
      file.provider,
      file.kind,
      file.on,
      file.mid,
      file.fileName,
      file.lines,
      file.amountWon,
      file.differenceWon,
      file.kept.bytes,
      file.kept.sha256,
      file.kept.path,
    ],
  );
  check(row, 'an insert returns its row');
  return row.fileId;
}

/** @throws Problem `not_found` */
export async function claimFile(db: Queryable, fileId: bigint): Promise<ClaimFile> {
  const [file] = await query<ClaimFile>(db, `select ${columns} from claim_file where file_id = $1`, [fileId]);
  if (file === undefined) throw new Problem('not_found', { what: 'file', id: fileId });
  return file;
}

/** The file of this name. @throws Problem `not_found` */
export async function claimFileNamed(db: Queryable, fileName: string): Promise<ClaimFile> {
  const [file] = await query<ClaimFile>(db, `select ${columns} from claim_file where file_name = $1`, [fileName]);
  if (file === undefined) throw new Problem('not_found', { what: 'file', id: fileName });
  return file;
}

/** These files in the order of their numbers. */
export async function filesOf(db: Queryable, fileIds: readonly bigint[]): Promise<ClaimFile[]> {
  return query<ClaimFile>(db, `select ${columns} from claim_file where file_id = any ($1::bigint[]) order by file_id`, [
    fileIds,
  ]);
}

/**
 * Files of a provider whose answers may still come or be corrected: all that may have gone out, of days from `from` on, or from
 * `sentFrom` on.
 */
export async function filesThatWentOut(
  db: Queryable,
  of: { readonly provider: string; readonly kind: ClaimFile['kind']; readonly from: string; readonly sentFrom: string },
): Promise<ClaimFile[]> {
  return query<ClaimFile>(
    db,
    `select ${columns} from claim_file
      where provider = $1 and kind = $2 and sending_at is not null and (on_day >= $3 or sending_at >= $4)
      order by file_id`,
    [of.provider, of.kind, of.from, of.sentFrom],
  );
}

/** Whether a provider's day has files that are sent, and none that is still to go. */
export async function isOut(
  db: Queryable,
  { provider, kind, on }: Pick<ClaimFile, 'provider' | 'kind' | 'on'>,
): Promise<boolean> {
  const [row] = await query<{ isOut: boolean | null }>(
    db,
    `select bool_or(state = 'sent') and not bool_or(state = 'written') as "isOut"
       from claim_file where provider = $1 and kind = $2 and on_day = $3`,
    [provider, kind, on],
  );
  return row?.isOut === true;
}

/** Whoever notes something of a file, or of an answer to it, waits for who does so already. */
export async function lockFile(tx: PoolClient, fileId: bigint): Promise<void> {
  await tx.query('select from claim_file where file_id = $1 for update', [fileId]);
}

/** From here on the first byte may have left. */
export async function noteSending(db: Queryable, fileId: bigint, at: Temporal.Instant): Promise<void> {
  const rows = await query(
    db,
    `update claim_file set sending_at = coalesce(sending_at, $2::timestamptz)
      where file_id = $1 and state = 'written' returning file_id`,
    [fileId, at.toString()],
  );
  check(rows.length === 1, `file ${fileId} is sent while it is not to be sent`);
}

export type Sent = {
  readonly sentAt: Temporal.Instant;
  /** After a doubt it was there already. */
  readonly foundThere: boolean;
  readonly pollFrom: Temporal.Instant;
  readonly deadlineAt: Temporal.Instant;
};

/** It is at the provider's. Nothing happens where that is known. */
export async function noteSent(db: Queryable, fileId: bigint, sent: Sent): Promise<void> {
  await db.query(
    `update claim_file set state = 'sent', sent_at = $2, found_there = $3, poll_from = $4, deadline_at = $5, reason = null,
            sending_at = coalesce(sending_at, $2)
      where file_id = $1 and state in ('written', 'failed')`,
    [fileId, sent.sentAt.toString(), sent.foundThere, sent.pollFrom.toString(), sent.deadlineAt.toString()],
  );
}

/** It could not be sent, or nobody knows: `reason` is the code of a problem. */
export async function noteFailed(db: Queryable, fileId: bigint, reason: string): Promise<void> {
  await db.query(`update claim_file set state = 'failed', reason = $2 where file_id = $1 and state = 'written'`, [
    fileId,
    reason,
  ]);
}

/** All of it has been answered. */
export async function noteAnswered(db: Queryable, fileId: bigint): Promise<void> {
  await db.query(
    `update claim_file set state = 'answered', reason = null where file_id = $1 and state in ('sent', 'expired')`,
    [fileId],
  );
}

/** Its deadline has passed; false where it was answered meanwhile. */
export async function noteExpired(db: Queryable, fileId: bigint): Promise<boolean> {
  const { rowCount } = await db.query(`update claim_file set state = 'expired' where file_id = $1 and state = 'sent'`, [
    fileId,
  ]);
  return rowCount === 1;
}

/** A person has decided that a file that could not be sent, or of which nobody knows, is sent. */
export async function noteAgain(db: Queryable, fileId: bigint): Promise<void> {
  await db.query(
    `update claim_file set state = 'written', sending_at = null, reason = null where file_id = $1 and state = 'failed'`,
    [fileId],
  );
}
