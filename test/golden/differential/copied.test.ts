import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CopyStreamQuery, type CopyToStreamQuery, from, to } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExchangeLayout, ExchangeRecord, ExchangeRow } from '../../../src/providers/layout/exchange-layout.ts';
import { columnsOfRecord } from '../../../src/providers/layout/exchange-layout.ts';
import { ExchangeReader } from '../../../src/providers/layout/exchange-reader.ts';
import { ExchangeWriter } from '../../../src/providers/layout/exchange-writer.ts';
import { copyBinaryHeader, copyBinaryTrailer } from '../../../src/providers/layout/read.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { asRead, bytesOf, expectedOf, headOf, specOf } from './golden.ts';
import { goldens } from './rows.ts';

// The way of a million claims: out of PostgreSQL by COPY into the file, and from the file by COPY into PostgreSQL.
const types = { text: 'text', char: '"char"', smallint: 'smallint', won: 'bigint', day: 'date' } as const;

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  for (const record of ['claim', 'validation', 'answer', 'registration', 'registrationAnswer'] as const) {
    const columns = columnsOfRecord(record).map(({ name, type }) => `"${name}" ${types[type]}`);
    await db.pool.query(`create table "golden_${record}" ("lineNo" int, ${columns.join(', ')})`);
  }
});
afterAll(() => db.close());

const names = (record: ExchangeRecord) => columnsOfRecord(record).map(({ name }) => `"${name}"`);

async function copiedOut(layout: ExchangeLayout, head: ReturnType<typeof headOf>): Promise<string> {
  const blocks: Buffer[] = [];
  const writer = new ExchangeWriter(layout, head, { emit: (block) => blocks.push(block) });
  const client = await db.pool.connect();
  try {
    const rows = `select ${names(layout.record).join(', ')} from "golden_${layout.record}" order by "lineNo"`;
    const stream = client.query(to(`copy (${rows}) to stdout (format binary)`)) as CopyToStreamQuery;
    for await (const chunk of stream) writer.push(chunk as Buffer);
    expect(writer.end().refused).toEqual([]);
  } finally {
    client.release();
  }
  return Buffer.concat(blocks).toString('latin1');
}

async function copyIn(record: ExchangeRecord, tuples: readonly Buffer[]): Promise<void> {
  const client = await db.pool.connect();
  try {
    const sql = `copy "golden_${record}" ("lineNo", ${names(record).join(', ')}) from stdin (format binary)`;
    const stream = client.query(from(sql)) as CopyStreamQuery;
    await pipeline(Readable.from([copyBinaryHeader, ...tuples, copyBinaryTrailer]), stream);
  } finally {
    client.release();
  }
}

describe.each(goldens)('$file', (golden) => {
  const { layout } = specOf(golden);
  const { record } = layout;
  const table = `"golden_${record}"`;

  test('is copied into PostgreSQL as what it says', async () => {
    await db.pool.query(`truncate ${table}`);
    const blocks: Buffer[] = [];
    const reader = new ExchangeReader(layout, expectedOf(golden), (block) => blocks.push(Buffer.from(block)));
    const bytes = bytesOf(golden);
    for (let at = 0; at < bytes.length; at += 7) reader.push(bytes.subarray(at, at + 7));
    expect(reader.end()).toMatchObject({ lines: golden.rows.length, unreadable: [] });
    await copyIn(record, blocks);
    const { rows } = await db.pool.query(`select * from ${table} order by "lineNo"`);
    const columns = ({ extras: _, ...row }: ExchangeRow) => row;
    expect(rows).toEqual(golden.rows.map((row, at) => ({ lineNo: golden.lines[at], ...columns(asRead(layout, row)) })));
  });
});

// What an answer echoes besides its columns is no matter of ours to write.
describe.each(goldens.filter(({ record }) => record === 'claim' || record === 'registration'))('$file', (golden) => {
  const { record } = golden;

  test('is what PostgreSQL is copied into', async () => {
    const table = `"golden_${record}"`;
    await db.pool.query(`truncate ${table}`);
    for (const [at, row] of golden.rows.entries()) {
      const values = columnsOfRecord(record).map(({ name }) => (row as Record<string, unknown>)[name]);
      const places = [at, ...values].map((_, n) => `$${n + 1}`);
      await db.pool.query(`insert into ${table} values (${places.join(', ')})`, [at, ...values]);
    }
    expect(await copiedOut(specOf(golden).layout, headOf(golden))).toBe(bytesOf(golden).toString('latin1'));
  });
});
