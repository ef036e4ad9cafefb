import type { PoolClient } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createPool } from '../platform/database/pool.ts';
import { createSettlementBooks, today } from './books.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;
const providers = ['ksnet', 'welcome-online'];
const paymentsEach = 4_000;

beforeAll(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await books.merchant('M1', { vat: 'none', ppm: 0 });
});
afterAll(() => db.close());

/** How many payments the transaction has read, by its own counters. */
async function paymentsRead(tx: PoolClient): Promise<number> {
  const { rows } = await tx.query<{ rows: string }>(
    `select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) as rows
       from pg_stat_xact_user_tables where relname ~ '^payment_.*[0-9]{8}$'`,
  );
  return Number(rows[0]?.rows);
}

test('of several providers, too, a slot looks each payment up by its key where a day holds many', async () => {
  const captures = providers.flatMap((provider) => ['a', 'b', 'c'].map((tid) => ({ tid, won: 1_000, provider })));
  await books.sales(captures);
  for (const provider of providers) {
    await db.pool.query(
      `insert into payment select (jsonb_populate_record(p, jsonb_build_object('provider_tid', 'other-' || n))).*
         from payment p cross join generate_series(1, ${paymentsEach}) n
        where p.provider = $1 and p.traded_on = $2 and p.provider_tid = 'a'`,
      [provider, today],
    );
  }
  await db.pool.query('analyze payment');
  const pool = createPool(db.url, { applicationName: 'test', max: 1 });
  let read = Number.NaN;
  const look = async (tx: PoolClient) => {
    read = await paymentsRead(tx);
  };
  await createSettlementBooks(pool).settle('12:05', { look });
  await pool.end();
  expect(await books.items()).toHaveLength(captures.length);
  expect(read).toBeLessThan(4 * captures.length);
});
