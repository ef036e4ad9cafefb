import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createDurable } from './durable.ts';
import { migrateEngine } from './engine-schema.ts';
import { ensureRunIndexes } from './run-indexes.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

async function ours(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relname like 'jeongsan_run_%' and i.indisvalid order by 1`,
  );
  return rows.map(({ name }) => name);
}

const both = ['jeongsan_run_day', 'jeongsan_run_listed'];

test("the history's indexes come with the first launch, outlive the engine's migrations, and come back", async () => {
  const { pool, url } = database;
  const durable = createDurable({ databaseUrl: url, pool, log });
  await durable.launch();
  await eventually(async () => expect(await ours()).toEqual(both));
  await durable.shutdown(1000);
  // The engine's last migrations run once more: what a later version brings is done to the same table.
  await pool.query('delete from dbos.dbos_migrations where version > 100');
  await migrateEngine(url, log);
  expect(await ours()).toEqual(both);
  await pool.query('drop index dbos.jeongsan_run_day');
  await Promise.all([ensureRunIndexes(pool), ensureRunIndexes(pool)]);
  expect(await ours()).toEqual(both);
});
