import type { PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import type { Part } from './part.ts';
import { day, instant } from './stage-store.ts';

/**
 * Gives the agreements whose contract has tiers the rate of the tier that the merchant's volume reaches: what was
 * settled for it in the previous calendar month, or in this month before this slot. Merchants without tiers cost
 * nothing, and a month is summed up from its settlements once, when a merchant first needs it.
 */
export async function chooseTiers(tx: PoolClient, part: Part): Promise<void> {
  const [some] = await query(tx, 'select from agreement where tier_volume is not null limit 1');
  if (some === undefined) return;
  const thisMonth = Temporal.PlainDate.from(part.settledOn);
  const months = { this: monthOf(thisMonth), previous: monthOf(thisMonth.subtract({ months: 1 })) };
  await tx.query(`
    create temp table tiered_merchant on commit drop as
    select distinct merchant_id from agreement where tier_volume is not null;
    analyze tiered_merchant`);
  for (const month of [months.previous, months.this]) await sumUpMonth(tx, month);
  await tx.query(`
    update agreement a set rate_ppm = coalesce((
        select t.rate_ppm from fee_contract_tier t where t.contract_id = a.contract_id
            and t.from_won <= case a.tier_volume when 'previous_month' then p.gross_won
                                                 else m.gross_won - ${settledBefore(part)} end
         order by t.from_won desc limit 1), a.rate_ppm)
      from settlement_volume p, settlement_volume m
     where a.tier_volume is not null
       and p.merchant_id = a.merchant_id and p.month = ${months.previous.first}
       and m.merchant_id = a.merchant_id and m.month = ${months.this.first}`);
}

/** SQL: what earlier parts of the same slot settled for a merchant, which is not before the slot. */
function settledBefore({ part, settledOn, slot }: Part): string {
  if (part === 0) return '0';
  return `coalesce((select sum(s.gross_won) from settlement s where s.settled_on = ${day(settledOn)}
    and s.merchant_id = m.merchant_id and s.slot = ${instant(slot)}), 0)`;
}

/** The month's volume of merchants that have none yet; what they are settled from now on is added as it is settled. */
async function sumUpMonth(tx: PoolClient, { first, next }: Month): Promise<void> {
  const missing = await query<{ merchant_id: string }>(
    tx,
    `select merchant_id from tiered_merchant m where not exists (
       select from settlement_volume v where v.month = ${first} and v.merchant_id = m.merchant_id)
      order by merchant_id`,
  );
  if (missing.length === 0) return;
  await tx.query(
    `insert into settlement_volume (month, merchant_id, gross_won)
     select ${first}, m.merchant_id, coalesce(sum(s.gross_won), 0)
       from unnest($1::text[]) m (merchant_id)
       left join settlement s on s.merchant_id = m.merchant_id collate "C"
        and s.settled_on >= ${first} and s.settled_on < ${next}
      group by m.merchant_id order by m.merchant_id`,
    [missing.map((row) => row.merchant_id)],
  );
}

/** Adds what a part settled to the month of the merchants that are counted. */
export async function addVolume(tx: PoolClient, part: Part, merchants: string): Promise<void> {
  const { first } = monthOf(Temporal.PlainDate.from(part.settledOn));
  await tx.query(`
    update settlement_volume v set gross_won = v.gross_won + m.gross_won
      from merchant_sum m where v.month = ${first} and v.merchant_id = m.merchant_id and ${merchants}`);
}

/** First days of a month and of the next one, as SQL. */
type Month = { readonly first: string; readonly next: string };

function monthOf(of: Temporal.PlainDate): Month {
  const first = of.with({ day: 1 });
  return { first: day(first.toString()), next: day(first.add({ months: 1 }).toString()) };
}
