import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createSettlementBooks } from './books.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
});
afterEach(() => db.close());

test('a capture becomes an item with its working, and the wallet is credited what is left', async () => {
  await books.merchant('M1');
  await books.sales([{ tid: 'a', won: 10_000 }]);
  expect(await books.settle('12:05')).toMatchObject({
    state: 'settled',
    captures: 1n,
    items: 1n,
    merchants: 1n,
    setAside: 0n,
    grossWon: 10_000n,
    feeWon: 115n,
    vatWon: 11n,
    netWon: 9_874n,
    creditedWon: 9_874n,
  });
  expect(await books.items()).toEqual(['a/0 10000 115 11 rate']);
  expect(await books.balances()).toEqual(['fee 115', 'receivable:ksnet -10000', 'vat 11', 'wallet:M1 9874']);
});

test('a slot takes what came since, and nothing twice', async () => {
  await books.merchant('M1');
  await books.sales([{ tid: 'a', won: 10_000 }]);
  await books.settle('12:05');
  expect(await books.settle('12:10')).toMatchObject({ captures: 0n, items: 0n, creditedWon: 0n });
  await books.sales([{ tid: 'b', won: 1_000 }]);
  expect(await books.settle('12:15')).toMatchObject({ captures: 1n, items: 1n, creditedWon: 988n });
  expect(await books.balances()).toEqual(['fee 126', 'receivable:ksnet -11000', 'vat 12', 'wallet:M1 10862']);
});
