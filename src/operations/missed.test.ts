import { expect, test } from 'vitest';
import type { TestDatabase } from '../../test/support/database.ts';
import { closeFinding } from '../findings/store.ts';
import { closeMadeGood } from './missed-store.ts';
import type { SchedulingWorld } from './scheduling.fixture.ts';
import { schedulingSuite } from './scheduling-suite.fixture.ts';

let db: TestDatabase;
let world: SchedulingWorld;
const { findings } = schedulingSuite(
  (begun) => {
    ({ db, world } = begun);
  },
  ['backfill', 'backfill_day'],
);

/** The day as a backfill of `job` has it when it is over. */
const backfilled = async (on: string, state = 'done', job = 'count') => {
  await db.pool.query(
    `with b as (insert into backfill (backfill_id, job, from_on, to_on, parallel, asked_by)
                values ($2 || $1 || $3, $2, $1::date, $1::date, 1, 'kim') returning backfill_id)
     insert into backfill_day (backfill_id, business_on, state, run_id, started_at, ended_at, problem)
     select backfill_id, $1::date, $3, 'x', $1::date + 10, $1::date + 10, case when $3 <> 'done' then '{}'::jsonb end from b`,
    [on, job, state],
  );
  await closeMadeGood(db.pool, world.jobs);
};
const missed = ['schedule_missed daily'];

/** Stopped over the slots of 21 to 25 November, of which the latest two run. */
async function standStill(misfire: 'run_all' | 'run_once' | 'skip'): Promise<void> {
  await world.add('daily', { cron: '0 8 * * *', misfire, misfireMost: 2 });
  world.jump('2026-11-25T12:00:00+09:00');
  world.node();
  await world.idle();
  await closeMadeGood(db.pool, world.jobs);
}

async function nextSlot(): Promise<void> {
  world.jump('2026-11-26T07:59:55+09:00');
  await world.advance('2026-11-26T08:00:01+09:00');
}

test('days beyond those that ran are told of until each of them was done', async () => {
  await standStill('run_all');
  expect(await findings()).toEqual(missed);
  await nextSlot();
  await closeMadeGood(db.pool, world.jobs);
  expect(world.started).toHaveLength(3);
  expect(await findings()).toEqual(missed);
  await backfilled('2026-11-21');
  await backfilled('2026-11-23');
  await backfilled('2026-11-22', 'failed');
  await backfilled('2026-11-22', 'done', 'other');
  expect(await findings()).toEqual(missed);
  await backfilled('2026-11-22');
  expect(await findings()).toEqual([]);
});

test('or until a person says that they need not be', async () => {
  await standStill('run_all');
  await closeFinding(db.pool, { kind: 'schedule_missed', subject: 'daily', by: 'kim@pg.example' });
  await world.stop();
  world.jump('2026-11-29T12:00:00+09:00');
  world.node();
  await world.idle();
  expect(await world.rows('daily')).toHaveLength(9);
  expect(await findings()).toEqual(missed);
  await backfilled('2026-11-26');
  expect(await findings()).toEqual(missed);
  await backfilled('2026-11-27');
  expect(await findings()).toEqual([]);
});

test.each(['run_once', 'skip'] as const)(
  'what was to be left out is told of until the next slot: %s',
  async (misfire) => {
    await standStill(misfire);
    expect(await findings()).toEqual(missed);
    await nextSlot();
    expect(await findings()).toEqual([]);
  },
);
