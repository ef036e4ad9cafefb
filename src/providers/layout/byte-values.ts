import { maxWon } from '../../kernel/money.ts';
import { type DayField, overpunched, type TimeField, type WonField } from './field.ts';

/** Days, times and amounts straight from bytes, for the hot path: no string is made. `NaN` for what is none. */

const zero = 0x30;
const minus = 0x2d;
const space = 0x20;
export const fourSpaces = 0x20202020;

/** True where there are only spaces. */
export function isBlank(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  let at = start;
  while (end - at >= 4 && view.getInt32(at) === fourSpaces) at += 4;
  while (at < end && bytes[at] === space) at += 1;
  return at === end;
}

/** The number that digits spell, or NaN: no digits, other bytes, or more than 15 significant digits. */
export function digitsAt(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  let at = start;
  while (at < end && bytes[at] === zero) at += 1;
  if (end - at > 15) return Number.NaN;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = (bytes[at] as number) - zero;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes a whole number that a double holds exactly. */
export function setInt64(view: DataView, at: number, value: number): void {
  // For nearly all amounts 32 bits suffice.
  const low = value | 0;
  if (low === value) {
    view.setInt32(at, low >> 31);
    view.setInt32(at + 4, low);
    return;
  }
  const high = Math.floor(value / 4_294_967_296);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * 4_294_967_296);
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Days since 2000-01-01, as PostgreSQL counts them (days-from-civil; H. Hinnant, chrono-compatible date algorithms). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 730_425;
}

/** A day field; the last two days are remembered where they are eight bytes, since lines mostly repeat them. */
export class DayBytes {
  readonly #width: number;
  readonly #format: DayField['format'];
  readonly #pivotYear: number;
  /** The eight bytes of the last two days, and the days: at first 20000101, which is day 0. */
  #lastHigh = 0x32303030;
  #lastLow = 0x30313031;
  #lastDay = 0;
  #otherHigh = 0x32303030;
  #otherLow = 0x30313031;
  #otherDay = 0;

  constructor(field: DayField) {
    this.#width = field.format.length;
    this.#format = field.format;
    this.#pivotYear = field.pivotYear;
  }

  /** `view` shows the same bytes. */
  read(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (end - start !== this.#width) return Number.NaN;
    if (this.#width !== 8) return this.#days(bytes, start);
    const high = view.getInt32(start);
    const low = view.getInt32(start + 4);
    if (low === this.#lastLow && high === this.#lastHigh) return this.#lastDay;
    if (low === this.#otherLow && high === this.#otherHigh) return this.#otherDay;
    const days = this.#days(bytes, start);
    if (Number.isNaN(days)) return Number.NaN;
    this.#otherHigh = this.#lastHigh;
    this.#otherLow = this.#lastLow;
    this.#otherDay = this.#lastDay;
    this.#lastHigh = high;
    this.#lastLow = low;
    this.#lastDay = days;
    return days;
  }

  #days(bytes: Uint8Array, start: number): number {
    let high: number;
    let low: number;
    if (this.#format === 'YYYY-MM-DD') {
      if (bytes[start + 4] !== minus || bytes[start + 7] !== minus) return Number.NaN;
      high = digitPairs(bytes, start);
      low = digitPair(bytes, start + 5) * 100 + digitPair(bytes, start + 8);
    } else if (this.#format === 'YYMMDD') {
      const year = digitPair(bytes, start);
      high = year + (year >= this.#pivotYear ? 1900 : 2000);
      low = digitPairs(bytes, start + 2);
    } else {
      high = digitPairs(bytes, start);
      low = digitPairs(bytes, start + 4);
    }
    const month = Math.floor(low / 100);
    const day = low - month * 100;
    const leap = month === 2 && high % 4 === 0 && (high % 100 !== 0 || high % 400 === 0) ? 1 : 0;
    if (!(high > 0 && month >= 1 && month <= 12 && day >= 1 && day <= (monthDays[month - 1] ?? 0) + leap)) {
      return Number.NaN;
    }
    return daysFromCivil(high, month, day);
  }
}

/** Two digits, or NaN. */
function digitPair(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - zero;
  const ones = (bytes[at + 1] as number) - zero;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? Number.NaN : tens * 10 + ones;
}

/** Four digits, or NaN. */
function digitPairs(bytes: Uint8Array, at: number): number {
  return digitPair(bytes, at) * 100 + digitPair(bytes, at + 2);
}

/** Seconds since midnight. */
export function timeAt(format: TimeField['format'], bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== format.length) return Number.NaN;
  const step = format === 'HHMMSS' ? 2 : 3;
  if (step === 3 && (bytes[start + 2] !== 0x3a || bytes[start + 5] !== 0x3a)) return Number.NaN;
  const hours = digitPair(bytes, start);
  const minutes = digitPair(bytes, start + step);
  const seconds = digitPair(bytes, start + step + step);
  return hours < 24 && minutes < 60 && seconds < 60 ? (hours * 60 + minutes) * 60 + seconds : Number.NaN;
}

/** An amount field: its value as a double while it is below 10^15, else `Infinity` and the value in `big`. */
export class WonBytes {
  big = 0n;
  readonly #sign: WonField['sign'];
  readonly #plus: number;
  readonly #leftBlank: boolean;
  readonly #rightBlank: boolean;
  readonly #decimals: number;
  /** Whole won without a sign, or with a minus only where it is needed. */
  readonly #isPlain: boolean;
  readonly #takesMinus: boolean;

  constructor(field: WonField) {
    this.#takesMinus = field.sign === 'minus';
    this.#isPlain = field.decimals === 0 && (this.#takesMinus || field.sign === 'unsigned');
    this.#sign = field.sign;
    this.#plus = field.plus.charCodeAt(0);
    this.#leftBlank = field.pad.with === ' ' && field.pad.at === 'left';
    this.#rightBlank = field.pad.with === ' ' && field.pad.at === 'right';
    this.#decimals = field.decimals;
  }

  read(bytes: Uint8Array, from: number, to: number): number {
    if (this.#isPlain && to - from <= 9) {
      // Nearly all amounts of delimited files; whatever is not one is looked at below.
      const isMinus = bytes[from] === minus && this.#takesMinus;
      let at = isMinus ? from + 1 : from;
      if (at < to) {
        let value = 0;
        for (; at < to; at += 1) {
          const digit = (bytes[at] as number) - zero;
          if (digit < 0 || digit > 9) break;
          value = value * 10 + digit;
        }
        if (at === to) return isMinus ? -value : value;
      }
    }
    let start = from;
    let end = to;
    if (this.#leftBlank) while (start < end && bytes[start] === space) start += 1;
    if (this.#rightBlank) while (end > start && bytes[end - 1] === space) end -= 1;
    if (start >= end) return Number.NaN;
    let negative = false;
    let tail = -1;
    switch (this.#sign) {
      case 'unsigned':
        break;
      case 'minus': {
        let at = start;
        while (at < end && bytes[at] === zero) at += 1;
        if (at === end || bytes[at] !== minus) break;
        negative = true;
        start = at + 1;
        break;
      }
      case 'leading':
        negative = bytes[start] === minus;
        if (!negative && bytes[start] !== this.#plus) return Number.NaN;
        start += 1;
        break;
      case 'trailing':
        end -= 1;
        negative = bytes[end] === minus;
        if (!negative && bytes[end] !== this.#plus) return Number.NaN;
        break;
      case 'overpunch': {
        end -= 1;
        const punch = punched[bytes[end] as number] as number;
        if (punch === notPunched) return Number.NaN;
        negative = punch >= punchedMinus;
        tail = negative ? punch - punchedMinus : punch;
        break;
      }
    }
    return this.#whole(bytes, start, end, tail, negative);
  }

  /** The won of the digits and of the last digit, `tail`, where that is not among them (else −1). */
  #whole(bytes: Uint8Array, start: number, digitsEnd: number, tail: number, negative: boolean): number {
    let end = digitsEnd;
    let last = tail;
    if (end - start + (last < 0 ? 0 : 1) <= this.#decimals) return Number.NaN;
    for (let left = this.#decimals; left > 0; left -= 1) {
      if (last < 0) {
        end -= 1;
        if (bytes[end] !== zero) return Number.NaN;
      } else if (last > 0) return Number.NaN;
      else last = -1;
    }
    let at = start;
    while (at < end && bytes[at] === zero) at += 1;
    if (end - at + (last < 0 ? 0 : 1) > 15) return this.#readBig(bytes, at, end, last, negative);
    let value = 0;
    for (; at < end; at += 1) {
      const digit = (bytes[at] as number) - zero;
      if (digit < 0 || digit > 9) return Number.NaN;
      value = value * 10 + digit;
    }
    if (last >= 0) value = value * 10 + last;
    return negative ? -value : value;
  }

  #readBig(bytes: Uint8Array, start: number, end: number, last: number, negative: boolean): number {
    let digits = '';
    for (let at = start; at < end; at += 1) {
      const digit = (bytes[at] as number) - zero;
      if (digit < 0 || digit > 9) return Number.NaN;
      digits += digit;
    }
    const value = BigInt(last < 0 ? digits : `${digits}${last}`);
    if (value > maxWon) return Number.NaN;
    this.big = negative ? -value : value;
    return Number.POSITIVE_INFINITY;
  }
}

/** What the last byte of an overpunched amount stands for: 0–9, from `punchedMinus` on negative, or nothing. */
const punchedMinus = 16;
const notPunched = 255;
const punched = new Uint8Array(256).fill(notPunched);
for (let digit = 0; digit < 10; digit += 1) {
  punched[overpunched.plus.charCodeAt(digit)] = digit;
  punched[overpunched.minus.charCodeAt(digit)] = punchedMinus + digit;
}
