import type { FieldFault } from '../../kernel/field-fault.ts';
import { cp949OfUnicode } from './cp949.ts';
import type { ExchangeRefusal } from './exchange-facts.ts';
import type { FrameWriter } from './exchange-frame-write.ts';
import {
  type ExchangeColumn,
  type ExchangeField,
  type ExchangeHead,
  type ExchangeLayout,
  type HeadName,
  isGrouped,
  summedColumns,
} from './exchange-layout.ts';
import type { LineSums } from './exchange-sums.ts';
import type { FieldValue, RecordBuffer } from './field-write.ts';
import type { Encoding } from './layout.ts';
import { type FieldPlan, planRecord, quote } from './record-write.ts';

/** No text of a row is longer, in UTF-8 bytes, so that a record always fits into what a reader takes. */
export const maxTextBytes = 1_024;

/** No row is written that would not leave this much room: for it, for what closes its group, and for a header. */
export const roomBytes = 131_072;

export type RowValues = Readonly<Record<string, FieldValue | null>>;

/** What of a row cannot be written, and why. */
export type Unwritable = { readonly column: string; readonly fault: FieldFault };

/** Writes a row; what cannot be written, if anything, and then what was written of it is to be taken back. */
export type WriteRow = (
  values: RowValues,
  mid: string,
  extras?: Readonly<Record<string, FieldValue>>,
) => Unwritable | undefined;

/** Writes rows the plain way behind `to.at`, a header before a row whose group is not open. */
export function rowWriter(layout: ExchangeLayout, head: ExchangeHead, frame: FrameWriter, to: RecordBuffer): WriteRow {
  const { fields, close } = planRecord(layout.data.fields, layout.format);
  return (values, mid, extras) => {
    for (const column of layout.data.columns) {
      const value = values[column.name] ?? null;
      const isLong = column.type === 'text' && Buffer.byteLength(String(value ?? '')) > maxTextBytes;
      const fault = isLong ? 'too_long' : derivedFault(column, value, head, isGrouped(layout));
      if (fault !== undefined) return { column: column.name, fault };
    }
    const fault = frame.open(mid);
    if (fault !== undefined) return { column: 'mid', fault };
    const type = String(values['type'] ?? '');
    for (const plan of fields) {
      const { name, from, open } = plan;
      to.put(open);
      const value = from === null ? extras?.[name] : values[from];
      if (!writeDataField(to, plan, value, type, layout.format)) return { column: from ?? name, fault: to.fault };
    }
    to.put(close);
    return undefined;
  };
}

/** Adds up a row that was written or read. */
export function addRow(sums: LineSums, values: RowValues): void {
  summedColumns.forEach((name, column) => {
    sums.addBig(column, BigInt(values[name] ?? 0n));
  });
}

/** A column of a row that has no place of its own must be what will be read for it; `isGroup`: its MID makes the group. */
function derivedFault(
  { source }: ExchangeColumn,
  value: FieldValue | null,
  head: ExchangeHead,
  isGroup: boolean,
): FieldFault | undefined {
  switch (source.from) {
    case 'field':
      return undefined;
    case 'nowhere':
      return value === null ? undefined : 'not_blank';
    case 'constant':
      return value === source.value ? undefined : 'not_constant';
    case 'header':
      if (source.name === 'mid' && isGroup) return undefined;
      return value === headValue(head, source.name) ? undefined : 'not_constant';
  }
}

/** What the head of a file says. */
export function headValue(head: ExchangeHead, name: HeadName): string {
  return { on: head.on.toString(), biz: head.biz, mid: head.mids?.[0] ?? '' }[name];
}

/**
 * Writes one field of a data record the plain way: null is blank where the field is optional, and refused where it is
 * not. False, with `to.fault` set, where the field cannot hold the value.
 */
export function writeDataField(
  to: RecordBuffer,
  plan: FieldPlan<ExchangeField>,
  value: FieldValue | null | undefined,
  type: string,
  format: ExchangeLayout['format'],
): boolean {
  const { field, width, optional, from } = plan;
  if (optional && (value === null || value === undefined || value === '')) {
    to.bytes.fill(' ', to.at, to.at + width);
    to.at += width;
    return true;
  }
  if (from !== null && field.type === 'always' && value !== field.text) return refuse(to, 'not_constant');
  // What is blank would be read as null.
  if (optional && typeof value === 'string' && /^ *$/.test(value)) return refuse(to, 'like_padding');
  const start = to.at;
  const written = value ?? (from === null && field.type === 'text' ? '' : undefined);
  return plan.write(to, written, type) && (!plan.isQuoted || quote(to, start, format));
}

function refuse(to: RecordBuffer, fault: FieldFault): false {
  to.fault = fault;
  return false;
}

/** The refusal as it is told to people. */
export function refusalOf(
  row: number,
  { column, fault }: Unwritable,
  value: FieldValue | null,
  encoding: Encoding,
): ExchangeRefusal {
  const told = value === null ? null : [...String(value).slice(0, 400)].slice(0, 200).join('');
  const character =
    (fault === 'not_in_encoding' || fault === 'control_character') && typeof value === 'string'
      ? [...value].find((candidate) => isOffending(candidate, encoding))
      : undefined;
  return { row, column, value: told, fault, ...(character === undefined ? {} : { character }) };
}

function isOffending(character: string, encoding: Encoding): boolean {
  const unit = character.codePointAt(0) as number;
  if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return true;
  if (unit < 0x7f) return false;
  return encoding === 'utf8' ? !character.isWellFormed() : unit > 0xffff || cp949OfUnicode[unit] === 0;
}
