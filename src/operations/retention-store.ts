import type { PoolClient } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { forgetUnsigned } from '../payout/callback-store.ts';
import { type Pool, type Queryable, query } from '../platform/database/pool.ts';
import { removeRunLog } from '../platform/durable/run-log-store.ts';
import { removeRuns } from '../platform/durable/run-retention.ts';
import { forgetRequests } from '../platform/http/api-request-store.ts';
import type { Expiring } from './retention.ts';
import { removeRecords } from './run-record-store.ts';

/** 보존 기한 */
export type RetentionRule = { readonly kind: string; readonly keepDays: number };

/** Rules that somebody set; what has none keeps its own default. */
export async function retentionRules(db: Queryable): Promise<ReadonlyMap<string, number>> {
  const rows = await query<RetentionRule>(db, 'select kind, keep_days as "keepDays" from retention_rule');
  return new Map(rows.map(({ kind, keepDays }) => [kind, keepDays]));
}

/** @throws Problem `not_found` of a kind that nothing is of, `usage` of a number of days that is none */
export async function changeRetention(
  tx: PoolClient,
  all: readonly Expiring[],
  { kind, keepDays }: RetentionRule,
): Promise<void> {
  if (!all.some((each) => each.kind === kind)) throw new Problem('not_found', { what: 'retention', id: kind });
  if (!Number.isInteger(keepDays) || keepDays < 1 || keepDays > 36_500) {
    throw new Problem('usage', { reason: `${keepDays} days (1–36500)` });
  }
  await tx.query(
    `insert into retention_rule (kind, keep_days) values ($1, $2)
     on conflict (kind) do update set keep_days = excluded.keep_days`,
    [kind, keepDays],
  );
}

/**
 * Runs by whose record somebody still goes: whoever carries a payout, a cycle, a day of differential settlement that
 * waits or may be restarted, a slot or a backfill that is not over. Open work alone: few, whatever the history.
 */
async function neededRuns(db: Queryable): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `select claimed_by as id from payout where claimed_by is not null
     union select run_id from settlement_cycle where state = 'running'
     union select run_id from differential_batch where state <> 'done'
     union select format('registration:%s:%s', provider, on_day) from claim_file
            where kind = 'registration' and state in ('written', 'sent')
     union select run_id from schedule_slot where state in ('queued', 'claimed', 'running') and run_id is not null
     union select backfill_id from backfill_day where state in ('waiting', 'running')
     union select run_id from backfill_day where state = 'running' and run_id is not null`,
  );
  return rows.map(({ id }) => id);
}

/** What this product keeps for a time only, but for what other folders bring. Records of the business are not among it. */
export function ownExpiring(pool: Pool): Expiring[] {
  const runs = (hidden: boolean) => async (before: Temporal.Instant, most: number) =>
    removeRuns(pool, { before, most, hidden, keep: await neededRuns(pool) });
  return [
    {
      kind: 'payout_run',
      words: { ko: '지급 실행 (엔진 기록)', en: "runs of payouts (the engine's record)" },
      keepDays: 7,
      chunk: 5_000,
      remove: runs(true),
    },
    {
      kind: 'run',
      words: { ko: '실행과 단계 (엔진 기록)', en: "runs and their steps (the engine's record)" },
      keepDays: 90,
      chunk: 500,
      remove: runs(false),
    },
    {
      kind: 'run_log',
      words: { ko: '실행 기록', en: 'what was said in runs' },
      keepDays: 30,
      chunk: 5_000,
      remove: (before, most) => removeRunLog(pool, before, most),
    },
    {
      kind: 'run_record',
      words: { ko: '실행 요약', en: 'what runs came to' },
      keepDays: 800,
      chunk: 5_000,
      remove: (before, most) => removeRecords(pool, before, most),
    },
    {
      kind: 'unsigned_callback',
      words: { ko: '서명이 틀린 결과 통지', en: 'callbacks that were signed wrongly' },
      keepDays: 90,
      chunk: 1_000,
      remove: (before, most) => forgetUnsigned(pool, before, most),
    },
    {
      kind: 'api_request',
      words: { ko: 'API 요청 키', en: 'answers kept under Idempotency-Keys' },
      keepDays: 3,
      chunk: 1_000,
      remove: (before, most) => forgetRequests(pool, before, most),
    },
    {
      kind: 'schedule_slot',
      words: { ko: '지난 슬롯', en: 'slots that are over' },
      keepDays: 400,
      chunk: 2_000,
      remove: (before, most) => removeSlots(pool, before, most),
    },
    {
      kind: 'node',
      words: { ko: '사라진 노드', en: 'nodes that are gone' },
      keepDays: 30,
      chunk: 1_000,
      remove: (before, most) => removeNodes(pool, before, most),
    },
  ];
}

/** The clock's last slot of each schedule stays: what came after it is found by it. */
async function removeSlots(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from schedule_slot where (schedule_id, nominal_at) in (
       select schedule_id, nominal_at from schedule_slot k
        where nominal_at < $1 and state in ('done', 'failed', 'cancelled', 'missed')
          and exists (select from schedule_slot l where l.schedule_id = k.schedule_id and l.kind = 'clock' and l.nominal_at > k.nominal_at)
        order by nominal_at limit $2)`,
    [before.toString(), most],
  );
  return rowCount ?? 0;
}

async function removeNodes(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from node where executor_id in (
       select executor_id from node where seen_at < $1 and (stopped_at is not null or lost_at is not null)
        order by seen_at limit $2)`,
    [before.toString(), most],
  );
  return rowCount ?? 0;
}
