import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { createDurable, type Durable, type Workflow } from '../platform/durable/durable.ts';
import { showRun } from '../platform/durable/runs.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import { actOnRuns, cancelRun, type RunActPorts, restartRun } from './run-acts.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
let database: TestDatabase;
let durable: Durable;
let ports: RunActPorts;
let work: Workflow<[], number>;
let whole: Workflow<[], number>;
let payout: Workflow<[], number>;
/** Steps wait here until the test lets them go. */
let gate = Promise.withResolvers<void>();
let reached = Promise.withResolvers<void>();
let broken = true;
const repeated: string[] = [];

beforeAll(async () => {
  database = await testDatabase();
  durable = createDurable({ databaseUrl: database.url, pool: database.pool, log });
  ports = { pool: database.pool, durable, now: () => Temporal.Now.instant() };
  await database.pool.query('create table effect (run_id text, step text)');
  const waits = async () => {
    await step('wait', async () => {
      reached.resolve();
      await gate.promise;
    });
    await transaction('write', (tx) => tx.query(`insert into effect values ($1, 'write')`, [runId()]).then(() => 1));
    return 1;
  };
  const part = durable.register('part', waits);
  work = durable.register('work', async () => {
    await step('first', async () => void repeated.push(runId()));
    await step('second', async () => {
      if (broken) throw new Problem('not_found', { what: 'file', id: runId() });
    });
    return 1;
  });
  whole = durable.register('whole', async () => (await durable.start(part, `${runId()}/a`)).result());
  payout = durable.register('payout', waits);
  await durable.launch();
});
afterAll(async () => {
  gate.resolve();
  await durable.shutdown(1000);
  await database.close();
});

const codeOf = (doing: Promise<unknown>) =>
  doing.then(
    (value) => value,
    (error: unknown) => (isProblem(error) ? error.code : error),
  );

async function startWhole(id: string): Promise<void> {
  gate = Promise.withResolvers();
  reached = Promise.withResolvers();
  await durable.start(whole, id);
  await reached.promise;
}

test('a run that is cancelled while it works ends with its parts, and writes nothing more; twice is once', async () => {
  await startWhole('whole:2026-11-20:1');
  expect(await codeOf(cancelRun(ports, 'whole:2026-11-20:1/a'))).toBe('run_is_part');
  expect(await cancelRun(ports, 'whole:2026-11-20:1')).toBe('done');
  expect(await cancelRun(ports, 'whole:2026-11-20:1')).toBe('already');
  gate.resolve();
  await expect(durable.handle('whole:2026-11-20:1/a').result()).rejects.toThrow();
  expect((await showRun(database.pool, 'whole:2026-11-20:1/a')).state).toBe('cancelled');
  expect((await database.pool.query('select * from effect')).rows).toEqual([]);
  // Taken up again, it does what is left.
  expect(await restartRun(ports, 'whole:2026-11-20:1')).toBe('done');
  await durable.handle('whole:2026-11-20:1').result();
  expect((await database.pool.query('select * from effect')).rows).toEqual([
    { run_id: 'whole:2026-11-20:1/a', step: 'write' },
  ]);
  expect(await codeOf(cancelRun(ports, 'whole:2026-11-20:1'))).toBe('run_over');
});

test('of two who cancel at once both hear that it is over', async () => {
  await startWhole('whole:2026-11-21:1');
  const said = await Promise.all([1, 2, 3].map(() => cancelRun(ports, 'whole:2026-11-21:1')));
  expect(said.every((each) => each === 'done' || each === 'already')).toBe(true);
  gate.resolve();
});

test('restarted while what broke it is still broken, a run fails again and repeats no step before', async () => {
  const id = 'work:2026-11-20:1';
  await durable
    .start(work, id)
    .then((run) => run.result())
    .catch(quiet);
  for (const _ of [1, 2]) {
    await restartRun(ports, id);
    await expect(durable.handle(id).result()).rejects.toMatchObject({ code: 'not_found' });
  }
  broken = false;
  await restartRun(ports, id);
  await durable.handle(id).result();
  expect(repeated.filter((each) => each === id)).toHaveLength(1);
  expect(await codeOf(restartRun(ports, id))).toBe('run_not_restartable');
});

test('payouts are not stopped by their runs', async () => {
  gate = Promise.withResolvers();
  const run = await durable.start(payout, 'payout:17:1');
  expect(await codeOf(cancelRun(ports, 'payout:17:1'))).toBe('run_not_ours_to_stop');
  expect(await codeOf(restartRun(ports, 'payout:17:1'))).toBe('run_not_ours_to_stop');
  gate.resolve();
  await run.result();
});

test('in bulk each run has an outcome of its own, and nothing is meant by accident', async () => {
  broken = true;
  for (const n of [1, 2, 3, 4]) {
    await durable
      .start(work, `work:2026-11-0${n}:1`)
      .then((run) => run.result())
      .catch(quiet);
  }
  const bulk = (filter: Parameters<typeof actOnRuns>[2]['filter'], more = {}) =>
    actOnRuns(ports, 'restart', { filter, everything: false, most: 100, dryRun: false, ...more });
  expect(await codeOf(bulk({}))).toBe('bulk_unfiltered');
  expect(await codeOf(bulk({ states: ['failed'] }))).toBe('bulk_unfiltered');
  expect(await codeOf(bulk({ jobs: ['work'] }, { most: 3 }))).toBe('bulk_too_many');
  expect(await bulk({ jobs: ['work'], states: ['running'] })).toEqual([]);
  const would = await bulk({ jobs: ['work'] }, { dryRun: true });
  expect(would.map(({ id, outcome }) => [id, outcome])).toEqual(
    [1, 2, 3, 4].map((n) => [`work:2026-11-0${n}:1`, 'would']),
  );
  // The second one's record says that it was restarted by somebody else a moment ago.
  broken = false;
  const meddled: RunActPorts = {
    ...ports,
    durable: {
      ...durable,
      restart: async (id) => {
        if (id === 'work:2026-11-02:1') await durable.restart(id);
        return durable.restart(id);
      },
    },
  };
  const done = await actOnRuns(meddled, 'restart', {
    filter: { jobs: ['work'] },
    everything: false,
    most: 100,
    dryRun: false,
  });
  expect(done.map(({ outcome, error }) => (isProblem(error) ? error.code : outcome))).toEqual([
    'done',
    'run_not_restartable',
    'done',
    'done',
  ]);
  for (const n of [1, 2, 3, 4]) await durable.handle(`work:2026-11-0${n}:1`).result();
  expect(await bulk({}, { everything: true })).toEqual([
    expect.objectContaining({ id: 'whole:2026-11-21:1', state: 'cancelled', outcome: 'done' }),
  ]);
});
