import type { PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';

export type BatchState = 'selecting' | 'selected' | 'waiting' | 'done' | 'failed';

/** 차액정산 선별 결과. Captures looked at and what became of them; `held` are some of the claims. */
export type SelectedCounts = {
  readonly candidates: bigint;
  readonly claims: bigint;
  readonly held: bigint;
  /** Not small, or no tier known for the half-year. */
  readonly ineligible: bigint;
  /** Charged no more than the preferential fee. */
  readonly notOvercharged: bigint;
  /** Of the claims, ours, VAT included. */
  readonly differenceWon: bigint;
};

/** Opens the batch of a provider and day, or finds the one that there is, with the run that opened it. */
export async function openBatch(
  tx: PoolClient,
  batch: {
    readonly provider: DifferentialProvider;
    /** `YYYY-MM-DD`: the day whose captures are claimed. */
    readonly on: string;
    readonly runId: string;
    readonly who: string;
  },
): Promise<{ readonly batchId: bigint; readonly state: BatchState; readonly runId: string }> {
  const [row] = await query<{ batchId: bigint; state: BatchState; runId: string }>(
    tx,
    `insert into differential_batch as b (provider, claimed_on, run_id, state, opened_by)
     values ($1, $2, $3, 'selecting', $4)
     on conflict (provider, claimed_on) do update set run_id = b.run_id
     returning batch_id as "batchId", state, run_id as "runId"`,
    [batch.provider.id, batch.on, batch.runId, batch.who],
  );
  check(row, 'an insert or update returns its row');
  return row;
}

/** On which days the claims of a batch were traded: the leaves of `claim` that hold any. */
export async function claimDays(
  db: Queryable,
  batchId: bigint,
): Promise<readonly { readonly channel: string; readonly tradedOn: string }[]> {
  return query(
    db,
    `select channel, traded_on::text as "tradedOn" from differential_day where batch_id = $1 order by 1, 2`,
    [batchId],
  );
}

/** What selecting needs to know of its batch. */
export type SelectionBatch = {
  readonly batchId: bigint;
  /** `YYYY-MM-DD` */
  readonly claimedOn: string;
  /** In how many parts it is selected; null until that is planned. */
  readonly parts: number | null;
};

export async function batchOf(db: Queryable, batchId: bigint): Promise<SelectionBatch> {
  const [row] = await query<SelectionBatch>(
    db,
    'select batch_id as "batchId", claimed_on::text as "claimedOn", parts from differential_batch where batch_id = $1',
    [batchId],
  );
  check(row, `no batch ${batchId}`);
  return row;
}

const counts = `candidates, claims, held, ineligible, not_overcharged, difference_won`;
const namedCounts = `candidates, claims, held, ineligible, not_overcharged as "notOvercharged", difference_won as "differenceWon"`;

/** What a part came to, if it has been selected. */
export async function partCounts(db: Queryable, batchId: bigint, part: number): Promise<SelectedCounts | undefined> {
  const sql = `select ${namedCounts} from differential_part where batch_id = $1 and part = $2`;
  const [row] = await query<SelectedCounts>(db, sql, [batchId, part]);
  return row;
}

/** Notes that a part has been selected, in its transaction. */
export async function notePart(tx: PoolClient, batchId: bigint, part: number, came: SelectedCounts): Promise<void> {
  await tx.query(`insert into differential_part (batch_id, part, ${counts}) values ($1, $2, $3, $4, $5, $6, $7, $8)`, [
    batchId,
    part,
    came.candidates,
    came.claims,
    came.held,
    came.ineligible,
    came.notOvercharged,
    came.differenceWon,
  ]);
}

/** Marks a batch as selected, with what its parts came to. */
export async function markSelected(tx: PoolClient, batchId: bigint): Promise<void> {
  await tx.query(
    `update differential_batch b
        set state = 'selected', selected_at = clock_timestamp(), reason = null, (${counts}) = (
              select coalesce(sum(p.candidates), 0), coalesce(sum(p.claims), 0), coalesce(sum(p.held), 0),
                     coalesce(sum(p.ineligible), 0), coalesce(sum(p.not_overcharged), 0), coalesce(sum(p.difference_won), 0)
                from differential_part p where p.batch_id = b.batch_id)
      where batch_id = $1 and selected_at is null`,
    [batchId],
  );
}

/** What the parts of a selected batch came to. */
export async function selectedCounts(db: Queryable, batchId: bigint): Promise<SelectedCounts> {
  const sql = `select ${namedCounts} from differential_batch where batch_id = $1`;
  const [row] = await query<SelectedCounts>(db, sql, [batchId]);
  check(row, `no batch ${batchId}`);
  return row;
}

export const noCounts: SelectedCounts = {
  candidates: 0n,
  claims: 0n,
  held: 0n,
  ineligible: 0n,
  notOvercharged: 0n,
  differenceWon: 0n,
};

export function sumCounts(one: SelectedCounts, other: SelectedCounts): SelectedCounts {
  return {
    candidates: one.candidates + other.candidates,
    claims: one.claims + other.claims,
    held: one.held + other.held,
    ineligible: one.ineligible + other.ineligible,
    notOvercharged: one.notOvercharged + other.notOvercharged,
    differenceWon: one.differenceWon + other.differenceWon,
  };
}
