import type { Pool } from 'pg';
import type { Act } from '../audit/act.ts';
import { recordAct } from '../audit/store.ts';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import { openAccount } from './account-seal-store.ts';
import { bankAccountInForce } from './terms-store.ts';

/** A bank account in full, for one pair of eyes and one reason. */
export type RevealedAccount = {
  readonly accountId: bigint;
  readonly merchantId: string;
  readonly validFrom: string;
  readonly bankCode: string;
  readonly accountNo: string;
  readonly holder: string;
};

/**
 * 개인정보 열람. The account that a merchant is paid to on a day, in full. Who asked and why stands in the trail before
 * anything is opened: where that cannot be written, nothing is shown.
 * @throws Problem `not_found`, `reason_missing`, `data_key_changed`, `sealed_damaged`
 */
export async function revealAccount(
  { pool, cipher }: { readonly pool: Pool; readonly cipher: Cipher },
  asked: {
    readonly actor: Act['actor'];
    readonly merchantId: string;
    readonly on: Temporal.PlainDate;
    readonly reason: string;
  },
): Promise<RevealedAccount> {
  const { actor, merchantId, on, reason } = asked;
  if (reason.trim() === '') throw new Problem('reason_missing');
  const account = await bankAccountInForce(pool, merchantId, on);
  if (account === undefined) throw new Problem('not_found', { what: 'bank account', id: merchantId });
  const { accountId, validFrom, bankCode } = account;
  await recordAct(pool, {
    actor,
    act: 'bank_account.revealed',
    subject: `bank_account:${accountId}`,
    outcome: 'asked',
    reason,
    detail: { merchantId, bankCode, last4: account.last4 },
  });
  return { accountId, merchantId, validFrom, bankCode, ...openAccount(cipher, account) };
}
