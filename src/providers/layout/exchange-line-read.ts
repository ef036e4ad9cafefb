import type { FieldFault } from '../../kernel/field-fault.ts';
import type { ExchangeField, ExchangeLayout } from './exchange-layout.ts';
import { type FieldReading, isFault, readField } from './field-read.ts';
import type { FieldValue } from './field-write.ts';
import type { Framing } from './framing.ts';
import type { Encoding } from './layout.ts';

/** What the head of the file, and of the group at hand, says. */
export type ExchangeHeadValues = { readonly on: string; readonly biz: string; readonly mid: string };

/** A data record read the plain way: what could be read, and what is wrong with the first field that could not. */
export type ExchangeLineReading = {
  readonly columns: Readonly<Record<string, FieldValue | null>>;
  readonly extras: Readonly<Record<string, FieldValue>>;
  readonly fault: { readonly field: number; readonly name: string; readonly fault: FieldFault } | undefined;
};

/** Reads the data record that the framing has opened. */
export function readExchangeLine(
  { data, format }: ExchangeLayout,
  framing: Framing,
  bytes: Uint8Array,
  head: ExchangeHeadValues,
): ExchangeLineReading {
  const columns: Record<string, FieldValue | null> = {};
  const extras: Record<string, FieldValue> = {};
  const faults: { field: number; name: string; fault: FieldFault }[] = [];
  const read = (index: number): FieldReading | null => {
    const start = framing.base + (framing.starts[index] as number);
    const end = framing.base + (framing.ends[index] as number);
    const type = String(columns['type'] ?? '');
    return readOptional(data.fields[index] as ExchangeField, bytes.subarray(start, end), format.encoding, type);
  };
  const own = new Set<number>();
  for (const { name, type, source } of data.columns) {
    if (source.from === 'constant') columns[name] = source.value;
    else if (source.from === 'header') columns[name] = head[source.name];
    else if (source.from === 'nowhere') columns[name] = null;
    else {
      own.add(source.index);
      let value = read(source.index);
      if (type === 'smallint' && (value as number) > 32_767) value = { fault: 'out_of_range' };
      if (value === null || !isFault(value)) columns[name] = value;
      else faults.push({ field: source.index, name: (data.fields[source.index] as ExchangeField).name, ...value });
    }
  }
  data.fields.forEach(({ name, field, from }, index) => {
    if (own.has(index)) return;
    const value = read(index);
    if (value !== null && isFault(value)) faults.push({ field: index, name, ...value });
    else if (value !== null && from === null && field.type !== 'always' && field.type !== 'filler')
      extras[name] = value;
  });
  faults.sort((a, b) => a.field - b.field);
  return { columns, extras, fault: faults[0] };
}

function readOptional(
  { field, optional }: ExchangeField,
  bytes: Uint8Array,
  encoding: Encoding,
  type: string,
): FieldReading | null {
  if (optional && isEvery(bytes, 0x20)) return null;
  if (optional && field.type === 'day' && isEvery(bytes, 0x30)) return null;
  const value = readField(field, bytes, encoding, type);
  // A text that consists of filling alone.
  return optional && value === '' ? null : value;
}

function isEvery(bytes: Uint8Array, byte: number): boolean {
  return bytes.every((each) => each === byte);
}
