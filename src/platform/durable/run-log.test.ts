import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { Problem } from '../../kernel/problem.ts';
import { createLog } from '../log.ts';
import { createDurable, type Durable } from './durable.ts';
import { countRetries, listRunLog, removeRunLog } from './run-log-store.ts';
import { runId, step, transaction } from './step.ts';

let database: TestDatabase;
let durable: Durable;
const shown: string[] = [];
const log = createLog({ logLevel: 'error' }, { write: (line: string) => void shown.push(line) });
let failures = 0;

beforeAll(async () => {
  database = await testDatabase();
  durable = createDurable({ databaseUrl: database.url, pool: database.pool, log });
  const speak = durable.register('speak', async (lines: number) => {
    log.info({ password: 'hunter2', lines }, 'begun');
    await step(
      'try',
      async () => {
        if (runId() === 'speak:long') return;
        failures += 1;
        if (failures < 3) throw new Error(`not yet ${failures}`);
        log.warn({ err: new Problem('not_found', { what: 'run', id: 'x' }) }, 'tried\u0000');
      },
      { retries: { attempts: 5, firstWaitMs: 1 } },
    );
    await transaction('quiet', async () => {
      log.debug('never kept');
      for (let line = 0; line < lines; line += 1) log.info({ line }, 'counting');
    });
  });
  await durable.launch();
  const first = await durable.start(speak, 'speak:1', 0);
  const long = await durable.start(speak, 'speak:long', 2_500);
  await Promise.all([first.result(), long.result()]);
});
afterAll(async () => {
  await durable?.shutdown(1000);
  await database.close();
});

const linesOf = (runId: string) => listRunLog(database.pool, { runId, limit: 10_000 });

test('what is said in a run is kept with its step, quieter than the log shows, secrets hidden', async () => {
  await eventually(async () => expect(await linesOf('speak:1')).toHaveLength(4));
  expect(await linesOf('speak:1')).toMatchObject([
    { step: null, level: 'info', kind: 'line', message: 'begun', detail: { lines: 0, password: '[secret]' } },
    { step: 0, level: 'warn', kind: 'retry', message: 'not yet 1', detail: { attempt: 1 } },
    { step: 0, level: 'warn', kind: 'retry', message: 'not yet 2', detail: { attempt: 2 } },
    { step: 0, level: 'warn', kind: 'line', message: 'tried?', detail: { err: { code: 'not_found' } } },
  ]);
  expect(await countRetries(database.pool, 'speak:1')).toEqual(new Map([[0, 2]]));
  expect(shown).toEqual([]);
});

test('a run that says too much is cut, and says so', async () => {
  await eventually(async () => expect((await linesOf('speak:long')).at(-1)?.kind).toBe('cut'));
  expect(await linesOf('speak:long')).toHaveLength(2_000);
});

test('old lines are removed in chunks, the oldest first', async () => {
  const later = Temporal.Now.instant().add({ hours: 1 });
  const [{ count: all = 0n } = {}] = (await database.pool.query('select count(*) from run_log')).rows;
  expect(await removeRunLog(database.pool, Temporal.Instant.from('2020-01-01T00:00Z'), 10)).toBe(0);
  expect(await removeRunLog(database.pool, later, 1_500)).toBe(1_500);
  expect(await removeRunLog(database.pool, later, 1_500)).toBe(Number(all) - 1_500);
});

test('what a process said that dies by its own error is kept by the next one', async () => {
  const spillFolder = await mkdtemp(path.join(tmpdir(), 'jeongsan-spill-'));
  const child = fork(path.join(import.meta.dirname, 'run-log.fixture.ts'), {
    env: { ...process.env, DATABASE_URL: database.url, SPILL: spillFolder },
    stdio: 'ignore',
  });
  const [status] = await once(child, 'exit');
  expect(status).toBe(1);
  expect(await linesOf('dying:1')).toEqual([]);
  expect(await readdir(spillFolder)).toHaveLength(1);
  await durable.shutdown(1000);
  durable = createDurable({ databaseUrl: database.url, pool: database.pool, log, spillFolder });
  await durable.launch();
  await eventually(async () =>
    expect(await linesOf('dying:1')).toMatchObject([{ message: 'said at the last', detail: { rows: 7 }, step: 0 }]),
  );
  expect(await readdir(spillFolder)).toEqual([]);
  await rm(spillFolder, { recursive: true });
});
