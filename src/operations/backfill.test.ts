import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { runProcess, type TestProcess } from '../../test/support/processes.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { showRun } from '../platform/durable/runs.ts';
import { step } from '../platform/durable/step.ts';
import { showBackfill } from './backfill-store.ts';
import { type Backfills, registerBackfills } from './backfill-workflow.ts';
import { collectJobs, type Job, registerJob } from './job.ts';
import { cancelRun, restartRun } from './run-acts.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query('create table effect (day text)');
});
afterAll(() => database.close());
beforeEach(() => database.pool.query('truncate effect'));

const asked = {
  job: 'count',
  from: '2026-11-01',
  to: '2026-11-07',
  parallel: 2,
  who: 'kim',
  reason: null,
  parameters: {},
};
const days = ['01', '02', '03', '04', '05', '06', '07'].map((day) => `2026-11-${day}`);

function worker(env: NodeJS.ProcessEnv): TestProcess {
  return runProcess(path.join(import.meta.dirname, 'backfill.fixture.ts'), [], { DATABASE_URL: database.url, ...env });
}

test('a backfill whose process is killed goes on in another: each day is run once and has its outcome', async () => {
  const first = worker({ START: JSON.stringify(asked), STOP_ON: '2026-11-04' });
  expect(await first.line()).toBe('ready');
  const id = (await first.line()).slice('id '.length);
  expect(await first.line()).toBe('at 2026-11-04');
  const killed = await showBackfill(database.pool, id);
  const runOf = (of: typeof killed) => of.days.find(({ on }) => on === '2026-11-04')?.runId;
  expect(killed.days.map(({ state }) => state)).toContain('running');
  first.kill('SIGKILL');
  await first.ended;
  const second = worker({ FAIL_ON: '2026-11-06' });
  expect(await second.line()).toBe('ready');
  await eventually(async () => expect((await showRun(database.pool, id)).state).toBe('done'));
  const { rows } = await database.pool.query<{ day: string }>('select day from effect order by day');
  expect(rows.map(({ day }) => day)).toEqual(days);
  const { days: ends } = await showBackfill(database.pool, id);
  expect(ends.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'done', 'failed', 'done']);
  expect(ends[5]?.problem).toEqual({ code: 'not_found', message: 'file not found: 2026-11-06' });
  expect(runOf({ ...killed, days: ends })).toBe(runOf(killed));
  expect((await showRun(database.pool, id)).output).toEqual({ done: 6, failed: 1, cancelled: 0 });
});

test('so many days at a time and no more, cancelled with the backfill, and gone on with by its restart', async () => {
  const durable: Durable = createDurable({ databaseUrl: database.url, pool: database.pool, log });
  let gate = Promise.withResolvers<void>();
  let [atOnce, most] = [0, 0];
  const job = registerJob(
    durable,
    { name: 'wait', words: { ko: '대기', en: 'wait' }, parameters: z.strictObject({}) },
    async () => {
      await step('wait', async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await gate.promise;
        atOnce -= 1;
      });
      return {};
    },
  );
  const abandoned: string[] = [];
  const refusing: Job = {
    ...job,
    name: 'refuse',
    runId: async (_, { on }) => `refuse:${on}`,
    abandon: async (_, id) => void abandoned.push(id),
    start(id, call) {
      if (call.on.day === 2) throw new Problem('business_no_not_configured');
      return job.start(id, call);
    },
  };
  const jobs = collectJobs([job, refusing]);
  const ports = { pool: database.pool, durable, now: () => Temporal.Now.instant() };
  const backfills: Backfills = registerBackfills(durable, { ...ports, jobs: () => jobs });
  await durable.launch();
  try {
    const { id } = await backfills.start({ ...asked, job: 'wait', parallel: 3 });
    const statesOf = async () => (await showBackfill(database.pool, id)).days.map(({ state }) => state);
    await eventually(() => expect(atOnce).toBe(3));
    expect((await statesOf()).filter((state) => state === 'running')).toHaveLength(3);
    expect(await cancelRun(ports, id)).toBe('done');
    expect(await statesOf()).toEqual(days.map(() => 'cancelled'));
    gate.resolve();
    await eventually(() => expect(atOnce).toBe(0));
    gate = Promise.withResolvers();
    gate.resolve();
    await restartRun(ports, id);
    await durable.handle(id).result();
    expect(await statesOf()).toEqual(days.map(() => 'done'));
    expect(most).toBe(3);
    // A day that cannot even begin is one outcome, too.
    const other = await backfills.start({ ...asked, job: 'refuse', to: '2026-11-03', parallel: 1 });
    expect(await other.result()).toEqual({ done: 2, failed: 1, cancelled: 0 });
    expect((await showBackfill(database.pool, other.id)).days.map(({ state }) => state)).toEqual([
      'done',
      'failed',
      'done',
    ]);
    expect(abandoned).toEqual(['refuse:2026-11-02']);
    const refused = async (more: object) =>
      backfills.start({ ...asked, job: 'wait', ...more }).catch((error: unknown) => isProblem(error) && error.code);
    expect(await refused({ job: 'none' })).toBe('not_found');
    expect(await refused({ from: '2026-11-08' })).toBe('backfill_refused');
    expect(await refused({ to: '2100-01-01' })).toBe('backfill_refused');
    expect(await refused({ parallel: 17 })).toBe('usage');
    expect(await refused({ parameters: { what: 1 } })).toBe('usage');
  } finally {
    gate.resolve();
    await durable.shutdown(1000);
  }
});
