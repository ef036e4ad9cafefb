import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { inTransaction, query } from './pool.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test('won amounts are bigints and business days are text, alone and in arrays', async () => {
  const sql = `select 9007199254740993::int8 as won, array[1, null]::int8[] as amounts,
    date '2026-11-20' as day, array[date '2026-11-20', null] as days, null::int8 as none`;
  expect(await query(db.pool, sql)).toEqual([
    { won: 9007199254740993n, amounts: [1n, null], day: '2026-11-20', days: ['2026-11-20', null], none: null },
  ]);
});

test('a transaction is kept whole or not at all', async () => {
  await db.pool.query('create table kept (n int)');
  await inTransaction(db.pool, (tx) => query(tx, 'insert into kept values (1)'));
  const failing = inTransaction(db.pool, async (tx) => {
    await tx.query('insert into kept values (2)');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await query(db.pool, 'select n from kept')).toEqual([{ n: 1 }]);
});

test('a connection that the server ends, idle or in use, is replaced', async () => {
  await db.pool.query('select 1');
  const others =
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
  const ended = inTransaction(db.pool, async (tx) => {
    const [row] = await query<{ pid: number }>(tx, 'select pg_backend_pid() as pid');
    await db.pool.query('select pg_terminate_backend($1)', [row?.pid]);
    await tx.query('select 1');
  });
  await expect(ended).rejects.toThrow();
  await Promise.all([db.pool.query('select 1'), db.pool.query('select 1')]);
  await db.pool.query(others);
  await expect.poll(() => query(db.pool, 'select 1 as one').catch(() => [])).toEqual([{ one: 1 }]);
});
