import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { debtOf, heldOf, walletOf } from '../ledger/accounts.ts';
import { ensureLedgerDay, type LedgerLine, post } from '../ledger/store.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

/** 지급보류. Of `amountWon` of the wallet; null: of all that is in it and all that comes. */
export type Hold = {
  readonly id: bigint;
  readonly merchantId: string;
  readonly amountWon: bigint | null;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: Date;
  readonly releasedBy: string | null;
  readonly releasedAt: Date | null;
  readonly releaseReason: string | null;
};

/** Who acts, why, and on which business day it is booked. */
export type HoldAct = { readonly by: string; readonly reason: string; readonly on: string };

/** What an act moved: into what is held, or out of it to the wallet and against the debt. */
export type HoldMoved = {
  readonly hold: Hold;
  readonly heldWon: bigint;
  readonly walletWon: bigint;
  readonly debtWon: bigint;
};

const columns = `hold_id as id, merchant_id as "merchantId", amount_won as "amountWon", reason, placed_by as "placedBy",
  placed_at as "placedAt", released_by as "releasedBy", released_at as "releasedAt", release_reason as "releaseReason"`;

/**
 * Holds an amount of the merchant's wallet, or, without one, the wallet and whatever is settled until the release.
 * @throws Problem `not_found`; `hold_stands` where all is held already; `ledger_insufficient` where the wallet has less
 */
export async function placeHold(
  tx: PoolClient,
  { merchantId, amountWon, by, reason, on }: HoldAct & { readonly merchantId: string; readonly amountWon?: bigint },
): Promise<HoldMoved> {
  const [merchant] = await query(tx, 'select from merchant where merchant_id = $1', [merchantId]);
  if (merchant === undefined) throw new Problem('not_found', { what: 'merchant', id: merchantId });
  await waitForSlot(tx);
  await ensureLedgerDay(tx, on);
  const { walletWon } = await lockAccounts(tx, merchantId);
  const whole = await wholeHold(tx, merchantId);
  if (whole !== undefined) throw new Problem('hold_stands', { merchant: merchantId, hold: whole.id });
  const [hold] = await query<Hold>(
    tx,
    `insert into settlement_hold (merchant_id, amount_won, reason, placed_by) values ($1, $2, $3, $4) returning ${columns}`,
    [merchantId, amountWon ?? null, reason, by],
  );
  check(hold, 'an insert returns its row');
  const heldWon = amountWon ?? walletWon;
  await postMove(tx, `hold:${hold.id}:placed`, { by, reason, on }, [
    { account: walletOf(merchantId), amountWon: -heldWon },
    { account: heldOf(merchantId), amountWon: heldWon },
  ]);
  return { hold, heldWon, walletWon: -heldWon, debtWon: 0n };
}

/**
 * 보류 해제. Gives back what the hold keeps, a standing debt first and the rest to the wallet. What another hold keeps
 * stays held.
 * @throws Problem `not_found`; `hold_released` where that was done before
 */
export async function releaseHold(tx: PoolClient, id: bigint, { by, reason, on }: HoldAct): Promise<HoldMoved> {
  const [found] = await query<Hold>(tx, `select ${columns} from settlement_hold where hold_id = $1`, [id]);
  if (found === undefined) throw new Problem('not_found', { what: 'hold', id: String(id) });
  const { merchantId } = found;
  await waitForSlot(tx);
  await ensureLedgerDay(tx, on);
  const { heldWon, owedWon } = await lockAccounts(tx, merchantId);
  const [hold] = await query<Hold>(
    tx,
    `update settlement_hold set released_by = $2, released_at = clock_timestamp(), release_reason = $3
      where hold_id = $1 and released_at is null returning ${columns}`,
    [id, by, reason],
  );
  if (hold === undefined) throw new Problem('hold_released', { hold: id });
  const others = await standingHolds(tx, merchantId);
  const wonToOthers = others.reduce((sum, other) => sum + (other.amountWon ?? heldWon), 0n);
  const freeWon = heldWon > wonToOthers ? heldWon - wonToOthers : 0n;
  const outWon = hold.amountWon === null || freeWon < hold.amountWon ? freeWon : hold.amountWon;
  const debtWon = outWon < owedWon ? outWon : owedWon;
  await postMove(tx, `hold:${id}:released`, { by, reason, on }, [
    { account: debtOf(merchantId), amountWon: debtWon },
    { account: heldOf(merchantId), amountWon: -outWon },
    { account: walletOf(merchantId), amountWon: outWon - debtWon },
  ]);
  return { hold, heldWon: -outWon, walletWon: outWon - debtWon, debtWon };
}

/** The hold of all that the merchant has and gets, where one stands: nothing of its wallet is paid out meanwhile. */
export async function wholeHold(db: Queryable, merchantId: string): Promise<Hold | undefined> {
  return (await standingHolds(db, merchantId)).find(({ amountWon }) => amountWon === null);
}

/** Holds, the latest first; the standing ones or, with `released`, all. */
export async function listHolds(
  db: Queryable,
  filter: { readonly merchantId?: string; readonly released?: boolean } = {},
): Promise<Hold[]> {
  return await query<Hold>(
    db,
    `select ${columns} from settlement_hold
      where ($1::text is null or merchant_id = $1) and ($2 or released_at is null) order by hold_id desc limit 10000`,
    [filter.merchantId ?? null, filter.released ?? false],
  );
}

/** A page of the holds; the standing ones or, with `released`, all. @throws Problem `cursor_invalid` */
export async function pageOfHolds(
  db: Queryable,
  filter: { readonly merchant?: string | undefined; readonly released?: boolean | undefined },
  request: PageRequest<'id'>,
): Promise<Page<Hold>> {
  return keysetPage<Hold>(
    db,
    [{ sql: 'hold_id', type: 'bigint' }],
    request,
    [filter.merchant ?? null, filter.released ?? false],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from settlement_hold
        where ($1::text is null or merchant_id = $1) and ($2 or released_at is null) and ${after}
        order by ${order} limit ${limit}`,
  );
}

/** A slot that is being booked goes by the holds that it found: it ends first, and what it booked is seen here. */
async function waitForSlot(tx: PoolClient): Promise<void> {
  await tx.query('lock table settlement_hold in row exclusive mode');
}

async function standingHolds(db: Queryable, merchantId: string): Promise<Hold[]> {
  return await listHolds(db, { merchantId });
}

/**
 * What the merchant's accounts hold, kept from anybody else until the transaction ends; in the ledger's order, which is the
 * day's place first: who makes that comes to the accounts next.
 */
async function lockAccounts(
  tx: PoolClient,
  merchantId: string,
): Promise<{ readonly walletWon: bigint; readonly heldWon: bigint; readonly owedWon: bigint }> {
  // Two acts on the same merchant follow one another even where it has no account yet.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`jeongsan.hold.${merchantId}`]);
  const rows = await query<{ account: string; won: bigint }>(
    tx,
    `select account, balance_won as won from ledger_balance where account = any ($1::text[]) order by account for update`,
    [[debtOf(merchantId), heldOf(merchantId), walletOf(merchantId)]],
  );
  const of = (account: string) => rows.find((row) => row.account === account)?.won ?? 0n;
  return { walletWon: of(walletOf(merchantId)), heldWon: of(heldOf(merchantId)), owedWon: -of(debtOf(merchantId)) };
}

async function postMove(
  tx: PoolClient,
  event: string,
  { by, reason, on }: HoldAct,
  lines: readonly LedgerLine[],
): Promise<void> {
  const moved = lines.filter(({ amountWon }) => amountWon !== 0n);
  if (moved.length === 0) return;
  await post(tx, { event, kind: 'hold', postedOn: on, postedBy: by, reason, lines: moved });
}
