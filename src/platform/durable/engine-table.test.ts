import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { migrateEngine } from './engine-schema.ts';
import { changeEngineTable } from './engine-table.ts';
import { ensureRunIndexes } from './run-indexes.ts';

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

test('a change that fails leaves the table to the next one', async () => {
  const { pool } = database;
  await expect(changeEngineTable(pool, 0, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  // The server ends a session a moment after its connection is closed.
  expect(await changeEngineTable(pool, 30_000, async () => {})).toBe(true);
});
