import { createReadStream } from 'node:fs';
import path from 'node:path';
import { CopyLanes } from '../../src/platform/copy-lanes.ts';
import type { Pool } from '../../src/platform/database/pool.ts';
import { copyBinaryHeader, copyBinaryTrailer, readStatement } from '../../src/providers/layout/read.ts';
import { providerOf } from '../../src/providers/registry.ts';
import { copyStatement } from '../../src/reconciliation/load-store.ts';
import { linesLeaf, on, paymentLeaf, provider } from './data.ts';

let encoded: Buffer[] | undefined;

/** The file's rows as COPY binary, made once and kept: what is timed is PostgreSQL alone. */
async function blocks(file: string): Promise<Buffer[]> {
  if (encoded !== undefined) return encoded;
  const made: Buffer[] = [];
  const spec = providerOf(provider).statements.transaction;
  if (spec === undefined) throw new Error('no transaction statement');
  const expected = {
    provider,
    stage: 'transaction',
    on: Temporal.PlainDate.from(on),
    fileName: path.basename(file),
  } as const;
  const reader = readStatement(spec.layout, 'transaction', expected, {
    loadId: 1,
    sink: (block) => void made.push(Buffer.from(block)),
  });
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) reader.push(chunk);
  reader.end();
  encoded = made;
  return made;
}

/** (a) The same rows, ready-made, by COPY BINARY over two connections into a table of the same shape. Seconds. */
export async function plainCopy(pool: Pool, file: string): Promise<number> {
  const rows = await blocks(file);
  await pool.query('drop table if exists bench_copy');
  await pool.query(`create table bench_copy (like ${linesLeaf} including defaults)`);
  await pool.query('checkpoint');
  const began = performance.now();
  const lanes = await CopyLanes.open(pool, 2, {
    sql: copyStatement('bench_copy', 'transaction'),
    header: copyBinaryHeader,
    trailer: copyBinaryTrailer,
  });
  for (const block of rows) {
    lanes.write(block);
    await lanes.room();
  }
  await lanes.end();
  return (performance.now() - began) / 1000;
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
