import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { runProcess, temporaryFolder } from '../support/processes.ts';

const worker = path.resolve(import.meta.dirname, '../../src/differential/registration-worker.fixture.ts');

let db: TestDatabase;

beforeEach(async () => {
  db = await testDatabase();
  await db.pool.query(
    `insert into import (kind, file_name, imported_by) values ('payments', 'x', 'test');
     insert into merchant select 'M' || n, 'M' || n, '1234567891', 1 from generate_series(1, 3) n;
     insert into merchant_tier (business_no, half, tier, recorded_by) values ('1234567891', '2026H2', 0, 'test');
     insert into sub_merchant (merchant_id, valid_from, opened_on, recorded_by)
     select merchant_id, '2020-01-01', '2020-01-01', 'test' from merchant;
     select ensure_leaf('payment', 'welcome-online', '2026-11-19');
     insert into payment select 'welcome-online', '2026-11-19', 'T' || n, 0, 'A', 1000, '2026-11-19', 'MID1', 'M' || n, 'O', '',
       '신한카드', '신한카드', '', '540926******1234', 0, 1 from generate_series(1, 3) n;
     insert into payment_total values ('welcome-online', '2026-11-19', 'MID1', 1, 3, 3000, 0)`,
  );
});
afterEach(() => db.close());

const names = (folder: string, of: string) => readdir(path.join(folder, of)).then((found) => found.sort());

/** Where the process is killed, and whether its file was there by then without anybody having noted it. */
test.each([
  // The statement that puts the requests down.
  [{ DIE_AFTER: 'with' }, false],
  [{ DIE_AFTER: 'insert claim_file' }, false],
  [{ DIE_AFTER: 'update registration' }, false],
  [{ DIE_BEFORE: 'put' }, false],
  [{ DIE_AFTER: 'put' }, false],
  [{ DIE_BEFORE: 'rename' }, false],
  [{ DIE_AFTER: 'rename' }, true],
  [{ DIE_AFTER: 'wait' }, false],
  [{ DIE_BEFORE: 'insert answer_file' }, false],
  [{ DIE_AFTER: 'update answer_file' }, false],
])('killed at %j, a day of registrations is asked for once and answered once', async (death, foundThere) => {
  const folder = temporaryFolder();
  for (const each of ['req', 'res']) await mkdir(path.join(folder, each));
  const env = { DATABASE_URL: db.url, FOLDER: folder };
  const killed = runProcess(worker, [], { ...env, ...death });
  expect(await killed.ended, killed.errors()).toBe('SIGKILL');

  const next = runProcess(worker, [], env);
  expect(await next.line()).toBe('answered 3 3');
  expect(await next.ended, next.errors()).toBe(0);
  expect(await names(folder, 'req')).toEqual(['reg_welcome_1248100998_20261120_req']);
  const rows = async (sql: string) => (await db.pool.query(sql)).rows;
  expect(await rows('select state, found_there, lines from claim_file')).toEqual([
    { state: 'answered', found_there: foundThere, lines: 3n },
  ]);
  expect(await rows('select state, accepted, repeated from answer_file')).toEqual([
    { state: 'applied', accepted: 3n, repeated: 0n },
  ]);
  expect(await rows('select merchant_id, state, code from registration order by 1')).toEqual(
    ['M1', 'M2', 'M3'].map((merchant_id) => ({ merchant_id, state: 'accepted', code: '00' })),
  );
  expect(await rows('select kind from finding where closed_at is null')).toEqual([]);
});
