import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import { CopyLanes } from '../../src/platform/copy-lanes.ts';
import type { Pool } from '../../src/platform/database/pool.ts';
import { copyBinaryHeader, copyBinaryTrailer, expectedRows, readStatement } from '../../src/providers/layout/read.ts';
import { providerOf } from '../../src/providers/registry.ts';
import { copyStatement } from '../../src/reconciliation/load-store.ts';
import { linesLeaf, on, paymentLeaf, provider } from './data.ts';

const copyInto = (table: string) => ({
  sql: copyStatement(table, 'transaction'),
  header: copyBinaryHeader,
  trailer: copyBinaryTrailer,
});

/**
 * (a) The same rows by COPY BINARY over two connections, from the file, into a plain table of the same shape: no
 * archive, no durable step, no partition, nothing noted. Seconds.
 */
export async function plainCopy(pool: Pool, file: string): Promise<number> {
  await emptyCopy(pool);
  return await copyFile(pool, file, 'bench_copy');
}

/** Copies the lines of a statement's file into a table over two connections. Seconds. */
export async function copyFile(pool: Pool, file: string, table: string): Promise<number> {
  const began = performance.now();
  const lanes = await CopyLanes.open(pool, 2, copyInto(table));
  await readInto(file, async (block, release) => {
    lanes.write(block, release);
    await lanes.room();
  });
  await lanes.end();
  return (performance.now() - began) / 1000;
}

/** The same from blocks that are ready in memory: what PostgreSQL alone can take, with nobody reading a file. Seconds. */
export async function readyCopy(pool: Pool, file: string): Promise<number> {
  const blocks: Buffer[] = [];
  await readInto(file, (block) => void blocks.push(block));
  await emptyCopy(pool);
  const began = performance.now();
  const lanes = await CopyLanes.open(pool, 2, copyInto('bench_copy'));
  for (const block of blocks) {
    lanes.write(block);
    await lanes.room();
  }
  await lanes.end();
  return (performance.now() - began) / 1000;
}

async function emptyCopy(pool: Pool): Promise<void> {
  await pool.query(`
    drop table if exists bench_copy;
    create table bench_copy (like ${linesLeaf} including defaults)`);
  await pool.query('checkpoint');
}

/** Reads the file to blocks of COPY BINARY; `take` may give each back to be filled again. */
async function readInto(
  file: string,
  take: (block: Buffer, release: () => void) => void | Promise<void>,
): Promise<void> {
  const spec = providerOf(provider).statements.transaction;
  if (spec === undefined) throw new Error('no transaction statement');
  const fileName = path.basename(file);
  const expected = { provider, stage: 'transaction', on: Temporal.PlainDate.from(on), fileName } as const;
  let ready: Buffer[] = [];
  const reader = readStatement(spec.layout, 'transaction', expected, {
    loadId: 1,
    expectedRows: expectedRows(spec.layout, statSync(file).size),
    sink: (block) => void ready.push(block),
  });
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    reader.push(chunk);
    for (const block of ready) await take(block, () => reader.release(block));
    ready = [];
  }
  reader.end();
  for (const block of ready) await take(block, () => reader.release(block));
}

/** (b) The comparison alone: the parallel hash join with nothing written. Seconds. */
export async function bareJoin(pool: Pool): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`set local work_mem = '256MB'; set local parallel_tuple_cost = 0; set local parallel_setup_cost = 0;
      set local enable_mergejoin = off; set local jit = off`);
    const began = performance.now();
    await client.query(
      `select count(*) from (select provider_tid, cancel_seq, kind, amount_won from ${paymentLeaf}) o
       full join (select provider_tid, cancel_seq, kind, amount_won, traded_on from bench_copy) t
         on t.provider_tid = o.provider_tid and t.cancel_seq = o.cancel_seq
       where o.kind is null or t.kind is null or o.kind <> t.kind or o.amount_won <> t.amount_won
         or t.traded_on <> $1::date`,
      [on],
    );
    return (performance.now() - began) / 1000;
  } finally {
    await client.query('rollback');
    client.release();
  }
}
