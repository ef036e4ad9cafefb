import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { createDurable, type Durable, type Workflow } from '../platform/durable/durable.ts';
import { step } from '../platform/durable/step.ts';
import { findRuns, inspectRun } from './run-store.ts';
import { watchRuns } from './run-watch-store.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
let database: TestDatabase;
let durable: Durable;
let work: Workflow<[number, string], { lines: number }>;
const now = () => Temporal.Now.instant();
const gate = Promise.withResolvers<void>();

beforeAll(async () => {
  database = await testDatabase();
  durable = createDurable({ databaseUrl: database.url, pool: database.pool, log });
  work = durable.register('work', async (lines: number, how: string) => {
    await step('read', async () => {
      if (how === 'fails') throw new Error('broken');
      if (how === 'waits') await gate.promise;
      if (how === 'too large') return 'x'.repeat(1_100_000);
      return how === 'large' ? 'x'.repeat(60_000) : null;
    });
    return { lines };
  });
  await durable.launch();
  // Five Fridays of 100 lines and some 2 s, as they were recorded; and one Thursday that was another thing.
  await database.pool.query(
    `insert into run_record (run_id, job, series, business_on, state, started_at, ended_at, milliseconds, counts,
                             compared_on, compared_at, unusual)
     select format('work:%s:1', day::date), 'work', 'work', day, 'done', day, day + interval '2 s', 1900 + n * 50,
            jsonb_build_object('lines', case extract(isodow from day) when 5 then 100 + n else 9000 end),
            extract(isodow from day), 8, '[]'
       from unnest(array['2026-10-16', '2026-10-23', '2026-10-30', '2026-11-06', '2026-11-13', '2026-11-12']::timestamptz[])
            with ordinality as d (day, n)`,
  );
  await database.pool.query(`update run_usual set slack_ms = 600000 where job = '*'`);
});
afterAll(async () => {
  gate.resolve();
  await durable.shutdown(1000);
  await database.close();
});

async function run(id: string, lines: number, how = 'goes well'): Promise<void> {
  const handle = await durable.start(work, id, lines, how);
  await handle.result().catch(quiet);
}

const found = async (kind: string) =>
  (await listFindings(database.pool, { kind })).map(({ subject, detail }) => ({ subject, ...detail }));

test('a run that ended by a clock that was ahead hides none of those after it', async () => {
  await database.pool.query(
    `insert into run_record (run_id, job, series, state, started_at, ended_at, milliseconds, counts, compared_on, compared_at, unusual)
     values ('other:1', 'other', 'other', 'done', now(), now() + interval '2 hours', 1, '{}', 1, 8, '[]')`,
  );
  await run('ahead:2026-11-20:1', 1, 'fails');
  await watchRuns(database.pool, now());
  expect(await found('run_failed')).toMatchObject([{ subject: 'ahead:2026-11-20' }]);
  await database.pool.query(`delete from run_record where run_id = 'other:1'`);
  await run('ahead:2026-11-20:2', 1);
  await watchRuns(database.pool, now());
  expect(await found('run_failed')).toEqual([]);
});

test('as usual is nothing to tell of; fewer lines than on other Fridays is', async () => {
  await run('work:2026-11-20:1', 101);
  expect(await watchRuns(database.pool, now())).toEqual({ recorded: 1, stuck: 0 });
  expect(await watchRuns(database.pool, now())).toEqual({ recorded: 0, stuck: 0 });
  expect(await found('run_unusual')).toEqual([]);
  await run('work:2026-11-20:2', 31);
  await watchRuns(database.pool, now());
  expect(await found('run_unusual')).toMatchObject([
    {
      subject: 'work:2026-11-20',
      run: 'work:2026-11-20:2',
      unusual: [{ what: 'lines', value: 31, samples: 6, median: 102.5 }],
    },
  ]);
  const { rows } = await findRuns(database.pool, { jobs: ['work'], now: now(), limit: 10 });
  expect(rows.find(({ id }) => id === 'work:2026-11-20:2')?.unusual).toMatchObject([{ what: 'lines' }]);
  const shown = await inspectRun(database.pool, 'work:2026-11-20:2', now());
  expect(shown.listed.unusual).toMatchObject([{ what: 'lines', median: 102.5 }]);
  expect(shown.usual['milliseconds']).toMatchObject({ samples: 6 });
  await run('work:2026-11-20:3', 103);
  await watchRuns(database.pool, now());
  expect(await found('run_unusual')).toEqual([]);
});

test('another weekday is compared with its own: one Thursday is too few to say anything', async () => {
  await run('work:2026-11-19:1', 1);
  await watchRuns(database.pool, now());
  expect(await found('run_unusual')).toEqual([]);
});

test('what failed is one finding a day, however often, and over with the first that goes well', async () => {
  await run('work:2026-11-27:1', 100, 'fails');
  await run('work:2026-11-27:2', 100, 'fails');
  await watchRuns(database.pool, now());
  expect(await found('run_failed')).toMatchObject([
    { subject: 'work:2026-11-27', run: 'work:2026-11-27:2', error: 'broken', on: '2026-11-27' },
  ]);
  await run('work:2026-11-27:3', 100);
  await watchRuns(database.pool, now());
  expect(await found('run_failed')).toEqual([]);
});

test('what takes far longer than its like is stuck, until it is over', async () => {
  const handle = await durable.start(work, 'work:2026-12-04:1', 100, 'waits');
  expect(await watchRuns(database.pool, now())).toMatchObject({ stuck: 0 });
  // Usual are 2.05 s ± 600 s, stuck is three times their bound.
  const justBefore = now().add({ minutes: 30 });
  expect(await watchRuns(database.pool, justBefore)).toMatchObject({ stuck: 0 });
  expect(await watchRuns(database.pool, now().add({ minutes: 31 }))).toMatchObject({ stuck: 1 });
  expect(await found('run_stuck')).toMatchObject([{ subject: 'work:2026-12-04:1', job: 'work' }]);
  const { rows } = await findRuns(database.pool, {
    states: ['running'],
    now: now().add({ minutes: 20 }),
    limit: 10,
  });
  expect(rows).toMatchObject([{ id: 'work:2026-12-04:1', unusual: [{ what: 'milliseconds' }] }]);
  gate.resolve();
  await handle.result();
  expect(await watchRuns(database.pool, now())).toMatchObject({ stuck: 0 });
  expect(await found('run_stuck')).toEqual([]);
});

test('a checkpoint that is too large is told of', async () => {
  await run('work:2026-12-11:1', 100, 'large');
  await watchRuns(database.pool, now());
  expect(await found('checkpoint_large')).toMatchObject([
    { subject: 'work', run: 'work:2026-12-11:1', checkpoints: [{ step: 'read', runId: 'work:2026-12-11:1' }] },
  ]);
  await run('work:2026-12-11:2', 100, 'too large');
  await watchRuns(database.pool, now());
  expect(await found('checkpoint_too_large')).toMatchObject([
    { checkpoints: [{ step: 'read', limitBytes: 1_048_576 }] },
  ]);
  await run('work:2026-12-11:3', 100);
  await watchRuns(database.pool, now());
  expect([...(await found('checkpoint_large')), ...(await found('checkpoint_too_large'))]).toEqual([]);
});

test('of two processes that look at once, one does', async () => {
  await run('work:2026-12-18:1', 100);
  const looks = await Promise.all([1, 2, 3, 4].map(() => watchRuns(database.pool, now())));
  expect(looks.reduce((sum, look) => sum + (look?.recorded ?? 0), 0)).toBe(1);
});
