import type { PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import { tryWithout } from './isolation.ts';
import type { Part } from './part.ts';
import { instant } from './stage-store.ts';

/** The most that one capture may be; the fee's arithmetic is exact up to here. */
const maxAmountWon = 10_000_000_000_000n;

/**
 * Judges the staged captures by the set: the temporary table `judged`, each with its fee and VAT and, where it cannot
 * be settled, the reason, a Problem's code. Cancels whose contract says more than a rate are priced elsewhere.
 * Settled is what has no reason and is due.
 */
export async function judgeCaptures(tx: PoolClient, part: Part): Promise<void> {
  await charging(tx, (chargeFee) => judged(chargeFee, part));
  await tx.query('analyze judged (provider, provider_tid, cancel_seq, merchant_id, reason, due_at, captured_on)');
}

/** One capture whose fee cannot be computed would fail the set: only then is each computed by itself. */
export async function charging(tx: PoolClient, statement: (chargeFee: string) => string): Promise<void> {
  const failed = await tryWithout(tx, () => tx.query(statement('charge_fee')));
  if (failed === undefined) return;
  await tx.query(chargeEachByItself);
  await tx.query(statement('pg_temp.charge_fee_alone'));
}

function judged(chargeFee: string, { slot }: Part): string {
  return `
    create temp table judged on commit drop as
    select s.provider, s.captured_on, s.provider_tid, s.cancel_seq, s.traded_on, s.mid, s.amount_won, s.again,
           s.merchant_id, a.method, a.contract_id, a.rate_ppm, a.is_simple, a.due_at,
           -- What has waited for a slot by the minute has waited enough, whichever slot comes first.
           a.due_at <= ${instant(slot)} or (s.again and a.is_minutes) as is_due,
           case when s.cancel_seq > 0 and a.cancel_fee = 'kept' then 0 else f.fee_won end as fee_won,
           case when s.cancel_seq > 0 and a.cancel_fee = 'kept' then 0 else f.vat_won end as vat_won,
           case when s.cancel_seq > 0 and a.cancel_fee = 'kept' then 'kept' else f.rule end as rule,
           case when s.amount_won = 0 or abs(s.amount_won) > ${maxAmountWon}
                  or (s.cancel_seq = 0) <> (s.amount_won > 0) then 'capture_amount_refused'
                when s.kind is null then 'capture_without_approval'
                when not a.known then 'merchant_unknown'
                when a.terms_id is null then 'terms_missing'
                when s.cancel_seq > 0 and a.is_simple is not true then null
                when a.contract_id is null then 'contract_missing'
                when a.valid_to < s.traded_on then 'contract_closed'
                when f.fee_won is null then 'fee_failed' end as reason,
           null::text as cause
      from staged s
      left join agreement a on a.provider = s.provider and a.merchant_id = s.merchant_id
       and a.traded_on = s.traded_on and a.captured_on = s.captured_on
      left join lateral ${chargeFee}(
        case when abs(s.amount_won) <= ${maxAmountWon} then s.amount_won end, a.rate_ppm, a.fixed_won, a.min_fee_won,
        a.max_fee_won, a.rounding, a.vat) f on true`;
}

/** The same function, to be called row by row: where it fails there is no fee. */
const chargeEachByItself = `
  create or replace function pg_temp.charge_fee_alone(
    amount_won bigint, rate_ppm int, fixed_won bigint, min_fee_won bigint, max_fee_won bigint, rounding text, vat text
  ) returns table (fee_won bigint, vat_won bigint, rule text) language plpgsql as $$
  begin
    return query select f.* from charge_fee(amount_won, rate_ppm, fixed_won, min_fee_won, max_fee_won, rounding, vat) f;
  exception when data_exception or integrity_constraint_violation or raise_exception then
    return query select null::bigint, null::bigint, null::text;
  end
  $$`;

/**
 * A cancel waits with what it cancels, where that is not settled yet: set aside where it is set aside, else until it is
 * due. Asks the captures of this slot and those that wait, which are few; not the settled ones.
 */
export async function waitForOriginals(tx: PoolClient, { slot }: Part): Promise<void> {
  const settles = `c.cancel_seq > 0 and c.reason is null and c.is_due`;
  const [some] = await query(tx, `select from judged c where ${settles} limit 1`);
  if (some === undefined) return;
  await tx.query(`
    update judged c set reason = case when o.reason is null then 'original_unsettled' else 'original_set_aside' end,
           due_at = greatest(o.due_at, c.due_at)
      from judged o
     where ${settles} and o.cancel_seq = 0 and o.provider = c.provider and o.provider_tid = c.provider_tid
       and (o.reason is not null or not o.is_due)`);
  await tx.query(`
    update judged c set reason = case when o.reason is null then 'original_unsettled' else 'original_set_aside' end,
           due_at = greatest(o.due_at, c.due_at)
      from unsettled_capture o
     where ${settles} and o.provider = c.provider and o.provider_tid = c.provider_tid and o.cancel_seq = 0
       and o.due_at > ${instant(slot)}`);
}
