import type { PoolClient } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createPool, inTransaction } from '../platform/database/pool.ts';
import { createSettlementBooks, today } from './books.fixture.ts';
import { failCycle, openCycle, takeCaptures } from './cycle-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;
const days = 60;
const dayBack = (back: number) => Temporal.PlainDate.from(today).subtract({ days: back }).toString();

beforeAll(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await books.merchant('M1', {}, { cycle: 'M5' });
  await books.contract('M1', { from: '2026-02-01', min: 1 });
  await books.merchant('M2', { ppm: 20_000, volume: 'previous_month', tiers: [[1_000, 10_000]] });
  for (let back = days; back >= 1; back -= 1) {
    const traded = dayBack(back);
    await books.sales(['M1', 'M2'].map((merchant) => ({ tid: `${merchant}-${back}`, won: 1_000, merchant, traded })));
    await books.settle('12:00', { on: traded });
  }
});
afterAll(() => db.close());

/** Which leaves of the hot tables the transaction has read. */
async function leavesRead(tx: PoolClient): Promise<string[]> {
  const { rows } = await tx.query<{ leaf: string }>(
    `select relname as leaf from pg_stat_xact_user_tables
      where relname ~ '^(payment|capture|settlement|settlement_item|ledger_line)_.*[0-9]{8}$'
        and coalesce(seq_scan, 0) + coalesce(idx_scan, 0) > 0 order by 1`,
  );
  return rows.map(({ leaf }) => leaf);
}

/** Over a connection of its own, whose counters have seen nothing else. */
async function readBySlot(time: string): Promise<string[]> {
  const pool = createPool(db.url, { applicationName: 'test', max: 1 });
  let read: string[] = [];
  const look = async (tx: PoolClient) => {
    read = await leavesRead(tx);
  };
  await createSettlementBooks(pool).settle(time, { look });
  await pool.end();
  return read;
}

test('a slot reads the leaves of the days that came in, however long the history', async () => {
  await books.sales(['M1', 'M2'].map((merchant) => ({ tid: `${merchant}-0`, won: 1_000, merchant })));
  const read = await readBySlot('12:05');
  expect(read).toEqual(expect.arrayContaining(['capture_ksnet_20261120', 'payment_ksnet_20261120']));
  expect(read.filter((leaf) => !leaf.endsWith('20261120'))).toEqual([]);
});

test('a cancel that has to find its sale looks at the days before it first, and no further than it must', async () => {
  await books.sales([{ tid: 'M1-2', seq: 1, won: -400, kind: 'P' }]);
  const read = await readBySlot('12:10');
  expect(read.filter((leaf) => leaf.startsWith('settlement_item'))).toContain('settlement_item_ksnet_20261118');
  expect(read.filter((leaf) => leaf.startsWith('settlement_item') && leaf < 'settlement_item_ksnet_20261117')).toEqual(
    [],
  );
  await books.sales([{ tid: 'M1-50', seq: 1, won: -400, kind: 'P' }]);
  expect(await readBySlot('12:15')).toContain('settlement_item_ksnet_20261001');
});

test('a slot that fails in the middle looks for what it settled on the days that came in', async () => {
  const [slot, runId] = [Temporal.Instant.from('2026-11-20T12:20+09:00'), 'settle:2026-11-20T12:20+09:00'];
  await books.sales(['a', 'b'].map((tid) => ({ tid, won: 1_000 })));
  await inTransaction(db.pool, (tx) => openCycle(tx, { slot, runId, who: 'test' }));
  await inTransaction(db.pool, (tx) => takeCaptures(tx, slot, runId, 10));
  await db.pool.query(`update settlement_cycle set parts = 2, done_parts = '{0}' where run_id = $1`, [runId]);
  // As autovacuum leaves a history behind.
  await db.pool.query('analyze settlement_item');
  const pool = createPool(db.url, { applicationName: 'test', max: 1 });
  const read = await inTransaction(pool, async (tx) => {
    await failCycle(tx, runId, 'test');
    return await leavesRead(tx);
  });
  await pool.end();
  expect(read).toContain('settlement_item_ksnet_20261120');
  expect(read.filter((leaf) => !leaf.endsWith('20261120'))).toEqual([]);
  expect(await books.unsettled()).toEqual(['a/0 - 0 2026-11-20 12:25', 'b/0 - 0 2026-11-20 12:25']);
});
