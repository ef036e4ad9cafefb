import type { Archive } from '../../src/platform/archive.ts';
import { CopyLanes } from '../../src/platform/copy-lanes.ts';
import type { Pool } from '../../src/platform/database/pool.ts';
import { copyBinaryHeader, copyBinaryTrailer } from '../../src/providers/layout/read.ts';
import { loadStatement, readerOf } from '../../src/reconciliation/load.ts';
import { copyStatement, ensureLeaf } from '../../src/reconciliation/load-store.ts';
import type { Statement } from '../../src/reconciliation/statement.ts';

/** Seconds of one round, and what its process needed at most. */
export type Round = { readonly seconds: number; readonly peakRssBytes: number };

/** Reading alone: archived bytes to blocks of COPY BINARY that nobody takes. */
export async function benchRead(archive: Archive, statement: Statement): Promise<Round> {
  const began = performance.now();
  const reader = readerOf(statement, 1, (block) => reader.release(block));
  for await (const chunk of archive.read(statement)) reader.push(chunk);
  reader.end();
  return round(began);
}

/** The ceiling: the same blocks, encoded beforehand, over the same two connections into the same leaf. */
export async function benchCopy(pool: Pool, archive: Archive, statement: Statement): Promise<Round> {
  const blocks: Buffer[] = [];
  const reader = readerOf(statement, 1, (block) => blocks.push(block));
  for await (const chunk of archive.read(statement)) reader.push(chunk);
  reader.end();
  const leaf = await emptyLeaf(pool, statement);
  const began = performance.now();
  const lanes = await CopyLanes.open(pool, 2, {
    sql: copyStatement(leaf, statement.stage),
    header: copyBinaryHeader,
    trailer: copyBinaryTrailer,
  });
  for (const block of blocks) {
    lanes.write(block);
    await lanes.room();
  }
  await lanes.end();
  return round(began);
}

/** 적재. What the product does: archived bytes to committed lines, with all that it notes besides. */
export async function benchLoad(pool: Pool, archive: Archive, statement: Statement): Promise<Round> {
  await emptyLeaf(pool, statement);
  const began = performance.now();
  await loadStatement({ pool, archive, statementId: statement.statementId });
  return round(began);
}

async function emptyLeaf(pool: Pool, statement: Statement): Promise<string> {
  const leaf = await ensureLeaf(pool, `${statement.stage}_line`, statement);
  await pool.query(`truncate ${leaf}, statement_suspect, statement_unreadable, statement_pay_in`);
  await pool.query('delete from statement_load');
  await pool.query('checkpoint');
  return leaf;
}

function round(began: number): Round {
  const seconds = (performance.now() - began) / 1000;
  return { seconds, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
}
