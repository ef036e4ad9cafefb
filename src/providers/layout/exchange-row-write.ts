import type { FieldFault } from '../../kernel/field-fault.ts';
import { cp949OfUnicode } from './cp949.ts';
import type { ExchangeRefusal } from './exchange-facts.ts';
import type { ExchangeColumn, ExchangeField, ExchangeHead, ExchangeLayout, HeadName } from './exchange-layout.ts';
import type { FieldValue, RecordBuffer } from './field-write.ts';
import type { Encoding } from './layout.ts';
import { type FieldPlan, quote } from './record-write.ts';

/** No text of a row is longer, in UTF-8 bytes, so that a record always fits into what a reader takes. */
export const maxTextBytes = 1_024;

/** What of a row cannot be written, and why. */
export type Unwritable = { readonly column: string; readonly fault: FieldFault };

/** A column of a row that has no place of its own must be what will be read for it; `isGroup`: its MID makes the group. */
export function derivedFault(
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
