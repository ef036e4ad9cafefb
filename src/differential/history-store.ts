import type { PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import type { DifferenceRounding } from '../providers/differential.ts';
import { capturedDays, dayList, leavesOf, lookingUp, tradedDays } from './candidate-store.ts';
import { findApprovals } from './clawback-store.ts';
import { clawbackOf, makePrices, type PriceSource, preferentialFee, rateInForce } from './price-store.ts';

/** What a past day is priced by, into the temporary table of this name. */
export type Pricing = { readonly name: string; readonly source: PriceSource; readonly rounding: DifferenceRounding };

/** A channel's captures of a past day; `merchants` is SQL of the merchants that are wanted, all without it. */
export type PastDay = { readonly channel: string; readonly capturedOn: string; readonly merchants?: string };

/** Makes the empty temporary table of a pricing: a row for each claim that there would be. */
export async function createPriced(tx: PoolClient, name: string): Promise<void> {
  await tx.query(`
    create temp table ${name} (
      channel text collate "C", traded_on date, provider_tid text collate "C", cancel_seq smallint, type "char", captured_on date,
      original_on date, mid text collate "C", merchant_id text collate "C", acquirer text collate "C", order_no text collate "C",
      tier smallint, card_type "char", rate_ppm int, rule "char", amount_won bigint, original_won bigint, charged_won bigint,
      preferential_won bigint, difference_won bigint, final_no text collate "C", intermediary_no text collate "C"
    ) on commit drop`);
}

/**
 * Prices what was captured on a past day, by each of the pricings: what selection would claim of it if nothing had been
 * claimed before, nothing were too old and everybody registered. Writes temporary tables and nothing else.
 */
export async function pricePastDay(tx: PoolClient, day: PastDay, pricings: readonly Pricing[]): Promise<void> {
  await stageDay(tx, day);
  await addOutside(tx, day);
  const originals = await query<{ day: string }>(
    tx,
    `select original_on::text as day from found union select traded_on::text from past where cancel_seq = 0 order by 1`,
  );
  const days = originals.map((row) => row.day);
  if (days.length > 0) for (const pricing of pricings) await price(tx, day.channel, pricing, days);
  await tx.query('drop table past, found');
}

const columns = 'captured_on, traded_on, provider_tid, cancel_seq, mid, amount_won, fee_won + vat_won as charged_won';

/** The captures of the day with their payments: `past`. */
async function stageDay(tx: PoolClient, { channel, capturedOn, merchants }: PastDay): Promise<void> {
  const traded = await tradedDays(tx, channel, [capturedOn]);
  const payment = `traded_on, provider_tid, cancel_seq, kind as type, merchant_id, acquirer, order_no, left(card_no, 6) as bin`;
  const wanted = merchants === undefined ? 'true' : `merchant_id in (${merchants})`;
  await tx.query(`
    create temp table past on commit drop as
    select c.*, p.type, p.merchant_id, p.acquirer, p.order_no, p.bin, true as is_inside
      from (${leavesOf('capture', channel, [capturedOn], columns)}) c
      join (${leavesOf('payment', channel, traded, payment, wanted)}) p using (traded_on, provider_tid, cancel_seq);
    create temp table found on commit drop as
    select distinct provider_tid, traded_on as original_on from past where cancel_seq = 0;
    analyze past`);
}

/** What the day's cancels hang on and other days hold: their approvals, and the cancels before them. */
async function addOutside(tx: PoolClient, { channel, capturedOn }: PastDay): Promise<void> {
  const [span] = await query<{ first: string | null; last: string }>(
    tx,
    `select min(traded_on)::text as first, max(traded_on)::text as last from past where cancel_seq > 0`,
  );
  if (!span?.first) return;
  await findApprovals(
    tx,
    channel,
    { first: span.first, last: span.last },
    'select provider_tid from past where cancel_seq > 0',
  );
  await tx.query(`
    create temp table away on commit drop as
    select provider_tid, original_on,
           provider_tid in (select provider_tid from past where cancel_seq = 0) as has_approval,
           provider_tid in (select provider_tid from past where type = 'P' or cancel_seq > 1) as is_partly
      from found where provider_tid in (select provider_tid from past where cancel_seq > 0)`);
  const originals = await query<{ day: string }>(tx, 'select distinct original_on::text as day from away order by 1');
  const days = originals.map((row) => row.day);
  const captured = await capturedDays(tx, channel, days, capturedOn);
  const [firstDay] = captured;
  if (firstDay !== undefined) {
    const payment = 'traded_on, provider_tid, cancel_seq, merchant_id, acquirer, order_no, left(card_no, 6) as bin';
    await lookingUp(
      tx,
      `insert into past
       select distinct on (c.provider_tid) c.*, 'A', p.merchant_id, p.acquirer, p.order_no, p.bin, false
         from away a cross join unnest(array[${dayList(captured)}]) d (on_day)
        cross join lateral (
          select * from (${leavesOf('capture', channel, captured, columns)}) c
           where c.captured_on = d.on_day and c.provider_tid = a.provider_tid and c.cancel_seq = 0
             and c.traded_on = a.original_on offset 0) c
        cross join lateral (
          select * from (${leavesOf('payment', channel, days, payment)}) p
           where p.traded_on = a.original_on and p.provider_tid = a.provider_tid and p.cancel_seq = 0 offset 0) p
        where not a.has_approval
        order by c.provider_tid, c.captured_on`,
    );
    await addEarlierCancels(tx, channel, { from: firstDay, before: capturedOn });
  }
  await tx.query('drop table away');
}

async function addEarlierCancels(
  tx: PoolClient,
  channel: string,
  { from, before }: { readonly from: string; readonly before: string },
): Promise<void> {
  const rows = await query<{ day: string }>(
    tx,
    `select distinct captured_on::text as day from capture_total
      where provider = $1 and captured_on >= $2 and captured_on < $3 order by 1`,
    [channel, from, before],
  );
  const days = rows.map(({ day }) => day);
  if (days.length === 0) return;
  await lookingUp(
    tx,
    `insert into past
     select c.*, 'P', null, null, null, null, false
       from away a cross join unnest(array[${dayList(days)}]) d (on_day)
      cross join lateral (
        select * from (${leavesOf('capture', channel, days, columns)}) c
         where c.captured_on = d.on_day and c.provider_tid = a.provider_tid and c.cancel_seq > 0 offset 0) c
      where a.is_partly and d.on_day >= a.original_on`,
  );
}

async function price(tx: PoolClient, channel: string, pricing: Pricing, days: readonly string[]): Promise<void> {
  const { name, source, rounding } = pricing;
  await makePrices(tx, 'past', days, source);
  const cancels = `
    select c.traded_on, c.provider_tid, c.cancel_seq, c.type, c.captured_on, c.mid, o.merchant_id, c.acquirer, c.order_no,
           c.amount_won, c.charged_won, c.is_inside, o.traded_on as original_on, o.tier, o.card_type, o.rate_ppm,
           o.amount_won as original_won, o.difference_won as original_difference, f.won as preferential_won,
           0::bigint as cancelled_won, 0::bigint as taken_won, o.final_no, o.intermediary_no
      from past c
      join found f_on using (provider_tid)
      join approved o on o.provider_tid = c.provider_tid and o.traded_on = f_on.original_on
      left join lateral ${preferentialFee('c.amount_won', 'o.rate_ppm', rounding)} f on true
     where c.cancel_seq > 0`;
  await tx.query(`
    with approved as materialized (
      select r.*, x.tier, x.final_no, x.intermediary_no, b.card_type, ${rateInForce} as rate_ppm, f.won as preferential_won,
             r.charged_won - f.won as difference_won
        from past r
        join past_price x on x.merchant_id = r.merchant_id and x.on_day = r.traded_on
        join past_card b on b.bin = r.bin and b.on_day = r.traded_on
        left join lateral ${preferentialFee('r.amount_won', rateInForce, rounding)} f on true
       where r.cancel_seq = 0 and r.charged_won - f.won > 0
    )
    insert into ${name}
    select '${channel}', traded_on, provider_tid, cancel_seq, type, captured_on, traded_on, mid, merchant_id, acquirer, order_no,
           tier, card_type, rate_ppm, 'R', amount_won, amount_won, charged_won, preferential_won, difference_won, final_no,
           intermediary_no
      from approved where is_inside
    union all
    select '${channel}', traded_on, provider_tid, cancel_seq, type, captured_on, original_on, mid, merchant_id, acquirer, order_no,
           tier, card_type, rate_ppm, rule, amount_won, original_won, charged_won, preferential_won, difference_won, final_no,
           intermediary_no
      from (${clawbackOf(cancels, 'provider_tid', rounding, 'captured_on, traded_on, cancel_seq')}) c
     where is_inside and difference_won <> 0`);
  await tx.query('drop table past_price, past_card');
}

/** On which days a channel's captures were captured, between two days. */
export async function daysCaptured(tx: PoolClient, channel: string, from: string, to: string): Promise<string[]> {
  const rows = await query<{ day: string }>(
    tx,
    `select distinct captured_on::text as day from capture_total
      where provider = $1 and captured_on between $2 and $3 order by 1`,
    [channel, from, to],
  );
  return rows.map(({ day }) => day);
}
