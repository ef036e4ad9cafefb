import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { AnswerCounts } from './answer-store.ts';
import { claimKey } from './answered-claims-store.ts';
import { acceptedPlainly, type Judged, type Judging } from './apply-judge-store.ts';
import { dayList, lookingUp } from './candidate-store.ts';
import { bookRefunds } from './refund-store.ts';

/** What changes a claim, and the state that it has then; null: the one that it had. */
const newState = (attempts: number) => `
  case when action in ('hold', 'revoke_hold') then 'H' when action = 'pass' then 'P'
       when action = 'accept' and state <> 'P' then 'P'
       when action = 'reject' or (action = 'revoke' and is_here) then
         case when is_final or attempt >= ${attempts} then 'X' else 'R' end end::"char"`;

/**
 * Books what was decided, a merchant an entry, then writes it down: results, revisions, rejections, states and their
 * trail. A merchant that the ledger refuses is held with what it was to get. Returns the won that were booked, and how
 * many claims were accepted on their plain way.
 */
export async function bookAndWrite(
  tx: PoolClient,
  judging: Judging,
): Promise<{ readonly netWon: bigint; readonly plain: bigint }> {
  const { provider, answer, by, on } = judging;
  await tx.query(`
    create temp view refund_due as
    select ${escapeLiteral(provider.id)}::text as provider, merchant_id, theirs_won as difference_won from judged where verdict in ${acceptedPlainly}
    union all
    select ${escapeLiteral(provider.id)}, merchant_id, case when action in ('accept', 'revise') then theirs_won else 0 end - before_won
      from aside where action in ('accept', 'revise', 'revoke', 'revoke_hold')`);
  const booked = await bookRefunds(tx, {
    from: 'refund_due',
    eventPrefix: `differential:${answer.answerId}:`,
    kind: 'differential',
    answerId: answer.answerId,
    postedOn: on,
    postedBy: by,
  });
  await tx.query('drop view refund_due');
  for (const [merchantId, { code, message }] of booked.refused) {
    await setMerchantAside(tx, judging, merchantId, `${code}: ${message}`);
  }
  const plain = await writeResults(tx, judging);
  await writeRevisions(tx, judging);
  await writeRejections(tx, judging);
  await writeStates(tx, judging);
  return { netWon: booked.netWon, plain };
}

/** What the merchant was to get is kept: its claims are held, and tried again with the provider's next answer. */
async function setMerchantAside(tx: PoolClient, judging: Judging, merchantId: string, cause: string): Promise<void> {
  const [id, why] = [escapeLiteral(merchantId), escapeLiteral(cause)];
  const { answer, provider, lines } = judging;
  await tx.query(`
    alter table aside add column if not exists cause text;
    update aside set new_reason = 'booking_failed', cause = ${why},
                     action = case when action = 'accept' and is_here and state <> 'Q' then 'hold' else 'aside' end
     where merchant_id = ${id} and action in ('accept', 'revise', 'revoke', 'revoke_hold');
    insert into aside (line_no, provider_tid, cancel_seq, traded_on, mid, tier, card_type, pay_on, theirs_won, supply_won, differences,
                       channel, kind, state, type, attempt, ours_won, merchant_id, is_here, has_result, is_active, before_won,
                       said_by, full_code, said, action, new_reason, cause)
    select j.line_no, j.provider_tid, j.cancel_seq, j.traded_on, l.mid, j.tier, j.card_type, j.pay_on, j.theirs_won, j.supply_won,
           j.differences, j.channel, 'D', 'P', case j.cancel_seq when 0 then 'A' else 'C' end, 1, j.ours_won, j.merchant_id, true, false, false, 0, ${answer.answerId},
           ${escapeLiteral(provider.id)} || ':' || l.code, 'accepted', 'hold', 'booking_failed', ${why}
      from judged j join ${lines} l using (line_no) where j.verdict in ${acceptedPlainly} and j.merchant_id = ${id};
    update judged set verdict = 'F' where verdict in ${acceptedPlainly} and merchant_id = ${id}`);
}

/** In the order of their file, which most often is that of their key. Returns how many claims are on their plain way. */
async function writeResults(tx: PoolClient, { answer }: Judging): Promise<bigint> {
  const columns = `channel, traded_on, provider_tid, cancel_seq`;
  const stated = 'tier, card_type, pay_on';
  const { rowCount: plain } = await tx.query(`
    insert into claim_result (${claimKey}, ${stated}, line_no, answer_id, difference_won, supply_won, vat_won)
    select ${columns}, 'D', ${stated}, line_no, ${answer.answerId}, theirs_won, supply_won, theirs_won - supply_won
      from judged where verdict in ${acceptedPlainly}`);
  await tx.query(`
    insert into claim_result (${claimKey}, ${stated}, line_no, answer_id, difference_won, supply_won, vat_won)
    select ${columns}, kind, ${stated}, case when said_by = ${answer.answerId} then line_no end, ${answer.answerId},
           theirs_won, supply_won, theirs_won - supply_won
      from aside where action = 'accept' and not has_result order by channel, traded_on, provider_tid, cancel_seq`);
  return BigInt(plain ?? 0);
}

async function writeRevisions(tx: PoolClient, { answer }: Judging): Promise<void> {
  await tx.query(`
    insert into claim_revision (${claimKey}, answer_id, line_no, before_won, after_won, accepted, code)
    select ${claimKey}, ${answer.answerId}, line_no, before_won,
           case when action in ('accept', 'revise') then theirs_won else 0 end, action in ('accept', 'revise'), full_code
      from aside where action in ('revise', 'revoke', 'revoke_hold') or (action = 'accept' and has_result)
     order by channel, traded_on, provider_tid, cancel_seq`);
}

async function writeRejections(tx: PoolClient, { provider, answer }: Judging): Promise<void> {
  // What the answer itself repeats of a validation is its own: another validation does not undo it.
  const confirms =
    answer.stage === 'validation'
      ? 'false'
      : `action = 'same' and is_here and not exists (
           select from claim_rejection j join answer_file f using (answer_id)
            where j.channel = a.channel and j.traded_on = a.traded_on and j.provider_tid = a.provider_tid
              and j.cancel_seq = a.cancel_seq and j.kind = a.kind and j.attempt = n.attempt and f.stage = 'answer')`;
  await tx.query(`
    insert into claim_rejection (${claimKey}, attempt, answer_id, line_no, code, final)
    select ${claimKey}, n.attempt, ${answer.answerId}, line_no, full_code,
           coalesce(is_final, false) or n.attempt >= ${provider.differential.resend.attempts}
      from aside a cross join lateral (select case when is_here and state = 'Q' then a.attempt - 1 when is_here then a.attempt else coalesce(past_attempt, a.attempt) end as attempt) n
     where said = 'rejected' and (action in ('reject', 'reject_past', 'revoke') or ${confirms})
     order by channel, traded_on, provider_tid, cancel_seq
    on conflict do nothing`);
}

/** Moves claims on, from the state in which they were seen, with the trail of it. */
async function writeStates(tx: PoolClient, { provider, by }: Judging): Promise<void> {
  await tx.query(`
    create temp table moved on commit drop as
    select ${claimKey}, line_no, said_by, state as old_state, reason as old_reason, action, new_reason, full_code, to_state
      from (select *, ${newState(provider.differential.resend.attempts)} as to_state from aside) a
     where to_state is not null or action in ('revise', 'revoke')`);
  const days = await query<{ day: string }>(tx, 'select distinct traded_on::text as day from moved order by 1');
  if (days.length > 0) {
    await tx.query('analyze moved');
    const [seen] = await query<{ claims: bigint }>(
      tx,
      'select count(*) as claims from moved where to_state is not null',
    );
    const moved = await lookingUp(
      tx,
      `update claim c
        set state = m.to_state, reason = case when m.to_state = 'P' then null else m.new_reason end
       from moved m
      where c.channel = m.channel and c.traded_on = m.traded_on and c.provider_tid = m.provider_tid and c.cancel_seq = m.cancel_seq
        and c.kind = m.kind and c.state = m.old_state and m.to_state is not null
          and c.traded_on in (${dayList(days.map(({ day }) => day))})`,
    );
    check(BigInt(moved) === seen?.claims, `${seen?.claims} claims are answered and ${moved} moved`);
    await tx.query(`
      insert into claim_event (${claimKey}, by, event, reason, detail)
      select ${claimKey}, ${escapeLiteral(by)},
             case when to_state in ('R', 'X') then 'rejected' when to_state = 'H' then 'held'
                  when to_state = 'P' and old_state in ('H', 'Q') or action = 'pass' then 'released' else 'revised' end,
             case when to_state = 'P' then old_reason else new_reason end,
             jsonb_build_object('answerId', said_by, 'line', line_no)
        from moved order by channel, traded_on, provider_tid, cancel_seq`);
  }
  await tx.query('drop table moved');
}

/** What applying came to, by the lines that were looked at; `plain` of them were accepted and written. */
export async function countLines(
  tx: PoolClient,
  { lines, repeated }: Judged,
  { netWon, plain }: { readonly netWon: bigint; readonly plain: bigint },
): Promise<AnswerCounts> {
  const [row] = await query<Omit<AnswerCounts, 'differenceWon' | 'lines'>>(
    tx,
    `select $1::bigint + count(*) filter (where action in ('accept', 'revise')) as accepted,
            count(*) filter (where action in ('reject', 'reject_past', 'revoke')) as rejected,
            $2::bigint + count(*) filter (where action in ('same', 'copy')) as repeated,
            count(*) filter (where action in ('unknown_claim', 'contradicted', 'conflict', 'hold', 'aside', 'revoke_hold')) as "setAside"
       from aside where said <> 'kept'`,
    [plain, repeated],
  );
  check(row, 'counts are a row');
  return { lines, ...row, differenceWon: netWon };
}
