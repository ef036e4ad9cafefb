/**
 * What the bytes of one field mean, as data: the same description reads and writes. Widths belong to the record, so a
 * field may stand in a fixed-width record, between separators, or as a JSON value.
 */
export type Field = AlwaysField | TextField | CodeField | WonField | NumberField | DayField | TimeField | FillerField;

/** Where a value shorter than its width is filled, and with what. Matters in fixed-width records only. */
export type Pad = { readonly at: 'left' | 'right'; readonly with: ' ' | '0' };

export type AlwaysField = { readonly type: 'always'; readonly text: string };
export type TextField = { readonly type: 'text'; readonly pad: Pad; readonly required: boolean };
export type CodeField = { readonly type: 'code'; readonly codes: Codes };
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

/** A provider's code that stands for one of our meanings; any other code is refused. */
export function code(codes: Codes): CodeField {
  return { type: 'code', codes };
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

/** Why a field cannot be read or written. Kept with an unreadable line, so the words are part of the data. */
const fieldFaults = {
  not_a_number: { ko: '숫자가 아닙니다', en: 'not a number' },
  out_of_range: { ko: '값이 너무 큽니다', en: 'does not fit' },
  fraction_of_won: { ko: '원 미만의 금액이 있습니다', en: 'a fraction of a won' },
  no_such_day: { ko: '없는 날짜입니다', en: 'no such day' },
  no_such_time: { ko: '없는 시각입니다', en: 'no such time' },
  not_in_encoding: { ko: '문자 집합에 없는 바이트입니다', en: 'bytes that are not in the encoding' },
  cut_character: { ko: '글자가 필드 경계에서 잘렸습니다', en: 'a character cut by the field boundary' },
  control_character: { ko: '제어 문자가 있습니다', en: 'a control character' },
  unknown_code: { ko: '알 수 없는 코드입니다', en: 'an unknown code' },
  not_constant: { ko: '정해진 값이 아닙니다', en: 'not the constant it must be' },
  not_blank: { ko: '비어 있어야 합니다', en: 'not blank' },
  missing: { ko: '값이 없습니다', en: 'missing' },
  too_long: { ko: '필드보다 깁니다', en: 'longer than its field' },
  like_padding: { ko: '채움 문자로 시작하거나 끝납니다', en: 'begins or ends with the filling' },
  holds_separator: { ko: '구분자가 들어 있습니다', en: 'holds the separator' },
  wrong_sign: { ko: '부호를 쓸 수 없습니다', en: 'a sign that the field cannot hold' },
} as const satisfies Record<string, { ko: string; en: string }>;
export type FieldFault = keyof typeof fieldFaults;

/** The last byte of an overpunched amount: the index is the digit, in the second row negative. */
export const overpunched = { plus: '{ABCDEFGHI', minus: '}JKLMNOPQR' } as const;
