import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { isProblem } from '../../kernel/problem.ts';
import { type KeyPart, keysetPage, pageOfFew } from './keyset.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ empty: true });
  await database.pool.query(`create table thing (id bigint primary key, at timestamptz not null, won bigint not null)`);
  await database.pool.query(`insert into thing
    select n, '2026-11-20 00:00:00+09'::timestamptz + (n / 3) * interval '1 microsecond', n % 5 - 2
      from generate_series(1, 100) n`);
});
afterAll(() => database.close());

const byTime: readonly KeyPart[] = [
  { sql: 'at', type: 'timestamptz' },
  { sql: 'id', type: 'bigint' },
];
const byWon: readonly KeyPart[] = [
  { sql: 'won', type: 'bigint' },
  { sql: 'id', type: 'bigint' },
];

async function ids(parts: readonly KeyPart[], descending: boolean, between: () => Promise<void> = async () => {}) {
  const found: number[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 100; pages += 1) {
    const page = await keysetPage<{ id: bigint }>(
      database.pool,
      parts,
      { after, limit: 7, descending },
      [1000],
      (keyset) =>
        `select id, ${keyset.key} from thing where id <= $1 and ${keyset.after} order by ${keyset.order} limit ${keyset.limit}`,
    );
    expect(Object.keys(page.rows[0] ?? { id: 0 })).toEqual(['id']);
    found.push(...page.rows.map(({ id }) => Number(id)));
    await between();
    after = page.next;
    if (after === undefined) break;
  }
  return found;
}

test.each([
  ['time, which many share to the microsecond', byTime, false, 'at, id'],
  ['time, the newest first', byTime, true, 'at desc, id desc'],
  ['amounts, negative ones too', byWon, false, 'won, id'],
  ['amounts, the largest first', byWon, true, 'won desc, id desc'],
])('pages by %s are the whole list in its order', async (_, parts, descending, order) => {
  const { rows } = await database.pool.query<{ id: bigint }>(`select id from thing order by ${order}`);
  expect(await ids(parts, descending)).toEqual(rows.map(({ id }) => Number(id)));
});

test('rows that come and go between pages neither double nor hide those that stay', async () => {
  let next = 200;
  const found = await ids(byTime, false, async () => {
    next += 1;
    await database.pool.query(`insert into thing values ($1, '2026-11-19', 0)`, [next]);
    await database.pool.query('delete from thing where id = $1', [next - 200]);
  });
  expect(found).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
});

test.each([
  'x',
  '[]',
  '["1"]',
  '{"0":"1","1":"2"}',
  '[1,2]',
  '["2026-11-20T00:00:00.000000Z","1; drop table thing"]',
  '["2026-02-31T00:00:00.000000Z","1"]',
  '["0000-01-01T00:00:00.000000Z","1"]',
  '["2026-11-20T00:00:00.000000Z","1","2"]',
  `["2026-11-20T00:00:00.000000Z","${'9'.repeat(19)}"]`,
  `["${'a'.repeat(5000)}","1"]`,
])('a key that nobody wrote is refused before the database hears it: %s', async (after) => {
  const asked = keysetPage(database.pool, byTime, { after, limit: 7, descending: false }, [], () => 'select no_such');
  await expect(asked).rejects.toSatisfy((error) => isProblem(error, 'cursor_invalid'));
});

test('few rows are paged in memory, in either direction', () => {
  const rows = ['b', 'a', 'c'];
  const page = (after: string | undefined, descending: boolean) =>
    pageOfFew(rows, { after, limit: 2, descending }, (row) => row);
  expect(page(undefined, false)).toEqual({ rows: ['a', 'b'], next: 'b' });
  expect(page('b', false)).toEqual({ rows: ['c'], next: undefined });
  expect(page(undefined, true)).toEqual({ rows: ['c', 'b'], next: 'b' });
  expect(page('b', true)).toEqual({ rows: ['a'], next: undefined });
});
