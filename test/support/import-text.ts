import type { ImportSource } from '../../src/imports/import-source.ts';
import type { RecordColumns, Refusal } from '../../src/imports/record.ts';
import { type RecordFormat, RecordScanner } from '../../src/imports/record-scanner.ts';

/** A source that is in memory already, handed over in chunks of `chunkBytes`. */
export function textSource(content: string | Uint8Array, name = 'test.csv', chunkBytes = 1 << 16): ImportSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { name, totalBytes: bytes.length, bytes: chunks(bytes, chunkBytes) };
}

async function* chunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.slice(at, at + chunkBytes);
}

/** What a scanner makes of the bytes: records as texts by column, and refusals, by line. */
export function scan(
  content: string | Uint8Array,
  columns: RecordColumns,
  options: { readonly chunkBytes?: number; readonly format?: RecordFormat } = {},
): { records: { line: number; values: string[] }[]; refusals: ({ line: number } & Refusal)[] } {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const records: { line: number; values: string[] }[] = [];
  const refusals: ({ line: number } & Refusal)[] = [];
  const scanner = new RecordScanner(
    'test',
    columns,
    {
      record: (fields, line) => records.push({ line, values: columns.names.map((_, i) => fields.text(i)) }),
      refuse: (refusal, line) => refusals.push({ line, ...refusal }),
    },
    options.format,
  );
  const chunkBytes = options.chunkBytes ?? 1 << 16;
  for (let at = 0; at < bytes.length; at += chunkBytes) scanner.push(bytes.slice(at, at + chunkBytes));
  scanner.end();
  return { records, refusals };
}
