import { fewestDigits, holdsCardNumber, holdsThisCard } from '../kernel/card-number.ts';
import type { ProblemCode } from '../kernel/problem.ts';
import type { CopyBlock } from './copy-block.ts';
import type { RecordFields, Refusal } from './record.ts';

// Each function checks one field by its exact form and writes it to the block, or says why not. Nothing is trimmed,
// cut or defaulted. The bytes are known to be valid UTF-8. Chained with `??`, they are a record in COPY order.

const zero = 48;
const minus = 45;
/** UTF-8 of `０` to `９` begins with it. */
const wideLead = 0xef;
const dayMs = 86_400_000;
/** No single amount is larger, nor does any day hold so many of them that their sum is not exact everywhere. */
const mostWon = 10_000_000_000_000;
/** PostgreSQL counts dates and instants from 2000-01-01. */
const epochMs = Date.UTC(2000, 0, 1);

/**
 * Text of `min` to `max` bytes: no control characters, no blanks around it, no card number. `ours`: a number that we, a
 * provider or a bank gave, in which some digits look like a card's by chance: see `ownCard`.
 */
export function text(
  fields: RecordFields,
  column: number,
  block: CopyBlock,
  { min = 1, max = 64, ours = false }: { readonly min?: number; readonly max?: number; readonly ours?: boolean } = {},
): Refusal | undefined {
  const { bytes } = fields;
  const start = fields.starts[column] as number;
  const end = fields.ends[column] as number;
  if (end - start < min || end - start > max) return refused(fields, column, 'import_text', { min, max });
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    // C2 80 to C2 9F are the control characters beyond ASCII.
    if (byte < 32 || byte === 127 || (byte === 0xc2 && (bytes[at + 1] as number) < 0xa0)) {
      return refused(fields, column, 'import_text', { min, max });
    }
  }
  if (end > start && (bytes[start] === 32 || bytes[end - 1] === 32)) {
    return refused(fields, column, 'import_text', { min, max });
  }
  if (end - start >= fewestDigits && !ours && holdsCard(fields, column)) return cardRefused(fields, column);
  block.utf8(bytes, start, end);
  return undefined;
}

/** Text that is one of these; anything else is refused under `code`. */
export function oneOf(
  fields: RecordFields,
  column: number,
  block: CopyBlock,
  values: readonly Buffer[],
  code: ProblemCode,
): Refusal | undefined {
  if (placeOf(fields, column, values) < 0) return refused(fields, column, code);
  block.utf8(fields.bytes, fields.starts[column] as number, fields.ends[column] as number);
  return undefined;
}

/** The place of the field's value among these, or −1. */
export function placeOf(fields: RecordFields, column: number, values: readonly Buffer[]): number {
  const { bytes } = fields;
  const start = fields.starts[column] as number;
  const length = (fields.ends[column] as number) - start;
  for (let place = 0; place < values.length; place += 1) {
    const value = values[place] as Buffer;
    if (value.length !== length) continue;
    let i = 0;
    while (i < length && value[i] === bytes[start + i]) i += 1;
    if (i === length) return place;
  }
  return -1;
}

/** A whole number from `min` to `max`, without leading zeros, as a smallint. */
export function smallNumber(
  fields: RecordFields,
  column: number,
  block: CopyBlock,
  { min, max }: { readonly min: number; readonly max: number },
): Refusal | undefined {
  const value = wholeNumber(fields, column);
  if (value === undefined || value < min || value > max) return refused(fields, column, 'import_number', { min, max });
  block.smallint(value);
  return undefined;
}

/** 금액. Whole won, signed, without leading zeros, of up to `mostWon`; `sign` is the sign it must have. */
export function won(
  fields: RecordFields,
  column: number,
  block: CopyBlock,
  sign: 'positive' | 'negative' | 'not_zero' | 'any',
): Refusal | undefined {
  const value = wholeNumber(fields, column);
  if (value === undefined) return refused(fields, column, 'import_amount');
  if ((sign === 'positive' && value <= 0) || (sign === 'negative' && value >= 0) || (sign !== 'any' && value === 0)) {
    return refused(fields, column, 'import_sign', { sign });
  }
  // A card number that has slipped into the next column would pass for thousands of thousand million won.
  if (
    (fields.ends[column] as number) - (fields.starts[column] as number) >= fewestDigits &&
    holdsCard(fields, column)
  ) {
    return cardRefused(fields, column);
  }
  // Last, since what has strayed here is told by what it is.
  if (Math.abs(value) > mostWon) {
    return refused(fields, column, 'import_number', { min: -mostWon, max: mostWon });
  }
  block.bigint(value);
  return undefined;
}

/** A day `YYYY-MM-DD` that exists. */
export function day(fields: RecordFields, column: number, block: CopyBlock): Refusal | undefined {
  const start = fields.starts[column] as number;
  const at = fields.ends[column] === start + 10 ? dayAt(fields.bytes, start) : Number.NaN;
  if (Number.isNaN(at)) return refused(fields, column, 'import_day');
  block.integer((at - epochMs) / dayMs);
  return undefined;
}

/** An ISO 8601 instant with its offset, and the day it falls on in Korea. */
export type Instant = { readonly microseconds: number; readonly seoulDay: number };

/**
 * `2026-11-20T23:59:58.123456+09:00` (fraction optional, `Z` for `+00:00`), or the refusal of it.
 * Microseconds and days since 2000-01-01. Korea has been nine hours ahead of UTC, without summer time, since 1988.
 */
export function instant(fields: RecordFields, column: number): Instant | Refusal {
  const start = fields.starts[column] as number;
  const ms = instantAt(fields.bytes, start, fields.ends[column] as number);
  if (ms === undefined) return refused(fields, column, 'import_instant');
  return {
    microseconds: (ms.ms - epochMs) * 1000 + ms.fraction,
    seoulDay: Math.floor((ms.ms + 9 * 3_600_000 - epochMs) / dayMs),
  };
}

/** A masked card number: six digits, 4 to 9 asterisks, the last four; or nothing. A whole number is never taken. */
export function maskedCard(fields: RecordFields, column: number, block: CopyBlock): Refusal | undefined {
  const { bytes } = fields;
  const start = fields.starts[column] as number;
  const end = fields.ends[column] as number;
  const stars = end - start - 10;
  let masked = end === start || (stars >= 4 && stars <= 9);
  let digits = 0;
  for (let at = start; at < end; at += 1) {
    const isDigit = isDigitByte(bytes[at] as number);
    if (isDigit) digits += 1;
    masked &&= at - start < 6 || at >= end - 4 ? isDigit : bytes[at] === 42;
  }
  if (!masked) return cardRefused(fields, column, digits > 10 ? 'import_card_number' : 'import_card_mask');
  block.utf8(bytes, start, end);
  return undefined;
}

/**
 * Refuses a record whose own card stands in full in a number of ours: an order number that a merchant made of it. Any other
 * digits that pass for a card's are a number like others there: one in forty or so would, and be missing for no fault.
 */
export function ownCard(fields: RecordFields, card: number, columns: readonly number[]): Refusal | undefined {
  const { bytes, starts, ends } = fields;
  const masked = starts[card] as number;
  if (ends[card] === masked) return undefined;
  for (const column of columns) {
    const start = starts[column] as number;
    const end = ends[column] as number;
    if (end - start < fewestDigits) continue;
    for (let at = start; at <= end - fewestDigits; at += 1) {
      // Few are alike in four digits, and those are looked at in full.
      if (
        bytes[at] === bytes[masked] &&
        bytes[at + 1] === bytes[masked + 1] &&
        bytes[at + 2] === bytes[masked + 2] &&
        bytes[at + 3] === bytes[masked + 3] &&
        holdsThisCard(fields.text(column), fields.text(card))
      ) {
        return cardRefused(fields, column);
      }
    }
  }
  return undefined;
}

/** Refuses what stands in columns that this kind of record does not use. */
export function unused(fields: RecordFields, columns: readonly number[]): Refusal | undefined {
  for (const column of columns) if (!fields.isEmpty(column)) return refused(fields, column, 'import_field_unused');
  return undefined;
}

export function refused(
  fields: RecordFields,
  column: number,
  code: ProblemCode,
  more: Readonly<Record<string, string | number>> = {},
): Refusal {
  // Where a card number has strayed into another column, that is what is wrong, and nothing of it is repeated.
  if (holdsCard(fields, column)) return cardRefused(fields, column);
  return { code, details: { ...fields.describe(column), ...more } };
}

function cardRefused(fields: RecordFields, column: number, code: ProblemCode = 'import_card_number'): Refusal {
  const { field, bytes } = fields.describe(column);
  return { code, details: { field, bytes } };
}

/** Of the few that hold thirteen digits at all, as bytes or as the wide digits of East Asia. */
function holdsCard(fields: RecordFields, column: number): boolean {
  const { bytes } = fields;
  const end = fields.ends[column] as number;
  let digits = 0;
  for (let at = fields.starts[column] as number; at < end; at += 1) {
    if (isDigitByte(bytes[at] as number) || bytes[at] === wideLead) digits += 1;
  }
  return digits >= fewestDigits && holdsCardNumber(fields.text(column));
}

/** A whole number of up to 19 digits, exact up to 15 of them; anything else undefined. */
function wholeNumber(fields: RecordFields, column: number): number | undefined {
  const { bytes } = fields;
  const start = fields.starts[column] as number;
  const end = fields.ends[column] as number;
  const negative = bytes[start] === minus && end > start;
  const first = negative ? start + 1 : start;
  const length = end - first;
  if (length < 1 || length > 19 || (bytes[first] === zero && (length > 1 || negative))) return undefined;
  let value = 0;
  for (let at = first; at < end; at += 1) {
    const digit = (bytes[at] as number) - zero;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** The UTC midnight of `YYYY-MM-DD` in ms, or NaN if there is no such day (or it is not of this century). */
function dayAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== minus || bytes[at + 7] !== minus) return Number.NaN;
  const year = two(bytes, at) * 100 + two(bytes, at + 2);
  const month = two(bytes, at + 5);
  const date = two(bytes, at + 8);
  if (!(year >= 2000 && year <= 2099 && month >= 1 && month <= 12 && date >= 1 && date <= 31)) return Number.NaN;
  if (date > 28 && date > daysIn(year, month)) return Number.NaN;
  return Date.UTC(year, month - 1, date);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function instantAt(bytes: Uint8Array, start: number, end: number): { ms: number; fraction: number } | undefined {
  if (end - start < 20 || bytes[start + 10] !== 84 || bytes[start + 13] !== 58 || bytes[start + 16] !== 58) {
    return undefined;
  }
  const midnight = dayAt(bytes, start);
  const hour = two(bytes, start + 11);
  const minute = two(bytes, start + 14);
  const second = two(bytes, start + 17);
  let at = start + 19;
  let fraction = 0;
  if (bytes[at] === 46) {
    let scale = 100_000;
    for (at += 1; at < end && isDigitByte(bytes[at] as number); at += 1) {
      if (scale < 1) return undefined;
      fraction += ((bytes[at] as number) - zero) * scale;
      scale = Math.floor(scale / 10);
    }
    if (at === start + 20) return undefined;
  }
  const offset = offsetAt(bytes, at, end);
  if (!(hour <= 23 && minute <= 59 && second <= 59) || Number.isNaN(midnight) || Number.isNaN(offset)) return undefined;
  return { ms: midnight + (hour * 60 + minute - offset) * 60_000 + second * 1000, fraction };
}

/** Minutes ahead of UTC, or NaN. */
function offsetAt(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === 90 && end === at + 1) return 0;
  if (end !== at + 6 || bytes[at + 3] !== 58 || (bytes[at] !== 43 && bytes[at] !== minus)) return Number.NaN;
  const hours = two(bytes, at + 1);
  const minutes = two(bytes, at + 4);
  if (!(hours <= 14 && minutes <= 59)) return Number.NaN;
  return (hours * 60 + minutes) * (bytes[at] === minus ? -1 : 1);
}

/** Two digits as a number, or NaN. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - zero;
  const ones = (bytes[at + 1] as number) - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function isDigitByte(byte: number): boolean {
  return byte >= zero && byte <= 57;
}
