import type { Stage, stageColumns } from '../stage.ts';
import type { Codes, Field } from './field.ts';

/**
 * 레코드 배치. How a provider writes the statement of one stage: a header, data records, a trailer with control totals.
 * One layout reads, writes and drives the simulator. Made by `fixedStatement`, `delimitedStatement`, `jsonStatement`,
 * which refuse (`layout_invalid`) what does not add up when the program starts.
 */
export type StatementLayout<S extends Stage = Stage> = {
  readonly stage: S;
  readonly format: Format;
  /** The name of the field that tells the records apart, present in every record. */
  readonly type: string;
  readonly header: RecordLayout;
  readonly data: readonly DataLayout[];
  readonly trailer: RecordLayout;
  readonly totals: readonly Total[];
  /** The declared totals that sum up to the signed amount of the file, with the factor of each. */
  readonly declaredWon: readonly { readonly name: string; readonly factor: 1n | -1n }[];
};

export type Encoding = 'cp949' | 'utf8';

export type Format =
  | {
      readonly kind: 'fixed';
      readonly encoding: Encoding;
      readonly recordBytes: number;
      readonly lineBreak: 'lf' | 'crlf' | 'none';
    }
  | {
      readonly kind: 'delimited';
      readonly encoding: Encoding;
      readonly separator: string;
      /** '"', or 'none' where values never hold the separator. */
      readonly quote: '"' | 'none';
      readonly lineBreak: 'lf' | 'crlf';
    }
  | { readonly kind: 'json'; readonly encoding: 'utf8'; readonly lineBreak: 'lf' | 'crlf' };

export type PlacedField = {
  readonly name: string;
  readonly field: Field;
  /** Byte offset and width in a fixed-width record; 0 elsewhere. */
  readonly offset: number;
  readonly width: number;
};

export type RecordLayout = {
  /** The value of the type field that marks this record. */
  readonly mark: string;
  readonly fields: readonly PlacedField[];
};

export type DataLayout = RecordLayout & {
  /** Which rows are written as this record; null where there is only one data record. */
  readonly kinds: readonly string[] | null;
  /** Where each column of the stage comes from, in the stage's order. */
  readonly columns: readonly PlacedColumn[];
};

export type PlacedColumn = { readonly name: string; readonly source: ColumnSource };

/** Where a column of the stage comes from if it is not simply the field of the same name. */
export type ColumnSource =
  | { readonly from: 'field'; readonly index: number }
  | { readonly from: 'meaning'; readonly index: number; readonly codes: Codes }
  | { readonly from: 'constant'; readonly value: string | number | bigint }
  | { readonly from: 'header'; readonly name: 'on' | 'mid' };

/** A control total (검증 합계) that the trailer declares: a number of lines, or a sum of a won column. */
export type Total = {
  readonly name: string;
  readonly of: 'rows' | WonColumn;
  readonly kinds: readonly string[] | null;
  readonly results: readonly string[] | null;
  /** True where the trailer declares the sum with the opposite sign, such as cancels as a positive sum. */
  readonly negated: boolean;
};

export const wonColumns = ['amountWon', 'feeWon', 'vatWon', 'netWon'] as const;
export type WonColumn = (typeof wonColumns)[number];

type ColumnValue = { text: string; char: string; smallint: number; won: bigint; day: string; time: string };

/** A row of a stage: text and codes as strings, won as bigint, days `YYYY-MM-DD`, times `HH:MM:SS`. */
export type StatementRow<S extends Stage = Stage> = S extends Stage
  ? {
      readonly [C in keyof (typeof stageColumns)[S]]: (typeof stageColumns)[S][C] extends keyof ColumnValue
        ? ColumnValue[(typeof stageColumns)[S][C]]
        : never;
    } & {
      /** Fields of the record that are no column of the stage, such as a shop's name; empty where not given. */
      readonly extras?: Readonly<Record<string, string>>;
    }
  : never;
