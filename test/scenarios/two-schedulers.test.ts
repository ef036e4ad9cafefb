import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { anyJob, collectJobs } from '../../src/operations/job.ts';
import { usualTerms } from '../../src/operations/schedule-json.ts';
import { addSchedule, removeSchedule } from '../../src/operations/schedule-store.ts';
import { query } from '../../src/platform/database/pool.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runProcess } from '../support/processes.ts';

const worker = path.join(import.meta.dirname, '../support/scheduler-worker.fixture.ts');
const by = { actor: { who: 'kim@pg.example', from: 'test' }, reason: 'a test' };
/** The schedule is looked at by the workers; here its parameters alone are. */
const jobs = collectJobs([
  anyJob({
    name: 'count',
    words: { ko: '세기', en: 'count' },
    parameters: z.object({}),
    runId: async () => '',
    start: async () => ({ done: Promise.resolve() }),
  }),
]);

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query('create table effect (run_id text, slot timestamptz, executor text)');
});
beforeEach(async () => {
  await db.pool.query('truncate effect, schedule, schedule_slot restart identity cascade');
});
afterAll(() => db.close());

const addEverySecond = () =>
  addSchedule(db.pool, jobs, {
    name: 'second',
    terms: usualTerms({ job: 'count', cron: '* * * * * *', misfire: 'run_all', misfireMost: 100, overlap: 'allow' }),
    by,
    now: Temporal.Now.instant(),
  });

const slots = () =>
  query<{ state: string; nominal: Date; lateMs: number; claimedBy: string; runId: string | null }>(
    db.pool,
    `select case when state = 'missed' then reason else state end as state, nominal_at as nominal, (extract(epoch from started_at - nominal_at) * 1000)::float8 as "lateMs",
            claimed_by as "claimedBy", run_id as "runId" from schedule_slot order by nominal_at`,
  );

const whenDone = (most: number) =>
  eventually(async () => expect((await slots()).filter(({ state }) => state === 'done').length).toBeGreaterThan(most));

/** The slot of this very moment, on which a node may be deciding, is left to it. */
const stopAfterThis = () => {
  const now = Temporal.Now.instant().subtract({ milliseconds: 500 });
  return removeSchedule(db.pool, { name: 'second', version: undefined, by, now });
};

/** When nothing of it goes on: what nodes that are slow had not begun will not run, because the schedule was removed. */
const allOver = () =>
  eventually(async () => {
    const going = (await slots()).filter(({ state }) => state !== 'done' && state !== 'changed');
    expect(going).toEqual([]);
  });

/** Every slot from the first to the last has a row, and ran once; or not at all, where it was to go with the schedule. */
async function assertOnceEach(): Promise<void> {
  const rows = await slots();
  expect(rows.map(({ nominal }) => nominal.getTime() - (rows[0]?.nominal.getTime() ?? 0))).toEqual(
    rows.map((_, n) => n * 1000),
  );
  const runs = await query<{ run: string }>(db.pool, 'select run_id as run from effect order by slot');
  const done = rows.filter(({ state }) => state === 'done');
  expect(runs.map(({ run }) => run)).toEqual(done.map(({ runId }) => runId));
  expect(rows.filter(({ state }) => state === 'changed').every(({ runId }) => runId === null)).toBe(true);
}

test('two processes on one database start every slot once', async () => {
  await addEverySecond();
  const workers = [runProcess(worker, [db.url]), runProcess(worker, [db.url])];
  for (const each of workers) await each.line();
  await whenDone(6);
  await stopAfterThis();
  await allOver();
  await assertOnceEach();
  for (const each of workers) each.tell('stop');
  expect(await Promise.all(workers.map((each) => each.line()))).toEqual(['stopped', 'stopped']);
});

test('a node that is killed between the row of a slot and the start of its run does not lose it', async () => {
  await addEverySecond();
  const victim = runProcess(worker, [db.url], { DIE_BEFORE_START: 'yes' });
  const dead = await victim.line();
  expect(await victim.ended).toBe('SIGKILL');
  const killedAt = Date.now();
  const left = (await slots()).filter(({ state }) => state === 'claimed');
  expect(left.map(({ claimedBy }) => claimedBy)).toContain(dead);
  expect(await query(db.pool, 'select from effect')).toEqual([]);

  const heir = runProcess(worker, [db.url]);
  const executor = await heir.line();
  const first = left[0]?.runId;
  await eventually(async () => {
    const [slot] = (await slots()).filter(({ runId }) => runId === first);
    expect([slot?.state, slot?.claimedBy]).toEqual(['done', executor]);
  });
  // Seconds, of which the start of the process is one.
  expect(Date.now() - killedAt).toBeLessThan(30_000);
  await whenDone(4);
  await stopAfterThis();
  await allOver();
  await assertOnceEach();
});
