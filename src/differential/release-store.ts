import { escapeLiteral, type PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import { dayList, leavesOf, lookingUp } from './candidate-store.ts';
import { findClaims, sumEarlierCancels } from './clawback-store.ts';
import { clawbackOf, preferentialFee } from './price-store.ts';
import { registrationJoin, type Selection } from './selection-store.ts';

/** Held and released by reasons that selection itself gives; the others are for people, or for answers. */
const ownReasons = `('card_type_unknown', 'not_registered', 'original_held', 'original_rejected')`;

const identity = 'traded_on, provider_tid, cancel_seq';

/**
 * Takes into the batch what had been set aside: held claims whose reason is gone, priced where they were not, and those
 * that are to be sent again. Approvals come first: their cancels follow them.
 */
export async function releaseClaims(tx: PoolClient, selection: Selection): Promise<void> {
  const { channel, provider } = selection;
  await tx.query(`
    create temp table aside on commit drop as
    select ${identity}, state, reason, type, tier, card_type, rate_ppm, rule, captured_on, original_on, amount_won, charged_won,
           preferential_won, difference_won, merchant_id, mid, acquirer, order_no, final_no, intermediary_no, false as is_registered
      from claim
     where provider = ${escapeLiteral(provider.id)} and channel = ${escapeLiteral(channel)} and kind = 'D'
       and (state = 'Q' or (state = 'H' and reason in ${ownReasons}));
    create temp table approval_aside on commit drop as select * from aside where cancel_seq = 0`);
  await releaseApprovals(tx, selection);
  await releaseCancels(tx, selection);
  await tx.query('drop table aside, approval_aside');
}

/** Approvals, priced where their card was not known. */
async function releaseApprovals(tx: PoolClient, selection: Selection): Promise<void> {
  const { channel, provider } = selection;
  const days = await daysOf(tx, 'approval_aside');
  if (days.length === 0) return;
  await lookingUp(
    tx,
    `create temp table aside_card on commit drop as
     select a.traded_on, a.provider_tid, b.card_type
       from approval_aside a
      cross join lateral (
        select * from (${leavesOf('payment', channel, days, `${identity}, left(card_no, 6) as bin`)}) p
         where p.traded_on = a.traded_on and p.provider_tid = a.provider_tid and p.cancel_seq = 0 offset 0) p
      cross join lateral (
        select card_type from card_bin where bin = p.bin and valid_from <= a.traded_on
         order by valid_from desc, card_bin_id desc limit 1) b
      where a.card_type is null`,
  );
  await tx.query(`
    create temp table priced on commit drop as
    select a.traded_on, a.provider_tid, a.cancel_seq, a.state as old_state, a.reason as old_reason, p.card_type, p.rate_ppm,
           coalesce(a.rule, 'R') as rule, p.preferential_won, p.difference_won, a.mid, a.tier, a.final_no, a.intermediary_no,
           case when a.traded_on < date ${escapeLiteral(selection.tooOldBefore)} then 'too_old'
                when p.card_type is null then 'card_type_unknown'
                when p.difference_won <= 0 then 'not_overcharged'
                when r.is_registered is not true then 'not_registered' end as reason
      from (select a.*, coalesce(a.card_type, c.card_type) as card_now
              from approval_aside a left join aside_card c using (traded_on, provider_tid)) a
      left join preferential_rate_period t on a.card_type is null and t.tier = a.tier and t.card_type = a.card_now
       and a.original_on between t.valid_from and coalesce(t.valid_to, 'infinity')
      left join lateral ${preferentialFee('a.amount_won', 't.rate_ppm', provider.differential.rounding)} f on true
     cross join lateral (
       select case when a.card_type is not null or t.rate_ppm is not null then a.card_now end as card_type,
              coalesce(a.rate_ppm, t.rate_ppm) as rate_ppm, coalesce(a.preferential_won, f.won) as preferential_won,
              coalesce(a.difference_won, a.charged_won - f.won) as difference_won) p
      ${registrationJoin(selection, 'a')};
    drop table aside_card`);
  await takeIn(tx, selection);
}

/**
 * Cancels, after their approvals: those that are not priced, or by another price than their approval now, take back what
 * that claims now.
 */
async function releaseCancels(tx: PoolClient, selection: Selection): Promise<void> {
  const { channel, provider } = selection;
  await tx.query(`
    create temp table cancel_aside on commit drop as select * from aside where cancel_seq > 0;
    create temp table found on commit drop as select distinct provider_tid, original_on from cancel_aside`);
  const originals = await query<{ day: string }>(tx, 'select distinct original_on::text as day from found order by 1');
  if (originals.length > 0) {
    await findClaims(
      tx,
      channel,
      originals.map(({ day }) => day),
    );
    await tx.query(`
      create temp table part_cancel on commit drop as
      select a.* from cancel_aside a join original o using (provider_tid, original_on)
       where a.difference_won is null
          or (o.tier, o.card_type, o.rate_ppm) is distinct from (a.tier, a.card_type, a.rate_ppm)`);
    await sumEarlierCancels(tx, selection);
    const known = `
      select c.*, o.original_won, o.original_difference, o.card_type as card_now, o.rate_ppm as rate_now, f.won as preferential_now,
             coalesce(e.cancelled_won, 0) as cancelled_won, coalesce(e.taken_won, 0) as taken_won
        from part_cancel c join original o using (provider_tid) left join earlier e using (provider_tid)
        left join lateral ${preferentialFee('c.amount_won', 'o.rate_ppm', provider.differential.rounding)} f on true
       where o.original_difference is not null`;
    const priced = `
      select traded_on, provider_tid, cancel_seq, original_won, original_difference, cancelled_won, taken_won, amount_won,
             charged_won, card_now, rate_now, preferential_now as preferential_won from (${known}) k`;
    await tx.query(`
      create temp table priced on commit drop as
      select a.traded_on, a.provider_tid, a.cancel_seq, a.state as old_state, a.reason as old_reason, a.mid,
             coalesce(n.card_now, a.card_type) as card_type, coalesce(n.rate_now, a.rate_ppm) as rate_ppm,
             coalesce(n.rule, a.rule) as rule, coalesce(n.preferential_won, a.preferential_won) as preferential_won,
             coalesce(n.difference_won, a.difference_won) as difference_won, o.tier, o.final_no, o.intermediary_no,
             case when coalesce(n.difference_won, a.difference_won) = 0 then 'not_overcharged'
                  when o.state in ('R', 'X') then 'original_rejected' when o.state = 'H' then 'original_held'
                  when a.traded_on < date ${escapeLiteral(selection.tooOldBefore)} then 'too_old'
                  when r.is_registered is not true then 'not_registered' end as reason
        from cancel_aside a
        join original o using (provider_tid, original_on)
        left join (${clawbackOf(priced, 'provider_tid', provider.differential.rounding)}) n using (${identity})
        ${registrationJoin(selection, 'a')};
      drop table original, earlier, part_cancel`);
    await takeIn(tx, selection);
  }
  await tx.query('drop table cancel_aside, found');
}

/** Writes what became of the claims in `priced`, where anything did, with its trail. */
async function takeIn(tx: PoolClient, { channel, provider, batchId }: Selection): Promise<void> {
  const mid = provider.differential.claims.perMid ? 'p.mid' : `''`;
  // What was queued since the files got their numbers goes with the next batch.
  await tx.query(`
    delete from priced p
     where (old_reason = reason and old_state = 'H')
        or (reason is null and ${mid} not in (select mid from differential_file_number where batch_id = ${batchId}))`);
  const days = await daysOf(tx, 'priced');
  if (days.length > 0) {
    const channelId = escapeLiteral(channel);
    await lookingUp(
      tx,
      `update claim c
          set state = case when p.reason is null then 'P'::"char" when p.reason = 'not_overcharged' then 'X' else 'H' end,
              reason = p.reason, tier = p.tier, final_no = p.final_no, intermediary_no = p.intermediary_no, card_type = p.card_type, rate_ppm = p.rate_ppm, preferential_won = p.preferential_won,
              difference_won = p.difference_won, rule = case when p.card_type is not null then p.rule end,
              batch_id = case when coalesce(p.reason, 'too_old') = 'too_old' then ${batchId} else c.batch_id end,
              file_id = case when p.reason is null then n.file_id else c.file_id end
         from priced p left join differential_file_number n on n.batch_id = ${batchId} and n.mid = ${mid}
        where c.channel = ${channelId} and c.traded_on in (${dayList(days)}) and c.kind = 'D'
          and c.traded_on = p.traded_on and c.provider_tid = p.provider_tid and c.cancel_seq = p.cancel_seq
          and c.state = p.old_state and c.reason is not distinct from p.old_reason`,
    );
    await tx.query(`
      insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason, detail)
      select ${channelId}, ${identity}, 'D', 'jeongsan',
             case when reason = 'not_overcharged' then 'rejected' when reason is not null then 'held'
                  when old_state = 'Q' then 'sent_again' else 'released' end, coalesce(reason, old_reason),
             jsonb_build_object('batchId', ${batchId}) from priced;
      insert into differential_day (batch_id, channel, traded_on)
      select distinct ${batchId}, ${channelId}, traded_on from priced where reason is null
      on conflict do nothing`);
  }
  await tx.query('drop table priced');
}

async function daysOf(tx: PoolClient, table: 'approval_aside' | 'priced'): Promise<string[]> {
  const rows = await query<{ day: string }>(tx, `select distinct traded_on::text as day from ${table} order by 1`);
  return rows.map(({ day }) => day);
}
