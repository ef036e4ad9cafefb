import type { PoolClient } from 'pg';
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
  await tx.query('analyze judged (cancel_seq, reason, is_due)');
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
           -- What waited for a slot by the minute and nothing else has waited enough, whichever slot comes first.
           a.due_at <= ${instant(slot)} or (s.was_sound and a.is_minutes) as is_due,
           case when s.cancel_seq > 0 and a.cancel_fee = 'kept' then 0 else f.fee_won end as fee_won,
           case when s.cancel_seq > 0 and a.cancel_fee = 'kept' then 0 else f.vat_won end as vat_won,
           case when s.cancel_seq > 0 and a.cancel_fee = 'kept' then 'kept' else f.rule end as rule,
           case when s.amount_won = 0 or s.amount_won not between -${maxAmountWon} and ${maxAmountWon}
                  or (s.cancel_seq = 0) <> (s.amount_won > 0) then 'capture_amount_refused'
                when s.paid_won is null then 'capture_without_approval'
                when s.amount_won not between least(s.paid_won, 0) and greatest(s.paid_won, 0) then 'capture_over_approval'
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
      left join lateral (
        -- The offsets keep each figure from being computed again wherever it is used.
        select f.fee_won, f.vat_won, f.rule
          from (select case when s.amount_won between -${maxAmountWon} and ${maxAmountWon} then s.amount_won end as won offset 0) c
         cross join lateral ${chargeFee}(c.won, a.rate_ppm, a.fixed_won, a.min_fee_won, a.max_fee_won, a.rounding,
                                         a.vat) f offset 0) f on true`;
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
 * Names the cancels that would be settled in the temporary table `part_cancel`, by their row in `judged`.
 *
 * A cancel waits with what it cancels, where that is not settled yet: set aside where it is set aside or dismissed (but
 * not as captured before: the other one counts), else until it is due. Asks the captures of this slot and those that wait;
 * not the settled ones. What this slot has and this part has not has no approval, or is another merchant's.
 */
export async function waitForOriginals(tx: PoolClient, { slot, parts }: Part): Promise<void> {
  await tx.query(`
    create temp table part_cancel on commit drop as
    select ctid as at, provider, captured_on, provider_tid, cancel_seq, traded_on, merchant_id, amount_won, is_simple, due_at
      from judged where cancel_seq > 0 and reason is null and is_due;
    create temp table waiting_original on commit drop as
    select provider, provider_tid, reason, due_at from judged
     where cancel_seq = 0 and (reason is not null or not is_due);
    analyze part_cancel; analyze waiting_original`);
  await tx.query(`
    insert into waiting_original
    select o.provider, o.provider_tid, o.reason, o.due_at
      from part_cancel c join unsettled_capture o on o.provider = c.provider and o.provider_tid = c.provider_tid
     where o.cancel_seq = 0 and o.due_at > ${instant(slot)}
    union all
    select o.provider, o.provider_tid, 'original_dismissed', c.due_at
      from part_cancel c join dismissed_capture o on o.provider = c.provider and o.provider_tid = c.provider_tid
     where o.cancel_seq = 0 and o.reason <> 'capture_repeated'`);
  if (parts > 1) {
    await tx.query(`
      insert into waiting_original
      select o.provider, o.provider_tid, 'capture_without_approval', null
        from part_cancel c join raw_capture o on o.provider = c.provider and o.provider_tid = c.provider_tid
       where o.cancel_seq = 0 and not exists (select from staged s where s.provider = o.provider
                                                 and s.provider_tid = o.provider_tid and s.cancel_seq = 0)`);
  }
  await tx.query(`
    with kept_back as (
      delete from part_cancel c using waiting_original o
       where o.provider = c.provider and o.provider_tid = c.provider_tid
      returning c.at, o.reason, greatest(o.due_at, c.due_at) as due_at
    )
    update judged j set due_at = k.due_at,
           reason = case when k.reason is null then 'original_unsettled'
                         when k.reason = 'original_dismissed' then k.reason
                         else 'original_set_aside' end
      from kept_back k where j.ctid = k.at`);
}
