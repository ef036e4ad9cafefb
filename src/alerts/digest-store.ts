import type { Pool } from 'pg';
import { seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import type { Language } from '../kernel/problem.ts';
import { query } from '../platform/database/pool.ts';
import type { Stage } from '../providers/stage.ts';
import { daySummary } from '../reconciliation/day-summary.ts';
import { expectedOf } from '../reconciliation/workflow.ts';
import type { DigestContent } from './content.ts';
import { putDelivery } from './outbox-store.ts';
import { channelsFor, digestStage, reasonsMost } from './report-store.ts';

/**
 * 일일 요약. How a day went and how things stand now: from small tables and indexes, except the payouts that ended that day.
 */
export async function digestOf(
  pool: Pool,
  on: Temporal.PlainDate,
  language: Language,
  now: Temporal.Instant,
): Promise<DigestContent> {
  const from = on.toZonedDateTime(seoul).toInstant().toString();
  const to = on.add({ days: 1 }).toZonedDateTime(seoul).toInstant().toString();
  const reconciled = await reconciledDay(pool, on, language);
  return {
    type: 'digest',
    on: on.toString(),
    at: now.toString(),
    ...reconciled,
    ...(await settled(pool, { on, from, to })),
    breaks: await breaksByAge(pool, now),
    waiting: await waiting(pool),
    urgent: await query(
      pool,
      `select f.kind, count(*)::int as findings
         from alert a join alert_finding g using (alert_id) join finding f using (finding_id)
        where a.closed_at is null and a.severity = 'urgent' and f.closed_at is null
        group by 1 order by 2 desc, 1 limit 10`,
    ),
    audit: await auditHead(pool),
  };
}

/** Puts the digest of a day into the outbox of whoever is to have it, once; returns to how many. */
export async function putDigest(pool: Pool, on: Temporal.PlainDate, now: Temporal.Instant): Promise<number> {
  let written = 0;
  for (const { channel, language } of await channelsFor(pool, 'digest')) {
    const key = `digest.${on}.${channel}`;
    const content = await digestOf(pool, on, language, now);
    const delivery = { key, about: key, channel, purpose: 'digest', alert: null, content, now } as const;
    written += (await putDelivery(pool, delivery)) ? 1 : 0;
  }
  return written;
}

async function reconciledDay(pool: Pool, on: Temporal.PlainDate, language: Language) {
  // The run that asked for the most: a later one of a single provider says less of the day.
  const [run] = await query<{ providers: string[]; stages: Stage[] }>(
    pool,
    `select providers, stages from reconciliation_run where business_on = $1
      order by cardinality(providers) * cardinality(stages) desc, attempt desc limit 1`,
    [on.toString()],
  );
  if (run === undefined) return { outcome: 'not_run' as const, stages: [], reasons: [] };
  const day = await daySummary(pool, on, expectedOf(run), language);
  const reasons = day.reasons.slice(0, reasonsMost).map((reason) => reason.slice(0, 300));
  return { outcome: day.outcome, stages: day.stages.map(digestStage), reasons };
}

type Day = { readonly on: Temporal.PlainDate; readonly from: string; readonly to: string };

async function settled(pool: Pool, { on, from, to }: Day): Promise<Pick<DigestContent, 'money' | 'cycles'>> {
  type Money = DigestContent['money'];
  const [cycles] = await query<
    DigestContent['cycles'] & Pick<Money, 'settledWon' | 'settledItems' | 'feeWon' | 'vatWon'>
  >(
    pool,
    `select count(*) filter (where state = 'settled')::int as settled, count(*) filter (where state = 'failed')::int as failed,
            count(*) filter (where state = 'skipped')::int as skipped,
            (select count(*)::int from finding where kind = 'settlement_late' and opened_at >= $1 and opened_at < $2) as late,
            coalesce(sum(credited_won), 0)::text as "settledWon", coalesce(sum(items), 0)::int as "settledItems",
            coalesce(sum(fee_won), 0)::text as "feeWon", coalesce(sum(vat_won), 0)::text as "vatWon"
       from settlement_cycle where slot >= $1 and slot < $2`,
    [from, to],
  );
  const [payouts] = await query<
    Omit<Money, 'settledWon' | 'settledItems' | 'feeWon' | 'vatWon' | 'refundedWon' | 'refunds' | 'clawedBackWon'>
  >(
    pool,
    `select coalesce(sum(amount_won) filter (where state = 'succeeded'), 0)::text as "paidOutWon",
            count(*) filter (where state = 'succeeded')::int as "paidOut",
            coalesce(sum(amount_won) filter (where state = 'rejected'), 0)::text as "rejectedWon",
            count(*) filter (where state = 'rejected')::int as rejected,
            coalesce(sum(amount_won) filter (where finished_at is null and state <> 'awaiting_approval'), 0)::text as "inFlightWon",
            count(*) filter (where finished_at is null and state <> 'awaiting_approval')::int as "inFlight"
       from payout where finished_at is null or finished_at >= $1 and finished_at < $2`,
    [from, to],
  );
  const [refunds] = await query<Pick<Money, 'refundedWon' | 'refunds' | 'clawedBackWon'>>(
    pool,
    `select coalesce(sum(refund_won), 0)::text as "refundedWon", count(*)::int as refunds,
            coalesce(-sum(clawback_won), 0)::text as "clawedBackWon" from claim_refund where booked_on = $1`,
    [on.toString()],
  );
  check(cycles && payouts && refunds, 'an aggregate returns a row');
  const { settledWon, settledItems, feeWon, vatWon, ...counts } = cycles;
  return { money: { settledWon, settledItems, feeWon, vatWon, ...payouts, ...refunds }, cycles: counts };
}

async function breaksByAge(pool: Pool, now: Temporal.Instant): Promise<DigestContent['breaks']> {
  const today = now.toZonedDateTimeISO(seoul).toPlainDate().toString();
  return query(
    pool,
    `with unresolved as (
       select $1::date - business_on as days, coalesce(abs(difference_won), 0) as won from break where state <> 'resolved'
     )
     select age, count(days)::int as count, coalesce(sum(won), 0)::text as won
       from (values ('0-1', -100000, 1), ('2-5', 2, 5), ('6-30', 6, 30), ('31+', 31, 1000000)) a(age, least_days, most_days)
       left join unresolved on days between least_days and most_days group by age, least_days order by least_days`,
    [today],
  );
}

async function waiting(pool: Pool): Promise<DigestContent['waiting']> {
  const [row] = await query<DigestContent['waiting']>(
    pool,
    `select (select count(*)::int from approval where decision is null) as approvals,
            (select count(*)::int from alert where closed_at is null and acknowledged_at is null) as alerts,
            (select count(*)::int from claim where state = 'H') as "heldClaims",
            (select count(*)::int from payout where state = 'unknown') as "payoutsUnknown",
            (select coalesce(sum(amount_won), 0)::text from payout where state = 'unknown') as "payoutsUnknownWon",
            (select count(*)::int from unsettled_capture where reason is not null) as unsettled,
            (select coalesce(sum(amount_won), 0)::text from unsettled_capture where reason is not null) as "unsettledWon",
            (select count(*)::int from finding where closed_at is null) as findings`,
  );
  check(row, 'counts are one row');
  return row;
}

async function auditHead(pool: Pool): Promise<DigestContent['audit']> {
  const [head] = await query<{ entry: number; hash: string }>(
    pool,
    `select number::int as entry, encode(hash, 'hex') as hash from audit_entry order by audit_entry.number desc limit 1`,
  );
  return head ?? null;
}
