import type { Pool, PoolClient } from 'pg';
import type { VatPolicy } from '../kernel/fee.ts';
import type { Method } from '../kernel/method.ts';
import { Problem } from '../kernel/problem.ts';
import type { Rounding } from '../kernel/rounding.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { cancelFees, tierVolumes } from './contract-records.ts';
import type { Roll } from './cycle.ts';
import type { payoutWays } from './terms-records.ts';

type Queryable = Pool | PoolClient;

/** 정산 조건. One dated row; days are `YYYY-MM-DD`, times of Seoul's clock `HH:MM`. */
export type SettlementTerms = {
  readonly termsId: bigint;
  readonly merchantId: string;
  readonly validFrom: string;
  readonly cycle: string;
  readonly roll: Roll;
  readonly dueTime: string;
  readonly payout: (typeof payoutWays)[number];
  readonly payoutTime: string | null;
  readonly minPayoutWon: bigint;
};

/** 수수료 계약. One dated row with its tiers, the lowest first. */
export type FeeContract = {
  readonly contractId: bigint;
  readonly merchantId: string;
  readonly method: Method;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly ratePpm: number;
  readonly fixedWon: bigint;
  readonly minFeeWon: bigint | null;
  readonly maxFeeWon: bigint | null;
  readonly rounding: Rounding;
  readonly vat: VatPolicy;
  readonly tierVolume: (typeof tierVolumes)[number] | null;
  readonly tiers: readonly { readonly fromWon: bigint; readonly ratePpm: number }[];
  readonly cancelFee: (typeof cancelFees)[number];
};

/** 지급 계좌. One dated row; number and holder are sealed, what is masked of them is for people. */
export type BankAccount = {
  readonly accountId: bigint;
  readonly merchantId: string;
  readonly validFrom: string;
  readonly bankCode: string;
  readonly sealed: Buffer;
  readonly keyId: string;
  readonly fingerprint: Buffer;
  readonly last4: string;
  /** As it may be shown. */
  readonly holder: string;
  readonly holderSealed: Buffer | null;
};

const termsColumns = `terms_id as "termsId", merchant_id as "merchantId", valid_from::text as "validFrom", cycle, roll,
  to_char(due_time, 'HH24:MI') as "dueTime", payout, to_char(payout_time, 'HH24:MI') as "payoutTime",
  min_payout_won as "minPayoutWon"`;
const accountColumns = `account_id as "accountId", merchant_id as "merchantId", valid_from::text as "validFrom",
  bank_code as "bankCode", sealed, key_id as "keyId", fingerprint, last4,
  mask_name(holder) as holder, holder_sealed as "holderSealed"`;

/** The terms of each merchant on a day; a merchant without any is not in the map. */
export async function termsInForce(
  db: Queryable,
  merchantIds: readonly string[],
  on: Temporal.PlainDate,
): Promise<ReadonlyMap<string, SettlementTerms>> {
  const { rows } = await db.query<SettlementTerms>(
    `select distinct on (merchant_id) ${termsColumns}
       from settlement_terms where merchant_id = any($1) and valid_from <= $2::date
      order by merchant_id, valid_from desc, terms_id desc`,
    [merchantIds, on.toString()],
  );
  return new Map(rows.map((terms) => [terms.merchantId, terms]));
}

/** The account that a merchant is paid to on a day. */
export async function bankAccountInForce(
  db: Queryable,
  merchantId: string,
  on: Temporal.PlainDate,
): Promise<BankAccount | undefined> {
  const { rows } = await db.query<BankAccount>(
    `select ${accountColumns}
       from bank_account where merchant_id = $1 and valid_from <= $2::date
      order by valid_from desc, account_id desc limit 1`,
    [merchantId, on.toString()],
  );
  return rows[0];
}

/** All that was ever agreed with a merchant, the oldest first; a later row of the same day corrects the one before. */
export async function merchantTerms(
  db: Queryable,
  merchantId: string,
): Promise<{
  readonly name: string;
  readonly businessNo: string;
  readonly contracts: readonly FeeContract[];
  readonly terms: readonly SettlementTerms[];
  readonly accounts: readonly BankAccount[];
}> {
  const merchants = await db.query<{ name: string; businessNo: string }>(
    'select name, business_no as "businessNo" from merchant where merchant_id = $1',
    [merchantId],
  );
  const merchant = merchants.rows[0];
  if (merchant === undefined) throw new Problem('not_found', { what: 'merchant', id: merchantId });
  const terms = await db.query<SettlementTerms>(
    `select ${termsColumns} from settlement_terms where merchant_id = $1 order by valid_from, terms_id`,
    [merchantId],
  );
  const accounts = await db.query<BankAccount>(
    `select ${accountColumns} from bank_account where merchant_id = $1 order by valid_from, account_id`,
    [merchantId],
  );
  return { ...merchant, contracts: await contractsOf(db, merchantId), terms: terms.rows, accounts: accounts.rows };
}

async function contractsOf(db: Queryable, merchantId: string): Promise<FeeContract[]> {
  const { rows } = await db.query<FeeContract>(
    `select contract_id as "contractId", merchant_id as "merchantId", method, valid_from::text as "validFrom",
            valid_to::text as "validTo", rate_ppm as "ratePpm", fixed_won as "fixedWon", min_fee_won as "minFeeWon",
            max_fee_won as "maxFeeWon", rounding, vat, tier_volume as "tierVolume", cancel_fee as "cancelFee"
       from fee_contract where merchant_id = $1 order by method, valid_from, contract_id`,
    [merchantId],
  );
  const tiers = await db.query<{ contractId: bigint; fromWon: bigint; ratePpm: number }>(
    `select contract_id as "contractId", from_won as "fromWon", rate_ppm as "ratePpm"
       from fee_contract_tier where contract_id = any($1) order by contract_id, from_won`,
    [rows.map(({ contractId }) => contractId)],
  );
  return rows.map((row) => ({
    ...row,
    tiers: tiers.rows
      .filter(({ contractId }) => contractId === row.contractId)
      .map(({ fromWon, ratePpm }) => ({ fromWon, ratePpm })),
  }));
}

/** Throws `data_key_changed` where any account was sealed by a key that the cipher does not have. */
export async function checkDataKey(db: Queryable, cipher: Pick<Cipher, 'keyId' | 'keyIds'>): Promise<void> {
  const { rows } = await db.query<{ keyId: string }>(
    'select key_id as "keyId" from bank_account where key_id <> all ($1) limit 1',
    [cipher.keyIds()],
  );
  const other = rows[0];
  if (other !== undefined) {
    throw new Problem('data_key_changed', { sealedBy: other.keyId, keyId: cipher.keyId });
  }
}
