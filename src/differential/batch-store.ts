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
export type SelectionBatch = { readonly batchId: bigint; readonly claimedOn: string };

export async function batchOf(db: Queryable, batchId: bigint): Promise<SelectionBatch> {
  const [row] = await query<SelectionBatch>(
    db,
    'select batch_id as "batchId", claimed_on::text as "claimedOn" from differential_batch where batch_id = $1',
    [batchId],
  );
  check(row, `no batch ${batchId}`);
  return row;
}

/** Adds what a part came to; last in its transaction, since the other parts wait for it. */
export async function addCounts(tx: PoolClient, batchId: bigint, counts: SelectedCounts): Promise<void> {
  await tx.query(
    `update differential_batch
        set candidates = candidates + $2, claims = claims + $3, held = held + $4, ineligible = ineligible + $5,
            not_overcharged = not_overcharged + $6, difference_won = difference_won + $7
      where batch_id = $1`,
    [
      batchId,
      counts.candidates,
      counts.claims,
      counts.held,
      counts.ineligible,
      counts.notOvercharged,
      counts.differenceWon,
    ],
  );
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
