import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { inTransaction, inTransactionOnce, type PoolClient, query } from './pool.ts';

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

test('of two transactions that wait for each other both are done, the one that has to give way by beginning anew', async () => {
  await db.pool.query(
    'create table crossing (n int primary key, times int); insert into crossing values (1, 0), (2, 0)',
  );
  const add = (tx: PoolClient, n: number) => tx.query('update crossing set times = times + 1 where n = $1', [n]);
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const begun: number[] = [];
  const cross = (mine: 0 | 1) =>
    inTransaction(db.pool, async (tx) => {
      begun.push(mine);
      await add(tx, mine + 1);
      both[mine].resolve();
      await both[1 - mine]?.promise;
      await add(tx, 2 - mine);
    });
  await Promise.all([cross(0), cross(1)]);
  expect(begun.length).toBeGreaterThan(2);
  expect(await query(db.pool, 'select n, times from crossing order by n')).toEqual([
    { n: 1, times: 2 },
    { n: 2, times: 2 },
  ]);
});

test('a transaction that says nothing for a minute is ended by the server, unless it waits for something outside', async () => {
  const timeout = async (tx: PoolClient) => (await query(tx, 'show idle_in_transaction_session_timeout'))[0];
  expect(await inTransaction(db.pool, timeout)).toEqual({ idle_in_transaction_session_timeout: '1min' });
  const [usual] = await query(db.pool, 'show idle_in_transaction_session_timeout');
  expect(usual).not.toEqual({ idle_in_transaction_session_timeout: '1min' });
  expect(await inTransactionOnce(db.pool, timeout)).toEqual(usual);
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
