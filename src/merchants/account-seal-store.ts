import type { PoolClient } from 'pg';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import { inTransaction, type Queryable, query } from '../platform/database/pool.ts';
import { countSql, isStale, type SealedCount, type SealedPlace } from '../platform/sealed-place.ts';
import { accountOf, holderOf, maskName } from './account.ts';

/** Merchants whose accounts are sealed anew at a time. */
const merchantsAtOnce = 500;

const stale = `(${isStale('sealed', 'key_id')} or ${isStale('holder_sealed', 'key_id')} or holder_sealed is null)`;

/** Account numbers and their holders' names, for the change of keys. */
export const sealedAccounts: SealedPlace = {
  table: 'bank_account',
  words: { ko: '계좌번호와 예금주', en: 'account numbers and holders' },
  count: (db) =>
    query<SealedCount>(
      db,
      countSql('bank_account', [
        { sealed: 'sealed', keyId: 'key_id' },
        { sealed: 'holder_sealed', keyId: 'key_id' },
      ]),
    ),
  reseal: (pool, cipher, { after, limit }) =>
    inTransaction(pool, async (tx) => {
      const merchants = await staleMerchants(tx, cipher, { after, limit });
      const { resealed, unreadable } = await resealMerchants(tx, cipher, merchants);
      return { resealed, unreadable, next: merchants.length < limit ? undefined : merchants.at(-1) };
    }),
};

/**
 * Seals what is known of the staged merchants under the current key, so that what a file says can be compared with it by
 * fingerprint, also while keys are changed.
 * @throws Problem `data_key_changed`, `sealed_damaged` where an account cannot be read
 */
export async function resealStaged(client: PoolClient, cipher: Cipher): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const merchants: readonly string[] = await staleMerchants(client, cipher, {
      after,
      limit: merchantsAtOnce,
      among: `merchant_id in (select content ->> 'merchantId' from staged_record)`,
    });
    const { fault } = await resealMerchants(client, cipher, merchants);
    if (fault !== undefined) throw fault;
    after = merchants.length < merchantsAtOnce ? undefined : merchants.at(-1);
  }
}

async function staleMerchants(
  db: Queryable,
  { keyId }: Cipher,
  { after, limit, among = 'true' }: { readonly after: string; readonly limit: number; readonly among?: string },
): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(
    db,
    `select distinct merchant_id as id from bank_account
      where ${stale} and merchant_id > $2 and ${among} order by merchant_id limit $3`,
    [keyId, after, limit],
  );
  return rows.map(({ id }) => id);
}

type Account = {
  readonly id: bigint;
  readonly merchantId: string;
  readonly bankCode: string;
  readonly keyId: string;
  readonly sealed: Buffer;
  readonly holder: string;
  readonly holderSealed: Buffer | null;
};

/**
 * All accounts of these merchants, so that at no moment two of one merchant have fingerprints of different keys: whether
 * a payout's account is still the one in force is told by them.
 */
async function resealMerchants(
  tx: PoolClient,
  cipher: Cipher,
  merchants: readonly string[],
): Promise<{ readonly resealed: number; readonly unreadable: readonly string[]; readonly fault?: Problem }> {
  if (merchants.length === 0) return { resealed: 0, unreadable: [] };
  const accounts = await query<Account>(
    tx,
    `select account_id as id, merchant_id as "merchantId", bank_code as "bankCode", key_id as "keyId", sealed, holder,
            holder_sealed as "holderSealed"
       from bank_account where merchant_id = any ($1) order by account_id for update`,
    [merchants],
  );
  const anew: unknown[][] = [[], [], [], [], [], []];
  const unreadable: string[] = [];
  let fault: Problem | undefined;
  for (const account of accounts) {
    try {
      for (const [n, value] of sealedAnew(cipher, account).entries()) anew[n]?.push(value);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      fault ??= error;
      unreadable.push(`bank_account:${account.id}`);
    }
  }
  await tx.query(
    `update bank_account a
        set sealed = n.sealed, key_id = $7, fingerprint = n.fingerprint, holder = n.holder,
            holder_sealed = n.holder_sealed, holder_fingerprint = n.holder_fingerprint
       from unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[], $5::bytea[], $6::bytea[])
         as n (account_id, sealed, fingerprint, holder, holder_sealed, holder_fingerprint)
      where a.account_id = n.account_id`,
    [...anew, cipher.keyId],
  );
  return { resealed: (anew[0]?.length ?? 0) * 2, unreadable, ...(fault === undefined ? {} : { fault }) };
}

/** In the order of the update's arrays. */
function sealedAnew(cipher: Cipher, account: Account): unknown[] {
  const { merchantId, bankCode } = account;
  const { accountNo, holder } = openAccount(cipher, account);
  return [
    account.id,
    cipher.seal(accountNo, accountOf(merchantId, bankCode)).sealed,
    cipher.fingerprint(`${bankCode}:${accountNo}`),
    account.holderSealed === null ? maskName(holder) : account.holder,
    cipher.seal(holder, holderOf(merchantId, bankCode)).sealed,
    cipher.fingerprint(holder),
  ];
}

/** The number and the holder of an account in full. @throws Problem `data_key_changed`, `sealed_damaged` */
export function openAccount(
  cipher: Cipher,
  account: Pick<Account, 'merchantId' | 'bankCode' | 'keyId' | 'sealed' | 'holder' | 'holderSealed'>,
): { readonly accountNo: string; readonly holder: string } {
  const { merchantId, bankCode, keyId, sealed, holder, holderSealed } = account;
  return {
    accountNo: cipher.unseal(sealed, keyId, accountOf(merchantId, bankCode)),
    holder: holderSealed === null ? holder : cipher.unseal(holderSealed, keyId, holderOf(merchantId, bankCode)),
  };
}
