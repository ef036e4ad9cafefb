import { escapeLiteral, type PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import { keptFor } from './answered-claims-store.ts';
import type { Judging } from './apply-judge-store.ts';
import { dayList, isOfShare, lookingUp } from './candidate-store.ts';

/**
 * Says what becomes of each row of `aside`, as its `action`: accept, revise (another amount than before), revoke (not
 * accepted any more), revoke_hold, reject, reject_past (a try before the one that is under way), hold, pass (on its way
 * again), same, conflict (another file's answer said otherwise, and stands), aside (a break alone), none, or what `said`
 * said. What follows for other claims is added: clawbacks that wait for this refund, or lose it.
 */
export async function decide(tx: PoolClient, judging: Judging): Promise<void> {
  await decideAlone(tx, judging);
  await addKept(tx, judging, 'booking_failed', 'true');
  await decideCancels(tx);
  await addCancelsOfRevoked(tx);
  await findRefunded(tx, judging);
  await addKept(
    tx,
    judging,
    'original_not_paid',
    `exists (select from refunded f where f.channel = c.channel and f.provider_tid = c.provider_tid and f.traded_on = c.original_on)`,
  );
}

/** What a line decides by itself: everything but accepted cancels. */
async function decideAlone(tx: PoolClient, { file, answer }: Judging): Promise<void> {
  const isAnswer = answer.stage === 'answer';
  await tx.query(`
    update aside a set new_reason = case when said in ('rejected') then full_code else said end, action = case
      when said in ('unknown_claim', 'copy', 'contradicted') then said
      when said = 'passed' then case
        when is_active or not is_here then 'none'
        when state in ('R', 'X') and exists (
          select from claim_rejection j join answer_file f using (answer_id)
           where j.channel = a.channel and j.traded_on = a.traded_on and j.provider_tid = a.provider_tid and j.cancel_seq = a.cancel_seq
             and j.kind = a.kind and j.attempt = a.attempt and j.code = a.reason
          having bool_and(f.stage = 'validation')) then 'pass'
        when state = 'H' and exists (
          select from claim_break b join answer_file f using (answer_id)
           where b.closed_at is null and b.kind = a.reason and b.channel = a.channel and b.provider_tid = a.provider_tid
             and b.traded_on = a.traded_on and b.cancel_seq = a.cancel_seq and f.stage = 'validation') then 'pass'
        else 'none' end
      when said = 'rejected' then case
        when is_active and ${isAnswer} and is_accepted_here then 'revoke'
        when not is_active and is_here and state in ('R', 'X') and reason = full_code then 'same'
        when not is_active and is_here and state in ('P', 'H', 'R', 'X') then 'reject'
        when not (is_active and is_here) and exists (
          select from claim_rejection j join answer_file f using (answer_id)
           where j.channel = a.channel and j.traded_on = a.traded_on and j.provider_tid = a.provider_tid and j.cancel_seq = a.cancel_seq
             and j.kind = a.kind and j.code = a.full_code and f.file_id = ${file.fileId}) then 'same'
        when is_active then 'conflict' else 'reject_past' end
      when said = 'accepted' then case
        when not is_active then 'accept' when before_won = theirs_won then 'same' when is_accepted_here then 'revise' else 'conflict' end
      else case when not is_active and is_here and (state = 'P' or (state = 'H' and reason <> said)) then 'hold' else 'aside' end
    end
    where said <> 'accepted' or type = 'A'`);
}

/** Accepted cancels take back what their approval got: before, or in this answer. Those that a break keeps wait for it. */
async function decideCancels(tx: PoolClient): Promise<void> {
  await tx.query(`
    create temp table approval_now on commit drop as
    select distinct channel, provider_tid, original_on from aside
     where said in ('accepted', 'kept') and type <> 'A' and action is null`);
  const days = await query<{ day: string }>(
    tx,
    'select distinct original_on::text as day from approval_now order by 1',
  );
  if (days.length > 0) {
    await tx.query('analyze approval_now');
    await lookingUp(
      tx,
      `create temp table refunded_before on commit drop as
       select n.channel, n.provider_tid, n.original_on
         from approval_now n
        cross join lateral (
          select r.channel from claim_result r
           where r.channel = n.channel and r.provider_tid = n.provider_tid and r.traded_on = n.original_on and r.cancel_seq = 0
             and r.kind = 'D' and r.traded_on in (${dayList(days.map(({ day }) => day))}) offset 0) r
        where coalesce((select accepted from claim_revision v
                         where v.channel = n.channel and v.traded_on = n.original_on and v.provider_tid = n.provider_tid
                           and v.cancel_seq = 0 and v.kind = 'D' order by revision_id desc limit 1), true)`,
    );
    await tx.query(`
      with here as (
        select n.channel, n.provider_tid, n.original_on, true as is_active
          from approval_now n
          join approval_here j on j.channel = n.channel and j.provider_tid = n.provider_tid and j.traded_on = n.original_on
        union all
        select channel, provider_tid, traded_on, case action when 'accept' then true when 'revoke' then false else is_active end
          from aside where cancel_seq = 0 and action <> 'copy' and action <> 'contradicted' and action <> 'unknown_claim'
      ), now as (
        select n.*, coalesce(h.is_active, b.provider_tid is not null) as is_refunded
          from approval_now n left join here h using (channel, provider_tid, original_on)
          left join refunded_before b using (channel, provider_tid, original_on)
      )
      update aside a
         set new_reason = case when n.is_refunded then null else 'original_not_paid' end,
             action = case
               when n.is_refunded then case
                 when not a.is_active then 'accept' when a.before_won = a.theirs_won then 'same'
                 when a.is_accepted_here then 'revise' else 'conflict' end
               when a.said = 'kept' then 'none'
               when a.is_active then 'revoke_hold'
               when a.is_here and a.state in ('P', 'R', 'X') or (a.is_here and a.state = 'H' and a.reason <> 'original_not_paid') then 'hold'
               else 'aside' end
        from now n
       where a.said in ('accepted', 'kept') and a.type <> 'A' and a.action is null
         and n.channel = a.channel and n.provider_tid = a.provider_tid and n.original_on = a.original_on;
      drop table refunded_before`);
  }
  await tx.query('drop table approval_now');
}

/** The approvals that are refunded by this answer, of those with clawbacks that wait for it: `refunded`. */
async function findRefunded(tx: PoolClient, { provider }: Judging): Promise<void> {
  await tx.query(`
    create temp table refunded on commit drop as
    with awaited as materialized (
      select distinct channel, provider_tid from claim_break
       where provider = ${escapeLiteral(provider.id)} and kind = ${escapeLiteral(keptFor.original_not_paid)}
    )
    select channel, provider_tid, traded_on
      from (select channel, provider_tid, traded_on from approval_here where verdict = 'A'
            union all select channel, provider_tid, traded_on from aside where action = 'accept' and cancel_seq = 0) f
      join awaited using (channel, provider_tid)`);
}

const carried = `line_no, provider_tid, cancel_seq, traded_on, mid, tier, card_type, pay_on, theirs_won, supply_won, differences,
  channel, kind, file_id, state, reason, type, attempt, original_on, ours_amount_won, ours_won, charged_won, merchant_id, is_here,
  has_result, is_active, before_won, is_accepted_here, said_by, full_code, said, action, new_reason`;

/** Cancels that took back what is not refunded any more: they wait again, unless this answer says something of them. */
async function addCancelsOfRevoked(tx: PoolClient): Promise<void> {
  const [revoked] = await query(tx, `select from aside where action = 'revoke' and cancel_seq = 0 limit 1`);
  if (revoked === undefined) return;
  await addFound(
    tx,
    `select o.line_no, c.provider_tid, c.cancel_seq, c.traded_on, c.mid, r.tier, r.card_type, r.pay_on, w.won, null, 0,
            c.channel, c.kind, c.file_id, c.state, c.reason, c.type, c.attempt, c.original_on, c.amount_won, c.difference_won,
            c.charged_won, c.merchant_id, false, true, true, w.won, false, o.said_by, o.full_code, 'kept', 'revoke_hold',
            'original_not_paid'
       from aside o
       join claim c on c.provider_tid = o.provider_tid and c.cancel_seq > 0 and c.kind = 'D' and c.channel = o.channel
            and c.original_on = o.traded_on
       join claim_result r on r.channel = c.channel and r.traded_on = c.traded_on and r.provider_tid = c.provider_tid
            and r.cancel_seq = c.cancel_seq and r.kind = c.kind
       left join lateral (
         select after_won, accepted from claim_revision v
          where v.channel = c.channel and v.traded_on = c.traded_on and v.provider_tid = c.provider_tid
            and v.cancel_seq = c.cancel_seq and v.kind = c.kind order by revision_id desc limit 1) v on true
      cross join lateral (select coalesce(v.after_won, r.difference_won) as won) w
      where o.action = 'revoke' and o.cancel_seq = 0 and coalesce(v.accepted, true)`,
    `not exists (select from aside a where a.channel = c.channel and a.provider_tid = c.provider_tid
                    and a.cancel_seq = c.cancel_seq and a.traded_on = c.traded_on and a.action not in ('aside', 'copy'))`,
  );
}

/** Acceptances that breaks keep, for claims that this answer says nothing of, where `now` holds of the claim `c`. */
async function addKept(
  tx: PoolClient,
  { provider, share, isRest }: Judging,
  reason: keyof typeof keptFor,
  now: string,
): Promise<void> {
  // The parts have tried.
  if (isRest === true) return;
  // What became of a cancel's approval since is looked at where that has not been done.
  const action = reason === 'original_not_paid' ? `'accept'` : `case when c.type = 'A' then 'accept' end`;
  const isOurs = share === undefined ? 'true' : isOfShare('c.merchant_id', share);
  const kept = await query<{ day: string }>(
    tx,
    `select distinct traded_on::text as day from claim_break where provider = $1 and kind = $2 and traded_on is not null`,
    [provider.id, keptFor[reason]],
  );
  if (kept.length === 0) return;
  await addFound(
    tx,
    `select b.line_no, c.provider_tid, c.cancel_seq, c.traded_on, c.mid, (b.detail ->> 'tier')::smallint,
            (b.detail ->> 'cardType')::"char", (b.detail ->> 'payOn')::date, b.theirs_won, (b.detail ->> 'supplyWon')::bigint,
            (b.detail ->> 'differences')::smallint, c.channel, c.kind, c.file_id, c.state, c.reason, c.type, c.attempt,
            c.original_on, c.amount_won, c.difference_won, c.charged_won, c.merchant_id, false, r.channel is not null, false, 0,
            false, b.answer_id, b.detail ->> 'code', 'kept', ${action}, null
       from (select distinct on (channel, traded_on, provider_tid, cancel_seq, claim_kind) * from claim_break
              where provider = ${escapeLiteral(provider.id)} and kind = ${escapeLiteral(keptFor[reason])}
              order by channel, traded_on, provider_tid, cancel_seq, claim_kind, break_id desc) b
      cross join lateral (
        select * from claim c
         where c.channel = b.channel and c.traded_on = b.traded_on and c.provider_tid = b.provider_tid
           and c.cancel_seq = b.cancel_seq and c.kind = b.claim_kind
           and c.traded_on in (${dayList(kept.map(({ day }) => day))}) offset 0) c
       left join claim_result r on r.channel = c.channel and r.traded_on = c.traded_on and r.provider_tid = c.provider_tid
            and r.cancel_seq = c.cancel_seq and r.kind = c.kind
      where c.state = 'H' and c.reason = ${escapeLiteral(reason)} and ${isOurs}`,
    `(${now}) and not exists (select from aside a where a.channel = c.channel and a.provider_tid = c.provider_tid
                                 and a.cancel_seq = c.cancel_seq and a.traded_on = c.traded_on)`,
  );
}

/** Adds claims that are looked up one by one, of those the ones of which `where` holds: that is asked of them as a set. */
async function addFound(tx: PoolClient, found: string, where: string): Promise<void> {
  await tx.query(`create temp table looked_up on commit drop as select ${carried} from aside where false`);
  await lookingUp(tx, `insert into looked_up (${carried}) ${found}`);
  await tx.query(`
    analyze looked_up;
    insert into aside (${carried}) select ${carried} from looked_up c where ${where};
    drop table looked_up`);
}
