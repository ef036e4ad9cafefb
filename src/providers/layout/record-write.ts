import { check } from '../../kernel/check.ts';
import { fieldWriter, type RecordBuffer, type WriteField } from './field-write.ts';
import type { Format, PlacedField } from './layout.ts';

/** A field, how it is written, what stands before it, and whether its value may have to stand between quotes. */
export type FieldPlan<F extends PlacedField = PlacedField> = F & {
  readonly write: WriteField;
  readonly open: string;
  readonly isQuoted: boolean;
};
export type RecordPlan<F extends PlacedField = PlacedField> = {
  readonly fields: readonly FieldPlan<F>[];
  readonly close: string;
};

/** How a record is written, field by field. */
export function planRecord<F extends PlacedField>(placed: readonly F[], format: Format): RecordPlan<F> {
  const lineBreak = { lf: '\n', crlf: '\r\n', none: '' }[format.lineBreak];
  const fields = placed.map((field, at): FieldPlan<F> => {
    const write = fieldWriter(field.field, field.width, format);
    if (format.kind === 'fixed') return { ...field, write, open: '', isQuoted: false };
    if (format.kind === 'delimited') {
      return { ...field, write, open: at === 0 ? '' : format.separator, isQuoted: field.field.type === 'text' };
    }
    const open = `${at === 0 ? '{' : ','}${JSON.stringify(field.name)}:`;
    return { ...field, write, open, isQuoted: !isJsonNumber(field) };
  });
  return { fields, close: (format.kind === 'json' ? '}' : '') + lineBreak };
}

/** Amounts and counts are JSON numbers where their digits are one: no sign of its own, no implied decimals. */
function isJsonNumber({ field }: PlacedField): boolean {
  if (field.type === 'number') return true;
  return field.type === 'won' && field.decimals === 0 && (field.sign === 'unsigned' || field.sign === 'minus');
}

/** Puts what was written from `start` on between quotes, where the format asks for it; false with `fault` set where it cannot. */
export function quote(to: RecordBuffer, start: number, format: Format): boolean {
  check(format.kind !== 'fixed', 'fixed-width records hold no quotes');
  const written = to.bytes.subarray(start, to.at);
  const isJson = format.kind === 'json';
  const mark = 0x22;
  if (!isJson) {
    const holdsMark = written.includes(mark);
    if (!written.includes(format.separator) && !(holdsMark && format.quote === '"')) return true;
    if (format.quote === 'none') {
      to.fault = 'holds_separator';
      return false;
    }
  }
  const copy = Buffer.from(written);
  if (copy.length * 2 + 2 > to.bytes.length - start) {
    to.fault = 'too_long';
    return false;
  }
  to.at = start;
  to.bytes[to.at++] = mark;
  for (const byte of copy) {
    if (byte === mark) to.bytes[to.at++] = isJson ? 0x5c : mark;
    else if (isJson && byte === 0x5c) to.bytes[to.at++] = 0x5c;
    to.bytes[to.at++] = byte;
  }
  to.bytes[to.at++] = mark;
  return true;
}
