import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type Contract, createSettlementBooks, type Sale } from './books.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
});
afterEach(() => db.close());

/** A second version with the same content: cancels then have to find what they cancel. */
const again: Contract = { from: '2026-02-01' };
const sale = (won: number): Sale => ({ tid: 'a', won });
const cancel = (won: number, seq = 1): Sale => ({ tid: 'a', seq, won, kind: 'P' });

test.each<[string, Contract, Contract | null, Sale[][], string[]]>([
  [
    'in full in the same slot gives the fee back, whatever the order of the file',
    {},
    null,
    [[cancel(-1_000), sale(1_000)]],
    ['a/0 1000 11 1 rate', 'a/1 -1000 -11 -1 rate'],
  ],
  [
    'in parts by a contract of one version and a rate alone gives back the fee of each part',
    {},
    null,
    [[sale(1_000)], [cancel(-333)], [cancel(-333, 2), cancel(-334, 3)]],
    ['a/0 1000 11 1 rate', 'a/1 -333 -3 0 rate', 'a/2 -333 -3 0 rate', 'a/3 -334 -3 0 rate'],
  ],
  [
    'in parts over several slots: the last one gives back what is left',
    {},
    again,
    [[sale(1_000)], [cancel(-333)], [cancel(-333, 2)], [cancel(-334, 3)]],
    ['a/0 1000 11 1 rate', 'a/1 -333 -3 0 rate', 'a/2 -333 -3 0 rate', 'a/3 -334 -5 -1 remainder'],
  ],
  [
    'in parts in the slot of the sale',
    {},
    again,
    [[sale(1_000), cancel(-333), cancel(-333, 2), cancel(-334, 3)]],
    ['a/0 1000 11 1 rate', 'a/1 -333 -3 0 rate', 'a/2 -333 -3 0 rate', 'a/3 -334 -5 -1 remainder'],
  ],
  [
    'in parts that round up never gives back more than was charged',
    { rounding: 'half_up' },
    { ...again, rounding: 'half_up' },
    [[sale(1_000)], [cancel(-500)], [cancel(-400, 2)], [cancel(-100, 3)]],
    ['a/0 1000 12 1 rate', 'a/1 -500 -6 -1 rate', 'a/2 -400 -5 0 rate', 'a/3 -100 -1 0 remainder'],
  ],
  [
    'of more than was sold gives back no more than the fee',
    {},
    again,
    [[sale(1_000)], [cancel(-900), cancel(-900, 2), cancel(-900, 3)]],
    ['a/0 1000 11 1 rate', 'a/1 -900 -10 -1 rate', 'a/2 -900 -1 0 remainder', 'a/3 -900 0 0 remainder'],
  ],
  [
    'of a sale with a minimum fee gives the minimum back once',
    { min: 100 },
    null,
    [[sale(1_000)], [cancel(-400)], [cancel(-600, 2)]],
    ['a/0 1000 100 10 minimum', 'a/1 -400 -100 -10 minimum', 'a/2 -600 0 0 remainder'],
  ],
  [
    'in parts of which one came before the sale gives the minimum back once',
    { min: 100 },
    null,
    [[cancel(-400)], [sale(1_000), cancel(-600, 2)]],
    ['a/0 1000 100 10 minimum', 'a/1 -400 -100 -10 minimum', 'a/2 -600 0 0 remainder'],
  ],
  [
    'where the fee is kept gives nothing back',
    { cancelFee: 'kept' },
    null,
    [[sale(1_000)], [cancel(-1_000)]],
    ['a/0 1000 11 1 rate', 'a/1 -1000 0 0 kept'],
  ],
  [
    'of a sale that nobody knows goes by the contract of its own day',
    {},
    { from: '2026-11-20', ppm: 20_000 },
    [[cancel(-1_000)]],
    ['a/1 -1000 -20 -2 rate'],
  ],
  [
    'VAT included: 1,492 of fee is 1,356 and 136',
    { vat: 'included', ppm: 14_920 },
    { ...again, vat: 'included', ppm: 14_920 },
    [[sale(100_000)], [cancel(-100_000)]],
    ['a/0 100000 1356 136 rate', 'a/1 -100000 -1356 -136 remainder'],
  ],
])('a cancel %s', async (_, contract, later, slots, items) => {
  await books.merchant('M1', contract);
  if (later !== null) await books.contract('M1', later);
  for (const [n, sales] of slots.entries()) {
    await books.sales(sales);
    await books.settle(`12:${String(5 + 5 * n).padStart(2, '0')}`);
  }
  expect(await books.items()).toEqual(items);
  expect(await books.unsettled()).toEqual([]);
});

test('a cancel after the contract changed goes by the contract and the rate of its sale', async () => {
  await books.merchant('M1', { to: '2026-11-19' });
  await books.contract('M1', { from: '2026-11-20', ppm: 20_000, cancelFee: 'kept' });
  await books.sales([{ tid: 'a', won: 1_000, traded: '2026-11-19' }]);
  await books.settle('12:05');
  await books.sales([{ tid: 'a', seq: 1, won: -400, kind: 'P' }]);
  await books.settle('12:10');
  // 400 at 1.15 % is 4.6: 4 won, and VAT 0.4: none.
  expect(await books.items()).toEqual(['a/0 1000 11 1 rate', 'a/1 -400 -4 0 rate']);
});

describe('a cancel waits', () => {
  test('while what it cancels is set aside, and both settle when that is over', async () => {
    await books.merchant('M1', {}, {});
    await books.sales([
      { tid: 'a', won: 20_000_000_000_000 },
      { tid: 'a', seq: 1, won: -1_000, kind: 'P' },
    ]);
    await books.settle('12:05');
    expect(await books.unsettled()).toEqual([
      'a/0 capture_amount_refused 1 2026-11-20 12:10',
      'a/1 original_set_aside 1 2026-11-20 12:10',
    ]);
    await books.settle('12:10');
    expect((await books.unsettled()).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'a/0 capture_amount_refused 2',
      'a/1 original_set_aside 2',
    ]);
  });

  test('while what it cancels is not due, and is settled with it', async () => {
    await books.merchant('M1', {}, { cycle: 'D+2' });
    await books.terms('M1', { from: '2026-11-20', cycle: 'M5' });
    await books.sales([{ tid: 'a', won: 1_000, traded: '2026-11-19' }]);
    await books.settle('12:00');
    await books.sales([{ tid: 'a', seq: 1, won: -1_000 }]);
    await books.settle('12:05');
    // Thursday and two business days: Monday.
    expect(await books.unsettled()).toEqual(['a/0 - 0 2026-11-23 00:00', 'a/1 original_unsettled 0 2026-11-23 00:00']);
    await books.settle('00:00', { on: '2026-11-23' });
    expect(await books.items()).toEqual(['a/0 1000 11 1 rate', 'a/1 -1000 -11 -1 rate']);
    expect(await books.unsettled()).toEqual([]);
  });
});

test('a cancel of a sale of months ago finds it, also when it has been cancelled in part since', async () => {
  await books.merchant('M1', { from: '2025-01-01' }, { from: '2025-01-01' });
  await books.contract('M1', { from: '2026-08-01', ppm: 30_000 });
  await books.sales([{ tid: 'a', won: 1_000, traded: '2026-01-05' }]);
  await books.settle('12:00', { on: '2026-01-05' });
  await books.sales([{ tid: 'a', seq: 1, won: -500, kind: 'P', traded: '2026-07-01' }]);
  await books.settle('12:00', { on: '2026-07-01' });
  await books.sales([{ tid: 'a', seq: 2, won: -500, kind: 'P' }]);
  await books.settle('12:00');
  // 500 at 1.15 % is 5.75: 5; what is left of 11 and 1 is 6 and 1.
  expect(await books.items()).toEqual(['a/0 1000 11 1 rate', 'a/1 -500 -5 0 rate', 'a/2 -500 -6 -1 remainder']);
});
