import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import type { DifferentialPorts } from '../differential/ports.ts';
import { createDurable, type Durable, type Workflow } from '../platform/durable/durable.ts';
import { showRun } from '../platform/durable/runs.ts';
import { welcome } from '../providers/differential/welcome.ts';
import type { Job } from './job.ts';
import { takeUpJob } from './take-up-workflow.ts';

let db: TestDatabase;
let durable: Durable;
let job: Job;
let day: Workflow<[], string>;
let isBroken = true;

beforeAll(async () => {
  db = await testDatabase();
  const quiet = () => {};
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as never;
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log, takeOverEveryMs: 50 });
  day = durable.register('differential', async () => {
    if (isBroken) throw new Error('the folder is away');
    return 'done';
  });
  const clock = { now: () => Temporal.Instant.from('2026-11-21T10:00+09:00'), waitUntil: async () => {} };
  const differential = { pool: db.pool, log, clock, providers: [welcome] } as unknown as DifferentialPorts;
  job = takeUpJob({ durable, differential, configured: ['nobody', 'welcome'] });
  await durable.launch();
});
afterAll(async () => {
  await durable.shutdown(1_000);
  await db.close();
});

async function failedDay(on: string): Promise<string> {
  const run = `differential:welcome:${on}`;
  await (await durable.start(day, run)).result().catch(() => {});
  await db.pool.query(
    `insert into differential_batch (provider, claimed_on, run_id, state, opened_by)
     values ('welcome', $1, $2, 'failed', 'test')`,
    [on, run],
  );
  return run;
}

test('each day that failed goes on, and that is told as what the run came to', async () => {
  isBroken = true;
  const days = [await failedDay('2026-11-16'), await failedDay('2026-11-17')];
  isBroken = false;
  const slot = Temporal.Instant.from('2026-11-21T12:00+09:00');
  const on = Temporal.PlainDate.from('2026-11-21');
  const call = {
    schedule: 'differential-receive',
    slot,
    on,
    parameters: { providers: ['welcome'] },
    who: 'system:scheduler',
  };
  const { done } = await job.start('differential-receive:2026-11-21T12:00+09:00', call);
  expect(await done).toEqual({ answers: 0, restarted: 2 });
  for (const id of days) expect(await durable.handle<string>(id).result()).toBe('done');
});

test('days that failed go on, but for those that wait for a person; a provider that cannot be reached harms only itself', async () => {
  isBroken = true;
  const goesOn = await failedDay('2026-11-19');
  const waits = await failedDay('2026-11-18');
  await db.pool.query(
    `insert into claim_file (kind, provider, on_day, batch_id, mid, file_name, state, lines,
       amount_won, difference_won, bytes, sha256, archive_path, reason)
     select 'claims', 'welcome', claimed_on, batch_id, '', 'file', 'failed', 1, 1, 1, 1, repeat('a', 64), 'x', 'send_in_doubt'
       from differential_batch where run_id = $1`,
    [waits],
  );
  isBroken = false;
  const slot = Temporal.Instant.from('2026-11-21T10:00+09:00');
  const on = Temporal.PlainDate.from('2026-11-21');
  const call = { schedule: 'differential-receive', slot, on, parameters: {}, who: 'system:scheduler' };
  const { done } = await job.start('differential-receive:2026-11-21T10:00+09:00', call);
  // The provider that nobody knows fails it in the end.
  await expect(done).rejects.toThrow('no provider nobody');
  expect(await durable.handle<string>(goesOn).result()).toBe('done');
  expect((await showRun(db.pool, waits)).state).toBe('failed');
});

test('two schedules of a job at one moment are two runs: what one of them asks for is not lost in the other', async () => {
  const slot = Temporal.Instant.from('2026-11-21T11:00+09:00');
  const runOf = (schedule: string) =>
    job.runId(undefined as never, {
      schedule,
      slot,
      on: Temporal.PlainDate.from('2026-11-21'),
      parameters: {},
      who: 'system:scheduler',
    });
  expect(await runOf('differential-receive')).toBe('differential-receive:2026-11-21T11:00+09:00');
  expect(await runOf('receive-welcome')).toBe('differential-receive:receive-welcome:2026-11-21T11:00+09:00');
});
