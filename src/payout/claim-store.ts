import { seoul } from '../kernel/business-day.ts';
import { maskName } from '../merchants/account.ts';
import type { Pool, Queryable } from '../platform/database/pool.ts';
import type { Bank, BankMessage } from './bank-port.ts';
import { circuit } from './control-store.ts';
import type { PayoutState } from './states.ts';

/** What a run needs to carry a payout to the bank. */
export type Carried = {
  readonly payoutId: bigint;
  /** The run that has it in its hands. */
  readonly run: string;
  readonly bank: string;
  readonly merchantId: string;
  readonly amountWon: bigint;
  readonly state: PayoutState;
  readonly messageNo: string | null;
  readonly messageOn: string | null;
  /** How often it may have left. */
  readonly sends: number;
  readonly accountId: bigint;
  readonly bankCode: string;
  /** As it may be shown; in full where it is not sealed yet. */
  readonly holder: string;
  readonly holderSealed: Buffer | null;
  readonly sealed: Buffer;
  readonly keyId: string;
  /** The merchant's account of today is still this one. */
  readonly accountInForce: boolean;
  /** The bank named this holder within the last thirty days. */
  readonly holderKnown: boolean;
};

/** SQL: whether the account of the payout `p` is still the merchant's, on the day `$3`. */
const inForce = `exists (
  select from bank_account a
   cross join lateral (select b.fingerprint, b.bank_code from bank_account b
                        where b.merchant_id = p.merchant_id and b.valid_from <= $3::date
                        order by b.valid_from desc, b.account_id desc limit 1) f
   where a.account_id = p.account_id and a.fingerprint = f.fingerprint and a.bank_code = f.bank_code)`;

/** The message of a sending, and which sending of it this is. */
export type Sending = BankMessage & { readonly sends: number };

/** Longer than any wait that we set: a payout that waits beyond it was given its time by a clock that was ahead. */
const longestWaitHours = 26;

/** A claim whose run has not begun after this: whoever claimed it is dead. */
const strayAfterSeconds = 5;

/**
 * Takes as many payouts that are due as the bank's limit leaves room for, over all processes. `heard`: our runs that
 * have the bank's word and only note it.
 */
export async function claimPayouts(
  db: Queryable,
  bank: string,
  now: Temporal.Instant,
  heard: readonly string[] = [],
): Promise<Carried[]> {
  const { rows } = await db.query<{ id: bigint }>('select * from claim_payouts($1, $2, $3, $4) as id', [
    bank,
    now.toString(),
    circuit.openAfter,
    heard,
  ]);
  return rows.length === 0
    ? []
    : await loadCarried(
        db,
        rows.map(({ id }) => id),
        now,
      );
}

/** Payouts that are in somebody's hands, with their accounts. */
export async function loadCarried(db: Queryable, ids: readonly bigint[], now: Temporal.Instant): Promise<Carried[]> {
  const { rows } = await db.query<Carried>(
    `select p.payout_id as "payoutId", p.claimed_by as run, p.bank, p.merchant_id as "merchantId",
            p.amount_won as "amountWon", p.state, p.message_no as "messageNo", p.message_on as "messageOn",
            p.sends, p.account_id as "accountId", a.bank_code as "bankCode", a.holder, a.sealed, a.holder_sealed as "holderSealed", a.key_id as "keyId",
            a.fingerprint = f.fingerprint and a.bank_code = f.bank_code as "accountInForce",
            exists (select from (select h.outcome from holder_check h
                                  where h.account_id = p.account_id and h.bank = p.bank
                                    and h.checked_at > clock_timestamp() - interval '30 days'
                                  order by h.checked_at desc limit 1) last where last.outcome = 'matches') as "holderKnown"
       from payout p join bank_account a using (account_id)
       cross join lateral (select b.fingerprint, b.bank_code from bank_account b
                            where b.merchant_id = p.merchant_id and b.valid_from <= $2
                            order by b.valid_from desc, b.account_id desc limit 1) f
      where p.payout_id = any ($1::bigint[]) and p.claimed_by is not null`,
    [ids.map(String), dayOf(now)],
  );
  return rows;
}

/**
 * Stores that these are about to be sent, with their message numbers: committed before the first byte leaves. A payout
 * that is sent again keeps its number. Left out are those that are not to be sent any more: cancelled or answered, or the
 * bank was paused or the merchant's account changed while the holder was asked for.
 */
export async function markSending(
  db: Queryable,
  given: readonly Pick<Carried, 'payoutId' | 'run'>[],
  now: Temporal.Instant,
): Promise<Map<bigint, Sending>> {
  const { rows } = await db.query<Sending & { payoutId: bigint }>(
    `with held as materialized (
       select p.payout_id, p.state, p.claimed_by
         from payout p join unnest($1::bigint[], $2::text[]) as g (payout_id, run)
           on p.payout_id = g.payout_id and p.claimed_by = g.run
         join bank_control c on c.bank = p.bank and not c.paused
        where p.state in ('created', 'holder_checked') and (p.sends > 0 or ${inForce}) order by p.payout_id for update of p
     ), sent as (
       update payout p
          set state = 'sent', message_no = coalesce(p.message_no, lpad(nextval('payout_message_no')::text, 12, '0')),
              message_on = coalesce(p.message_on, $3::date), sends = p.sends + 1,
              first_sent_at = coalesce(p.first_sent_at, $4), last_sent_at = $4, result_code = null, result_reason = null
         from held h where p.payout_id = h.payout_id and p.state = h.state
       returning p.payout_id, p.message_no, p.message_on, p.sends, h.state as from_state, h.claimed_by as run
     ), noted as (
       insert into payout_event (payout_id, who, from_state, to_state, what, detail)
       select payout_id, run, 'created', 'holder_checked', 'holder_checked', '{}'::jsonb from sent where from_state = 'created'
       union all
       select payout_id, run, 'holder_checked', 'sent', 'sending',
              jsonb_build_object('messageNo', message_no, 'messageOn', message_on, 'sends', sends) from sent
     )
     select payout_id as "payoutId", message_no as "messageNo", message_on as "messageOn", sends from sent`,
    [given.map(({ payoutId }) => String(payoutId)), given.map(({ run }) => run), dayOf(now), now.toString()],
  );
  return new Map(rows.map(({ payoutId, ...message }) => [payoutId, message]));
}

/** 예금주 조회. Keeps what the bank said about whose account it is, and of the name what may be shown. */
export async function noteHolder(
  db: Queryable,
  { accountId, bank }: Pick<Carried, 'accountId' | 'bank'>,
  outcome: 'matches' | 'differs' | 'no_account',
  holder: string | null,
): Promise<void> {
  await db.query('insert into holder_check (account_id, bank, outcome, holder) values ($1, $2, $3, $4)', [
    String(accountId),
    bank,
    outcome,
    holder === null ? null : maskName(holder),
  ]);
}

/** Lets go of a payout that there is nothing to do for; to be called by the run that carries it. */
export async function releaseClaim(db: Queryable, run: string): Promise<void> {
  await db.query('update payout set claimed_by = null, claimed_at = null where claimed_by = $1', [run]);
}

/**
 * Lets go of a payout for a run that carries it no more: true where nobody holds it any longer. Who carried it may live,
 * cut off from the database and not from the bank: what it sent takes the bank's room as long as it may be under way.
 */
export async function releaseLeft(
  db: Queryable,
  run: string,
  { id, patienceMs }: Pick<Bank, 'id' | 'patienceMs'>,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update payout p set claimed_by = null, claimed_at = null
      where claimed_by = $1 and bank = $3
        and not (state = 'sent' and exists (
              select from payout_event e where e.payout_id = p.payout_id and e.what = 'sending' and e.who = $1
                 and e.at > clock_timestamp() - make_interval(secs => $2)))`,
    [run, patienceMs / 1000, id],
  );
  return rowCount === 1;
}

/** Claims that are so old that their run has begun if their claimer lived: the runs, for the dispatcher to look at. */
export async function oldClaims(db: Queryable, bank: string): Promise<string[]> {
  const { rows } = await db.query<{ run: string }>(
    `select claimed_by as run from payout
      where bank = $1 and claimed_by is not null and claimed_at < clock_timestamp() - make_interval(secs => $2)`,
    [bank, strayAfterSeconds],
  );
  return rows.map(({ run }) => run);
}

/** SQL: those of the lane that nobody is just acting on, who would be waited for; the next look comes to them. */
const idle = (where: string): string => `payout_id in (
  select payout_id from payout
   where bank = $1 and claimed_by is null and ${where} and state in ('created', 'holder_checked', 'sent', 'unknown')
     for update skip locked)`;

/** What is due while the bank is closed waits until it opens, and says so. */
export async function waitForOpening(
  db: Queryable,
  bank: string,
  now: Temporal.Instant,
  opening: Temporal.Instant,
): Promise<number> {
  const { rowCount } = await db.query(
    `with waiting as (
       update payout set next_at = $3, result_reason = 'bank_closed' where ${idle('next_at <= $2')}
       returning payout_id, state
     )
     insert into payout_event (payout_id, who, from_state, to_state, what, detail)
     select payout_id, 'jeongsan', state, state, 'waits_for_opening', jsonb_build_object('opensAt', $3::timestamptz)
       from waiting`,
    [bank, now.toString(), opening.toString()],
  );
  return rowCount ?? 0;
}

/** Payouts and circuits whose time was set by a clock that was far ahead are not kept waiting for it. */
export async function forgetFarTimes(db: Pool, bank: string, now: Temporal.Instant): Promise<void> {
  const far = now.add({ hours: longestWaitHours }).toString();
  await db.query(`update payout set next_at = $2 where ${idle('next_at > $3')}`, [bank, now.toString(), far]);
  await db.query('update bank_control set open_until = null where bank = $1 and open_until > $2', [
    bank,
    now.add({ milliseconds: 2 * circuit.mostMs }).toString(),
  ]);
}

function dayOf(now: Temporal.Instant): string {
  return now.toZonedDateTimeISO(seoul).toPlainDate().toString();
}
