import type { FieldFault } from '../../kernel/field-fault.ts';
import { type ColumnType, stageColumns } from '../stage.ts';
import { type FieldReading, isFault, readField } from './field-read.ts';
import type { FieldValue } from './field-write.ts';
import type { Framing } from './framing.ts';
import type { DataLayout, PlacedField, StatementLayout } from './layout.ts';

/** What the header says: the values that columns may come from. */
export type HeadValues = { readonly on: string; readonly mid: string };

/** A data record read the plain way: the columns that could be read, and what is wrong with the first that could not. */
export type LineReading = {
  readonly columns: Readonly<Record<string, FieldValue>>;
  readonly extras: Readonly<Record<string, string>>;
  readonly fault: { readonly field: number; readonly name: string; readonly fault: FieldFault } | undefined;
};

/** Reads the record that the framing has opened. */
export function readLine(
  layout: StatementLayout,
  record: DataLayout,
  framing: Framing,
  bytes: Uint8Array,
  head: HeadValues,
): LineReading {
  const types: Readonly<Record<string, ColumnType>> = stageColumns[layout.stage];
  const columns: Record<string, FieldValue> = {};
  const extras: Record<string, string> = {};
  const faults: { field: number; name: string; fault: FieldFault }[] = [];
  const read = (index: number): FieldReading => {
    const { field } = record.fields[index] as PlacedField;
    const start = framing.base + (framing.starts[index] as number);
    const end = framing.base + (framing.ends[index] as number);
    return readField(field, bytes.subarray(start, end), layout.format.encoding, String(columns['kind'] ?? ''));
  };
  for (const { name, source } of record.columns) {
    if (source.from === 'constant') columns[name] = source.value;
    else if (source.from === 'header') columns[name] = head[source.name];
    else {
      let value = read(source.index);
      if (source.from === 'meaning' && !isFault(value))
        value = source.codes[String(value)] ?? { fault: 'unknown_code' };
      if (types[name] === 'smallint' && (value as number) > 32_767) value = { fault: 'out_of_range' };
      if (!isFault(value)) columns[name] = value;
      else faults.push({ field: source.index, name: (record.fields[source.index] as PlacedField).name, ...value });
    }
  }
  record.fields.forEach(({ name, field }, index) => {
    if (record.columns.some(({ source }) => source.from === 'field' && source.index === index)) return;
    const value = read(index);
    if (isFault(value)) faults.push({ field: index, name, ...value });
    else if (field.type === 'text' && !(name in types)) extras[name] = String(value);
  });
  faults.sort((a, b) => a.field - b.field);
  return { columns, extras, fault: faults[0] };
}
