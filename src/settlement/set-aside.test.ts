import type { PoolClient } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createSettlementBooks } from './books.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
});
afterEach(() => db.close());

test('each kind of capture that cannot be settled is set aside with its reason, and harms no other', async () => {
  await books.merchant('M1');
  await books.merchant('M2', null);
  await books.merchant('M3', { to: '2026-06-30' });
  await books.merchant('M4', {}, null);
  await books.merchant('M5', { method: 'card_offline' });
  await books.sales([
    { tid: 'good', won: 10_000 },
    { tid: 'unpaid', won: 10_000, paid: false },
    { tid: 'stranger', won: 10_000, merchant: 'nobody' },
    { tid: 'uncontracted', won: 10_000, merchant: 'M2' },
    { tid: 'closed', won: 10_000, merchant: 'M3' },
    { tid: 'termless', won: 10_000, merchant: 'M4' },
    { tid: 'offline', won: 10_000, merchant: 'M5' },
    { tid: 'huge', won: 10_000_000_000_001n },
    { tid: 'largest', won: 10_000_000_000_000n },
  ]);
  expect(await books.settle('12:05')).toMatchObject({ state: 'settled', captures: 9n, items: 2n, setAside: 7n });
  expect(await books.items()).toEqual([
    'good/0 10000 115 11 rate',
    'largest/0 10000000000000 115000000000 11500000000 rate',
  ]);
  expect(await books.unsettled()).toEqual(
    [
      'closed/0 contract_closed',
      'huge/0 capture_amount_refused',
      'offline/0 contract_missing',
      'stranger/0 merchant_unknown',
      'termless/0 terms_missing',
      'uncontracted/0 contract_missing',
      'unpaid/0 capture_without_approval',
    ].map((line) => `${line} 1 2026-11-20 12:10`),
  );
});

test('what was missing is taken up by the next slot when it is there', async () => {
  await books.merchant('M2', null);
  await books.merchant('M4', {}, null);
  const late = { tid: 'unpaid', won: 10_000, merchant: 'M4' };
  await books.sales([
    { ...late, paid: false },
    { tid: 'stranger', won: 10_000, merchant: 'M9' },
    { tid: 'uncontracted', won: 10_000, merchant: 'M2' },
    { tid: 'termless', won: 10_000, merchant: 'M4' },
  ]);
  expect(await books.settle('12:05')).toMatchObject({ items: 0n, setAside: 4n });
  await books.payments([late]);
  await books.merchant('M9');
  await books.contract('M2', { ppm: 10_000 });
  await books.terms('M4');
  expect(await books.settle('12:10')).toMatchObject({ captures: 0n, items: 4n, setAside: 0n });
  expect(await books.unsettled()).toEqual([]);
  expect(await books.balances()).toEqual([
    'fee 445',
    'receivable:ksnet -40000',
    'vat 43',
    'wallet:M2 9890',
    'wallet:M4 19748',
    'wallet:M9 9874',
  ]);
});

test('what stays set aside is told of once, when it has been for three slots', async () => {
  await books.merchant('M2', null);
  await books.sales([
    { tid: 'a', won: 1_000, merchant: 'M2' },
    { tid: 'b', won: 2_000, merchant: 'M2' },
  ]);
  const told = [];
  for (const time of ['12:05', '12:10', '12:15', '12:20']) told.push((await books.settle(time)).stuck);
  const stuck = { merchantId: 'M2', reason: 'contract_missing', captures: 2n, amountWon: 3_000n, providerTid: 'a' };
  expect(told).toEqual([[], [], [expect.objectContaining(stuck)], []]);
});

test('what people were told of is written by no slot, and is settled by the next one when it can be', async () => {
  await books.merchant('M2', null);
  await books.sales([
    { tid: 'a', won: 1_000, merchant: 'M2' },
    { tid: 'a', seq: 1, won: -500, kind: 'P', merchant: 'M2' },
    { tid: 'b', won: 2_000, merchant: 'M2' },
  ]);
  // The counters keep what a connection did before until they are handed in.
  const handIn = async (tx: PoolClient) => void (await tx.query('select pg_stat_force_next_flush()'));
  for (const time of ['12:05', '12:10', '12:15']) await books.settle(time, { look: handIn });
  const versions = async () =>
    (await db.pool.query('select xmin::text, xmax::text, ctid::text from unsettled_capture order by ctid')).rows;
  const before = await versions();
  expect(before).toHaveLength(3);
  const written: unknown[] = [];
  const look = async (tx: PoolClient) => {
    const { rows } = await tx.query(`select n_tup_ins + n_tup_upd + n_tup_del as rows from pg_stat_xact_user_tables
      where relname = 'unsettled_capture'`);
    written.push(rows[0].rows);
  };
  expect(await books.settle('12:20', { look })).toMatchObject({ setAside: 3n, items: 0n, stuck: [] });
  expect(written).toEqual([0n]);
  expect(await versions()).toEqual(before);
  await books.contract('M2');
  expect(await books.settle('12:25')).toMatchObject({ items: 3n, setAside: 0n });
  expect(await books.unsettled()).toEqual([]);
});

test('a fee that cannot be computed sets its capture aside and no other', async () => {
  await books.merchant('M1');
  await books.merchant('M2');
  await db.pool.query(`
    create or replace function charge_fee(
      amount_won bigint, rate_ppm int, fixed_won bigint, min_fee_won bigint, max_fee_won bigint, rounding text, vat text
    ) returns table (fee_won bigint, vat_won bigint, rule text) language sql immutable parallel safe rows 1 as
    $$ select 100 / (amount_won - 1300), 0::bigint, 'rate' $$`);
  await books.sales([
    { tid: 'a', won: 1_301 },
    { tid: 'b', won: 1_300 },
    { tid: 'c', won: 1_310, merchant: 'M2' },
  ]);
  expect(await books.settle('12:05')).toMatchObject({ items: 2n, setAside: 1n });
  expect(await books.items()).toEqual(['a/0 1301 100 0 rate', 'c/0 1310 10 0 rate']);
  expect(await books.unsettled()).toEqual(['b/0 fee_failed 1 2026-11-20 12:10']);
});

test('a merchant that the database refuses is found by halving and set aside with its words', async () => {
  const ids = Array.from({ length: 40 }, (_, n) => `M${String(n).padStart(2, '0')}`);
  for (const id of ids) await books.merchant(id);
  await db.pool.query(
    `alter table settlement add constraint nobody_expects check (merchant_id not in ('M07', 'M23', 'M39'))`,
  );
  await books.sales(ids.map((merchant) => ({ tid: merchant, won: 10_000, merchant })));
  expect(await books.settle('12:05')).toMatchObject({
    state: 'settled',
    items: 37n,
    merchants: 37n,
    setAside: 3n,
    creditedWon: 365_338n,
  });
  expect((await books.unsettled()).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'M07/0 booking_failed',
    'M23/0 booking_failed',
    'M39/0 booking_failed',
  ]);
  const { rows } = await db.pool.query(`select detail ->> 'cause' as cause from unsettled_capture limit 1`);
  expect(rows[0].cause).toMatch(/^23514: .*nobody_expects/);
  await db.pool.query('alter table settlement drop constraint nobody_expects');
  for (const leaf of ['settlement_20261120']) {
    await db.pool.query(`alter table ${leaf} drop constraint if exists nobody_expects`);
  }
  expect(await books.settle('12:10')).toMatchObject({ items: 3n, setAside: 0n });
});
