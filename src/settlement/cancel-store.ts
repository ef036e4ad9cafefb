import type { PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import { charging } from './judge-store.ts';
import type { Part } from './part.ts';
import { day } from './stage-store.ts';

/** How many days back an original is looked for, step after step: most cancels come within days of their sale. */
const daysBack = [3, 10, 40, 160, 500] as const;

/**
 * Prices the cancels whose contract says more than a rate: each gives back the fee by the contract and the rate of what
 * it cancels; the one that leaves nothing gives back all that is left, and none more than that. An original that is not
 * found leaves the contract in force when it was cancelled. Costs nothing where there are no such cancels.
 */
export async function priceCancels(tx: PoolClient, part: Part): Promise<void> {
  await tx.query('delete from part_cancel where is_simple');
  const [some] = await query(tx, 'select from part_cancel limit 1');
  if (some === undefined) return;
  await tx.query(`
    create temp table sought on commit drop as select distinct provider, provider_tid from part_cancel;
    analyze part_cancel; analyze sought;
    create temp table known_item on commit drop as
    select j.provider, j.provider_tid, j.cancel_seq, j.contract_id, j.rate_ppm, j.amount_won, j.fee_won, j.vat_won
      from judged j join sought using (provider, provider_tid)
     where j.cancel_seq = 0 and j.reason is null and j.is_due;
    analyze known_item`);
  await findSettledItems(tx, part);
  await charging(tx, priceByOriginal);
  const [alone] = await query(tx, `select from part_cancel s where ${withoutOriginal} limit 1`);
  if (alone !== undefined) await tx.query(refuseWithoutContract);
}

/**
 * What was settled of the sought transactions: the original and the cancels before. Looks at the settled items of the
 * last days first and further back only for those not found there, so that the length of history hardly matters.
 */
async function findSettledItems(tx: PoolClient, { settledOn }: Part): Promise<void> {
  const today = Temporal.PlainDate.from(settledOn);
  const [first] = await query<{ day: string }>(tx, 'select min(captured_on)::text as day from part_cancel');
  // Cancels of a late file are older than the slot: their days are counted from them.
  const newest = first === undefined ? today : earlier(today, Temporal.PlainDate.from(first.day));
  let to = today.add({ days: 1 });
  // Cancels may have come before what they cancel: the first look is for all.
  let wanted = 'true';
  for (const days of daysBack) {
    const from = newest.subtract({ days });
    const between = [];
    for (let on = from; Temporal.PlainDate.compare(on, to) <= 0; on = on.add({ days: 1 })) between.push(on);
    await tx.query(`
      insert into known_item
      select i.provider, i.provider_tid, i.cancel_seq, i.contract_id, i.rate_ppm, i.amount_won, i.fee_won, i.vat_won
        from (select provider, provider_tid from sought s where ${wanted}) s
       cross join (values ${between.map((on) => `(${day(on.toString())})`).join(', ')}) d (captured_on)
        join settlement_item i on i.provider = s.provider and i.captured_on = d.captured_on
         and i.provider_tid = s.provider_tid
         and i.captured_on in (${between.map((on) => day(on.toString())).join(', ')})`);
    await tx.query('analyze known_item');
    const [missing] = await query(tx, `select from sought s where ${withoutOriginal} limit 1`);
    if (missing === undefined) return;
    to = from.subtract({ days: 1 });
    wanted = withoutOriginal;
  }
}

const withoutOriginal = `not exists (
  select from known_item k where k.provider = s.provider and k.provider_tid = s.provider_tid and k.cancel_seq = 0)`;

function earlier(one: Temporal.PlainDate, other: Temporal.PlainDate): Temporal.PlainDate {
  return Temporal.PlainDate.compare(one, other) < 0 ? one : other;
}

/**
 * Of a transaction, in the order of its cancels: `before` and `upto` are what the cancels give back by the rate, without
 * and with this one, summed up and never more than is left. The differences are what each gives back.
 */
const priceByOriginal = (chargeFee: string) => `
  update judged j set contract_id = p.contract_id, rate_ppm = p.rate_ppm,
         fee_won = case when p.kept then 0 when p.is_last then least(p.fee_before, p.fee_left) - p.fee_left
                        when p.is_over then 0
                        else least(p.fee_before, p.fee_left) - least(p.fee_upto, p.fee_left) end,
         vat_won = case when p.kept then 0 when p.is_last then least(p.vat_before, p.vat_left) - p.vat_left
                        when p.is_over then 0
                        else least(p.vat_before, p.vat_left) - least(p.vat_upto, p.vat_left) end,
         reason = case when p.fee_upto is null or p.fee_before is null then 'fee_failed' end,
         rule = case when p.kept then 'kept' when p.is_last or p.is_over then 'remainder' else p.rule end
    from (
      select c.at, o.contract_id, o.rate_ppm,
             a.cancel_fee = 'kept' as kept, f.rule, l.fee_left, l.vat_left,
             l.won_left + sum(c.amount_won) over earlier_ones <= 0
               and l.won_left + sum(c.amount_won) over earlier_ones - c.amount_won > 0 as is_last,
             l.won_left + sum(c.amount_won) over earlier_ones - c.amount_won <= 0 as is_over,
             -sum(f.fee_won) over earlier_ones as fee_upto, f.fee_won - sum(f.fee_won) over earlier_ones as fee_before,
             -sum(f.vat_won) over earlier_ones as vat_upto, f.vat_won - sum(f.vat_won) over earlier_ones as vat_before
        from part_cancel c
        join (select provider, provider_tid, sum(amount_won) as won_left, sum(fee_won) as fee_left,
                     sum(vat_won) as vat_left
                from known_item group by provider, provider_tid) l using (provider, provider_tid)
        join known_item o on o.provider = c.provider and o.provider_tid = c.provider_tid and o.cancel_seq = 0
        join fee_contract a on a.contract_id = o.contract_id
       cross join lateral ${chargeFee}(c.amount_won, o.rate_ppm, a.fixed_won, a.min_fee_won, a.max_fee_won, a.rounding,
                                     a.vat) f
      window earlier_ones as (partition by c.provider, c.provider_tid order by c.cancel_seq, c.captured_on
                              rows between unbounded preceding and current row)) p
   where j.ctid = p.at`;

/** Cancels whose original is not known need a contract of their own day. */
const refuseWithoutContract = `
  update judged j set reason = case when j.contract_id is null then 'contract_missing'
                                    when j.fee_won is null then 'fee_failed' else 'contract_closed' end
    from part_cancel s
    left join agreement a on a.provider = s.provider and a.merchant_id = s.merchant_id and a.traded_on = s.traded_on
     and a.captured_on = s.captured_on
   where j.ctid = s.at and ${withoutOriginal} and (j.contract_id is null or j.fee_won is null or a.valid_to < s.traded_on)`;
