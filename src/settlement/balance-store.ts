import { seoul } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { debtOf, heldOf, inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balancesOf } from '../ledger/store.ts';
import { termsInForce } from '../merchants/terms-store.ts';
import { termsText } from '../merchants/terms-text.ts';
import { type Pool, query } from '../platform/database/pool.ts';
import { type Hold, listHolds } from './hold-store.ts';
import { type WaitingAmount, waitingOf } from './settled-store.ts';
import { nextSlot, slotAt } from './slot.ts';

/** 잔액. What a merchant has with us, and what waits for which slot. */
export type MerchantBalance = {
  readonly merchantId: string;
  readonly name: string;
  readonly walletWon: bigint;
  readonly heldWon: bigint;
  readonly owedWon: bigint;
  readonly inFlightWon: bigint;
  readonly waiting: readonly WaitingAmount[];
  readonly holds: readonly Hold[];
  readonly terms: string | null;
  readonly next: Temporal.Instant;
};

/** What a merchant has with us now. @throws Problem `not_found` */
export async function merchantBalance(
  db: Pool,
  merchantId: string,
  now: Temporal.Instant,
  language: Language,
): Promise<MerchantBalance> {
  const [merchant] = await query<{ name: string }>(db, 'select name from merchant where merchant_id = $1', [
    merchantId,
  ]);
  if (merchant === undefined) throw new Problem('not_found', { what: 'merchant', id: merchantId });
  const names = [walletOf, heldOf, debtOf, inFlightOf].map((of) => of(merchantId));
  const balances = await balancesOf(db, names);
  const [walletWon = 0n, heldWon = 0n, debtWon = 0n, inFlightWon = 0n] = names.map((name) => balances.get(name));
  const today = now.toZonedDateTimeISO(seoul).toPlainDate();
  const terms = (await termsInForce(db, [merchantId], today)).get(merchantId);
  return {
    merchantId,
    name: merchant.name,
    walletWon,
    heldWon,
    owedWon: -debtWon,
    inFlightWon,
    waiting: await waitingOf(db, merchantId),
    holds: await listHolds(db, { merchantId }),
    terms: terms === undefined ? null : termsText(terms, language),
    next: nextSlot(slotAt(now)),
  };
}
