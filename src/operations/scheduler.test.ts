import { expect, test } from 'vitest';
import type { TestDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { Problem } from '../kernel/problem.ts';
import type { ScheduleTerms } from './schedule-rows.ts';
import { changeSchedule, removeSchedule } from './schedule-store.ts';
import { type SchedulingWorld, tester } from './scheduling.fixture.ts';
import { at, schedulingSuite } from './scheduling-suite.fixture.ts';

let db: TestDatabase;
let world: SchedulingWorld;
const { findings } = schedulingSuite((begun) => {
  ({ db, world } = begun);
});

test('each slot starts at its time, and a schedule that is new makes up for nothing', async () => {
  await world.add('five');
  world.node();
  await world.advance(at('12:15:30'));
  expect(world.started).toEqual(['12:05', '12:10', '12:15']);
  expect(await world.rows('five')).toEqual(['12:05 done', '12:10 done', '12:15 done']);
  expect(world.warned).toEqual([]);
  expect(await findings()).toEqual([]);
});

/** Stopped from 12:06 to 12:22, over 12:10, 12:15 and 12:20: policy, what starts after, what the rows say. */
const misfires: readonly (readonly [string, Partial<ScheduleTerms>, string, string])[] = [
  ['skip', { misfire: 'skip' }, '12:25', '12:10 missed stopped, 12:15 missed stopped, 12:20 missed stopped'],
  [
    'run once',
    { misfire: 'run_once' },
    '12:20 +120 for 12:10, 12:25',
    '12:10 missed stopped by 12:20, 12:15 missed stopped by 12:20, 12:20 done',
  ],
  [
    'run all',
    { misfire: 'run_all', misfireMost: 9 },
    '12:10 +720, 12:15 +420, 12:20 +120, 12:25',
    '12:10 done, 12:15 done, 12:20 done',
  ],
  [
    'run all up to two',
    { misfire: 'run_all', misfireMost: 2 },
    '12:15 +420, 12:20 +120, 12:25',
    '12:10 missed stopped, 12:15 done, 12:20 done',
  ],
];

test.each(misfires)('stopped over three slots: %s', async (_, terms, starts, rows) => {
  await world.add('five', terms);
  world.node();
  await world.advance(at('12:06:00'));
  await world.stop();
  world.jump(at('12:22:00'));
  world.started.length = 0;
  world.node();
  await world.advance(at('12:26:00'));
  expect(world.started.join(', ')).toBe(starts);
  expect((await world.rows('five')).slice(1).join(', ')).toBe(`${rows}, 12:25 done`);
});

test('who starts within a minute of a slot is on time, and the slot before it is the one that was missed', async () => {
  await world.add('five', { misfire: 'skip' });
  world.jump(at('12:10:40'));
  world.node();
  await world.idle();
  expect(world.started).toEqual(['12:10 +40']);
  expect(await world.rows('five')).toEqual(['12:05 missed stopped', '12:10 done']);
  expect(await findings()).toEqual(['schedule_missed five']);
  await world.advance(at('12:15:01'));
  expect(await findings()).toEqual([]);
});

test('what was missed in thousands is kept as one row before the last five hundred', async () => {
  await world.add('second', { cron: '* * * * * *', misfire: 'skip' });
  world.jump(at('13:02:10'));
  world.node();
  await world.idle();
  const rows = await world.rows('second');
  expect(rows).toHaveLength(501);
  expect(rows[0]).toBe('12:53:50 missed stopped x3100');
  expect(rows.at(-2)).toBe('13:02:09 missed stopped');
  expect(world.started).toEqual(['13:02:10']);
});

test('two nodes start each slot once', async () => {
  await world.add('second', { cron: '* * * * * *' });
  world.node();
  world.node();
  await world.advance(at('12:02:20'));
  expect(world.started).toHaveLength(10);
  expect(new Set(world.started).size).toBe(10);
});

test('a clock that is set back starts nothing twice, and goes on when its time comes', async () => {
  await world.add('five');
  world.node();
  await world.advance(at('12:05:30'));
  world.jump(at('11:50:00'));
  await world.stop();
  const faults: unknown[] = [];
  world.node({ noteClock: async (fault) => void (fault !== null && faults.push(fault)) });
  await world.advance(at('12:04:00'));
  expect(world.started).toEqual(['12:05']);
  expect(faults[0]).toEqual({ kind: 'clock_behind', byMs: 15 * 60_000 });
  await world.advance(at('12:11:00'));
  expect(world.started).toEqual(['12:05', '12:10']);
});

test('after a clock was set forward, or the machine slept, the policy is obeyed', async () => {
  await world.add('five');
  world.node({ monotonicMs: () => 0 });
  await world.advance(at('12:03:00'));
  world.jump(at('13:07:00'));
  await world.advance(at('13:07:02'));
  expect(world.started).toEqual(['13:05 +120 for 12:05']);
  expect(world.warned).toContain('the clock was set, or this machine slept');
});

test.each([
  ['node', 'clock_ahead'],
  ['database', 'clock_behind'],
] as const)('a clock that is ahead starts nothing early: the %s', async (whose, kind) => {
  await world.add('five');
  world.skewMs[whose] = 2 * 3_600_000;
  const faults: unknown[] = [];
  world.node({ noteClock: async (fault) => void faults.push(fault) });
  await world.advance(at('12:04:59'));
  expect(world.started).toEqual([]);
  expect(faults[0]).toEqual({ kind, byMs: 2 * 3_600_000 });
  await world.advance(at('12:05:30'));
  expect(world.started).toEqual(['12:05']);
});

test('a slot whose run before is not over is skipped with a row, and told of until the next one', async () => {
  await world.add('five', { parameters: { ends: false } });
  world.node();
  await world.advance(at('12:11:00'));
  expect(await world.rows('five')).toEqual(['12:05 running', '12:10 missed overlap']);
  expect(await findings()).toEqual(['schedule_skipped five']);
  await world.end('five:2026-11-20T12:05+09:00');
  await world.advance(at('12:15:01'));
  expect(world.started).toEqual(['12:05', '12:15']);
  expect(await findings()).toEqual([]);
});

test('or one waits and starts when it is over, and those after that are skipped', async () => {
  await world.add('five', { parameters: { ends: false }, overlap: 'queue_one' });
  world.node();
  await world.advance(at('12:16:00'));
  expect(await world.rows('five')).toEqual(['12:05 running', '12:10 queued', '12:15 missed overlap']);
  await world.end('five:2026-11-20T12:05+09:00');
  expect(world.started).toEqual(['12:05', '12:10 +360']);
  expect(await world.rows('five')).toEqual(['12:05 done', '12:10 running', '12:15 missed overlap']);
});

test('or they run beside one another', async () => {
  await world.add('five', { parameters: { ends: false }, overlap: 'allow' });
  world.node();
  await world.advance(at('12:11:00'));
  expect(await world.rows('five')).toEqual(['12:05 running', '12:10 running']);
});

test('a slot that cannot be started is tried again, by whichever node', async () => {
  await world.add('five');
  world.setRefusal(new Error('the database is away'));
  world.node();
  await world.advance(at('12:05:00'));
  expect(await world.rows('five')).toEqual(['12:05 claimed']);
  await world.stop();
  world.setRefusal(undefined);
  world.node();
  await world.advance(at('12:05:06'));
  expect(world.started).toEqual(['12:05 +5']);
  expect(await world.rows('five')).toEqual(['12:05 done']);
});

test('what a node claimed and never started does not start hours later where late slots are skipped', async () => {
  await world.add('five', { misfire: 'skip' });
  world.setRefusal(new Error('killed'));
  world.node();
  await world.advance(at('12:05:00'));
  await world.stop();
  world.setRefusal(undefined);
  world.jump(at('14:00:10'));
  world.node();
  await world.idle();
  expect(world.started).toEqual(['14:00 +10']);
  expect((await world.rows('five'))[0]).toBe('12:05 missed stopped');
});

test('a job that refuses its slot fails it, and that is told until a run goes through', async () => {
  await world.add('five');
  world.setRefusal(new Problem('not_found', { what: 'provider', id: 'x' }));
  world.node();
  await world.advance(at('12:05:30'));
  expect(await world.rows('five')).toEqual(['12:05 failed']);
  expect(await findings()).toEqual(['schedule_failed five']);
  world.setRefusal(undefined);
  await world.advance(at('12:10:30'));
  expect(await findings()).toEqual([]);
});

test('slots that cannot be decided on are told of, and so is their end', async () => {
  await world.add('five');
  // What a release before this one took.
  await db.pool.query(`update schedule set parameters = '{"mark": 1}'`);
  world.node();
  await world.advance(at('12:05:30'));
  expect(world.started).toEqual([]);
  expect(await findings()).toEqual(['schedule_failed five']);
  expect((await listFindings(db.pool))[0]?.times).toBe(1);
  await db.pool.query(`update schedule set parameters = '{}', version = version + 1`);
  await world.advance(at('12:05:50'));
  expect(world.started).toEqual(['12:05 +35']);
  expect(await findings()).toEqual([]);
});

test('what was told of a schedule ends with it', async () => {
  await world.add('five', { misfire: 'skip' });
  world.jump(at('12:13:00'));
  world.node();
  await world.idle();
  expect(await findings()).toEqual(['schedule_missed five']);
  await removeSchedule(db.pool, { name: 'five', version: undefined, by: tester, now: world.now() });
  expect(await findings()).toEqual([]);
});

test('a late start and a long run are told of', async () => {
  await world.add('five', {
    parameters: { ends: false },
    lateAfterSeconds: 30,
    longAfterSeconds: 60,
    overlap: 'allow',
  });
  world.jump(at('12:05:40'));
  world.node();
  await world.idle();
  expect(await findings()).toEqual(['schedule_late five']);
  await world.advance(at('12:06:45'));
  expect(await findings()).toEqual(['schedule_late five', 'schedule_long five']);
  await world.end('five:2026-11-20T12:05+09:00');
  expect(await findings()).toEqual(['schedule_late five']);
  await world.advance(at('12:10:01'));
  expect(await findings()).toEqual([]);
});

test('the end of a run that is no longer followed here is found by whoever looks', async () => {
  await world.add('five', { parameters: { ends: false } });
  world.node();
  await world.advance(at('12:05:30'));
  await world.stop();
  world.states.set('five:2026-11-20T12:05+09:00', 'failed');
  world.node();
  await world.advance(at('12:05:40'));
  expect(await world.rows('five')).toEqual(['12:05 failed']);
  expect(await findings()).toEqual(['schedule_failed five']);
});

test('a change counts from the moment it is made, on every node, and what it drops is noted', async () => {
  const { version } = await world.add('five', { parameters: { ends: false }, overlap: 'queue_one' });
  world.node();
  world.node();
  await world.advance(at('12:11:00'));
  const change = { cron: '*/2 * * * *', overlap: 'allow' } as const;
  await changeSchedule(db.pool, world.jobs, { name: 'five', version, change, by: tester, now: world.now() });
  await world.advance(at('12:14:30'));
  expect(world.started).toEqual(['12:05', '12:12', '12:14']);
  expect((await world.rows('five'))[1]).toBe('12:10 missed changed');
  await expect(
    changeSchedule(db.pool, world.jobs, { name: 'five', version, change, by: tester, now: world.now() }),
  ).rejects.toMatchObject({ code: 'version_differs', details: { given: 1, current: 2 } });
});

test('what was due while everything stood still is noted before the schedule is changed or removed', async () => {
  await world.add('five');
  world.jump(at('12:16:00'));
  await removeSchedule(db.pool, { name: 'five', version: undefined, by: tester, now: world.now() });
  expect(await world.rows('five')).toEqual(['12:05 missed changed', '12:10 missed changed', '12:15 missed changed']);
  world.node();
  await world.advance(at('12:21:00'));
  expect(world.started).toEqual([]);
});

test('a schedule that is switched off has no slots, and none to make up for when it is on again', async () => {
  await world.add('five');
  world.node();
  await world.advance(at('12:06:00'));
  const change = (enabled: boolean) =>
    changeSchedule(db.pool, world.jobs, {
      name: 'five',
      version: undefined,
      change: { enabled },
      by: tester,
      now: world.now(),
    });
  await change(false);
  await world.advance(at('12:17:00'));
  await change(true);
  await world.advance(at('12:20:30'));
  expect(await world.rows('five')).toEqual(['12:05 done', '12:20 done']);
});
