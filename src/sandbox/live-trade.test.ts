import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { importPayments } from '../payments/import-payments.ts';
import { providers } from '../providers/registry.ts';
import { liveBurst } from './live-trade.ts';
import { defaultFrom, makeWorld } from './world.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const world = makeWorld({ seed: '1', days: 1, payments: 600, breaks: 0, from: defaultFrom });
const noon = Temporal.Instant.from('2026-11-20T12:00:00+09:00');
const later = noon.add({ seconds: 20 });

async function take(csv: string) {
  const bytes = async function* () {
    yield Buffer.from(csv);
  };
  const source = { name: 'live.csv', format: 'csv', bytes: bytes() } as const;
  return importPayments(database.pool, source, { who: 'test', providers: providers.map(({ id }) => id) });
}

test('a burst is taken as it is, the next one cancels some of it, in whole and in part', async () => {
  const first = liveBurst(world, noon, 100, []);
  const second = liveBurst(world, later, 100, first.sales);
  expect(await take(first.csv)).toMatchObject({ added: 200, refused: 0 });
  expect(await take(second.csv)).toMatchObject({ added: 208, refused: 0 });
  const { rows } = await database.pool.query<{ kind: string; n: bigint }>(
    `select kind, count(*) as n from payment group by kind order by kind`,
  );
  expect(rows).toEqual([
    { kind: 'A', n: 200n },
    { kind: 'C', n: 2n },
    { kind: 'P', n: 2n },
  ]);
});

test('the same moment yields the same bytes, and another moment other transactions', () => {
  expect(liveBurst(world, noon, 50, []).csv).toBe(liveBurst(world, noon, 50, []).csv);
  const tids = (at: Temporal.Instant) => liveBurst(world, at, 50, []).sales.map((sale) => sale.providerTid);
  expect(new Set([...tids(noon), ...tids(later)]).size).toBe(100);
});
