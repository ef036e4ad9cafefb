import { check } from '../kernel/check.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { BatchState, SelectedCounts } from './batch-store.ts';

/** What a batch came to: what was selected, and its files with their answers so far. */
export type BatchTotals = SelectedCounts & {
  readonly state: BatchState;
  readonly files: number;
  readonly expired: number;
  /** Claims in the files. */
  readonly lines: bigint;
  readonly accepted: bigint;
  readonly rejected: bigint;
  readonly setAside: bigint;
  /** Theirs, of what was accepted, VAT included. */
  readonly acceptedWon: bigint;
};

/** So many more of its claims are held, since they could not be written. */
export async function noteHeld(tx: PoolClient, batchId: bigint, claims: number): Promise<void> {
  await tx.query('update differential_batch set held = held + $2 where batch_id = $1', [batchId, claims]);
}

/** All its files are written: from here on it is the provider's turn. */
export async function noteWaiting(tx: PoolClient, batchId: bigint): Promise<void> {
  await tx.query(`update differential_batch set state = 'waiting', reason = null where batch_id = $1`, [batchId]);
}

export async function finishBatch(tx: PoolClient, batchId: bigint, at: Temporal.Instant): Promise<void> {
  await tx.query(
    `update differential_batch set state = 'done', finished_at = $2, reason = null where batch_id = $1 and state <> 'done'`,
    [batchId, at.toString()],
  );
}

/** The run of a provider's day has failed; nothing happens to a day that was done. */
export async function failBatch(
  tx: PoolClient,
  batch: { readonly provider: string; readonly on: string; readonly reason: string },
): Promise<void> {
  await tx.query(
    `update differential_batch set state = 'failed', reason = $3
      where provider = $1 and claimed_on = $2 and state <> 'done'`,
    [batch.provider, batch.on, batch.reason],
  );
}

export async function isFailed(tx: PoolClient, batchId: bigint): Promise<boolean> {
  const rows = await query(tx, `select from differential_batch where batch_id = $1 and state = 'failed'`, [batchId]);
  return rows.length > 0;
}

/** Whether all files of a provider's day are out, and answers are waited for. */
export async function isWaiting(
  db: Queryable,
  batch: { readonly provider: string; readonly on: string },
): Promise<boolean> {
  const rows = await query(
    db,
    `select from differential_batch b
      where provider = $1 and claimed_on = $2 and state = 'waiting'
        and exists (select from claim_file f where f.batch_id = b.batch_id and f.state = 'sent')
        and not exists (select from claim_file f where f.batch_id = b.batch_id and f.state = 'written')`,
    [batch.provider, batch.on],
  );
  return rows.length > 0;
}

/** The run that a batch belongs to. */
export async function runOfBatch(db: Queryable, batchId: bigint): Promise<string> {
  const [row] = await query<{ runId: string }>(
    db,
    'select run_id as "runId" from differential_batch where batch_id = $1',
    [batchId],
  );
  check(row, `no batch ${batchId}`);
  return row.runId;
}

export async function batchTotals(db: Queryable, batchId: bigint): Promise<BatchTotals> {
  const [row] = await query<BatchTotals>(
    db,
    `select b.state, b.candidates, b.claims, b.held, b.ineligible, b.not_overcharged as "notOvercharged",
            b.difference_won as "differenceWon", f.files, f.expired, f.lines, a.accepted, a.rejected,
            a.set_aside as "setAside", a.difference_won as "acceptedWon"
       from differential_batch b
       cross join lateral (
         select count(*)::int as files, count(*) filter (where state = 'expired')::int as expired,
                coalesce(sum(lines), 0)::bigint as lines
           from claim_file where batch_id = b.batch_id) f
       cross join lateral (
         select coalesce(sum(a.accepted) filter (where a.stage = 'answer'), 0)::bigint as accepted,
                coalesce(sum(a.rejected), 0)::bigint as rejected, coalesce(sum(a.set_aside), 0)::bigint as set_aside,
                coalesce(sum(a.difference_won) filter (where a.stage = 'answer'), 0)::bigint as difference_won
           from answer_file a join claim_file f using (file_id)
          where f.batch_id = b.batch_id and a.state = 'applied') a
      where b.batch_id = $1`,
    [batchId],
  );
  check(row, `no batch ${batchId}`);
  return row;
}
