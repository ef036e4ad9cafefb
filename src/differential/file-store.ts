import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { type Queryable, query } from '../platform/database/pool.ts';

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

/** The file of this name, or undefined. */
export async function claimFileNamed(db: Queryable, fileName: string): Promise<ClaimFile | undefined> {
  const [file] = await query<ClaimFile>(db, `select ${columns} from claim_file where file_name = $1`, [fileName]);
  return file;
}

/** The files of a batch in the order of their MIDs. */
export async function filesOfBatch(db: Queryable, batchId: bigint): Promise<ClaimFile[]> {
  return query<ClaimFile>(db, `select ${columns} from claim_file where batch_id = $1 order by mid`, [batchId]);
}
