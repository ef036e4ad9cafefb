import type { Pool } from 'pg';
import { type ImportOptions, type ImportOutcome, importRecords } from '../imports/import-records.ts';
import type { ImportSource } from '../imports/import-source.ts';
import { merchantRecords } from './merchant-records.ts';

/** 가맹점 적재. Brings merchants in from a file: see `importRecords` and docs/import.md. */
export function importMerchants(pool: Pool, source: ImportSource, options: ImportOptions): Promise<ImportOutcome> {
  return importRecords(pool, merchantRecords, source, options);
}
