import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../../test/support/database.ts';
import { lockWaits } from '../../../test/support/lock-waits.ts';
import { temporaryFolder } from '../../../test/support/processes.ts';
import { migrate, migrationFolder, readMigrations } from './migrate.ts';
import { createPool, type Pool, query } from './pool.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const put = (file: string, sql: string) => writeFileSync(join(folder, file), sql);

async function emptyDatabase(): Promise<{ pool: Pool; url: string }> {
  const database = await testDatabase({ empty: true });
  onTestFinished(() => database.close());
  return database;
}

const refusal = (...faults: string[]) => ({
  code: 'migration_invalid',
  details: { faults: faults.map((fault) => `  ${fault}`).join('\n') },
});

test('migrations are applied once, in order, and the new ones later', async () => {
  const { pool } = await emptyDatabase();
  put('0001_create_a.sql', 'create table a (n int); insert into a values (1);');
  put('0002_change_a.sql', 'update a set n = n + 1');
  expect(await migrate(pool, folder)).toEqual([1, 2]);
  expect(await migrate(pool, folder)).toEqual([]);
  put('0003_change_a_again.sql', 'update a set n = n * 10');
  expect(await migrate(pool, folder)).toEqual([3]);
  expect(await query(pool, 'select n from a')).toEqual([{ n: 20 }]);
});

test('migrators that start together take turns', async () => {
  const { pool, url } = await emptyDatabase();
  put('0001_create_a.sql', 'create table a (n int); select pg_sleep(0.2); insert into a values (1);');
  put('0002_change_a.sql', 'update a set n = n + 1');
  const others = [1, 2, 3].map((n) => createPool(url, { applicationName: `migrator ${n}`, max: 2 }));
  const applied = await Promise.all([pool, ...others].map((each) => migrate(each, folder)));
  await Promise.all(others.map((each) => each.end()));
  expect(applied.flat().sort()).toEqual([1, 2]);
  expect(await query(pool, 'select n from a')).toEqual([{ n: 2 }]);
});

test('a migration and work that goes on meanwhile do not end each other', async () => {
  const { pool } = await emptyDatabase();
  put('0001_create_tables.sql', 'create table a (n int); create table b (n int);');
  await migrate(pool, folder);
  put('0002_change_tables.sql', 'alter table a add m int; alter table b add m int;');
  const working = await pool.connect();
  await working.query('begin; insert into b values (1)');
  const migrated = migrate(pool, folder);
  await lockWaits(pool, 1);
  await Promise.allSettled([working.query('insert into a values (1)')]);
  await working.query('commit');
  working.release();
  expect(await migrated).toEqual([2]);
});

test('a migration that fails leaves nothing of itself, and those before it stay', async () => {
  const { pool } = await emptyDatabase();
  put('0001_create_a.sql', 'create table a (n int)');
  put('0002_create_b.sql', 'create table b (n int); select 1 / 0;');
  await expect(migrate(pool, folder)).rejects.toMatchObject({
    code: 'migration_failed',
    details: { file: '0002_create_b.sql', reason: 'division by zero' },
  });
  const [tables] = await query(pool, "select to_regclass('a')::text as a, to_regclass('b')::text as b");
  expect(tables).toEqual({ a: 'a', b: null });
  put('0002_create_b.sql', 'create table b (n int)');
  expect(await migrate(pool, folder)).toEqual([2]);
});

describe('what was applied may not change', () => {
  test.each([
    {
      what: 'a changed file',
      change: () => put('0001_create_a.sql', 'create table a (n bigint)'),
      fault: '0001_create_a.sql: was changed after it was applied to this database',
    },
    {
      what: 'a missing file',
      change: () => rmSync(join(folder, '0002_create_b.sql')),
      fault: '0002_create_b.sql: was applied to this database, but its file is missing',
    },
    {
      what: 'another file in its place',
      change: () => {
        rmSync(join(folder, '0002_create_b.sql'));
        put('0002_create_c.sql', 'create table c ()');
      },
      fault: '0002_create_b.sql: was applied to this database, but 0002_create_c.sql is in its place',
    },
  ])('$what', async ({ change, fault }) => {
    const { pool } = await emptyDatabase();
    put('0001_create_a.sql', 'create table a (n int)');
    put('0002_create_b.sql', 'create table b (n int)');
    await migrate(pool, folder);
    change();
    await expect(migrate(pool, folder)).rejects.toMatchObject(refusal(fault));
  });
});

describe('files that are no sequence are refused before anything runs', () => {
  test.each([
    {
      files: ['0001_a.sql', '0003_c.sql', '0006_f.sql'],
      faults: ['0003_c.sql: number 2 is missing before it', '0006_f.sql: number 4 is missing before it'],
    },
    { files: ['0001_a.sql', '0001_b.sql'], faults: ['0001_b.sql: the number 1 is used twice'] },
    { files: ['0000_a.sql'], faults: ['0000_a.sql: the number 0 is below 1'] },
    { files: ['1_a.sql', '0001_B.sql'], faults: ['0001_B.sql: misnamed', '1_a.sql: misnamed'] },
  ])('$files', async ({ files, faults }) => {
    for (const file of files) put(file, 'select 1');
    await expect(readMigrations(folder)).rejects.toMatchObject(refusal(...faults));
  });
});

test("the product's own migrations are a sequence", async () => {
  expect((await readMigrations(migrationFolder)).length).toBeGreaterThan(0);
});
