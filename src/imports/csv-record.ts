import type { RecordColumns, RecordFields, Refusal } from './record.ts';

const comma = 44;
const quote = 34;

/** Where each column of a file's header stands in the schema; or what is wrong with the header. */
export type CsvHeader =
  | { readonly columns: Int32Array }
  | { readonly missing: string[]; readonly unknown: string[]; readonly repeated: string[] };

/** Reads a header line: every column of the schema exactly once, in any order, and no other. */
export function readCsvHeader(line: string, expected: RecordColumns): CsvHeader {
  const names = line.split(',').map((name) => name.replace(/^"(.*)"$/, '$1'));
  const missing = expected.names.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !expected.names.includes(name));
  const repeated = names.filter((name, i) => names.indexOf(name) !== i && expected.names.includes(name));
  if (missing.length + unknown.length + repeated.length > 0) return { missing, unknown, repeated };
  return { columns: Int32Array.from(names, (name) => expected.names.indexOf(name)) };
}

/**
 * Splits a line by RFC 4180, except that a quoted field may not hold a line break: none of our fields may, and so a
 * quote that is never closed costs its own line and no other. Quotes are undone in place.
 */
export function splitCsvLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  columns: Int32Array,
  fields: RecordFields,
): Refusal | undefined {
  fields.begin(bytes, start);
  let at = start;
  for (let column = 0; ; column += 1) {
    if (column >= columns.length) return wrongCount(columns, countFields(bytes, start, end));
    const place = columns[column] as number;
    at = at < end && bytes[at] === quote ? quotedField(fields, place, at, end) : plainField(fields, place, at, end);
    if (at < 0 || (at < end && bytes[at] !== comma)) {
      return { code: 'import_quote', details: { byte: (fields.starts[place] ?? start) - start + 1 } };
    }
    if (at >= end) return column + 1 === columns.length ? undefined : wrongCount(columns, column + 1);
    at += 1;
  }
}

/** Reads up to the comma; returns where it stands, or −1 if a quote stands in the field. */
function plainField(fields: RecordFields, place: number, start: number, end: number): number {
  const bytes = fields.bytes;
  let at = start;
  fields.starts[place] = start;
  for (; at < end && bytes[at] !== comma; at += 1) if (bytes[at] === quote) return -1;
  fields.ends[place] = at;
  return at;
}

/** Reads past the closing quote, or returns −1. Moves the content together where a doubled quote stood for one. */
function quotedField(fields: RecordFields, place: number, start: number, end: number): number {
  const bytes = fields.bytes;
  let to = start + 1;
  fields.starts[place] = to;
  for (let at = to; at < end; at += 1, to += 1) {
    if (bytes[at] === quote) {
      if (at + 1 >= end || bytes[at + 1] !== quote) {
        fields.ends[place] = to;
        return at + 1;
      }
      at += 1;
    }
    bytes[to] = bytes[at] as number;
  }
  return -1;
}

function wrongCount(columns: Int32Array, found: number): Refusal {
  return { code: 'import_field_count', details: { expected: columns.length, found } };
}

function countFields(bytes: Uint8Array, start: number, end: number): number {
  let count = 1;
  for (let at = start; at < end; at += 1) if (bytes[at] === comma) count += 1;
  return count;
}
