import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { forgetSessions } from './session-store.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test('what signing in left behind is forgotten, the oldest first and so many at a time', async () => {
  const at = (day: number) => Temporal.Instant.from(`2026-11-0${day}T00:00:00Z`);
  for (const day of [1, 2, 3, 4]) {
    await db.pool.query(
      `insert into verification (id, identifier, value, expires_at) values ($1::text, 'x', 'y', $2::timestamptz)`,
      [day, `${at(day)}`],
    );
    await db.pool.query(`insert into sign_in_rate (id, key, count, last_request) values ($1::text, $1::text, 1, $2)`, [
      day,
      at(day).epochMilliseconds,
    ]);
  }
  const left = async () => {
    const { rows } = await db.pool.query<{ ids: string }>(
      `select (select string_agg(id, '' order by id) from verification) || ' '
              || (select string_agg(id, '' order by id) from sign_in_rate) as ids`,
    );
    return rows[0]?.ids;
  };
  expect([await forgetSessions(db.pool, at(4), 2), await left()]).toEqual([2, '34 34']);
  expect([await forgetSessions(db.pool, at(4), 2), await left()]).toEqual([1, '4 4']);
});
