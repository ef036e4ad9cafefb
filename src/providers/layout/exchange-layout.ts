import type { FieldValue } from './field-write.ts';
import type { Format, PlacedField } from './layout.ts';

/**
 * What the data records of an exchange must yield or are written from, in this order. `?` marks what a provider may leave
 * out or blank: null then. A claim's identity at the provider is its TID and cancel sequence.
 */
export const exchangeColumns = {
  /** 청구 건. */
  claim: {
    mid: 'text',
    type: 'char', // A approval, C full cancel, P partial cancel
    tradedOn: 'day',
    approvedOn: 'day', // of the original
    providerTid: 'text',
    cancelSeq: 'smallint',
    amountWon: 'won', // signed
    originalWon: 'won',
    intermediaryNo: 'text?',
    finalNo: 'text',
    orderNo: 'text',
  },
  /** 검증 결과. */
  validation: {
    mid: 'text',
    tradedOn: 'day',
    providerTid: 'text',
    cancelSeq: 'smallint',
    amountWon: 'won',
    code: 'text',
  },
  /** 차액정산 결과. */
  answer: {
    mid: 'text',
    tradedOn: 'day',
    providerTid: 'text',
    cancelSeq: 'smallint',
    amountWon: 'won',
    originalWon: 'won',
    tier: 'text?',
    cardType: 'text?', // the provider's: 1 check, else credit
    differenceWon: 'won?', // VAT included; null where the provider states supply and VAT alone
    supplyWon: 'won?',
    vatWon: 'won?',
    payOn: 'day?',
    code: 'text',
  },
  /** 하위가맹점 등록 신청. */
  registration: {
    action: 'char', // N new, C change, T terminate
    acquirer: 'text',
    merchantId: 'text',
    finalNo: 'text',
    intermediaryNo: 'text?',
    shopName: 'text',
  },
  registrationAnswer: {
    action: 'char',
    acquirer: 'text',
    merchantId: 'text',
    finalNo: 'text',
    code: 'text',
  },
} as const;

export type ExchangeRecord = keyof typeof exchangeColumns;

/** How a column travels. */
export type ExchangeColumnType = 'text' | 'char' | 'smallint' | 'won' | 'day';

type Held = { text: string; char: string; smallint: number; won: bigint; day: string };
type HeldBy<C> = C extends `${infer T extends ExchangeColumnType}?`
  ? Held[T] | null
  : C extends ExchangeColumnType
    ? Held[C]
    : never;

/** A typed row: text and codes as strings, won as bigint, days `YYYY-MM-DD`; null what is not stated. */
export type ExchangeRow<R extends ExchangeRecord = ExchangeRecord> = R extends ExchangeRecord
  ? { readonly [C in keyof (typeof exchangeColumns)[R]]: HeldBy<(typeof exchangeColumns)[R][C]> } & {
      /** Fields of the record that are no column, such as what an answer echoes; blank where not given. */
      readonly extras?: Readonly<Record<string, FieldValue>>;
    }
  : never;

/** A record's column, its type, and whether it may be null. */
export type ColumnOfRecord = {
  readonly name: string;
  readonly type: ExchangeColumnType;
  readonly isOptional: boolean;
};

/** The columns of a record in their order. */
export function columnsOfRecord(record: ExchangeRecord): readonly ColumnOfRecord[] {
  return Object.entries<string>(exchangeColumns[record]).map(([name, type]) => ({
    name,
    type: type.replace('?', '') as ExchangeColumnType,
    isOptional: type.endsWith('?'),
  }));
}

/** What a file of the exchange says of itself: the day it is for, our business number, its MIDs. */
export type ExchangeHead = {
  readonly on: Temporal.PlainDate;
  /** 사업자번호, ten digits. */
  readonly biz: string;
  /** Read: no MID but these may be in the file. Written: the one of a header whose records have no MID of their own. */
  readonly mids?: readonly string[];
};
export const headNames = ['on', 'biz', 'mid'] as const;
export type HeadName = (typeof headNames)[number];

/**
 * A field of a record. `optional` ones are null where they are blank (days: or zeros), and blank where they are null.
 * `from` is what is written there: a column of the data, a value of the head, a total; null for constants, fillers and
 * what a row gives as an extra.
 */
export type ExchangeField = PlacedField & { readonly optional: boolean; readonly from: string | null };
export type ExchangeRecordLayout = { readonly mark: string; readonly fields: readonly ExchangeField[] };

export const summedColumns = ['amountWon', 'differenceWon', 'supplyWon', 'vatWon'] as const;
export type SummedColumn = (typeof summedColumns)[number];

/**
 * `lines`: data records; `records`: all records of the group (of the file, at its end), frame and this one included; or
 * the column that is summed. A difference that the provider states as supply and VAT alone is their sum.
 */
export type TotalOf = 'lines' | 'records' | SummedColumn;

/** A control total of a group or of the file: its field, and what it counts or sums. */
export type ExchangeTotal = { readonly field: string; readonly of: TotalOf };

export type ExchangeTotalLayout = ExchangeRecordLayout & { readonly totals: readonly ExchangeTotal[] };
export type ExchangeDataLayout = ExchangeRecordLayout & { readonly columns: readonly ExchangeColumn[] };

/**
 * 전문. A file of the exchange: [start] ([header] data… [total])… [end]. A provider without a frame (CSV) has data alone.
 * Made by `fixedExchange` and `delimitedExchange`, which refuse (`layout_invalid`) what does not add up.
 */
export type ExchangeLayout<R extends string = ExchangeRecord> = {
  readonly record: R;
  readonly format: Exclude<Format, { kind: 'json' }>;
  /** The field that tells the records apart, in the same place of each. */
  readonly type: string;
  readonly start: ExchangeRecordLayout | null;
  /** One for each MID, where it holds one. */
  readonly header: ExchangeRecordLayout | null;
  readonly data: ExchangeDataLayout;
  /** Closes what a header opened, or the data of the one group that there is. */
  readonly total: ExchangeTotalLayout | null;
  readonly end: ExchangeTotalLayout | null;
};

/** Where a column comes from: a field of the data record, the file's head, a constant, or nowhere (null). */
export type ExchangeColumn = ColumnOfRecord & {
  readonly source:
    | { readonly from: 'field'; readonly index: number }
    | { readonly from: 'header'; readonly name: HeadName }
    | { readonly from: 'constant'; readonly value: FieldValue }
    | { readonly from: 'nowhere' };
};

/** What the data records of a file add up to; 0 for what they do not state. */
export type ExchangeSums = { readonly lines: number } & Readonly<Record<SummedColumn, bigint>>;

/** The records that a layout has, in the order in which they stand in a file. */
export function recordsOfExchange({ start, header, data, total, end }: ExchangeLayout): ExchangeRecordLayout[] {
  return [start, header, data, total, end].filter((record) => record !== null);
}

/** True where each MID's rows stand behind a header of their own. */
export function isGrouped({ header, data }: ExchangeLayout): boolean {
  return (
    (header?.fields.some(({ name }) => name === 'mid') ?? false) && data.columns.some(({ name }) => name === 'mid')
  );
}
