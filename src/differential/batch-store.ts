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

/**
 * Opens the batch of a provider and day; the same run finds its own again, in whatever state it is. A day whose run
 * failed is taken over by the next run.
 */
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
     on conflict (provider, claimed_on) do update
        set run_id = case b.state when 'failed' then excluded.run_id else b.run_id end
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
