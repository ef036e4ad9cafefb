import type {
  ExchangeFacts,
  ExchangeRefusal,
  ExchangeWritten,
  ExpectedExchange,
} from '../../src/providers/layout/exchange-facts.ts';
import {
  columnsOfRecord,
  type ExchangeHead,
  type ExchangeLayout,
  type ExchangeRow,
} from '../../src/providers/layout/exchange-layout.ts';
import { ExchangeReader } from '../../src/providers/layout/exchange-reader.ts';
import { decodeExchange, encodeExchange } from '../../src/providers/layout/exchange-typed.ts';
import { ExchangeWriter } from '../../src/providers/layout/exchange-writer.ts';
import { readColumns, writeColumns } from './copy-tuples.ts';

type Row = Record<string, unknown>;

const columnsOf = ({ record }: ExchangeLayout) =>
  columnsOfRecord(record).map(({ name, type }) => [name, type] as const);

/** What the file is expected to be, in tests that do not say otherwise. */
export function expectedExchange(head: ExchangeHead): ExpectedExchange {
  return { ...head, provider: 'test', fileName: 'answers.dat' };
}

/** Cuts bytes at the given places, which may be anywhere. */
export function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, at) => bytes.subarray(places[at], to));
}

/** By the hot path, from PostgreSQL's tuples, cut anywhere. */
export function writeHot(
  layout: ExchangeLayout,
  head: ExchangeHead,
  rows: readonly ExchangeRow[],
  cuts: readonly number[] = [],
): { bytes: Buffer; written: ExchangeWritten } {
  const blocks: Buffer[] = [];
  const writer = new ExchangeWriter(layout, head, { emit: (block) => blocks.push(block) });
  for (const chunk of pieces(writeColumns(columnsOf(layout), rows as never), cuts)) writer.push(chunk);
  const written = writer.end();
  return { bytes: Buffer.concat(blocks), written };
}

/** As typed rows, those refused aside. */
export function writePlain(
  layout: ExchangeLayout,
  head: ExchangeHead,
  rows: readonly ExchangeRow[],
): { bytes: Buffer; refused: readonly ExchangeRefusal[] } {
  const refused: ExchangeRefusal[] = [];
  return { bytes: encodeExchange(layout, head, rows, refused), refused };
}

/** By the hot path: its tuples read back. */
export function readHot(
  layout: ExchangeLayout,
  expected: ExpectedExchange,
  chunks: readonly Uint8Array[],
): { rows: Row[]; facts: ExchangeFacts; repeats: readonly string[] | undefined } {
  const blocks: Buffer[] = [];
  const reader = new ExchangeReader(layout, expected, (block) => void blocks.push(block));
  for (const chunk of chunks) reader.push(chunk);
  const facts = reader.end();
  return { rows: readColumns([['lineNo', 'int'], ...columnsOf(layout)], blocks), facts, repeats: reader.repeats() };
}

/** As typed rows. */
export function readPlain(
  layout: ExchangeLayout,
  expected: ExpectedExchange,
  chunks: readonly Uint8Array[],
): { rows: readonly Row[]; facts: ExchangeFacts } {
  return decodeExchange(layout, expected, chunks);
}
