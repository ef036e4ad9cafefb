import { escapeLiteral, type PoolClient } from 'pg';
import { openFinding } from '../findings/store.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { alone } from './apply-lines-store.ts';
import { dayList } from './candidate-store.ts';
import { makePrices, preferentialFee } from './price-store.ts';

/** Which claims are to be sent again: one by its transaction, or those that were rejected or held for a reason. */
export type ResendWhich =
  | { readonly providerTid: string; readonly cancelSeq: number }
  /** `welcome:09`, or the name of a reason to hold. */
  | { readonly reason: string };

export type ResendRefusal =
  | 'resend_accepted'
  | 'resend_state'
  | 'resend_attempts_used'
  | 'resend_too_old'
  | 'resend_not_eligible'
  | 'resend_same_reason';

/** 재신청. What became of a claim that was to be sent again; won and tier as they were and as they are claimed now. */
export type Resent = {
  readonly channel: string;
  readonly tradedOn: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly merchantId: string;
  readonly reason: string | null;
  /** Of the try that comes; where it is refused, of the last one. */
  readonly attempt: number;
  readonly beforeWon: bigint | null;
  readonly afterWon: bigint | null;
  readonly refused: ResendRefusal | null;
};

/** The most claims that are queued at once. */
export const resendMost = 100_000;

/**
 * 재신청. Queues claims of a provider to go with its next batch, an attempt more: rejected ones that may be corrected, and
 * ones that an answer held. Tier, rate, card type and business numbers are those that are known now of the original's
 * day; what they were is kept in the claim's trail. What may not go again is refused with why; what is too old is brought
 * to a person.
 */
export async function queueResend(
  tx: PoolClient,
  provider: DifferentialProvider,
  which: ResendWhich,
  act: { readonly by: string; readonly because: string; readonly on: string },
): Promise<readonly Resent[]> {
  // What an answer is about to say of these claims is heard first.
  await alone(tx, provider);
  await collect(tx, provider, which);
  const days = await query<{ day: string }>(tx, 'select distinct original_on::text as day from to_send order by 1');
  if (days.length === 0) {
    await tx.query('drop table to_send');
    return [];
  }
  const original = days.map(({ day }) => day);
  await makePrices(tx, 'resend', original);
  await judge(tx, provider, original, act.on);
  await queue(tx, act);
  const resent = await query<Resent>(
    tx,
    `select channel, traded_on::text as "tradedOn", provider_tid as "providerTid", cancel_seq as "cancelSeq",
            merchant_id as "merchantId", reason, case when refused is null then next_attempt else attempt end as attempt,
            difference_won as "beforeWon", case when refused is null then new_difference_won end as "afterWon", refused
       from resend order by traded_on, channel, provider_tid, cancel_seq`,
  );
  await tellTooOld(tx, provider, resent);
  await tx.query('drop table to_send, resend, resend_price, resend_card');
  return resent;
}

async function collect(tx: PoolClient, { id }: DifferentialProvider, which: ResendWhich): Promise<void> {
  const meant =
    'reason' in which
      ? `state in ('R', 'H') and reason = ${escapeLiteral(which.reason)}`
      : `provider_tid = ${escapeLiteral(which.providerTid)} and cancel_seq = ${which.cancelSeq}`;
  // Two people who queue the same claims follow one another.
  await tx.query(`
    create temp table to_send on commit drop as
    select * from claim where provider = ${escapeLiteral(id)} and kind = 'D' and ${meant}
     order by traded_on, channel, provider_tid, cancel_seq limit ${resendMost} for update`);
}

/** Prices the approvals anew; a cancel takes back what it took back. Says what is refused, and why: `resend`. */
async function judge(
  tx: PoolClient,
  { differential: { rounding, resend, calendar } }: DifferentialProvider,
  days: readonly string[],
  on: string,
): Promise<void> {
  const oldest = Temporal.PlainDate.from(on).subtract({ days: calendar.tooOldDays }).toString();
  const ofClaim = (
    e: string,
  ) => `${e}.channel = c.channel and ${e}.traded_on = c.traded_on and ${e}.provider_tid = c.provider_tid
    and ${e}.cancel_seq = c.cancel_seq and ${e}.kind = c.kind`;
  const changed = `(new_tier, new_card_type, new_rate_ppm, new_difference_won, new_final_no, new_intermediary_no)
    is distinct from (tier, card_type, rate_ppm, difference_won, final_no, intermediary_no)`;
  await tx.query(`
    create temp table resend on commit drop as
    select s.*, case
             when is_active or (state = 'H' and reason in ('original_not_paid', 'booking_failed')) then 'resend_accepted'
             when state = 'X' and attempt >= ${resend.attempts} then 'resend_attempts_used'
             when state not in ('R', 'H')
               or reason in ('card_type_unknown', 'not_registered', 'original_held', 'original_rejected') then 'resend_state'
             when next_attempt > ${resend.attempts} then 'resend_attempts_used'
             when traded_on < date ${escapeLiteral(oldest)} then 'resend_too_old'
             when new_difference_won is null or (type = 'A' and new_difference_won <= 0) then 'resend_not_eligible'
             when not ${resend.sameReasonAgain} and was_queued and not ${changed} then 'resend_same_reason' end as refused
      from (
        select c.*, case when c.file_id is null then c.attempt else c.attempt + 1 end::smallint as next_attempt,
               exists (select from claim_result r where ${ofClaim('r')})
                 and coalesce((select accepted from claim_revision v where ${ofClaim('v')} order by revision_id desc limit 1), true)
                 as is_active,
               exists (select from claim_event e where ${ofClaim('e')} and e.event = 'queued' and e.reason = c.reason) as was_queued,
               n.*, case c.type when 'A' then c.charged_won - n.new_preferential_won else c.difference_won end as new_difference_won,
               coalesce(x.final_no, c.final_no) as new_final_no,
               case when x.merchant_id is null then c.intermediary_no else x.intermediary_no end as new_intermediary_no
          from to_send c
          left join resend_price x on x.merchant_id = c.merchant_id and x.on_day = c.original_on
          left join lateral (
            select left(card_no, 6) as bin from payment p
             where p.provider = c.channel and p.traded_on = c.original_on and p.traded_on in (${dayList(days)})
               and p.provider_tid = c.provider_tid and p.cancel_seq = 0) p on true
          left join resend_card b on b.bin = p.bin and b.on_day = c.original_on
         cross join lateral (select coalesce(b.card_type, c.card_type) as card_type) k
         cross join lateral (
           select case k.card_type when 'C' then x.credit_ppm when 'K' then x.check_ppm end as rate_ppm) q
          left join lateral ${preferentialFee('c.amount_won', 'q.rate_ppm', rounding)} f on true
         cross join lateral (
           select case c.type when 'A' then x.tier else c.tier end as new_tier,
                  case c.type when 'A' then k.card_type else c.card_type end as new_card_type,
                  case c.type when 'A' then q.rate_ppm else c.rate_ppm end as new_rate_ppm,
                  case c.type when 'A' then f.won else c.preferential_won end as new_preferential_won) n) s`);
}

/** State Q, an attempt more, at the new price; the trail keeps what was, and breaks about the last try end. */
async function queue(
  tx: PoolClient,
  { by, because }: { readonly by: string; readonly because: string },
): Promise<void> {
  const who = escapeLiteral(by);
  const ofRow = (
    c: string,
  ) => `${c}.channel = r.channel and ${c}.traded_on = r.traded_on and ${c}.provider_tid = r.provider_tid
    and ${c}.cancel_seq = r.cancel_seq`;
  await tx.query(`
    update claim c
       set state = 'Q', reason = null, attempt = r.next_attempt, tier = r.new_tier, card_type = r.new_card_type,
           rate_ppm = r.new_rate_ppm, preferential_won = r.new_preferential_won, difference_won = r.new_difference_won,
           final_no = r.new_final_no, intermediary_no = r.new_intermediary_no, rule = coalesce(c.rule, 'R')
      from resend r
     where ${ofRow('c')} and c.kind = r.kind and c.state = r.state and r.refused is null;
    insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason, detail)
    select channel, traded_on, provider_tid, cancel_seq, kind, ${who}, 'queued', reason,
           jsonb_build_object('because', ${escapeLiteral(because)}::text, 'fileId', file_id, 'attempt', attempt, 'tier', tier,
             'cardType', card_type, 'ratePpm', rate_ppm, 'preferentialWon', preferential_won, 'differenceWon', difference_won,
             'finalNo', final_no, 'intermediaryNo', intermediary_no)
      from resend where refused is null order by traded_on, channel, provider_tid, cancel_seq;
    update claim_break b set closed_at = clock_timestamp(), closed_by = ${who}, resolution = 'sent_again'
      from resend r
     where ${ofRow('b')} and b.claim_kind = r.kind and b.closed_at is null and r.refused is null`);
}

async function tellTooOld(tx: PoolClient, { id }: DifferentialProvider, resent: readonly Resent[]): Promise<void> {
  const old = resent.filter(({ refused }) => refused === 'resend_too_old');
  if (old.length === 0) return;
  const [first] = old as [Resent];
  await openFinding(tx, {
    kind: 'differential_too_old',
    subject: old.length === 1 ? `${id}:${first.providerTid}/${first.cancelSeq}` : `${id}:${first.reason}`,
    audience: 'in_charge',
    detail: { claims: old.length, differenceWon: old.reduce((sum, { beforeWon }) => sum + (beforeWon ?? 0n), 0n) },
  });
}
