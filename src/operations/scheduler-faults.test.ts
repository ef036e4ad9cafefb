import { expect, test } from 'vitest';
import type { TestDatabase } from '../../test/support/database.ts';
import { Problem } from '../kernel/problem.ts';
import { everything, pause } from './pause-store.ts';
import { type SchedulingWorld, tester } from './scheduling.fixture.ts';
import { at, schedulingSuite } from './scheduling-suite.fixture.ts';

let db: TestDatabase;
let world: SchedulingWorld;
const { findings } = schedulingSuite((begun) => {
  ({ db, world } = begun);
});

test('times that cannot be read here keep no other schedule waiting, and are told of', async () => {
  await world.add('bad');
  await world.add('five');
  await db.pool.query(`update schedule set cron = 'nonsense' where name = 'bad'`);
  world.node();
  await world.advance(at('12:10:30'));
  expect(world.started).toEqual(['12:05', '12:10']);
  expect(await findings()).toEqual(['schedule_failed bad']);
  await db.pool.query(`update schedule set cron = '*/5 * * * *', version = version + 1 where name = 'bad'`);
  await world.advance(at('12:15:30'));
  expect(await world.rows('bad')).toEqual(['12:05 missed stopped by 12:10', '12:10 done', '12:15 done']);
});

test('a slot that was left and that its job cannot read fails, and those beside it are started', async () => {
  await world.add('bad');
  await world.add('five');
  await db.pool.query(
    `insert into schedule_slot (schedule_id, nominal_at, kind, state, run_id, parameters, who, claimed_by, claimed_at)
     select schedule_id, $1::timestamptz, 'clock', 'claimed', name || ':x', case name when 'bad' then '{"mark": 5}' else '{}' end::jsonb,
            'system:scheduler', 'gone', $1::timestamptz from schedule`,
    [at('12:02:00')],
  );
  world.node();
  await world.idle();
  expect(world.started).toEqual(['12:02 +10']);
  expect([await world.rows('bad'), await world.rows('five')]).toEqual([['12:02 failed'], ['12:02 done']]);
  expect(await findings()).toEqual(['schedule_failed bad']);
});

test('a refusal that cannot be noted is said, and noted by whoever looks next', async () => {
  await world.add('five');
  world.setRefusal(new Problem('not_found', { what: 'file', id: 'x' }));
  await db.pool.query(`create function break() returns trigger language plpgsql as $$ begin raise exception 'away'; end $$;
    create trigger breaks before update on schedule_slot for each row when (new.state = 'failed') execute function break()`);
  world.node();
  await world.advance(at('12:05:01'));
  expect(await world.rows('five')).toEqual(['12:05 claimed']);
  expect(world.warned).toContain('a slot is left to the next look');
  await db.pool.query('drop function break cascade');
  await world.advance(at('12:05:20'));
  expect(await world.rows('five')).toEqual(['12:05 failed']);
});

test('of many who pause at once each is heard, and one pause stands', async () => {
  await Promise.all(Array.from({ length: 6 }, () => pause(db.pool, everything, { by: tester, now: world.now() })));
  const { rows } = await db.pool.query(
    'select count(*)::int as all, count(*) filter (where ended_at is null)::int as open from pause',
  );
  expect(rows).toEqual([{ all: 6, open: 1 }]);
});
