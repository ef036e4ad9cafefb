import { fieldWidth } from './field-defects.ts';
import type { Format, PlacedField, RecordLayout } from './layout.ts';

/** What is wrong with the widths of a fixed-width record, in words for the integrator. */
export function widthDefects(fields: readonly PlacedField[], format: Format): string[] {
  if (format.kind !== 'fixed') return [];
  const bytes = fields.reduce((sum, { width }) => sum + width, 0);
  const faults = bytes === format.recordBytes ? [] : [`widths add up to ${bytes} bytes, not ${format.recordBytes}`];
  for (const { name, field, width } of fields) {
    const needed = fieldWidth(field, format.encoding);
    if (needed !== undefined && needed !== width) faults.push(`${name} is ${needed} bytes wide, not ${width}`);
  }
  return faults;
}

/** A separator that may be part of a value or of a CP949 character would tear values apart. */
export function separatorDefects(format: Format): string[] {
  if (format.kind !== 'delimited' || /^[\t,;|~^]$/.test(format.separator)) return [];
  return [`separator ${JSON.stringify(format.separator)} may be part of a value`];
}

/** All records are told apart by the same place: the same bytes, the same column. */
export function markDefects(type: string, records: readonly RecordLayout[], format: Format): string[] {
  const places = records.map(({ fields }) => {
    const at = fields.findIndex(({ name }) => name === type);
    if (format.kind === 'json') return '';
    return format.kind === 'fixed' ? `${fields[at]?.offset}+${fields[at]?.width}` : `${at}`;
  });
  const faults: string[] = [];
  if (new Set(places).size > 1) faults.push(`"${type}" does not stand in the same place of every record`);
  if (new Set(records.map(({ mark }) => mark)).size < records.length)
    faults.push(`"${type}" does not tell the records apart`);
  return faults;
}
