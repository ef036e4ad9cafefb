import type { Pool } from '../platform/database/pool.ts';
import { inTransaction } from '../platform/database/pool.ts';
import type { Asked, Reading } from '../platform/metrics.ts';

/** A metric and the question that gives its rows: one column for each label, and `value`. */
type Question = Asked & { readonly sql: string };

/** Nothing that is asked for a chart may keep a database busy. */
const mostMs = 3_000;

const questions: readonly Question[] = [
  {
    name: 'jeongsan_breaks',
    help: 'Unresolved breaks (불일치)',
    labels: ['provider', 'stage', 'kind'],
    sql: `select provider, stage, kind, count(*) as value from break where state <> 'resolved' group by 1, 2, 3`,
  },
  {
    name: 'jeongsan_breaks_won',
    help: 'Won of unresolved breaks, whatever their sign',
    labels: ['provider', 'stage', 'kind'],
    sql: `select provider, stage, kind, coalesce(sum(abs(difference_won)), 0) as value
            from break where state <> 'resolved' group by 1, 2, 3`,
  },
  {
    name: 'jeongsan_break_oldest_seconds',
    help: 'Age of the oldest unresolved break',
    labels: ['provider'],
    sql: `select provider, extract(epoch from clock_timestamp() - min(opened_at)) as value
            from break where state <> 'resolved' group by 1`,
  },
  {
    name: 'jeongsan_claim_breaks',
    help: 'Unresolved differences of claims (차액정산 불일치)',
    labels: [],
    sql: `select count(*) as value from claim_break where closed_at is null`,
  },
  {
    name: 'jeongsan_payouts_open',
    help: 'Payouts that have not ended (지급), by state',
    labels: ['bank', 'state'],
    sql: `select bank, state, count(*) as value from payout
           where state not in ('succeeded', 'rejected', 'cancelled') group by 1, 2`,
  },
  {
    name: 'jeongsan_payout_unknown_oldest_seconds',
    help: 'Age of the oldest payout of which the bank has not said what became of it',
    labels: ['bank'],
    sql: `select bank, extract(epoch from clock_timestamp() - min(first_sent_at)) as value from payout
           where claimed_by is null and state = 'unknown' group by 1`,
  },
  {
    name: 'jeongsan_captures_unsettled',
    help: 'Captures that wait for a slot (미정산 매입)',
    labels: [],
    sql: `select count(*) as value from unsettled_capture`,
  },
  {
    name: 'jeongsan_slot_age_seconds',
    help: 'Since the latest slot that was settled (정산 회차)',
    labels: [],
    sql: `select extract(epoch from clock_timestamp() - slot) as value from settlement_cycle
           where state = 'settled' order by slot desc limit 1`,
  },
  {
    name: 'jeongsan_slot_to_credit_latest_seconds',
    help: "From the latest settled slot's time to its last credit",
    labels: [],
    sql: `select extract(epoch from credited_at - slot) as value from settlement_cycle
           where state = 'settled' and credited_at is not null order by slot desc limit 1`,
  },
  {
    name: 'jeongsan_findings_open',
    help: 'What a person has to know (발견 사항)',
    labels: ['kind', 'audience'],
    sql: `select kind, audience, count(*) as value from finding where closed_at is null group by 1, 2`,
  },
  {
    name: 'jeongsan_approvals_waiting',
    help: 'What waits for a second person (승인)',
    labels: ['kind'],
    sql: `select kind, count(*) as value from approval where decision is null group by 1`,
  },
  {
    name: 'jeongsan_runs_open',
    help: 'Runs that wait or go on (실행)',
    labels: ['job', 'state'],
    sql: `select name as job, case status when 'PENDING' then 'running' else 'waiting' end as state, count(*) as value
            from dbos.workflow_status where status in ('PENDING', 'ENQUEUED', 'DELAYED') group by 1, 2`,
  },
  {
    name: 'jeongsan_webhook_deliveries_pending',
    help: 'What other systems have not been told yet (웹훅)',
    labels: ['webhook'],
    sql: `select e.name as webhook, count(*) as value from webhook_delivery d join webhook_endpoint e using (endpoint_id)
           where d.state = 'pending' group by 1`,
  },
  {
    name: 'jeongsan_reconciled_day_age_days',
    help: 'Days since the latest business day whose reconciliation is complete (대사)',
    labels: [],
    sql: `select (clock_timestamp() at time zone 'Asia/Seoul')::date - max(business_on) as value
            from reconciliation_run where outcome = 'complete' having count(*) > 0`,
  },
];

/** What the database can be asked for charts. */
export const askedMetrics: readonly Asked[] = questions;

const undefinedTable = '42P01';

/**
 * All of them at one moment, read only, within three seconds. What the engine has not made yet is left out.
 */
export async function readMetrics(pool: Pool): Promise<ReadonlyMap<string, readonly Reading[]>> {
  return await inTransaction(pool, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    await tx.query(`set local statement_timeout = ${mostMs}`);
    const answers = new Map<string, readonly Reading[]>();
    for (const { name, labels, sql } of questions) {
      await tx.query('savepoint question');
      try {
        const { rows } = await tx.query<Record<string, unknown>>(sql);
        answers.set(
          name,
          rows.map((row) => ({
            labels: Object.fromEntries(labels.map((label) => [label, String(row[label])])),
            value: Number(row['value']),
          })),
        );
      } catch (error) {
        if ((error as { code?: string }).code !== undefinedTable) throw error;
        await tx.query('rollback to savepoint question');
      }
    }
    return answers;
  });
}
