import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { openCipher } from '../platform/cipher.ts';
import { halfOf } from './differential-facts.ts';
import { generateWorld } from './generate.ts';
import { importWorld, readWorld } from './load.ts';

const spec = {
  seed: '1',
  days: 4,
  payments: 400,
  breaks: 0,
  from: Temporal.PlainDate.from('2026-08-12'),
  differential: true,
};

let db: TestDatabase;
let folder = '';
beforeAll(async () => {
  db = await testDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-facts-'));
  await generateWorld({ ...spec, into: folder });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await db.close();
});

const rows = (name: string): string[][] =>
  readFileSync(path.join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

test.each([
  ['2025-01-31', '2024H2'],
  ['2025-02-13', '2024H2'],
  ['2025-02-14', '2025H1'],
  ['2026-08-13', '2026H1'],
  ['2026-08-14', '2026H2'],
  ['2024-08-13', '2024H1'],
  ['2024-08-14', '2024H2'],
  ['2024-01-30', '2023H2'],
  ['2023-07-31', '2023H2'],
])('%s lies in %s', (day, half) => {
  expect(halfOf(day).name).toBe(half);
});

test('a world for differential settlement is taken in whole by the product', async () => {
  const world = await readWorld(folder, spec);
  if (world === undefined) throw new Error('no world');
  const cipher = await openCipher({ home: folder });
  const outcome = await importWorld(db.pool, world, { who: 'test', cipher });
  expect(Object.entries(outcome).filter(([, { refused }]) => refused > 0)).toEqual([]);
  expect(outcome.tiers.added).toBeGreaterThan(100);
  expect(outcome.cardBins.added).toBe(162);
});

test('holds payments through nice, and no statements of it', () => {
  expect(rows('payments.csv').filter(([, provider]) => provider === 'nice').length).toBeGreaterThan(500);
});

test('most merchants are charged more than their tier allows, some just that, and some are not small or not graded', () => {
  const graded = new Map(rows('tiers.csv').map(([businessNo, half, , , tier]) => [`${businessNo} ${half}`, tier]));
  const tiers = rows('merchants.csv').map((columns) => graded.get(`${columns.at(-1)} 2026H2`));
  const count = (of: string | undefined) => tiers.filter((tier) => tier === of).length;
  expect(tiers.length).toBe(96);
  for (const tier of ['0', '1', '2', '3', '4', undefined]) expect(count(tier)).toBeGreaterThan(1);
  const changed = rows('merchants.csv').filter(
    (columns) => graded.get(`${columns.at(-1)} 2026H1`) !== graded.get(`${columns.at(-1)} 2026H2`),
  );
  expect(changed.length).toBeGreaterThan(5);
});

test('the fee of a capture fits the BIN of its card', () => {
  const types = new Map(rows('card-bins.csv').map(([bin, type]) => [bin, type]));
  const cards = new Map(
    rows('payments.csv')
      .filter(([record]) => record === 'approval')
      .map((columns) => [columns[2], columns] as const),
  );
  const rates = new Map<string, Set<number>>();
  for (const [record, , tid, , , , amount, fee] of rows('payments.csv')) {
    const payment = cards.get(tid);
    if (record !== 'capture' || payment === undefined || Math.abs(Number(amount)) < 100_000) continue;
    const key = `${payment[10]} ${types.get((payment[16] ?? '').slice(0, 6))}`;
    const percent = Math.round((Number(fee) / Number(amount)) * 10_000) / 100;
    rates.set(key, (rates.get(key) ?? new Set()).add(percent));
  }
  const listed = [...rates].filter(([key]) => !key.endsWith('undefined'));
  expect(listed.length).toBeGreaterThan(20);
  expect(listed.filter(([, percents]) => percents.size > 1)).toEqual([]);
});
