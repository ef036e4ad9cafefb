import type { Pool } from 'pg';
import { day, oneOf, text, won } from '../imports/field.ts';
import { type ImportOptions, type ImportOutcome, importRecords } from '../imports/import-records.ts';
import type { ImportSource } from '../imports/import-source.ts';
import type { ImportKind } from '../imports/staged-table.ts';

const provider = 0;
const depositedOn = 1;
const bankRef = 2;
const amountWon = 3;

export type DepositImportOptions = ImportOptions & {
  /** The ids of the providers we know: a deposit of any other is refused. */
  readonly providers: readonly string[];
};

/** 입금 적재. Brings what the bank says that providers paid in: see `importRecords` and docs/import.md. */
export function importDeposits(
  pool: Pool,
  source: ImportSource,
  options: DepositImportOptions,
): Promise<ImportOutcome> {
  return importRecords(pool, depositRecords(options.providers), source, options);
}

/** 입금. What a deposits file holds. A provider may also take money back: an amount is any but 0. */
function depositRecords(providers: readonly string[]): ImportKind {
  const known = providers.map((id) => Buffer.from(id));
  return {
    kind: 'deposits',
    columns: { names: ['provider', 'depositedOn', 'bankRef', 'amountWon'], numbers: new Set(['amountWon']) },
    tables: [
      {
        name: 'deposit',
        identity: ['provider', 'bank_ref'],
        columns: [
          { name: 'provider', type: 'text', field: 'provider' },
          { name: 'deposited_on', type: 'date', field: 'depositedOn' },
          { name: 'bank_ref', type: 'text', field: 'bankRef' },
          { name: 'amount_won', type: 'bigint', field: 'amountWon' },
        ],
      },
    ],
    route: () => 0,
    encode: (fields, _table, block) =>
      oneOf(fields, provider, block, known, 'import_provider_unknown') ??
      day(fields, depositedOn, block) ??
      text(fields, bankRef, block, { ours: true }) ??
      won(fields, amountWon, block, 'not_zero'),
  };
}
