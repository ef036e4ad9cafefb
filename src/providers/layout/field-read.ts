import iconv from 'iconv-lite';
import { parseDay } from '../../kernel/business-day.ts';
import type { FieldFault } from '../../kernel/field-fault.ts';
import { maxWon } from '../../kernel/money.ts';
import { type DayField, type Field, overpunched, type Pad, type WonField } from './field.ts';
import type { Encoding } from './layout.ts';

/** What a field holds: text, code meanings, days and times as strings, numbers, won as bigint; or why it cannot be read. */
export type FieldReading = string | number | bigint | { readonly fault: FieldFault };

const fault = (name: FieldFault) => ({ fault: name }) as const;

/** True for a field that cannot be read. */
export function isFault(reading: FieldReading): reading is { readonly fault: FieldFault } {
  return typeof reading === 'object';
}

/**
 * Reads one field the plain way, for typed rows, headers, trailers and for naming what is wrong with a line. The hot
 * path does the same by other means; a property holds both equal. `kind` decides the sign where the field asks it to.
 */
export function readField(field: Field, bytes: Uint8Array, encoding: Encoding, kind: string): FieldReading {
  switch (field.type) {
    case 'always':
      return latin1(bytes) === field.text ? field.text : fault('not_constant');
    case 'text':
      return readText(unpadded(bytes, field.pad), encoding, field.required);
    case 'code':
      return field.codes[latin1(bytes)] ?? fault('unknown_code');
    case 'won':
      return readWon(field, bytes, kind);
    case 'number': {
      const digits = latin1(field.pad.with === ' ' ? unpadded(bytes, field.pad) : bytes);
      if (!/^\d+$/.test(digits)) return fault('not_a_number');
      return digits.replace(/^0+/, '').length > 15 ? fault('out_of_range') : Number(digits);
    }
    case 'day':
      return readDay(field, latin1(bytes));
    case 'time': {
      const pattern =
        field.format === 'HHMMSS' ? /^([01]\d|2[0-3])([0-5]\d)([0-5]\d)$/ : /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/;
      const match = pattern.exec(latin1(bytes));
      return match ? `${match[1]}:${match[2]}:${match[3]}` : fault('no_such_time');
    }
    case 'filler':
      return field.content === 'anything' || bytes.every((byte) => byte === 0x20) ? '' : fault('not_blank');
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function unpadded(bytes: Uint8Array, pad: Pad): Uint8Array {
  const fill = pad.with.charCodeAt(0);
  if (pad.at === 'left') {
    const first = bytes.findIndex((byte) => byte !== fill);
    return bytes.subarray(first < 0 ? bytes.length : first);
  }
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== fill) + 1);
}

function readText(bytes: Uint8Array, encoding: Encoding, required: boolean): FieldReading {
  const text = iconv.decode(Buffer.from(bytes), encoding, { stripBOM: false });
  // U+FFFD stands for bytes that could not be decoded, unless UTF-8 really spells it.
  if (text.includes('\ufffd') && !(encoding === 'utf8' && Buffer.from(text).equals(bytes))) {
    return fault(isCut(bytes, encoding) ? 'cut_character' : 'not_in_encoding');
  }
  for (const character of text) {
    const unicode = character.codePointAt(0) as number;
    if (unicode < 0x20 || (unicode >= 0x7f && unicode < 0xa0)) return fault('control_character');
  }
  return required && text === '' ? fault('missing') : text;
}

/** True where the text is fine but for its last character, of which only the first bytes are there. */
function isCut(bytes: Uint8Array, encoding: Encoding): boolean {
  for (let cut = 1; cut <= (encoding === 'cp949' ? 1 : 3) && cut <= bytes.length; cut += 1) {
    const lead = bytes[bytes.length - cut] as number;
    const isLead = encoding === 'cp949' ? lead > 0x80 && lead < 0xff : lead >= 0xc2 && lead < 0xf5;
    if (!isLead) continue;
    return !iconv.decode(Buffer.from(bytes.subarray(0, bytes.length - cut)), encoding).includes('\ufffd');
  }
  return false;
}

function readWon(field: WonField, bytes: Uint8Array, kind: string): FieldReading {
  const written = latin1(field.pad.with === ' ' ? unpadded(bytes, field.pad) : bytes);
  const { digits, negative } = signed(field, written);
  if (!/^\d+$/.test(digits) || digits.length <= field.decimals) return fault('not_a_number');
  const whole = digits.slice(0, digits.length - field.decimals);
  if (/[^0]/.test(digits.slice(whole.length))) return fault('fraction_of_won');
  const amount = BigInt(whole);
  if (amount > maxWon) return fault('out_of_range');
  return negative || field.negativeWhen.includes(kind) ? -amount : amount;
}

/** Digits and sign apart; digits that are none where the sign is not as it must be. */
function signed(field: WonField, written: string): { digits: string; negative: boolean } {
  const wrong = { digits: '', negative: false };
  const bySign = (sign: string, digits: string) =>
    sign === '-' || sign === field.plus ? { digits, negative: sign === '-' } : wrong;
  switch (field.sign) {
    case 'unsigned':
      return { digits: written, negative: false };
    case 'minus': {
      const match = /^(0*)(-?)(\d*)$/.exec(written);
      if (!match || (match[2] === '-' && match[3] === '')) return wrong;
      // What stands before the sign is filling.
      return match[2] === '-' ? { digits: match[3] ?? '', negative: true } : { digits: written, negative: false };
    }
    case 'leading':
      return bySign(written.slice(0, 1), written.slice(1));
    case 'trailing':
      return bySign(written.slice(-1), written.slice(0, -1));
    case 'overpunch': {
      const last = written.slice(-1);
      const plus = last === '' ? -1 : overpunched.plus.indexOf(last);
      const minus = last === '' ? -1 : overpunched.minus.indexOf(last);
      if (plus < 0 && minus < 0) return wrong;
      return { digits: `${written.slice(0, -1)}${Math.max(plus, minus)}`, negative: minus >= 0 };
    }
  }
}

function readDay(field: DayField, written: string): FieldReading {
  const match =
    field.format === 'YYYY-MM-DD'
      ? /^(\d{4})-(\d\d)-(\d\d)$/.exec(written)
      : /^(\d\d|\d{4})(\d\d)(\d\d)$/.exec(written);
  if (!match || written.length !== field.format.length) return fault('no_such_day');
  const [, years = '', month, day] = match;
  const century = Number(years) >= field.pivotYear ? '19' : '20';
  const year = field.format === 'YYMMDD' ? `${century}${years}` : years;
  const parsed = year === '0000' ? undefined : parseDay(`${year}-${month}-${day}`);
  return parsed === undefined ? fault('no_such_day') : parsed.toString();
}
