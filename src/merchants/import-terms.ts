import type { Pool } from 'pg';
import { importDated } from '../imports/dated-records.ts';
import type { ImportOptions, ImportOutcome } from '../imports/import-records.ts';
import type { ImportSource } from '../imports/import-source.ts';
import type { Cipher } from '../platform/cipher.ts';
import { accountColumns, readAccount } from './account-records.ts';
import { resealStaged } from './account-seal-store.ts';
import { contractColumns, readContract } from './contract-records.ts';
import { addAccounts, addContracts, addTerms, refuseUnknownMerchants } from './terms-import-store.ts';
import { readTerms, termsColumns } from './terms-records.ts';
import { checkDataKey } from './terms-store.ts';

/** 수수료 계약 적재. Brings fee contracts in from a file: see `importDated` and docs/terms.md. */
export function importContracts(pool: Pool, source: ImportSource, options: ImportOptions): Promise<ImportOutcome> {
  const kind = {
    kind: 'contracts',
    columns: contractColumns,
    read: readContract,
    judge: refuseUnknownMerchants,
    add: addContracts,
  } as const;
  return importDated(pool, kind, source, options);
}

/** 정산 조건 적재. Brings settlement terms in from a file: see `importDated` and docs/terms.md. */
export function importTerms(pool: Pool, source: ImportSource, options: ImportOptions): Promise<ImportOutcome> {
  const kind = {
    kind: 'terms',
    columns: termsColumns,
    read: readTerms,
    judge: refuseUnknownMerchants,
    add: addTerms,
  } as const;
  return importDated(pool, kind, source, options);
}

/**
 * 지급 계좌 적재. Brings bank accounts in from a file: see `importDated` and docs/terms.md. Also throws
 * `data_key_changed` where accounts were sealed by a key that is not at hand: they could not be compared.
 */
export async function importAccounts(
  pool: Pool,
  cipher: Cipher,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportOutcome> {
  await checkDataKey(pool, cipher);
  return importDated(
    pool,
    {
      kind: 'accounts',
      columns: accountColumns,
      confidential: true,
      read: (fields) => readAccount(fields, cipher),
      judge: (client) => refuseUnknownMerchants(client, { confidential: true }),
      async add(client, by) {
        await resealStaged(client, cipher);
        return addAccounts(client, by);
      },
    },
    source,
    options,
  );
}
