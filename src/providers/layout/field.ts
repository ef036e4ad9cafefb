/**
 * What the bytes of one field mean, as data: the same description reads and writes. Widths belong to the record, so a
 * field may stand in a fixed-width record, between separators, or as a JSON value.
 */
export type Field = AlwaysField | TextField | CodeField | WonField | NumberField | DayField | TimeField | FillerField;

/** Where a value shorter than its width is filled, and with what. Matters in fixed-width records only. */
export type Pad = { readonly at: 'left' | 'right'; readonly with: ' ' | '0' };

export type AlwaysField = { readonly type: 'always'; readonly text: string };
export type TextField = { readonly type: 'text'; readonly pad: Pad; readonly required: boolean };
/** `also` says which code is written for meanings that share one with another, and are read as that. */
export type CodeField = { readonly type: 'code'; readonly codes: Codes; readonly also: Codes };
export type NumberField = { readonly type: 'number'; readonly pad: Pad };
export type TimeField = { readonly type: 'time'; readonly format: 'HHMMSS' | 'HH:MM:SS' };
export type FillerField = { readonly type: 'filler'; readonly content: 'blank' | 'anything' };

export type DayField = {
  readonly type: 'day';
  readonly format: 'YYYYMMDD' | 'YYMMDD' | 'YYYY-MM-DD';
  /** For YYMMDD: two-digit years from this one on belong to the 1900s, those before it to the 2000s. */
  readonly pivotYear: number;
};

/** The provider's codes and what they mean to us; the first code of a meaning is the one that is written. */
export type Codes = Readonly<Record<string, string>>;

/**
 * How the sign of an amount is written:
 * `unsigned` digits only; `minus` a "-" right before the digits, behind any filling (`0000-1200`);
 * `leading`, `trailing` a sign byte of its own before or behind the digits, `plus` for what is not negative;
 * `overpunch` the last byte is digit and sign in one: {ABCDEFGHI for +0…+9, }JKLMNOPQR for −0…−9 (EBCDIC zoned).
 */
export type SignStyle = 'unsigned' | 'minus' | 'leading' | 'trailing' | 'overpunch';

export type WonField = {
  readonly type: 'won';
  readonly sign: SignStyle;
  readonly plus: '+' | ' ' | '0';
  readonly pad: Pad;
  /** Digits behind the implied decimal point. Won has none, so anything but zeros there is refused. */
  readonly decimals: number;
  /** The kinds whose (unsigned) amounts are negative: the sign comes from the kind code. */
  readonly negativeWhen: readonly string[];
};

const left = (fill: ' ' | '0'): Pad => ({ at: 'left', with: fill });
const rightBlank: Pad = { at: 'right', with: ' ' };

/** A constant, such as a record type: verified when read. */
export function always(text: string): AlwaysField {
  return { type: 'always', text };
}

/** Text: on the left and filled with spaces unless told otherwise; `required` refuses an empty one. */
export function text(options: { pad?: Pad; required?: boolean } = {}): TextField {
  return { type: 'text', pad: options.pad ?? rightBlank, required: options.required ?? false };
}

/**
 * A provider's code that stands for one of our meanings; any other code is refused. `also`, from meaning to code, is for
 * meanings that the provider does not tell from another: `code({ '0': 'A', '1': 'C' }, { P: '1' })`.
 */
export function code(codes: Codes, also: Codes = {}): CodeField {
  return { type: 'code', codes, also };
}

/** An amount in won; without options zero-filled digits without a sign. */
export function won(options: Partial<Omit<WonField, 'type'>> = {}): WonField {
  return { type: 'won', sign: 'unsigned', plus: '+', pad: left('0'), decimals: 0, negativeWhen: [], ...options };
}

/** A count or a small number that is never negative, zero-filled unless told otherwise. */
export function number(pad: Pad = left('0')): NumberField {
  return { type: 'number', pad };
}

/** A day; `pivotYear` (0–100) is needed for, and only for, YYMMDD. */
export function day(format: 'YYYYMMDD' | 'YYYY-MM-DD'): DayField;
export function day(format: 'YYMMDD', century: { pivotYear: number }): DayField;
export function day(format: DayField['format'], century?: { pivotYear: number }): DayField {
  return { type: 'day', format, pivotYear: century?.pivotYear ?? 0 };
}

/** A time of day in Asia/Seoul. */
export function time(format: TimeField['format'] = 'HHMMSS'): TimeField {
  return { type: 'time', format };
}

/** Unused bytes: spaces, verified when read. */
export const blank: FillerField = { type: 'filler', content: 'blank' };

/** Bytes that mean nothing to us: written as spaces, not looked at when read. */
export const anything: FillerField = { type: 'filler', content: 'anything' };

/** The last byte of an overpunched amount: the index is the digit, in the second row negative. */
export const overpunched = { plus: '{ABCDEFGHI', minus: '}JKLMNOPQR' } as const;
