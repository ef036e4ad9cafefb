import { escapeLiteral, type PoolClient } from 'pg';
import { dueAt } from '../merchants/cycle.ts';
import { query } from '../platform/database/pool.ts';
import type { Part } from './part.ts';
import { day, instant, methodsOfProviders } from './stage-store.ts';

/**
 * What was agreed about the staged captures: the temporary table `agreement`, one row for each provider, merchant, trade
 * day and capture day among them, with the terms, the contract and the rate in force, and when such captures are due.
 */
export async function findAgreements(tx: PoolClient, part: Part): Promise<void> {
  await tx.query(`
    create temp table agreement on commit drop as
    select g.provider, g.merchant_id, g.traded_on, g.captured_on, m.merchant_id is not null as known, g.method,
           t.terms_id, t.cycle, t.cycle ~ '^M[0-9]' as is_minutes, t.roll, t.due_time, null::timestamptz as due_at,
           c.contract_id, c.valid_to, c.rate_ppm, c.fixed_won, c.min_fee_won, c.max_fee_won, c.rounding, c.vat,
           c.cancel_fee, c.tier_volume,
           c.only_one and (c.cancel_fee = 'kept' or (c.tier_volume is null and c.fixed_won = 0
             and c.min_fee_won is null and c.max_fee_won is null)) as is_simple
      from (select provider, merchant_id, traded_on, captured_on, method, has_cancels
              from (select provider, merchant_id, traded_on, captured_on, bool_or(cancel_seq > 0) as has_cancels
                      from staged where merchant_id is not null group by 1, 2, 3, 4) s
              join ${methodsOfProviders()} using (provider)) g
      left join merchant m on m.merchant_id = g.merchant_id
      left join lateral (
        select t.* from settlement_terms t where t.merchant_id = g.merchant_id and t.valid_from <= g.captured_on
         order by t.valid_from desc, t.terms_id desc limit 1) t on true
      left join lateral (
        select c.*, g.has_cancels and not exists (select from fee_contract o where o.merchant_id = c.merchant_id and o.method = c.method
                                   and o.contract_id <> c.contract_id) as only_one
          from fee_contract c
         where c.merchant_id = g.merchant_id and c.method = g.method and c.valid_from <= g.traded_on
         order by c.valid_from desc, c.contract_id desc limit 1) c on true`);
  await findDueTimes(tx, part);
  await tx.query('analyze agreement (provider, merchant_id, traded_on, captured_on)');
}

type Cycle = { cycle: string; roll: 'forward' | 'backward' | 'none'; due_time: string; captured_on: string };

/** Of thousands of merchants there are few different cycles: their times are computed here and joined. */
async function findDueTimes(tx: PoolClient, { slot, holidays }: Part): Promise<void> {
  const cycles = await query<Cycle>(
    tx,
    `select distinct cycle, roll, due_time::text, captured_on from agreement where terms_id is not null`,
  );
  if (cycles.length === 0) return;
  const rows = cycles.map((each) => {
    const terms = { cycle: each.cycle, roll: each.roll, dueTime: each.due_time.slice(0, 5) };
    const due = dueAt(terms, Temporal.PlainDate.from(each.captured_on), slot, holidays);
    const { cycle, roll, due_time: time, captured_on: capturedOn } = each;
    return `(${escapeLiteral(cycle)}, ${escapeLiteral(roll)}, time '${time}', ${day(capturedOn)}, ${instant(due)})`;
  });
  await tx.query(`
    update agreement a set due_at = d.due_at
      from (values ${rows.join(', ')}) d (cycle, roll, due_time, captured_on, due_at)
     where a.cycle = d.cycle and a.roll = d.roll and a.due_time = d.due_time and a.captured_on = d.captured_on`);
}
