import type { FieldFault } from '../../kernel/field-fault.ts';
import { maxWon } from '../../kernel/money.ts';
import { cp949OfUnicode } from './cp949.ts';
import { type CodeField, type Field, overpunched, type Pad, type WonField } from './field.ts';
import type { Encoding, Format } from './layout.ts';

/** A value of a field as it stands in typed rows. */
export type FieldValue = string | number | bigint;

export const recordBufferBytes = 262_144;

/** Where a record is being written. `fault` is the reason of the last refusal. */
export class RecordBuffer {
  bytes = Buffer.allocUnsafeSlow(recordBufferBytes);
  at = 0;
  fault: FieldFault = 'missing';

  /** Appends plain ASCII. */
  put(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.bytes[this.at++] = text.charCodeAt(i);
  }

  /** Starts anew; the bytes so far are the caller's. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at);
    this.bytes = Buffer.allocUnsafeSlow(recordBufferBytes);
    this.at = 0;
    return taken;
  }
}

/** Appends the value to the buffer; false, with `fault` set, where the field cannot hold it. `kind` is the row's. */
export type WriteField = (to: RecordBuffer, value: FieldValue | undefined, kind: string) => boolean;

/** How a field is written; `width` 0 means as long as the value is. */
export function fieldWriter(field: Field, width: number, { encoding }: Format): WriteField {
  switch (field.type) {
    case 'always':
      return (to) => put(to, field.text);
    case 'filler': {
      const blanks = ' '.repeat(width);
      return (to) => put(to, blanks);
    }
    case 'text':
      return textWriter(field.pad, field.required, width, encoding);
    case 'code': {
      const codes = codesWritten(field);
      return (to, value) => {
        const code = codes.get(String(value));
        return code === undefined ? refuse(to, 'unknown_code') : put(to, code);
      };
    }
    case 'number':
      return (to, value) => {
        if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return refuse(to, 'not_a_number');
        return putPadded(to, String(value), field.pad, width);
      };
    case 'won':
      return wonWriter(field, width);
    case 'day':
      return (to, value) => {
        if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return refuse(to, 'no_such_day');
        if (field.format === 'YYYY-MM-DD') return put(to, value);
        const compact = value.slice(0, 4) + value.slice(5, 7) + value.slice(8);
        if (field.format === 'YYYYMMDD') return put(to, compact);
        const century = Number(compact.slice(2, 4)) >= field.pivotYear ? '19' : '20';
        return compact.startsWith(century) ? put(to, compact.slice(2)) : refuse(to, 'out_of_range');
      };
    case 'time':
      return (to, value) => {
        if (typeof value !== 'string' || !/^\d\d:\d\d:\d\d$/.test(value)) return refuse(to, 'no_such_time');
        return put(to, field.format === 'HHMMSS' ? value.slice(0, 2) + value.slice(3, 5) + value.slice(6) : value);
      };
  }
}

/** The code that is written for a meaning. */
export function codesWritten({ codes, also }: CodeField): ReadonlyMap<string, string> {
  const own = Object.entries(codes).map(([code, meaning]) => [meaning, code] as const);
  return new Map([...Object.entries(also), ...own.reverse()]);
}

function refuse(to: RecordBuffer, fault: FieldFault): false {
  to.fault = fault;
  return false;
}

function put(to: RecordBuffer, text: string): true {
  to.put(text);
  return true;
}

function putPadded(to: RecordBuffer, text: string, pad: Pad, width: number): boolean {
  if (width === 0) return put(to, text);
  if (text.length > width) return refuse(to, 'out_of_range');
  return put(to, pad.at === 'left' ? text.padStart(width, pad.with) : text.padEnd(width, pad.with));
}

function textWriter(pad: Pad, required: boolean, width: number, encoding: Encoding): WriteField {
  return (to, value) => {
    if (typeof value !== 'string') return refuse(to, 'missing');
    if (value === '') return required ? refuse(to, 'missing') : putPadded(to, '', pad, width);
    if (pad.at === 'left' ? value.startsWith(pad.with) : value.endsWith(pad.with)) return refuse(to, 'like_padding');
    if (value.length * 3 + width > to.bytes.length - to.at) return refuse(to, 'too_long');
    const start = to.at;
    const end = encodeText(to, value, encoding);
    if (end < 0) return false;
    const filled = width === 0 ? 0 : width - (end - start);
    if (filled < 0) return refuse(to, 'too_long');
    if (pad.at === 'left' && filled > 0) to.bytes.copyWithin(start + filled, start, end);
    const from = pad.at === 'left' ? start : end;
    to.bytes.fill(pad.with, from, from + filled);
    to.at = end + filled;
    return true;
  };
}

/** Writes the bytes of a text behind `to.at` without moving it; returns their end, or −1. */
function encodeText(to: RecordBuffer, text: string, encoding: Encoding): number {
  const { bytes } = to;
  let out = to.at;
  let isWide = false;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) {
      to.fault = 'control_character';
      return -1;
    }
    if (unit < 0x7f) {
      bytes[out++] = unit;
      continue;
    }
    if (encoding === 'utf8') {
      isWide = true;
      continue;
    }
    const pair = cp949OfUnicode[unit] as number;
    if (pair === 0) {
      to.fault = 'not_in_encoding';
      return -1;
    }
    bytes[out++] = pair >> 8;
    bytes[out++] = pair & 0xff;
  }
  if (!isWide) return out;
  if (text.isWellFormed()) return to.at + bytes.write(text, to.at, 'utf8');
  to.fault = 'not_in_encoding';
  return -1;
}

function wonWriter(field: WonField, width: number): WriteField {
  const fraction = '0'.repeat(field.decimals);
  const isSeparate = field.sign === 'leading' || field.sign === 'trailing';
  return (to, value, kind) => {
    if (typeof value !== 'bigint') return refuse(to, 'not_a_number');
    if (value > maxWon || value < -maxWon) return refuse(to, 'out_of_range');
    const negative = value < 0n;
    const digits = (negative ? -value : value).toString() + fraction;
    if (field.sign === 'unsigned' && value !== 0n && negative !== field.negativeWhen.includes(kind)) {
      return refuse(to, 'wrong_sign');
    }
    if (width === 0 || field.pad.with === ' ')
      return putPadded(to, withSign(field, digits, negative), field.pad, width);
    // Filled with zeros: a sign of its own stands outside of the filling, a minus right before the digits behind it.
    if (field.sign === 'minus') return putPadded(to, withSign(field, digits, negative), field.pad, width);
    const room = isSeparate ? width - 1 : width;
    if (digits.length > room) return refuse(to, 'out_of_range');
    return put(to, withSign(field, digits.padStart(room, '0'), negative));
  };
}

function withSign(field: WonField, digits: string, negative: boolean): string {
  switch (field.sign) {
    case 'unsigned':
      return digits;
    case 'minus':
      return negative ? `-${digits}` : digits;
    case 'leading':
      return (negative ? '-' : field.plus) + digits;
    case 'trailing':
      return digits + (negative ? '-' : field.plus);
    case 'overpunch':
      return digits.slice(0, -1) + overpunched[negative ? 'minus' : 'plus'].charAt(Number(digits.slice(-1)));
  }
}
