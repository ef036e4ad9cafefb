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

/** A record's fields; `optional` ones are null where they are blank (or zeros, of days). */
export type ExchangeField = PlacedField & { readonly optional: boolean };
export type ExchangeRecordLayout = { readonly mark: string; readonly fields: readonly ExchangeField[] };

/** A control total of a group or of the file: its field, and what it counts or sums. */
export type ExchangeTotal = {
  readonly field: string;
  /** `lines`: data records; `records`: all records of the file, this one included; or the column that is summed. */
  readonly of: 'lines' | 'records' | 'amountWon' | 'differenceWon' | 'supplyWon' | 'vatWon';
};

/**
 * 전문. A file of the exchange: [start] ([header] data… [total])… [end]. A provider without a frame (CSV) has data alone.
 * Made by `fixedExchange` and `delimitedExchange`, which refuse (`layout_invalid`) what does not add up.
 */
export type ExchangeLayout<R extends string = ExchangeRecord> = {
  readonly record: R;
  readonly format: Format;
  /** The field that tells the records apart, in the same place of each. */
  readonly type: string;
  readonly start: ExchangeRecordLayout | null;
  /** One for each MID, where there is one. */
  readonly header: ExchangeRecordLayout | null;
  readonly data: ExchangeRecordLayout & { readonly columns: readonly ExchangeColumn[] };
  readonly total: (ExchangeRecordLayout & { readonly totals: readonly ExchangeTotal[] }) | null;
  readonly end: (ExchangeRecordLayout & { readonly totals: readonly ExchangeTotal[] }) | null;
};

/** Where a column comes from: a field of the data record, the group's header, a constant, or nowhere (null). */
export type ExchangeColumn = {
  readonly name: string;
  readonly source:
    | { readonly from: 'field'; readonly index: number }
    | { readonly from: 'header'; readonly name: string }
    | { readonly from: 'constant'; readonly value: string }
    | { readonly from: 'nowhere' };
};
