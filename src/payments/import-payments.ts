import type { Pool } from 'pg';
import { type ImportOptions, type ImportOutcome, importRecords } from '../imports/import-records.ts';
import type { ImportSource } from '../imports/import-source.ts';
import { paymentRecords } from './payment-records.ts';

export type PaymentImportOptions = ImportOptions & {
  /** The ids of the providers we know: a record of any other is refused. */
  readonly providers: readonly string[];
};

/**
 * 결제 적재. Brings approvals, cancels and captures in from a file: see `importRecords` and docs/import.md.
 * A capture needs no payment to be there, nor a payment its merchant: either may come first.
 */
export function importPayments(
  pool: Pool,
  source: ImportSource,
  options: PaymentImportOptions,
): Promise<ImportOutcome> {
  return importRecords(pool, paymentRecords(options.providers), source, options);
}
