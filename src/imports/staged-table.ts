import type { CopyBlock } from './copy-block.ts';
import type { RecordColumns, RecordFields, Refusal } from './record.ts';

/** A column of a table that is imported: its name and type in SQL, and the file's name for what it holds. */
export type StagedColumn = { readonly name: string; readonly type: string; readonly field: string };

/** A table that records go into, described once: staging, comparing and inserting follow from it. */
export type StagedTable = {
  readonly name: string;
  /** The columns that say which record it is, the business day excepted. */
  readonly identity: readonly string[];
  /** The column of the business day by which a hot table is partitioned. */
  readonly day?: string;
  /** In the order in which `encode` writes them. */
  readonly columns: readonly StagedColumn[];
  /** Adds up what an import added; `{added}` is the relation of added rows, `$1` the import. */
  readonly totals?: string;
};

/** What an import is of, as the table of imports names it. */
export const importNames = [
  'payments',
  'merchants',
  'deposits',
  'contracts',
  'terms',
  'accounts',
  'tiers',
  'half_years',
  'rates',
  'sub_merchants',
  'card_bins',
] as const;
export type ImportName = (typeof importNames)[number];

/** 적재. What a kind of import may hold and where each record goes. */
export type ImportKind = {
  readonly kind: ImportName;
  readonly columns: RecordColumns;
  readonly tables: readonly StagedTable[];
  /** The place in `tables` of the table that the record is for, or why there is none. */
  route(fields: RecordFields): number | Refusal;
  /** Checks a record and writes it to its table's block, or says why not. */
  encode(fields: RecordFields, table: number, block: CopyBlock): Refusal | undefined;
};
