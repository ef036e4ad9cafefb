import { expect, test } from 'vitest';
import type { TestDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { changeControl, ensureControl, listControls } from '../payout/control-store.ts';
import { query } from '../platform/database/pool.ts';
import { everything, maintenanceOf, ofSchedule, pause, resume } from './pause-store.ts';
import { pauseQueue, resumeQueue, unpauseQueue } from './queue-store.ts';
import { requestRun } from './schedule-overview-store.ts';
import type { ScheduleTerms } from './schedule-rows.ts';
import { changeSchedule, seedSchedules } from './schedule-store.ts';
import { type SchedulingWorld, tester, usualTerms } from './scheduling.fixture.ts';
import { at, schedulingSuite } from './scheduling-suite.fixture.ts';

let db: TestDatabase;
let world: SchedulingWorld;
schedulingSuite(
  (begun) => {
    ({ db, world } = begun);
  },
  ['bank_control'],
);

const maintain = (until?: string) =>
  pause(db.pool, everything, {
    by: tester,
    until: until === undefined ? undefined : Temporal.Instant.from(at(until)),
    now: world.now(),
  });

/** Maintenance from 12:06 to 12:22, over three slots: what starts after it, and what the rows say. */
const policies: readonly (readonly [string, Partial<ScheduleTerms>, string, string])[] = [
  ['skip', { misfire: 'skip' }, '', '12:10 missed maintenance, 12:15 missed maintenance, 12:20 missed maintenance'],
  [
    'run once',
    { misfire: 'run_once' },
    '12:20 +120 for 12:10',
    '12:10 missed maintenance by 12:20, 12:15 missed maintenance by 12:20, 12:20 done maintenance',
  ],
  [
    'run all up to two',
    { misfire: 'run_all', misfireMost: 2 },
    '12:15 +420, 12:20 +120',
    '12:10 missed maintenance, 12:15 done maintenance, 12:20 done maintenance',
  ],
];

test.each(policies)(
  'during maintenance nothing starts, and afterwards the policy decides: %s',
  async (_, terms, starts, rows) => {
    await world.add('five', terms);
    world.node();
    world.node();
    await world.advance(at('12:06:00'));
    await maintain();
    await world.advance(at('12:21:55'));
    expect(world.started).toEqual(['12:05']);
    expect((await world.rows('five')).slice(1)).toEqual([
      '12:10 held maintenance',
      '12:15 held maintenance',
      '12:20 held maintenance',
    ]);
    world.jump(at('12:22:00'));
    await resume(db.pool, everything, { by: tester });
    for (const node of world.nodes) await node.look();
    await world.idle();
    expect(world.started.slice(1).join(', ')).toBe(starts);
    expect((await world.rows('five')).slice(1).join(', ')).toBe(rows);
    await world.advance(at('12:25:01'));
    expect(world.started.at(-1)).toBe('12:25');
  },
);

test('what runs ends during maintenance, what waited goes on waiting, and nobody begins anything by hand', async () => {
  await world.add('five', { parameters: { ends: false }, overlap: 'queue_one' });
  world.node();
  await world.advance(at('12:11:00'));
  await maintain();
  await world.end('five:2026-11-20T12:05+09:00');
  await world.advance(at('12:11:30'));
  expect(await world.rows('five')).toEqual(['12:05 done', '12:10 queued']);
  await expect(requestRun(db.pool, world.jobs, { name: 'five', who: 'kim', now: world.now() })).rejects.toMatchObject({
    code: 'maintenance_on',
  });
  await resume(db.pool, everything, { by: tester });
  await world.advance(at('12:11:40'));
  expect((await world.rows('five'))[1]).toBe('12:10 running');
});

test('maintenance that was given an end is over by itself', async () => {
  await world.add('five');
  world.node();
  await maintain('12:08:00');
  expect(await maintenanceOf(db.pool, world.now())).toMatchObject({ who: 'kim@pg.example', reason: 'a test' });
  await world.advance(at('12:10:01'));
  expect(world.started).toEqual(['12:05 +180', '12:10']);
  const [ended] = await query<{ by: string }>(db.pool, 'select ended_by as by from pause');
  expect(ended?.by).toBe('system:scheduler');
  await expect(resume(db.pool, everything, { by: tester })).rejects.toMatchObject({ code: 'not_paused' });
});

test('a schedule that is paused holds its own slots alone, and runs when a person wants it now', async () => {
  const { id } = await world.add('five');
  await world.add('other');
  world.node();
  await pause(db.pool, ofSchedule(id), { by: tester, now: world.now() });
  await world.advance(at('12:06:00'));
  expect(await world.rows('five')).toEqual(['12:05 held paused']);
  expect(await world.rows('other')).toEqual(['12:05 done']);
  world.started.length = 0;
  await requestRun(db.pool, world.jobs, { name: 'five', who: 'kim', now: world.now(), parameters: { mark: '!' } });
  await world.advance(at('12:06:10'));
  expect(world.started).toHaveLength(1);
  expect(world.started[0]).toMatch(/^12:06.*!$/);
});

test('what a person wants now is refused while the same runs, where it may not run beside itself', async () => {
  await world.add('five', { parameters: { ends: false } });
  world.node();
  await world.advance(at('12:05:10'));
  await expect(requestRun(db.pool, world.jobs, { name: 'five', who: 'kim', now: world.now() })).rejects.toMatchObject({
    code: 'schedule_busy',
    details: { name: 'five', run: 'five:2026-11-20T12:05+09:00' },
  });
});

test('a queue is paused with the reason, and by itself no longer when its time is over', async () => {
  const by = { by: tester, now: world.now() };
  await pauseQueue(db.pool, 'json-van', { ...by, until: Temporal.Instant.from(at('12:08:00')) });
  const paused = async () => (await listControls(db.pool)).map((control) => `${control.paused} ${control.reason}`);
  expect(await paused()).toEqual(['true a test']);
  world.node({ resumed: (tx, { subject }) => resumeQueue(tx, subject) });
  await world.advance(at('12:07:55'));
  expect(await paused()).toEqual(['true a test']);
  await world.advance(at('12:08:06'));
  expect(await paused()).toEqual(['false until']);
  await expect(unpauseQueue(db.pool, 'json-van', tester)).rejects.toMatchObject({ code: 'not_paused' });
});

test('maintenance, or the schedule of payouts paused or switched off, keeps payouts from being taken', async () => {
  const waits = async () => (await query<{ waits: boolean }>(db.pool, 'select payouts_wait() as waits'))[0]?.waits;
  const now = Temporal.Now.instant();
  const jobs = { ...world.jobs, named: () => world.jobs.named('count') };
  const terms = { ...usualTerms, job: 'payout-dispatch' };
  await seedSchedules(db.pool, jobs, [{ name: 'payout-dispatch', terms }], now);
  const [row] = await query<{ id: bigint }>(db.pool, 'select schedule_id as id from schedule');
  const id = row?.id ?? 0n;
  expect(await waits()).toBe(false);
  await pause(db.pool, everything, { by: tester, now });
  expect(await waits()).toBe(true);
  await resume(db.pool, everything, { by: tester });
  expect(await waits()).toBe(false);
  await pause(db.pool, ofSchedule(id), { by: tester, now });
  expect(await waits()).toBe(true);
  await resume(db.pool, ofSchedule(id), { by: tester });
  const change = { enabled: false };
  await changeSchedule(db.pool, jobs, { name: 'payout-dispatch', version: 1, change, by: tester, now });
  expect(await waits()).toBe(true);
});

test('defaults are made once: what an operator changed or removed stays so', async () => {
  const seed = () =>
    seedSchedules(
      db.pool,
      world.jobs,
      ['a', 'b', 'c'].map((name) => ({ name, terms: usualTerms })),
      world.now(),
    );
  expect(await seed()).toEqual(['a', 'b', 'c']);
  const by = { name: 'a', version: undefined, by: tester, now: world.now() };
  await changeSchedule(db.pool, world.jobs, { ...by, change: { cron: '0 3 * * *' } });
  await db.pool.query(`update schedule set removed_at = now() where name = 'b'`);
  expect(await seed()).toEqual([]);
  const rows = await query<{ text: string }>(
    db.pool,
    `select name || ' ' || cron as text from schedule where removed_at is null order by name`,
  );
  expect(rows.map(({ text }) => text)).toEqual(['a 0 3 * * *', 'c */5 * * * *']);
});

test('each change stands in the audit trail, with who and why, before and after', async () => {
  await world.add('audited');
  const by = { name: 'audited', version: 1, by: { ...tester, reason: 'later is enough' }, now: world.now() };
  await changeSchedule(db.pool, world.jobs, { ...by, change: { cron: '*/10 * * * *' } });
  const [entry] = await query<Record<string, unknown>>(
    db.pool,
    `select who, act, reason, detail::jsonb -> 'before' ->> 'cron' as before, detail::jsonb -> 'after' ->> 'cron' as after
       from audit_entry where act = 'schedule.changed' order by number desc limit 1`,
  );
  expect(entry).toEqual({
    who: 'kim@pg.example',
    act: 'schedule.changed',
    reason: 'later is enough',
    before: '*/5 * * * *',
    after: '*/10 * * * *',
  });
});

test('a pause of days, over thousands of slots, keeps no other schedule from being seen, and the latest run after it', async () => {
  const { id } = await world.add('a', { cron: '* * * * *', misfire: 'run_all', misfireMost: 2 });
  await world.add('b', { parameters: { ends: false } });
  await db.pool.query(
    `insert into schedule_slot (schedule_id, nominal_at, kind, state, reason, who)
     select $1, timestamptz '2026-11-20T12:02+09:00' - n * interval '1 minute', 'clock', 'held', 'paused', 'system:scheduler'
       from generate_series(0, 2999) n`,
    [id],
  );
  await pause(db.pool, ofSchedule(id), { by: tester, now: world.now() });
  world.node();
  await world.advance(at('12:05:01'));
  expect(world.started).toEqual(['12:05']);
  // Its end is heard of by looking alone, as that of a run that another node follows.
  world.states.set('b:2026-11-20T12:05+09:00', 'done');
  const other = world.node({ executorId: 'other' });
  await other.look();
  expect(await world.rows('b')).toEqual(['12:05 done']);
  await resume(db.pool, ofSchedule(id), { by: tester });
  await other.look();
  await world.idle();
  expect(world.started.slice(1).map((text) => text.slice(0, 5))).toEqual(['12:04', '12:05']);
});

test('what cannot run beside the run before it makes up for nothing', async () => {
  const { id } = await world.add('five', { parameters: { ends: false } });
  world.node();
  await world.advance(at('12:06:00'));
  await pause(db.pool, ofSchedule(id), { by: tester, now: world.now() });
  await world.advance(at('12:16:00'));
  await resume(db.pool, ofSchedule(id), { by: tester });
  await world.advance(at('12:17:00'));
  expect(world.started).toEqual(['12:05']);
  expect(await world.rows('five')).toEqual(['12:05 running', '12:10 missed paused', '12:15 missed overlap']);
});

test("what is wanted at the very moment of a slot is not taken for the clock's", async () => {
  await world.add('five');
  world.jump(at('12:05:00'));
  await requestRun(db.pool, world.jobs, { name: 'five', who: 'kim@pg.example', now: world.now() });
  world.node();
  await world.advance(at('12:06:00'));
  expect(world.started).toHaveLength(1);
  expect(await world.rows('five')).toEqual(['12:05 missed overlap', '12:05 done']);
});

test('a bank that somebody has paused is not let go by the end of a maintenance of its queue', async () => {
  const until = Temporal.Instant.from(at('12:10:00'));
  await ensureControl(db.pool, 'mock');
  await changeControl(db.pool, 'mock', { paused: true }, { who: 'kim@pg.example', reason: 'fraud' });
  await pauseQueue(db.pool, 'mock', { by: tester, until, now: world.now() });
  world.node({ resumed: (tx, { subject }) => resumeQueue(tx, subject) });
  await world.advance(at('12:11:00'));
  expect((await listControls(db.pool))[0]?.paused).toBe(true);
  await unpauseQueue(db.pool, 'mock', tester);
  expect((await listControls(db.pool))[0]?.paused).toBe(false);
});

test('nor one that somebody is just pausing', async () => {
  await ensureControl(db.pool, 'json-van');
  const other = await db.pool.connect();
  await other.query('begin');
  await changeControl(other, 'json-van', { paused: true }, { who: 'lee', reason: 'fraud' });
  const until = Temporal.Instant.from(at('12:20'));
  const pausing = pauseQueue(db.pool, 'json-van', { by: tester, until, now: world.now() });
  await lockWaits(db.pool, 1);
  await other.query('commit');
  other.release();
  await pausing;
  expect(await query(db.pool, 'select until from pause where ended_at is null')).toEqual([{ until: null }]);
});
