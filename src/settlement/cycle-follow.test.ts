import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { followCycles } from './cycle-follow-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const set = (time: string, state: string, partsDone = 0) =>
  database.pool.query(
    `insert into settlement_cycle (slot, run_id, state, started_by, parts, done_parts)
     values ($1::text::timestamptz, $1::text, $2, 'test', 2, $3)
     on conflict (slot) do update set state = excluded.state, done_parts = excluded.done_parts`,
    [`2026-11-20T${time}+09:00`, state, Array.from({ length: partsDone }, (_, n) => n)],
  );

test('slots are heard of as they begin, come on and end, also one that ends after later ones were skipped', async () => {
  await set('12:00', 'settled', 2);
  await set('12:05', 'running');
  const stop = new AbortController();
  const happening = followCycles(database.pool, { signal: stop.signal });
  const next = async () => (await happening.next()).value?.id;
  expect(await next()).toBe('2026-11-20T12:05+09:00/running/0');
  await set('12:05', 'running', 1);
  expect(await next()).toBe('2026-11-20T12:05+09:00/running/1');
  await set('12:10', 'skipped');
  expect(await next()).toBe('2026-11-20T12:10+09:00/skipped/0');
  await set('12:05', 'settled', 2);
  expect(await next()).toBe('2026-11-20T12:05+09:00/settled/2');
  await set('12:15', 'running');
  expect(await next()).toBe('2026-11-20T12:15+09:00/running/0');
  stop.abort();
  expect((await happening.next()).done).toBe(true);

  await set('12:15', 'settled', 2);
  await set('12:20', 'settled', 2);
  const again = followCycles(database.pool, {
    lastId: '2026-11-20T12:15+09:00/running/0',
    signal: AbortSignal.timeout(10_000),
  });
  expect((await again.next()).value?.id).toBe('2026-11-20T12:15+09:00/settled/2');
  expect((await again.next()).value?.id).toBe('2026-11-20T12:20+09:00/settled/2');
  await again.return(undefined);
});

test('what is no place begins at the latest slot', async () => {
  const happening = followCycles(database.pool, { lastId: 'x', signal: AbortSignal.timeout(10_000) });
  expect((await happening.next()).value?.id).toBe('2026-11-20T12:20+09:00/settled/2');
  await happening.return(undefined);
});
