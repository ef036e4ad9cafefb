import iconv from 'iconv-lite';
import { maxWon } from '../../kernel/money.ts';
import type { Field } from './field.ts';
import type { Encoding, Format, PlacedField } from './layout.ts';

/** The width a field must have in a fixed-width record, where its meaning says so. */
export function fieldWidth(field: Field, encoding: Encoding): number | undefined {
  switch (field.type) {
    case 'always':
      return iconv.encode(field.text, encoding).length;
    case 'day':
      return field.format.length;
    case 'time':
      return field.format.length;
    default:
      return undefined;
  }
}

/** What is wrong with a field as such, in words for the integrator. */
export function fieldDefects({ name, field, width }: PlacedField, format: Format): string[] {
  const faults: string[] = [];
  const fixed = format.kind === 'fixed';
  if (fixed && !(Number.isSafeInteger(width) && width > 0)) faults.push(`width ${width}`);
  if ('pad' in field && field.pad.at === 'right' && field.pad.with === '0')
    faults.push('zeros on the right change a value');
  switch (field.type) {
    case 'always':
      if (!/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(field.text)) faults.push(`constant "${field.text}" is not plain text`);
      break;
    case 'code':
      faults.push(...codeDefects(field.codes, fixed ? width : undefined));
      for (const [meaning, code] of Object.entries(field.also)) {
        if (!(code in field.codes)) faults.push(`code "${code}" of ${meaning} would not be read`);
      }
      break;
    case 'number':
      if (width > 15) faults.push(`${width} digits are more than a count has`);
      break;
    case 'won':
      faults.push(...wonDefects(field, fixed ? width : undefined));
      break;
    case 'day':
      if (field.format === 'YYMMDD' && !(field.pivotYear >= 0 && field.pivotYear <= 100))
        faults.push('YYMMDD needs a pivot year');
      break;
    case 'filler':
      if (format.kind === 'json') faults.push('JSON has no filler');
      break;
    default:
  }
  if (name === 'mid' && field.type !== 'text') faults.push('a MID is text');
  return faults;
}

function codeDefects(codes: Readonly<Record<string, string>>, width: number | undefined): string[] {
  const faults = Object.keys(codes)
    .filter((code) => !/^[\x21-\x7e]+$/.test(code) || (width !== undefined && code.length !== width))
    .map((code) => `code "${code}" does not fill its field`);
  return Object.keys(codes).length === 0 ? ['no codes'] : faults;
}

function wonDefects(field: Extract<Field, { type: 'won' }>, width: number | undefined): string[] {
  const faults: string[] = [];
  const separate = field.sign === 'leading' || field.sign === 'trailing';
  if (!Number.isInteger(field.decimals) || field.decimals < 0 || field.decimals > 4)
    faults.push(`${field.decimals} decimals`);
  if (field.negativeWhen.length > 0 && field.sign !== 'unsigned') faults.push('a sign and a kind that says the sign');
  if (
    separate &&
    field.plus === ' ' &&
    (field.pad.at === 'right' || field.sign === 'leading') &&
    field.pad.with === ' '
  ) {
    faults.push('a blank sign next to blank filling');
  }
  if (separate && field.plus === '0' && (field.sign === 'trailing' || field.pad.with === ' '))
    faults.push('a zero for a sign among digits');
  const least = field.decimals + 1 + (separate ? 1 : 0);
  if (width !== undefined && width < least) faults.push(`no room for a digit in ${width} bytes`);
  if (width !== undefined && width > maxWon.toString().length + field.decimals + 10) faults.push(`width ${width}`);
  return faults;
}
