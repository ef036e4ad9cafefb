import type { PoolClient } from 'pg';
import type { DifferenceRounding } from '../providers/differential.ts';
import { dayList } from './candidate-store.ts';

/** What is known of tiers and rates, as SQL: `(business_no, half, tier)` and `(tier, card_type, rate_ppm, valid_from, valid_to)`. */
export type PriceSource = { readonly tiers: string; readonly rates: string };

/** As it is known now: the last word on a business and half-year counts. */
export const knownPrices: PriceSource = {
  tiers: `select distinct on (business_no, half) business_no, half, tier
            from merchant_tier order by business_no, half, tier_id desc`,
  rates: 'select tier, card_type, rate_ppm, valid_from, valid_to from preferential_rate_period',
};

/**
 * What transactions of these days are priced by, as temporary tables: `<name>_price`, a row for each small merchant and
 * day with its rates, and `<name>_card`, a row for each BIN and day. Who is in neither is not small, or of a card that
 * nobody knows.
 */
export async function makePrices(
  tx: PoolClient,
  name: string,
  days: readonly string[],
  source: PriceSource = knownPrices,
): Promise<void> {
  await tx.query(`
    create temp table ${name}_price on commit drop as
    with on_days as materialized (
      select on_day, half from unnest(array[${dayList(days)}]::date[]) on_day
        join half_year_period on on_day between starts_on and coalesce(ends_on, 'infinity')
    ), rate as materialized (
      select on_day, tier, max(rate_ppm) filter (where card_type = 'C') as credit_ppm,
             max(rate_ppm) filter (where card_type = 'K') as check_ppm
        from on_days join (${source.rates}) r on on_day between valid_from and coalesce(valid_to, 'infinity')
       group by on_day, tier
    ), graded as materialized (
      select business_no, half, tier from (${source.tiers}) t where half in (select half from on_days) and tier < 4
    ), via as materialized (
      select distinct on (on_day, merchant_id) on_day, merchant_id, intermediary_no
        from on_days join sub_merchant on valid_from <= on_day
       order by on_day, merchant_id, valid_from desc, sub_merchant_id desc
    )
    select merchant_id, on_day, g.tier, business_no as final_no, intermediary_no, credit_ppm, check_ppm
      from graded g join on_days using (half) join merchant using (business_no)
      join rate using (on_day, tier) left join via using (on_day, merchant_id)`);
  await tx.query(`
    create temp table ${name}_card on commit drop as
    select distinct on (on_day, bin) on_day, bin, card_type
      from unnest(array[${dayList(days)}]::date[]) on_day join card_bin on valid_from <= on_day
     order by on_day, bin, valid_from desc, card_bin_id desc`);
  await tx.query(`analyze ${name}_price; analyze ${name}_card`);
}

/** SQL of the rate in force, from the rows `x` of `<name>_price` and `b` of `<name>_card`. */
export const rateInForce = `case b.card_type when 'C' then x.credit_ppm when 'K' then x.check_ppm end`;

/** SQL of a lateral row `(won)`: the preferential fee with its VAT on an amount, signed; null where the rate is. */
export function preferentialFee(amount: string, ratePpm: string, rounding: DifferenceRounding): string {
  return `(select ${preferentialWon(amount, ratePpm, rounding)} as won offset 0)`;
}

/**
 * SQL: the same as an expression, which names `amount` and `ratePpm` several times: what `charge_fee` gives for a rate alone,
 * fee and VAT in one division, since (10 × fee + fee + half) ÷ 10 cut is the fee and (fee + half) ÷ 10 cut.
 */
export function preferentialWon(amount: string, ratePpm: string, { fee, vat }: DifferenceRounding): string {
  const [whole, rest] = [`abs(${amount}) / 1000000 * ${ratePpm}`, `abs(${amount}) % 1000000 * ${ratePpm}`];
  const toEven = `499999 + (${whole} + ${rest} / 1000000 & 1)`;
  const charged = `(${whole} + (${rest} + ${{ floor: '0', half_up: '500000', half_even: toEven }[fee]}) / 1000000)`;
  const taxed = {
    floor: `${charged} * 11 / 10`,
    half_up: `(${charged} * 11 + 5) / 10`,
    half_even: `(${charged} * 11 + 4 + (${charged} / 10 & 1)) / 10`,
  }[fee];
  const won = vat === 'added' ? taxed : charged;
  return `case when ${amount} > 0 then ${won} when ${amount} < 0 then - (${won}) else 0 end`;
}

/**
 * SQL: 공급가액. What a VAT-inclusive difference has as its supply, in whole numbers alone. By 11 there is no half, and a
 * division of whole numbers is cut towards 0. Its twin is `splitSupply`.
 */
export function supplyOf(won: string, { supply }: DifferenceRounding): string {
  return supply === 'floor' ? `(${won} * 10 / 11)` : `((${won} * 10 + case when ${won} < 0 then -5 else 5 end) / 11)`;
}

/**
 * SQL that says what cancels take back: of `cancels`, rows with `amount_won`, `charged_won`, `preferential_won`, the
 * approval's `original_won` and `original_difference`, and `cancelled_won` and `taken_won`, what cancels before them had
 * cancelled and taken (0 or less), it yields all columns and `difference_won` and `rule`; of an approval without a price
 * `difference_won` is null. Its twin is `clawbacks`.
 */
export function clawbackOf(
  cancels: string,
  key: string,
  { lastCancel }: DifferenceRounding,
  order = 'traded_on, cancel_seq',
): string {
  const whole = lastCancel === 'remainder' ? `when original_won + amount_upto <= 0 then -(left_won - before_won)` : '';
  return `
    select *, case when difference_won = charged_won - preferential_won then 'R'::"char" else 'M' end as rule
      from (select *, case when original_difference is null then null
                           when original_won + amount_upto - amount_won <= 0 then 0 ${whole}
                           else -(least(size_upto, left_won) - before_won) end as difference_won
              from (select *, least(size_upto - size_won, left_won) as before_won
                      from (select *, greatest(0, original_difference + taken_won) as left_won,
                                   (cancelled_won + sum(amount_won) over upto)::bigint as amount_upto,
                                   (sum(size_won) over upto)::bigint as size_upto
                              from (select *, greatest(0, preferential_won - charged_won) as size_won from (${cancels}) c) own
                            window upto as (partition by ${key} order by ${order}
                                            rows between unbounded preceding and current row)) summed) shared) taken`;
}
