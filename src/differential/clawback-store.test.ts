import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createClaimBooks, unregistered } from './selection.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
const ksnet = unregistered('ksnet');

beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
  // 중소1 until 2026-08-13: 1 %; not small any more after it.
  await books.merchant('M1', { '2026H1': 1, '2026H2': 4 });
});
afterAll(() => db.close());

/** A sale of 10,000 won: charged 230 + 23, preferential 100 + 10, so 143 are claimed; and what is charged on its cancels. */
const sale = (tid: string, on: string) => ({ tid, won: 10_000, fee: 230, vat: 23, on });
const cancel = (
  tid: string,
  on: string,
  seq: number,
  won: number,
  fee: number,
  vat: number,
  type: 'C' | 'P' = 'P',
) => ({
  ...{ tid, on, seq, won: -won, fee: -fee, vat: -vat, type },
});

test('a sale and its full cancel of the same day, a later day and the next half-year', async () => {
  await books.sales([
    sale('SAME', '2026-08-12'),
    cancel('SAME', '2026-08-12', 1, 10_000, 230, 23, 'C'),
    sale('LATER', '2026-08-12'),
    sale('NEXT', '2026-08-12'),
    sale('KEPT', '2026-08-12'),
  ]);
  await books.select(ksnet, '2026-08-12');
  await books.sales([cancel('LATER', '2026-08-13', 1, 10_000, 230, 23, 'C')]);
  await books.select(ksnet, '2026-08-13');
  await books.sales([
    cancel('NEXT', '2026-08-20', 1, 10_000, 230, 23, 'C'),
    { tid: 'ALONE', seq: 1, won: -10_000, fee: -230, vat: -23, on: '2026-08-20' },
    sale('BIG', '2026-08-20'),
    cancel('BIG', '2026-08-20', 1, 10_000, 230, 23, 'C'),
  ]);
  const counts = await books.select(ksnet, '2026-08-20');
  expect(await books.claims(`provider_tid in ('SAME', 'LATER', 'NEXT', 'KEPT', 'ALONE', 'BIG')`)).toEqual([
    'KEPT/0 P 1C 10000 110 143 R',
    'LATER/0 P 1C 10000 110 143 R',
    'LATER/1 P 1C 10000 -110 -143 R',
    'NEXT/0 P 1C 10000 110 143 R',
    'NEXT/1 P 1C 10000 -110 -143 R',
    'SAME/0 P 1C 10000 110 143 R',
    'SAME/1 P 1C 10000 -110 -143 R',
  ]);
  // ALONE waits: nobody knows what it cancels.
  expect(counts).toMatchObject({ candidates: 4n, claims: 1n, ineligible: 2n, notOvercharged: 0n });
  const { rows } = await db.pool.query('select provider_tid, reason from differential_waiting');
  expect(rows).toEqual([{ provider_tid: 'ALONE', reason: 'original_missing' }]);
});

test('who was refunded gives back, whichever merchant the cancel names', async () => {
  await books.merchant('M2', { '2026H1': 2 }, '2208162517');
  await books.sales([sale('HERE', '2026-06-10'), sale('LATE', '2026-06-10')]);
  await books.sales([{ ...cancel('HERE', '2026-06-10', 1, 10_000, 230, 23, 'C'), merchant: 'M2' }]);
  await books.select(ksnet, '2026-06-10');
  await books.sales([{ ...cancel('LATE', '2026-06-11', 1, 3_000, 69, 6), merchant: 'M2' }]);
  await books.select(ksnet, '2026-06-11');
  const { rows } = await db.pool.query(
    `select provider_tid as tid, merchant_id as merchant, tier, difference_won::int as won, final_no as business
       from claim where provider_tid in ('HERE', 'LATE') and cancel_seq = 1 order by 1`,
  );
  expect(rows).toEqual([
    { tid: 'HERE', merchant: 'M1', tier: 1, won: -143, business: '1234567891' },
    { tid: 'LATE', merchant: 'M1', tier: 1, won: -42, business: '1234567891' },
  ]);
});

test('partial cancels over days: each by its rate, the last takes what remains, one of no difference counts', async () => {
  await books.sales([sale('PART', '2026-07-01'), cancel('PART', '2026-07-01', 1, 3_000, 69, 6)]);
  await books.select(ksnet, '2026-07-01');
  // 40 won: 0.92 charged and 0.4 preferential are nothing.
  await books.sales([cancel('PART', '2026-07-02', 2, 40, 0, 0)]);
  const counts = await books.select(ksnet, '2026-07-02');
  expect(counts).toMatchObject({ claims: 0n, notOvercharged: 1n });
  // 6,960: charged 160 + 16 = 176, preferential 69.6 → 70 + 7 = 77: 99 by the rate; 143 − 42 = 101 remain.
  await books.sales([cancel('PART', '2026-07-15', 3, 6_960, 160, 16)]);
  await books.select(ksnet, '2026-07-15');
  // Nothing is left to cancel, nor to take back.
  await books.sales([cancel('PART', '2026-07-16', 4, 500, 11, 1)]);
  await books.select(ksnet, '2026-07-16');
  expect(await books.claims(`provider_tid = 'PART'`)).toEqual([
    'PART/0 P 1C 10000 110 143 R',
    'PART/1 P 1C 10000 -33 -42 R',
    'PART/3 P 1C 10000 -77 -101 M',
  ]);
});

test('where the provider wants the rate, the last cancel takes what the rate says, and never more than there is', async () => {
  const byRate = unregistered('ksnet', { lastCancel: 'rate' });
  await books.sales([
    sale('RATE', '2026-07-20'),
    cancel('RATE', '2026-07-20', 1, 3_000, 69, 6),
    cancel('RATE', '2026-07-20', 2, 7_000, 161, 16),
    // Their charge on cancels is higher than on the sale: 100 and 60 of 143.
    sale('OVER', '2026-07-20'),
    cancel('OVER', '2026-07-20', 1, 5_000, 155, 0),
    cancel('OVER', '2026-07-20', 2, 5_000, 155, 0),
  ]);
  await books.select(byRate, '2026-07-20');
  expect(await books.claims(`provider_tid in ('RATE', 'OVER')`)).toEqual([
    'OVER/0 P 1C 10000 110 143 R',
    'OVER/1 P 1C 10000 -55 -100 R',
    'OVER/2 P 1C 10000 -55 -43 M',
    'RATE/0 P 1C 10000 110 143 R',
    'RATE/1 P 1C 10000 -33 -42 R',
    'RATE/2 P 1C 10000 -77 -100 R',
  ]);
});

test('a cancel that came before its sale waits for it', async () => {
  await books.sales([
    { ...sale('EARLY', '2026-07-22'), captures: false },
    cancel('EARLY', '2026-07-22', 1, 10_000, 230, 23, 'C'),
  ]);
  expect(await books.select(ksnet, '2026-07-22')).toMatchObject({ candidates: 1n, claims: 0n });
  await books.sales([{ ...sale('EARLY', '2026-07-22'), captured: '2026-07-23', paid: false }]);
  await books.select(ksnet, '2026-07-23');
  expect(await books.claims(`provider_tid = 'EARLY'`)).toEqual([
    'EARLY/0 P 1C 10000 110 143 R',
    'EARLY/1 P 1C 10000 -110 -143 R',
  ]);
  const { rows } = await db.pool.query(`select from differential_waiting where provider_tid = 'EARLY'`);
  expect(rows).toHaveLength(0);
});

test('a cancel of what was not overcharged makes no claim', async () => {
  await books.sales([{ ...sale('CHEAP', '2026-07-25'), fee: 100, vat: 10 }]);
  await books.select(ksnet, '2026-07-25');
  await books.sales([cancel('CHEAP', '2026-07-26', 1, 10_000, 100, 10, 'C')]);
  expect(await books.select(ksnet, '2026-07-26')).toMatchObject({ candidates: 1n, claims: 0n, notOvercharged: 1n });
});

test('a TID that was given out again: a cancel is of the latest sale', async () => {
  await books.sales([sale('TWICE', '2026-07-01'), sale('TWICE', '2026-07-05')]);
  await books.select(ksnet, '2026-07-05');
  await books.sales([cancel('TWICE', '2026-07-06', 1, 10_000, 230, 23, 'C')]);
  await books.select(ksnet, '2026-07-06');
  const { rows } = await db.pool.query(
    `select original_on::text as day from claim where provider_tid = 'TWICE' and cancel_seq = 1`,
  );
  expect(rows).toEqual([{ day: '2026-07-05' }]);
});
