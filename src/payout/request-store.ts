import { askApproval, decide } from '../approvals/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { debtOf, inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balancesOf, ensureLedgerDay, holdAccounts, post } from '../ledger/store.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable } from '../platform/database/pool.ts';
import { wholeHold } from '../settlement/hold-store.ts';
import { ensureControl } from './control-store.ts';
import { isEnd, type PayoutState } from './states.ts';

/** 지급 요청. The same key with the same content is the same payout, however often it is requested. */
export type PayoutRequest = {
  readonly merchantId: string;
  readonly amountWon: bigint;
  readonly key: string;
  readonly who: string;
};

export type Payout = {
  readonly id: bigint;
  readonly key: string;
  readonly kind: 'withdrawal' | 'scheduled' | 'direct';
  readonly merchantId: string;
  readonly amountWon: bigint;
  readonly bank: string;
  readonly state: PayoutState;
};

/** What requests need to know: the bank that sends, and the time. */
export type RequestRules = { readonly bank: string; readonly now: Temporal.Instant };

export const mostWon = 10_000_000_000_000n;

const columns = `payout_id as id, idempotency_key as key, kind, merchant_id as "merchantId", amount_won as "amountWon",
  bank, state`;

/**
 * Requests a withdrawal and locks its money, or finds the payout that the key requested before. Above the bank's limit
 * it waits for a second person.
 * @throws Problem `payout_amount_refused`, `payout_key_reused`, `not_found` for a merchant, `payout_account_missing`,
 * `payout_below_minimum`, `payout_balance_short`, `hold_stands` while all that the merchant has is held
 */
export async function requestPayout(pool: Pool, wanted: PayoutRequest, rules: RequestRules): Promise<Payout> {
  const { merchantId, amountWon, key } = wanted;
  if (amountWon <= 0n || amountWon > mostWon) {
    throw new Problem('payout_amount_refused', { amountWon, mostWon });
  }
  if (key.trim() === '') throw new Problem('usage', { reason: '--key KEY' });
  await ensureControl(pool, rules.bank);
  try {
    return await inTransaction(pool, async (tx) => {
      const known = await findByKey(tx, key);
      if (known) return sameContent(known, wanted);
      // First of all: what is decided here is still true when the money moves.
      await ensureLedgerDay(tx, dayOf(rules.now));
      await holdAccounts(tx, [debtOf(merchantId), walletOf(merchantId), inFlightOf(merchantId)]);
      const { accountId, approvalOverWon } = await surroundings(tx, wanted, rules);
      const hold = await wholeHold(tx, merchantId);
      if (hold !== undefined) throw new Problem('hold_stands', { merchant: merchantId, hold: hold.id });
      const payableWon = await payableOf(tx, merchantId);
      if (payableWon < amountWon) throw new Problem('payout_balance_short', { merchantId, amountWon, payableWon });
      const needsApproval = amountWon > approvalOverWon;
      const id = await insertPayout(tx, wanted, { ...rules, accountId, needsApproval });
      // Another request with this key committed between the look and the insert.
      if (id === undefined) return sameContent((await findByKey(tx, key)) as Payout, wanted);
      await lockMoney(tx, { id, merchantId, amountWon }, wanted.who, rules.now);
      if (needsApproval) {
        const detail = { payoutId: id, merchantId, amountWon, bank: rules.bank };
        const reason = `${amountWon} > ${approvalOverWon}`;
        await askApproval(tx, { kind: 'payout', subject: String(id), detail, askedBy: wanted.who, reason });
      }
      const state = needsApproval ? 'awaiting_approval' : 'created';
      return { id, key, kind: 'withdrawal', merchantId, amountWon, bank: rules.bank, state };
    });
  } catch (error) {
    if (!isProblem(error, 'ledger_insufficient')) throw error;
    const payableWon = await payableOf(pool, merchantId);
    throw new Problem('payout_balance_short', { merchantId, amountWon, payableWon }, { cause: error });
  }
}

/** What may leave: what came back of a payout is in the wallet beside a debt that arose meanwhile, and pays for that first. */
async function payableOf(db: Queryable, merchantId: string): Promise<bigint> {
  const balances = await balancesOf(db, [walletOf(merchantId), debtOf(merchantId)]);
  return [...balances.values()].reduce((sum, won) => sum + won, 0n);
}

async function findByKey(tx: PoolClient, key: string): Promise<Payout | undefined> {
  const { rows } = await tx.query<Payout>(`select ${columns} from payout where idempotency_key = $1`, [key]);
  return rows[0];
}

function sameContent(known: Payout, { merchantId, amountWon, key }: PayoutRequest): Payout {
  if (known.merchantId === merchantId && known.amountWon === amountWon) return known;
  throw new Problem('payout_key_reused', {
    key,
    payout: known.id,
    merchantId: known.merchantId,
    amountWon: known.amountWon,
  });
}

/** Merchant, account and minimum as they are in force today. */
async function surroundings(tx: PoolClient, { merchantId, amountWon }: PayoutRequest, { bank, now }: RequestRules) {
  const { rows } = await tx.query<{
    there: boolean;
    accountId: bigint | null;
    minimumWon: bigint;
    approvalOverWon: bigint;
  }>(
    `select exists (select from merchant where merchant_id = $1) as there,
            (select account_id from bank_account where merchant_id = $1 and valid_from <= $2
              order by valid_from desc, account_id desc limit 1) as "accountId",
            coalesce((select min_payout_won from settlement_terms where merchant_id = $1 and valid_from <= $2
              order by valid_from desc, terms_id desc limit 1), 1) as "minimumWon",
            (select approval_over_won from bank_control where bank = $3) as "approvalOverWon"`,
    [merchantId, dayOf(now), bank],
  );
  const [row] = rows;
  check(row, 'a row of scalars is there');
  if (!row.there) throw new Problem('not_found', { what: 'merchant', id: merchantId });
  if (row.accountId === null) throw new Problem('payout_account_missing', { merchantId });
  if (amountWon < row.minimumWon) {
    throw new Problem('payout_below_minimum', { merchantId, amountWon, minimumWon: row.minimumWon });
  }
  return { accountId: row.accountId, approvalOverWon: row.approvalOverWon };
}

async function insertPayout(
  tx: PoolClient,
  { merchantId, amountWon, key, who }: PayoutRequest,
  { bank, now, accountId, needsApproval }: RequestRules & { accountId: bigint; needsApproval: boolean },
): Promise<bigint | undefined> {
  const { rows } = await tx.query<{ id: bigint }>(
    `with made as (
       insert into payout (idempotency_key, kind, merchant_id, amount_won, bank, account_id, state, requested_by,
                           requested_on, requested_at, next_at)
       values ($1, 'withdrawal', $2, $3, $4, $5, $6, $7, $8, $9, $9)
       on conflict (idempotency_key) do nothing returning payout_id, state
     )
     insert into payout_event (payout_id, who, from_state, to_state, what)
     select payout_id, $7, null, state, 'requested' from made returning payout_id as id`,
    [
      key,
      merchantId,
      amountWon,
      bank,
      accountId,
      needsApproval ? 'awaiting_approval' : 'created',
      who,
      dayOf(now),
      now.toString(),
    ],
  );
  return rows[0]?.id;
}

type Money = { readonly id: bigint; readonly merchantId: string; readonly amountWon: bigint };

async function lockMoney(tx: PoolClient, { id, merchantId, amountWon }: Money, who: string, now: Temporal.Instant) {
  await post(tx, {
    event: `payout:${id}:locked`,
    kind: 'payout_locked',
    postedOn: dayOf(now),
    postedBy: who,
    lines: [
      { account: walletOf(merchantId), amountWon: -amountWon },
      { account: inFlightOf(merchantId), amountWon },
    ],
  });
}

/** Decides on a payout that waits for a second person: approved it goes on, refused its money is back in the wallet. */
export async function decidePayout(
  pool: Pool,
  id: bigint,
  by: { readonly who: string; readonly decision: 'approved' | 'refused'; readonly note?: string },
  now: Temporal.Instant,
): Promise<Payout> {
  return await inTransaction(pool, async (tx) => {
    const payout = await holdPayout(tx, id);
    const note = by.note === undefined ? {} : { note: by.note };
    const { changed } = await decide(tx, {
      kind: 'payout',
      subject: String(id),
      decidedBy: by.who,
      decision: by.decision,
      ...note,
    });
    if (!changed || payout.state !== 'awaiting_approval') return payout;
    if (by.decision === 'refused') return await cancelHeld(tx, payout, { who: by.who, what: 'refused' }, now);
    return await moveHeld(tx, payout, 'created', { who: by.who, what: 'approved' }, now);
  });
}

/**
 * 지급 취소. Before it was ever sent; the money is back in the wallet. Cancelled again: the same.
 * @throws Problem `not_found`; `payout_not_cancellable` once it may have left
 */
export async function cancelPayout(
  pool: Pool,
  id: bigint,
  by: { readonly who: string; readonly why?: string },
  now: Temporal.Instant,
): Promise<Payout> {
  return await inTransaction(pool, async (tx) => {
    const payout = await holdPayout(tx, id);
    if (payout.state === 'cancelled') return payout;
    const unsent =
      payout.state === 'awaiting_approval' || payout.state === 'created' || payout.state === 'holder_checked';
    if (!unsent || payout.sends > 0) throw new Problem('payout_not_cancellable', { id, state: payout.state });
    if (payout.state === 'awaiting_approval') {
      // Nobody is asked any more; in nobody's name, since who asked may cancel and not decide.
      const decided = { decidedBy: 'jeongsan', decision: 'refused', note: `cancelled by ${by.who}` } as const;
      await decide(tx, { kind: 'payout', subject: String(id), ...decided });
    }
    return await cancelHeld(tx, payout, { who: by.who, what: 'cancelled', ...(by.why ? { why: by.why } : {}) }, now);
  });
}

/**
 * 재시도. What waits is looked at at once. A rejected one is requested anew, once: a new payout to the account of today.
 * @throws Problem `not_found`; `payout_not_retryable`; as `requestPayout`
 */
export async function retryPayout(pool: Pool, id: bigint, who: string, rules: RequestRules): Promise<Payout> {
  const payout = await inTransaction(pool, async (tx) => {
    const held = await holdPayout(tx, id);
    if (isEnd(held.state) || held.state === 'awaiting_approval') return held;
    const due = [id, rules.now.toString(), held.state];
    await tx.query('update payout set next_at = least(next_at, $2) where payout_id = $1 and state = $3', due);
    await writeEvent(tx, held, held.state, { who, what: 'retried' });
    return held;
  });
  if (payout.state === 'rejected') {
    const { merchantId, amountWon, bank } = payout;
    return await requestPayout(pool, { merchantId, amountWon, who, key: `${payout.key}:retry` }, { ...rules, bank });
  }
  if (isEnd(payout.state) || payout.state === 'awaiting_approval') {
    throw new Problem('payout_not_retryable', { id, state: payout.state });
  }
  return payout;
}

type Held = Payout & { readonly sends: number };

async function holdPayout(tx: PoolClient, id: bigint): Promise<Held> {
  const { rows } = await tx.query<Held>(`select ${columns}, sends from payout where payout_id = $1 for update`, [id]);
  const [payout] = rows;
  if (payout === undefined) throw new Problem('not_found', { what: 'payout', id: String(id) });
  return payout;
}

type Act = { readonly who: string; readonly what: string; readonly why?: string };

async function cancelHeld(tx: PoolClient, payout: Held, act: Act, now: Temporal.Instant): Promise<Payout> {
  const { id, merchantId, amountWon } = payout;
  await post(tx, {
    event: `payout:${id}:released`,
    kind: 'payout_released',
    postedOn: dayOf(now),
    postedBy: act.who,
    lines: [
      { account: inFlightOf(merchantId), amountWon: -amountWon },
      { account: walletOf(merchantId), amountWon },
    ],
  });
  return await moveHeld(tx, payout, 'cancelled', act, now);
}

async function moveHeld(
  tx: PoolClient,
  payout: Held,
  to: PayoutState,
  act: Act,
  now: Temporal.Instant,
): Promise<Payout> {
  const { rowCount } = await tx.query(
    `update payout set state = $2, next_at = $4, finished_at = case when $5 then $4::timestamptz end,
            result_reason = coalesce($6, result_reason)
      where payout_id = $1 and state = $3`,
    [payout.id, to, payout.state, now.toString(), isEnd(to), isEnd(to) ? act.what : null],
  );
  check(rowCount === 1, 'a payout is moved under its lock');
  await writeEvent(tx, payout, to, act);
  return { ...payout, state: to };
}

async function writeEvent(tx: PoolClient, { id, state }: Payout, to: PayoutState, by: Act): Promise<void> {
  await tx.query(
    'insert into payout_event (payout_id, who, from_state, to_state, what, detail) values ($1, $2, $3, $4, $5, $6)',
    [id, by.who, state, to, by.what, JSON.stringify(by.why === undefined ? {} : { why: by.why })],
  );
}

function dayOf(now: Temporal.Instant): string {
  return now.toZonedDateTimeISO(seoul).toPlainDate().toString();
}
