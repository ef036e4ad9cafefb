import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import { noCounts, type SelectedCounts } from './batch-store.ts';
import { capturedDays, dayList, leavesOf, lookingUp, paymentDays } from './candidate-store.ts';
import { clawbackOf, makePrices, preferentialFee, rateInForce } from './price-store.ts';
import { tellOfRefunded } from './refunded-cancel-store.ts';
import { claimColumns, fileJoin, type Selection, waitAgain } from './selection-store.ts';

/** How many days back an approval is looked for, step after step: most cancels come within days of their sale. */
const daysBack = [1, 7, 40, 160, 500] as const;

/**
 * Selects the cancels that `part_cancel` holds: each claws back what its approval's claim claims, at that claim's rate.
 * Where the approval has no claim there is none; where nobody can say yet, it waits.
 */
export async function selectCancels(tx: PoolClient, selection: Selection): Promise<SelectedCounts> {
  await tx.query('analyze part_cancel');
  const [span] = await query<{ cancels: bigint; first: string; last: string }>(
    tx,
    'select count(*) as cancels, min(traded_on)::text as first, max(traded_on)::text as last from part_cancel',
  );
  check(span, 'an aggregate returns a row');
  if (span.cancels === 0n) return noCounts;
  await tx.query(`
    ${keepLatest('part_cancel', 'traded_on, provider_tid, cancel_seq')};
    create temp table found on commit drop as
    select distinct provider_tid, original_on from part_cancel where original_on is not null`);
  // Who never was a small merchant is not looked for.
  await findApprovals(tx, selection.channel, span, `select provider_tid from part_cancel where ${wasSmall}`);
  const originals = await originalDays(tx);
  await findClaims(tx, selection.channel, originals);
  await tellOfRefunded(tx, selection, originals);
  await sumEarlierCancels(tx, selection);
  await judgeUnclaimed(tx, selection);
  const [counts] = await query<SelectedCounts>(tx, claimCancels(selection));
  check(counts, 'an aggregate returns a row');
  await tx.query('drop table found, original, earlier, unclaimed');
  return counts;
}

/** SQL: of rows with the same key only those of the latest approval: a TID that was given out again cancels that one. */
function keepLatest(table: string, key: string): string {
  return `delete from ${table} r using (select ${key}, max(original_on) as latest from ${table} group by ${key}) k
           where (${key.replace(/(\w+)/g, 'r.$1')}) = (${key.replace(/(\w+)/g, 'k.$1')}) and r.original_on < k.latest`;
}

/**
 * Adds the days of approvals to `found`, for the TIDs that `wanted` selects. Looks at the last days first and further
 * back only for those not found there.
 */
export async function findApprovals(
  tx: PoolClient,
  channel: string,
  { first, last }: { readonly first: string; readonly last: string },
  wanted: string,
): Promise<void> {
  let to = last;
  for (const days of daysBack) {
    await tx.query(`
      analyze found;
      create temp table sought on commit drop as
      select distinct provider_tid from (${wanted}) w where provider_tid not in (select provider_tid from found)`);
    const [some] = await query(tx, 'select from sought limit 1');
    const from = Temporal.PlainDate.from(first).subtract({ days }).toString();
    const between = some === undefined ? [] : await paymentDays(tx, channel, from, to);
    if (between.length > 0) {
      await lookingUp(
        tx,
        `insert into found
         select s.provider_tid, p.traded_on
           from sought s cross join unnest(array[${dayList(between)}]) d (on_day)
          cross join lateral (
            select p.traded_on from (${leavesOf('payment', channel, between, 'traded_on, provider_tid, cancel_seq')}) p
             where p.traded_on = d.on_day and p.provider_tid = s.provider_tid and p.cancel_seq = 0 offset 0) p`,
      );
    }
    await tx.query('drop table sought');
    if (some === undefined) break;
    to = Temporal.PlainDate.from(from).subtract({ days: 1 }).toString();
  }
  await tx.query(keepLatest('found', 'provider_tid'));
}

/** SQL: whether the merchant of a cancel was small in any half-year. */
const wasSmall = `part_cancel.merchant_id in (
  select merchant_id from merchant where business_no in (select business_no from merchant_tier where tier < 4))`;

async function originalDays(tx: PoolClient): Promise<string[]> {
  const rows = await query<{ day: string }>(tx, 'select distinct original_on::text as day from found order by 1');
  return rows.map(({ day }) => day);
}

/** The approvals with what was claimed of them: `original`; `state` is null where nothing was. */
export async function findClaims(tx: PoolClient, channel: string, days: readonly string[]): Promise<void> {
  const columns = `traded_on, provider_tid, cancel_seq, kind, state, reason, tier, card_type, rate_ppm, final_no, intermediary_no,
    merchant_id as original_merchant, amount_won as original_won, difference_won as original_difference`;
  await lookingUp(
    tx,
    `create temp table original on commit drop as
     select f.provider_tid, f.original_on, k.state, k.reason, k.tier, k.card_type, k.rate_ppm, k.final_no, k.intermediary_no,
            k.original_merchant, k.original_won, k.original_difference
       from found f
       left join lateral (
         select * from (${leavesOf('claim', channel, days, columns)}) k
          where k.traded_on = f.original_on and k.provider_tid = f.provider_tid and k.cancel_seq = 0 and k.kind = 'D'
         offset 0) k on true`,
  );
  await tx.query('analyze original');
}

/**
 * What other cancels of the partly cancelled had cancelled (captures) and taken back (claims) before: `earlier`. The
 * cancels that take nothing back have no claim, so captures are asked for the amounts.
 */
export async function sumEarlierCancels(tx: PoolClient, { channel, claimedOn }: Selection): Promise<void> {
  await tx.query(`
    create temp table partly on commit drop as
    select distinct o.provider_tid, o.original_on
      from part_cancel c join original o using (provider_tid)
     where o.state is not null and (c.type = 'P' or c.cancel_seq > 1)`);
  await tx.query(`
    create temp table earlier_cancel (
      provider_tid text collate "C", traded_on date, cancel_seq smallint, amount_won bigint, taken_won bigint) on commit drop`);
  const [first] = await query<{ day: string | null }>(tx, 'select min(original_on)::text as day from partly');
  if (first?.day) {
    const [captured, claimed] = [
      await query<{ day: string }>(
        tx,
        `select distinct captured_on::text as day from capture_total where provider = $1 and captured_on between $2 and $3`,
        [channel, first.day, claimedOn],
      ),
      await query<{ day: string }>(
        tx,
        'select distinct traded_on::text as day from differential_day where channel = $1 and traded_on >= $2',
        [channel, first.day],
      ),
    ].map((rows) => rows.map(({ day }) => day)) as [string[], string[]];
    await collectEarlier(tx, channel, 'capture', captured);
    await collectEarlier(tx, channel, 'claim', claimed);
  }
  await tx.query(`
    create temp table earlier on commit drop as
    select provider_tid, coalesce(sum(amount_won), 0)::bigint as cancelled_won, coalesce(sum(taken_won), 0)::bigint as taken_won
      from (select distinct on (provider_tid, traded_on, cancel_seq, taken_won is null) *
              from earlier_cancel e
             where not exists (select from part_cancel c where c.provider_tid = e.provider_tid
                                  and c.traded_on = e.traded_on and c.cancel_seq = e.cancel_seq)) e
     group by provider_tid`);
  await tx.query('drop table partly, earlier_cancel; analyze earlier');
}

async function collectEarlier(tx: PoolClient, channel: string, table: 'capture' | 'claim', days: readonly string[]) {
  if (days.length === 0) return;
  const [day, columns, wanted] = {
    capture: [
      'captured_on',
      'captured_on, traded_on, provider_tid, cancel_seq, amount_won, null::bigint as taken_won',
      'true',
    ],
    claim: [
      'traded_on',
      'traded_on, provider_tid, cancel_seq, null::bigint as amount_won, difference_won as taken_won',
      `kind = 'D'`,
    ],
  }[table] as [string, string, string];
  await lookingUp(
    tx,
    `insert into earlier_cancel
     select p.provider_tid, k.traded_on, k.cancel_seq, k.amount_won, k.taken_won
       from partly p join unnest(array[${dayList(days)}]) d (on_day) on d.on_day >= p.original_on
      cross join lateral (
        select * from (${leavesOf(table, channel, days, columns, wanted)}) k
         where k.${day} = d.on_day and k.provider_tid = p.provider_tid and k.cancel_seq > 0 offset 0) k`,
  );
}

/**
 * What is to be thought of approvals that have no claim: `unclaimed`, whose `verdict` is ineligible, not_overcharged, or
 * waits while its payment or capture has not come in, no batch has selected its day, or one that comes may claim it yet.
 */
async function judgeUnclaimed(tx: PoolClient, { batchId, channel, claimedOn, provider }: Selection): Promise<void> {
  await tx.query(`
    create temp table alone on commit drop as select provider_tid, original_on from original where state is null;
    create temp table unclaimed (provider_tid text collate "C", verdict text) on commit drop`);
  const days = await query<{ day: string }>(tx, 'select distinct original_on::text as day from alone order by 1');
  if (days.length > 0) {
    const traded = days.map(({ day }) => day);
    const captured = await capturedDays(tx, channel, traded, claimedOn);
    await makePrices(tx, 'original', traded);
    const capture = 'captured_on, traded_on, provider_tid, cancel_seq, amount_won, fee_won + vat_won as charged_won';
    const payment = 'traded_on, provider_tid, cancel_seq, merchant_id, left(card_no, 6) as bin';
    const { calendar, rounding } = provider.differential;
    const claimedFrom = Temporal.PlainDate.from(claimedOn).subtract({ days: calendar.lookBackDays }).toString();
    await lookingUp(
      tx,
      `create temp table approved on commit drop as
       select a.provider_tid, a.original_on, p.merchant_id, p.bin, c.captured_on, c.amount_won, c.charged_won
         from alone a
         left join lateral (
          select * from (${leavesOf('payment', channel, traded, payment)}) p
           where p.traded_on = a.original_on and p.provider_tid = a.provider_tid and p.cancel_seq = 0 offset 0) p on true
         left join lateral (
           select c.* from unnest(array[${dayList(captured)}]::date[]) d (on_day)
            cross join lateral (
              select * from (${leavesOf('capture', channel, captured, capture)}) c
               where c.captured_on = d.on_day and c.provider_tid = a.provider_tid and c.cancel_seq = 0 offset 0) c
            where c.traded_on = a.original_on
            order by c.captured_on limit 1) c on true`,
    );
    await tx.query(`
      insert into unclaimed
      select a.provider_tid,
             case when a.merchant_id is null then 'waits'
                  when x.tier is null or (b.card_type is not null and ${rateInForce} is null) then 'ineligible'
                  when i.captured_on is null then 'waits'
                  when a.charged_won - f.won <= 0 then 'not_overcharged'
                  when a.captured_on >= date ${escapeLiteral(claimedFrom)} then 'waits'
                  else 'ineligible' end
        from approved a
        left join original_price x on x.merchant_id = a.merchant_id and x.on_day = a.original_on
        left join original_card b on b.bin = a.bin and b.on_day = a.original_on
        left join (select distinct captured_on from differential_input join differential_batch using (batch_id)
                    where channel = ${escapeLiteral(channel)} and (selected_at is not null or batch_id = ${batchId})) i
          on i.captured_on = a.captured_on
        left join lateral ${preferentialFee('a.amount_won', rateInForce, rounding)} f on true`);
    await tx.query('drop table approved, original_price, original_card');
  }
  await tx.query('drop table alone; analyze unclaimed');
}

/** Why a cancel is held back, of its row `c` with its approval's state; null where it may go out. */
const reasonToHold = (tooOldBefore: string) => `
  case when c.state in ('R', 'X') then 'original_rejected' when c.state = 'H' then 'original_held'
       when c.traded_on < date ${escapeLiteral(tooOldBefore)} then 'too_old'
       when not c.is_registered then 'not_registered' end`;

function claimCancels(selection: Selection): string {
  const { provider, channel, batchId, tooOldBefore } = selection;
  const [channelId, providerId] = [escapeLiteral(channel), escapeLiteral(provider.id)];
  const { rounding } = provider.differential;
  return `
    with known as materialized (
      select c.traded_on, c.provider_tid, c.cancel_seq, c.captured_on, c.mid, c.amount_won, c.charged_won, c.type,
             -- Who was refunded gives back, whichever merchant the cancel names.
             coalesce(o.original_merchant, c.merchant_id) as merchant_id, c.acquirer, c.order_no, c.is_registered,
             o.original_on, o.state, o.reason as original_reason, o.tier, o.card_type, o.rate_ppm, o.final_no,
             o.intermediary_no, o.original_won, o.original_difference,
             coalesce(e.cancelled_won, 0) as cancelled_won, coalesce(e.taken_won, 0) as taken_won, f.won as preferential_won,
             case when o.provider_tid is null then case when ${wasSmall.replaceAll('part_cancel.', 'c.')} then 'waits' else 'ineligible' end
                  else u.verdict end as verdict
        from part_cancel c
        left join original o using (provider_tid)
        left join earlier e using (provider_tid)
        left join unclaimed u using (provider_tid)
        left join lateral ${preferentialFee('c.amount_won', 'o.rate_ppm', rounding)} f on true
    ), clawed as materialized (
      select c.*, ${reasonToHold(tooOldBefore)} as reason
        from (${clawbackOf('select * from known where state is not null', 'provider_tid', rounding)}) c
       where difference_won is distinct from 0 and original_reason is distinct from 'not_overcharged'
    ), claimed as (
      insert into claim (${claimColumns})
      select ${channelId}, traded_on, provider_tid, cancel_seq, 'D', case when reason is null then 'P'::"char" else 'H' end,
             type, card_type, case when card_type is not null then rule end, tier, rate_ppm, captured_on, original_on,
             ${batchId}, case when reason is null then file_id end, amount_won, original_won, charged_won, preferential_won,
             difference_won, ${providerId}, merchant_id, c.mid, acquirer, order_no, final_no, intermediary_no, reason
        from clawed c ${fileJoin(selection, 'c')}
       order by traded_on, provider_tid, cancel_seq
    ), events as (
      insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason)
      select ${channelId}, traded_on, provider_tid, cancel_seq, 'D', 'jeongsan', 'held', reason
        from clawed where reason is not null
    ), waits as (
      ${waitAgain(selection, `select * from known where verdict = 'waits'`, 'original_missing')}
    ), claims as (
      select count(*) as claims, count(reason) as held, coalesce(sum(difference_won), 0)::bigint as "differenceWon" from clawed
    ), others as (
      select count(*) filter (where verdict = 'ineligible') as ineligible, count(*) filter (where verdict = 'not_overcharged')
             + count(*) filter (where state is not null) as without from known
    )
    select 0::bigint as candidates, claims, held, "differenceWon", ineligible, without - claims as "notOvercharged"
      from claims cross join others`;
}
