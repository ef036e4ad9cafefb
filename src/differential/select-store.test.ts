import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { check, createClaimBooks, credit, unregistered } from './selection.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;

beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
});
afterAll(() => db.close());

test('a sale, its partial cancels and what remains of it', async () => {
  await books.merchant('M1', { '2026H2': 1 });
  await books.sales([
    { tid: 'T1', won: 10_000, fee: 230, vat: 23, on: '2026-11-20' },
    { tid: 'T2', won: 10_000, fee: 230, vat: 23, on: '2026-11-20', card: check },
    { tid: 'T3', won: 10_000, fee: 100, vat: 10, on: '2026-11-20' },
    { tid: 'T1', seq: 1, won: -3_000, fee: -69, vat: -6, on: '2026-11-20', type: 'P', card: credit },
    { tid: 'T1', seq: 2, won: -7_000, fee: -161, vat: -16, on: '2026-11-20', type: 'P', card: credit },
  ]);
  const counts = await books.select(unregistered('ksnet'), '2026-11-20');
  expect(await books.claims()).toEqual([
    'T1/0 P 1C 10000 110 143 R',
    'T1/1 P 1C 10000 -33 -42 R',
    'T1/2 P 1C 10000 -77 -101 M',
    'T2/0 P 1K 7500 83 170 R',
  ]);
  expect(counts).toMatchObject({ candidates: 5n, claims: 4n, held: 0n, notOvercharged: 1n, differenceWon: 170n });
});
