import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createDurable } from './durable.ts';
import { migrateEngine } from './engine-schema.ts';
import { changeEngineTable } from './engine-table.ts';
import { ensureRunIndexes, startRunIndexes } from './run-indexes.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await migrateEngine(database.url, log);
});
afterAll(() => database.close());

const trigger = `create or replace trigger test_told after update on dbos.workflow_status
  for each row execute function suppress_redundant_updates_trigger()`;

async function locksOf(like: string): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    'select count(*)::int as n from pg_stat_activity where datname = current_database() and query like $1 and wait_event_type = $2',
    [like, 'Lock'],
  );
  return rows[0]?.n ?? 0;
}

test('an index and a trigger wait for each other without a deadlock', async () => {
  const { pool } = database;
  const writer = await pool.connect();
  await writer.query('begin');
  await writer.query(`insert into dbos.workflow_status (workflow_uuid, status) values ('w', 'PENDING')`);
  // The index waits for the writer; whoever changed the table meanwhile would wait for the index, and be waited for.
  const indexes = ensureRunIndexes(pool);
  await eventually(async () => expect(await locksOf('create index concurrently%')).toBe(1));
  const told = changeEngineTable(pool, 30_000, async (client) => {
    await client.query(trigger);
  });
  expect(await changeEngineTable(pool, 0, () => Promise.reject(new Error('never')))).toBe(false);
  await writer.query('rollback');
  writer.release();
  await indexes;
  expect(await told).toBe(true);
  const { rows } = await pool.query(`select 1 from pg_trigger where tgname = 'test_told'`);
  expect(rows).toHaveLength(1);
});

test('a newer version waits with its migrations for an index that an older one makes', async () => {
  const { pool, url } = database;
  await pool.query('drop index dbos.jeongsan_run_day');
  const newest = Number((await pool.query('select max(version) as newest from dbos.dbos_migrations')).rows[0].newest);
  await pool.query('delete from dbos.dbos_migrations where version > 100');
  const writer = await pool.connect();
  await writer.query('begin');
  await writer.query(`insert into dbos.workflow_status (workflow_uuid, status) values ('w', 'PENDING')`);
  const indexes = ensureRunIndexes(pool);
  await eventually(async () => expect(await locksOf('create index concurrently%')).toBe(1));
  const migrated = migrateEngine(url, log);
  const asked = `select from pg_stat_activity where datname = current_database() and query like 'select pg_try_advisory_lock%'`;
  await eventually(async () => expect((await pool.query(asked)).rows.length).toBeGreaterThan(0));
  expect(await locksOf('alter table%')).toBe(0);
  await writer.query('rollback');
  writer.release();
  expect(await indexes).toBe(true);
  await migrated;
  expect((await pool.query('select max(version) as newest from dbos.dbos_migrations')).rows).toEqual([
    { newest: BigInt(newest) },
  ]);
});

test('a process that ends does not wait for the indexes that it makes', async () => {
  const { pool } = database;
  await pool.query('drop index dbos.jeongsan_run_day');
  const writer = await pool.connect();
  await writer.query('begin');
  await writer.query(`insert into dbos.workflow_status (workflow_uuid, status) values ('w', 'PENDING')`);
  const said: unknown[] = [];
  const ending = startRunIndexes(pool, { ...log, debug: (data) => said.push(data) });
  await eventually(async () => expect(await locksOf('create index concurrently%')).toBe(1));
  await ending.stop();
  expect(said).toEqual([{ reason: 'canceling statement due to user request' }]);
  await writer.query('rollback');
  writer.release();
  // What it left half done is made by the next one, at its next look where somebody else is at it.
  const letGo = Promise.withResolvers<void>();
  const busy = changeEngineTable(pool, 30_000, () => letGo.promise);
  await eventually(async () => expect(await ensureRunIndexes(pool)).toBe(false));
  const next = startRunIndexes(pool, log, 10);
  expect(await ensureRunIndexes(pool)).toBe(false);
  letGo.resolve();
  await busy;
  const valid = `select from pg_index where indexrelid = to_regclass('dbos.jeongsan_run_day') and indisvalid`;
  await eventually(async () => expect((await pool.query(valid)).rows).toHaveLength(1));
  await next.stop();
});

test('a launch that fails leaves nothing open and nothing begun', async () => {
  const empty = await testDatabase({ empty: true });
  const { pool, url } = empty;
  const failing = createDurable({ databaseUrl: url, pool, log, attach: () => Promise.reject(new Error('no trigger')) });
  await expect(failing.launch()).rejects.toThrow('no trigger');
  const proofs = `select from pg_stat_activity where datname = current_database() and application_name like '%proof of life%'`;
  await eventually(async () => expect((await pool.query(proofs)).rows).toEqual([]));
  const durable = createDurable({ databaseUrl: url, pool, log });
  const done = durable.register('done', async () => 1);
  await durable.launch();
  expect(await (await durable.start(done, 'done:1')).result()).toBe(1);
  await durable.shutdown(1_000);
  await empty.close();
});

test('a change that fails leaves the table to the next one', async () => {
  const { pool } = database;
  await expect(changeEngineTable(pool, 0, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  // The server ends a session a moment after its connection is closed.
  expect(await changeEngineTable(pool, 30_000, async () => {})).toBe(true);
});
