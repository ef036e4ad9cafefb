import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { batchOf, noCounts, notePart, partCounts, type SelectedCounts, sumCounts } from './batch-store.ts';
import { dayList, isOfShare, leavesOf, lockShare, planForSets, type Share } from './candidate-store.ts';
import { selectCancels } from './clawback-store.ts';
import { makePrices, preferentialWon, rateInForce } from './price-store.ts';
import {
  claimColumns,
  fileJoin,
  registeredMerchants,
  type Selection,
  selectionOf,
  waitAgain,
  wasPlanned,
} from './selection-store.ts';

/**
 * Selects a part of the batch, by the set: of each capture the claim of what was overcharged, its state and its file, or
 * nothing. Parts may run at the same time; one that is run again is as it was.
 */
export async function selectPart(
  tx: PoolClient,
  part: Share & { readonly batchId: bigint; readonly provider: DifferentialProvider },
): Promise<SelectedCounts> {
  await lockShare(tx, part.provider.id, part);
  const before = await partCounts(tx, part.batchId, part.part);
  if (before !== undefined) return before;
  const batch = await batchOf(tx, part.batchId);
  await planForSets(tx);
  let counts = noCounts;
  for (const channel of part.provider.channels) {
    counts = sumCounts(counts, await selectChannel(tx, selectionOf({ ...batch, ...part, channel })));
  }
  await notePart(tx, batch.batchId, part.part, counts);
  return counts;
}

async function selectChannel(tx: PoolClient, selection: Selection): Promise<SelectedCounts> {
  const { batchId, channel } = selection;
  const inputs = await query<{ day: string }>(
    tx,
    `select captured_on::text as day from differential_input where batch_id = $1 and channel = $2 order by 1`,
    [batchId, channel],
  );
  const days = inputs.map(({ day }) => day);
  const planned = await query<{ day: string }>(
    tx,
    `select traded_on::text as day from differential_day where batch_id = $1 and channel = $2 order by 1`,
    [batchId, channel],
  );
  const traded = planned.map(({ day }) => day);
  if (traded.length === 0) return noCounts;
  const waiting = await takeWaiting(tx, selection, traded);
  const claimed = await query<{ day: string }>(
    tx,
    `select traded_on::text as day from differential_day
      where channel = $1 and traded_on in (${dayList(traded)}) and batch_id <> $2
      union
     select on_day::text from unnest(array[${dayList(traded)}]) on_day
       join half_year_period on on_day between starts_on and ends_on
       join retroactive_refund using (half) where posted_at is not null`,
    [channel, batchId],
  );
  await makePrices(tx, 'own', traded);
  await createMerchants(tx, selection, traded);
  await tx.query(createCancels);
  const isOurs = `${isOfShare('provider_tid', selection)} and ${wasPlanned(selection, traded)}`;
  const captures = [
    leavesOf('capture', channel, days, `${captureColumns}, false as is_again`, isOurs),
    ...(waiting.length === 0 ? [] : [waitingCaptures(selection, waiting)]),
  ];
  const mayRepeat = days.length > 1 || captures.length > 1;
  const [approvals] = await query<SelectedCounts>(
    tx,
    selectApprovals(selection, {
      captures: mayRepeat
        ? `select distinct on (${key}) * from (${captures.join(' union all ')}) c order by ${key}, is_again, captured_on`
        : (captures[0] as string),
      payments: leavesOf('payment', channel, traded, paymentColumns, isOfShare('provider_tid', selection)),
      claimed:
        claimed.length === 0
          ? undefined
          : leavesOf(
              'claim',
              channel,
              claimed.map(({ day }) => day),
              key,
              isOfShare('provider_tid', selection),
            ),
    }),
  );
  check(approvals, 'an aggregate returns a row');
  const cancels = await selectCancels(tx, selection);
  await tx.query('drop table part_cancel, own_price, own_card, own_merchant, waited');
  return sumCounts(approvals, cancels);
}

const key = 'traded_on, provider_tid, cancel_seq';
const captureColumns = `${key}, captured_on, mid, amount_won, fee_won + vat_won as charged_won`;
const paymentColumns = `${key}, kind as type, merchant_id, acquirer, order_no, left(card_no, 6) as bin`;

/** The cancels of a part, with the day of their approval where that is of the part itself. */
const createCancels = `
  create temp table part_cancel (
    traded_on date, provider_tid text collate "C", cancel_seq smallint, captured_on date, mid text collate "C",
    amount_won bigint, charged_won bigint, type "char", merchant_id text collate "C", acquirer text collate "C",
    order_no text collate "C", is_registered boolean, original_on date
  ) on commit drop`;

/** What is known of a merchant on a day, of those of which anything is: `own_price`, and with whom it is registered. */
async function createMerchants(tx: PoolClient, selection: Selection, traded: readonly string[]): Promise<void> {
  const needed = selection.provider.differential.registration !== undefined;
  await tx.query(`
    create temp table own_merchant on commit drop as
    ${
      needed
        ? `select * from own_price
             full join (select * from (${registeredMerchants(selection)}) r cross join unnest(array[${dayList(traded)}]) on_day) w
                  using (merchant_id, on_day)`
        : `select *, null::text[] as acquirers from own_price`
    };
    analyze own_merchant`);
}

/** Takes what waited since the batches before, as the temporary table `waited`: what still waits is put back. */
async function takeWaiting(tx: PoolClient, selection: Selection, traded: readonly string[]): Promise<string[]> {
  const own = `w.channel = ${escapeLiteral(selection.channel)} and ${isOfShare('w.provider_tid', selection)}
    and ${wasPlanned(selection, traded, 'w.')}`;
  await tx.query(`
    create temp table waited on commit drop as select * from differential_waiting w where ${own};
    delete from differential_waiting w where ${own}`);
  const days = await query<{ day: string }>(tx, 'select distinct captured_on::text as day from waited order by 1');
  return days.map(({ day }) => day);
}

function waitingCaptures(selection: Selection, days: readonly string[]): string {
  const of = leavesOf('capture', selection.channel, days, captureColumns, isOfShare('provider_tid', selection));
  return `select c.*, true as is_again from (${of}) c join waited w using (captured_on, provider_tid, cancel_seq)`;
}

/** Why a claim is held back, of a capture with its price; null where it may go out. */
const reasonToHold = (tooOldBefore: string) => `
  case when traded_on < date ${escapeLiteral(tooOldBefore)} then 'too_old'
       when card_type is null then 'card_type_unknown'
       when not is_registered then 'not_registered' end`;

/**
 * What a capture with its price comes to: W waits for its payment, N is claimed already, X is a cancel, I is of a merchant
 * that is not small or has no rate, C is a claim, O is not overcharged.
 */
const outcome = `
  (case when is_claimed then 'N' when type is null then 'W' when cancel_seq > 0 then 'X'
        when tier is null or (card_type is not null and rate_ppm is null) then 'I'
        when card_type is null or charged_won > preferential_won then 'C' else 'O' end)::"char"`;

/**
 * One pass over the captures and their payments: approvals become claims, in the order of their key; cancels are put
 * aside with the day of their approval; what has no payment waits for it.
 */
function selectApprovals(
  selection: Selection,
  from: { readonly captures: string; readonly payments: string; readonly claimed: string | undefined },
): string {
  const { provider, channel, batchId, tooOldBefore } = selection;
  const [channelId, providerId] = [escapeLiteral(channel), escapeLiteral(provider.id)];
  const { registration, rounding } = provider.differential;
  const [isClaimed, claimed] =
    from.claimed === undefined
      ? ['false', '']
      : ['k.provider_tid is not null', `left join (${from.claimed}) k using (${key})`];
  return `
    with staged as materialized (
      -- What is asked of every row comes first: it is read without what comes after it.
      select ${outcome} as outcome, is_again, traded_on, provider_tid, cancel_seq, charged_won - preferential_won as difference_won,
             ${reasonToHold(tooOldBefore)} as reason, captured_on, mid, amount_won, charged_won, type, merchant_id, acquirer,
             order_no, tier, final_no, intermediary_no, card_type, rate_ppm, preferential_won, is_registered
        from (select c.is_again, c.traded_on, c.provider_tid, c.cancel_seq, c.captured_on, c.mid, c.amount_won, c.charged_won,
                     p.type, p.merchant_id, p.acquirer, p.order_no, x.tier, x.final_no, x.intermediary_no, b.card_type,
                     ${rateInForce} as rate_ppm, ${preferentialWon('c.amount_won', `(${rateInForce})`, rounding)} as preferential_won,
                     ${registration === undefined ? 'true' : 'coalesce(p.acquirer = any (x.acquirers), false)'} as is_registered,
                     ${isClaimed} as is_claimed
                from (${from.captures}) c
                left join (${from.payments}) p using (${key})
                left join own_merchant x on x.merchant_id = p.merchant_id and x.on_day = c.traded_on
                left join own_card b on b.bin = p.bin and b.on_day = c.traded_on
                ${claimed}
              -- Each is worked out once a row: the planner would write it out wherever it is used.
              offset 0) priced
    ), claimed as (
      insert into claim (${claimColumns})
      select ${channelId}, traded_on, provider_tid, cancel_seq, 'D', case when reason is null then 'P'::"char" else 'H' end,
             type, card_type, case when card_type is not null then 'R'::"char" end, tier, rate_ppm, captured_on, traded_on,
             ${batchId}, case when reason is null then file_id end, amount_won, amount_won, charged_won, preferential_won,
             difference_won, ${providerId}, merchant_id, s.mid, acquirer, order_no, final_no, intermediary_no, reason
        from staged s ${fileJoin(selection, 's')}
       where outcome = 'C' order by traded_on, provider_tid, cancel_seq
    ), events as (
      insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason)
      select ${channelId}, traded_on, provider_tid, cancel_seq, 'D', 'jeongsan', 'held', reason
        from staged where outcome = 'C' and reason is not null
    ), cancels as (
      insert into part_cancel
      select s.traded_on, s.provider_tid, s.cancel_seq, s.captured_on, s.mid, s.amount_won, s.charged_won, s.type,
             s.merchant_id, s.acquirer, s.order_no, s.is_registered, o.traded_on
        from staged s left join staged o on o.provider_tid = s.provider_tid and o.cancel_seq = 0
       where s.outcome = 'X'
    ), waits as (
      ${waitAgain(selection, `select * from staged where outcome = 'W'`, 'payment_missing')}
    )
    select count(*) filter (where outcome = 'C') as claims, count(reason) filter (where outcome = 'C') as held,
           coalesce(sum(difference_won) filter (where outcome = 'C'), 0)::bigint as "differenceWon",
           count(*) filter (where not is_again) as candidates, count(*) filter (where outcome = 'I') as ineligible,
           count(*) filter (where outcome = 'O') as "notOvercharged"
      from staged`;
}
