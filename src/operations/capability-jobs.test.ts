import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, query } from '../platform/database/pool.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { statesOfRuns } from '../platform/durable/runs.ts';
import { reconciledProviders } from '../providers/registry.ts';
import { differentialJob, reconcileJob, settleJob } from './capability-jobs-workflow.ts';
import { collectJobs, type Job, type JobCall } from './job.ts';
import { defaultSchedules } from './schedule-defaults.ts';
import { addSchedule, listSchedules, previewSlots, removeSchedule, seedSchedules } from './schedule-store.ts';
import { createSchedulingWorld, usualTerms } from './scheduling.fixture.ts';

let db: TestDatabase;
let durable: Durable;
/** What each capability was asked for. */
const asked: unknown[] = [];
const handle = (id: string) => ({ id, result: async () => ({}) as never });

const jobs = collectJobs([
  reconcileJob({
    reconciliation: {
      async start(id, request) {
        asked.push({ id, ...request });
        return handle(id);
      },
    },
  }),
  settleJob({
    settlement: {
      async begin(slot, request) {
        asked.push({ slot: slot.toString(), ...request, makesUp: request.makesUp?.toString() });
        return handle('settle');
      },
    },
  }),
  differentialJob({
    differential: {
      async begin(request) {
        asked.push(request);
        return handle('differential');
      },
    },
    providers: ['welcome', 'ksnet'],
  }),
]);

beforeAll(async () => {
  db = await testDatabase();
  const quiet = () => {};
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  // A day's next attempt is found beside the engine's own record of runs.
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log });
  await durable.launch();
});
afterAll(async () => {
  await durable.shutdown(1_000);
  await db.close();
});

const slot = (text: string) => Temporal.Instant.from(text);
function callOf(job: Job, at: string, more: Partial<JobCall<unknown>> = {}, parameters: object = {}): JobCall<unknown> {
  const on = slot(at).toZonedDateTimeISO('Asia/Seoul').toPlainDate();
  return { schedule: 'x', slot: slot(at), on, parameters: job.parameters.parse(parameters), who: 'kim', ...more };
}
async function run(job: Job, call: JobCall<unknown>): Promise<string> {
  const runId = await inTransaction(db.pool, (tx) => job.runId(tx, call));
  await (await job.start(runId, call)).done;
  return runId;
}

test("reconciliation is of the day before, under the day's next number, and keeps it when it is started again", async () => {
  const job = jobs.named('reconcile');
  const call = callOf(job, '2026-11-20T08:00+09:00');
  const runId = await run(job, call);
  expect(runId).toBe('reconcile:2026-11-19:1');
  expect(asked.at(-1)).toMatchObject({
    id: runId,
    on: '2026-11-19',
    stages: ['transaction', 'capture', 'settlement'],
    who: 'kim',
  });
  await job.start(runId, call);
  expect(asked.at(-1)).toMatchObject({ id: runId });
  expect(await run(job, callOf(job, '2026-11-20T09:00+09:00', {}, { stages: ['capture'], providers: ['ksnet'] }))).toBe(
    'reconcile:2026-11-19:2',
  );
  expect(asked.at(-1)).toMatchObject({ providers: ['ksnet'], stages: ['capture'] });
});

test('what a person has had done since counts for the slot that was missed', async () => {
  const at = slot('2026-11-10T08:00+09:00');
  const of = (name: string, parameters: object = {}) => {
    const job = jobs.named(name);
    return job.wasDone?.(db.pool, callOf(job, '2026-11-10T08:00+09:00', {}, parameters), at);
  };
  const reconciled = (attempt: number, providers: string[], startedAt: string, outcome: string | null) =>
    db.pool.query(
      `insert into reconciliation_run (run_id, business_on, attempt, providers, stages, started_by, started_at, finished_at, outcome)
       values ('r' || $1::text, '2026-11-09', $1::int, $2, '{transaction,capture,settlement}', 'kim', $3, now(), $4)`,
      [attempt, providers, startedAt, outcome],
    );
  const all = reconciledProviders.map(({ id }) => id);
  await reconciled(1, all, '2026-11-10T07:59:59+09:00', 'complete');
  await reconciled(2, all.slice(1), '2026-11-12T08:00:00+09:00', 'complete');
  await reconciled(3, all, '2026-11-12T08:00:00+09:00', null);
  expect(await of('reconcile')).toBe(false);
  expect(await of('reconcile', { providers: all.slice(1) })).toBe(true);
  await reconciled(4, all, '2026-11-12T08:00:00+09:00', 'incomplete');
  expect(await of('reconcile')).toBe(true);

  const began = (state: string) =>
    db.pool.query(
      `insert into dbos.workflow_status (workflow_uuid, status, name, created_at, updated_at)
       values ('differential:welcome:2026-11-09', $1, 'differential', 1, 1)
       on conflict (workflow_uuid) do update set status = excluded.status`,
      [state],
    );
  expect(await of('differential', { provider: 'welcome' })).toBe(false);
  await began('ERROR');
  expect(await of('differential', { provider: 'welcome' })).toBe(false);
  await began('SUCCESS');
  expect(await of('differential', { provider: 'welcome' })).toBe(true);
  expect(await of('differential', { provider: 'ksnet' })).toBe(false);
});

test('of a slot whose run nobody begins no run is left open', async () => {
  const terms = { ...usualTerms, job: 'reconcile', cron: '0 * * * *', misfire: 'skip' as const };
  const by = { actor: { who: 'kim@pg.example', from: 'test' }, reason: 'a test' };
  const world = createSchedulingWorld(db.pool, '2026-11-21T07:59:00+09:00');
  onTestFinished(() => world.stop());
  let failing: Error | undefined;
  const reconcile = jobs.named('reconcile');
  const start = (runId: string, call: JobCall<unknown>) =>
    failing === undefined ? reconcile.start(runId, call) : Promise.reject(failing);
  const ports = { jobs: collectJobs([{ ...reconcile, start }]), statesOfRuns };
  const slots = () =>
    query(
      db.pool,
      `select s.state, n.run_id as run, n.finished_at is not null as ended, n.outcome
         from schedule_slot s join reconciliation_run n using (run_id) order by nominal_at`,
    );
  await addSchedule(db.pool, jobs, { name: 'hourly', terms, by, now: world.now() });
  onTestFinished(async () => {
    await removeSchedule(db.pool, { name: 'hourly', version: undefined, by, now: world.now() });
  });
  // Killed between the slot's row and the run's start, and there again when it is too late for that slot.
  failing = new Error('killed');
  world.node(ports);
  await world.advance('2026-11-21T08:00:01+09:00');
  await world.stop();
  world.jump('2026-11-21T08:30:00+09:00');
  failing = undefined;
  world.node(ports);
  await world.idle();
  expect(await slots()).toEqual([{ state: 'missed', run: 'reconcile:2026-11-20:1', ended: true, outcome: null }]);
  failing = new Problem('not_found', { what: 'provider', id: 'x' });
  await world.advance('2026-11-21T09:00:01+09:00');
  expect((await slots()).at(-1)).toEqual({
    state: 'failed',
    run: 'reconcile:2026-11-20:2',
    ended: true,
    outcome: null,
  });
});

test('a slot of settlement has its own run, and says for which ones it makes up', async () => {
  const job = jobs.named('settle');
  const runId = await run(job, callOf(job, '2026-11-20T12:05+09:00', { makesUp: slot('2026-11-20T11:50+09:00') }));
  expect(runId).toBe('settle:2026-11-20T12:05+09:00');
  expect(asked.at(-1)).toEqual({ slot: '2026-11-20T03:05:00Z', who: 'kim', makesUp: '2026-11-20T02:50:00Z' });
  // Wanted by hand in between: the slot that has come last.
  expect(await run(job, callOf(job, '2026-11-20T12:08:13.421+09:00'))).toBe('settle:2026-11-20T12:05+09:00');
  expect(job.refuses?.(slot('2026-11-20T12:05+09:00'))).toBeUndefined();
  expect(job.refuses?.(slot('2026-11-20T12:06+09:00'))).toMatch(/\*\/5/);
});

test("differential settlement has a run for each provider's day", async () => {
  const job = jobs.named('differential');
  expect(await run(job, callOf(job, '2026-11-20T00:30+09:00', {}, { provider: 'welcome' }))).toBe(
    'differential:welcome:2026-11-19',
  );
  expect(asked.at(-1)).toEqual({ provider: 'welcome', on: '2026-11-19', who: 'kim' });
  expect(job.parameters.safeParse({ provider: 'nobody' }).success).toBe(false);
  expect(job.parameters.safeParse({}).success).toBe(false);
});

test('an installation begins with the schedules of the jobs that it has', async () => {
  const now = slot('2026-11-20T23:50:00+09:00');
  await seedSchedules(db.pool, jobs, defaultSchedules(jobs, ['welcome']), now);
  const next = await previewSlots(db.pool, await listSchedules(db.pool), { after: now, count: 500 });
  const times = (name: string) =>
    next
      .filter(({ schedule }) => schedule.name === name)
      .slice(0, 2)
      .map(({ at }) => at.toZonedDateTimeISO('Asia/Seoul').toPlainDateTime().toString({ smallestUnit: 'minute' }));
  expect([...new Set(next.map(({ schedule }) => schedule.name))].sort()).toEqual([
    'differential-welcome',
    'reconcile',
    'settle',
  ]);
  expect(times('settle')).toEqual(['2026-11-20T23:55', '2026-11-21T00:00']);
  expect(times('differential-welcome')).toEqual(['2026-11-21T00:30', '2026-11-22T00:30']);
  expect(times('reconcile')).toEqual(['2026-11-21T08:00', '2026-11-22T08:00']);
});
