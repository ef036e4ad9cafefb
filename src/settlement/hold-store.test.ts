import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { post } from '../ledger/store.ts';
import { inTransaction, inTransactionOnce } from '../platform/database/pool.ts';
import { createSettlementBooks, today } from './books.fixture.ts';
import { listHolds, placeHold, releaseHold } from './hold-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await books.merchant('M1', { ppm: 0 });
});
afterEach(() => db.close());

const act = { by: 'kim', reason: 'complaint', on: today };
const place = (amountWon?: bigint) =>
  inTransaction(db.pool, (tx) => placeHold(tx, { merchantId: 'M1', ...act, ...(amountWon && { amountWon }) }));
const release = (id: bigint) => inTransaction(db.pool, (tx) => releaseHold(tx, id, act));
const sell = async (time: string, tid: string, won: number, seq = 0) => {
  await books.sales([{ tid, won, seq, kind: seq === 0 ? 'A' : 'P' }]);
  await books.settle(time);
};
const own = async () => (await books.balances()).filter((line) => line.includes(':M1'));

test('an amount goes from the wallet to what is held, and back', async () => {
  await sell('12:05', 'a', 10_000);
  const { hold, heldWon } = await place(4_000n);
  expect(heldWon).toBe(4_000n);
  expect(await own()).toEqual(['held:M1 4000', 'wallet:M1 6000']);
  await sell('12:10', 'b', 1_000);
  expect(await own()).toEqual(['held:M1 4000', 'wallet:M1 7000']);
  expect(await release(hold.id)).toMatchObject({ heldWon: -4_000n, walletWon: 4_000n, debtWon: 0n });
  expect(await own()).toEqual(['wallet:M1 11000']);
  expect(await listHolds(db.pool)).toEqual([]);
  expect(await listHolds(db.pool, { released: true })).toMatchObject([
    { releasedBy: 'kim', releaseReason: 'complaint' },
  ]);
});

test('without an amount the wallet is held, and what is settled until the release', async () => {
  await sell('12:05', 'a', 10_000);
  const { hold } = await place();
  await sell('12:10', 'b', 1_000);
  expect(await own()).toEqual(['held:M1 11000']);
  await release(hold.id);
  expect(await own()).toEqual(['wallet:M1 11000']);
});

test('a wallet that holds less refuses, and nothing is kept of it', async () => {
  await sell('12:05', 'a', 10_000);
  await expect(place(10_001n)).rejects.toMatchObject({ code: 'ledger_insufficient' });
  expect(await listHolds(db.pool)).toEqual([]);
});

test('a hold of all stands once, is released once, and is of a merchant that exists', async () => {
  const { hold } = await place();
  await expect(place()).rejects.toMatchObject({ code: 'hold_stands' });
  await release(hold.id);
  await expect(release(hold.id)).rejects.toMatchObject({ code: 'hold_released' });
  await expect(release(999n)).rejects.toMatchObject({ code: 'not_found' });
  await expect(inTransaction(db.pool, (tx) => placeHold(tx, { merchantId: 'M9', ...act }))).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('what another hold keeps stays held', async () => {
  await sell('12:05', 'a', 10_000);
  const part = await place(4_000n);
  const all = await place();
  expect(await own()).toEqual(['held:M1 10000']);
  expect(await release(part.hold.id)).toMatchObject({ heldWon: 0n });
  expect(await own()).toEqual(['held:M1 10000']);
  await release(all.hold.id);
  expect(await own()).toEqual(['wallet:M1 10000']);
});

test('a debt that stands is paid first', async () => {
  await sell('12:05', 'a', 10_000);
  const { hold } = await place(8_000n);
  await sell('12:10', 'a', -5_000, 1);
  expect(await own()).toEqual(['debt:M1 -3000', 'held:M1 8000']);
  expect(await release(hold.id)).toMatchObject({ heldWon: -8_000n, debtWon: 3_000n, walletWon: 5_000n });
  expect(await own()).toEqual(['wallet:M1 5000']);
});

test('what came back of a hold is what is left of it after clawbacks', async () => {
  await sell('12:05', 'a', 10_000);
  const { hold } = await place();
  await sell('12:10', 'a', -4_000, 1);
  expect(await own()).toEqual(['held:M1 6000']);
  expect(await release(hold.id)).toMatchObject({ heldWon: -6_000n, walletWon: 6_000n });
});

test.each(['placed', 'released'])(
  'a hold that is %s waits for the first booking of a day, and is not waited for',
  async (what) => {
    await sell('12:05', 'a', 10_000);
    const { hold } = await place(1_000n);
    const on = '2026-12-01';
    // Who books first has made the day's leaf, and does not come to the accounts before this is over.
    const holding = await db.pool.connect();
    await holding.query('begin');
    await holding.query(
      `insert into ledger_entry (event, kind, posted_on, posted_by) values ('first', 'test', '${on}', 'test')`,
    );
    const lines = [
      { account: 'suspense', amountWon: 1_000n },
      { account: 'wallet:M1', amountWon: -1_000n },
    ];
    const booking = inTransactionOnce(db.pool, (tx) =>
      post(tx, { event: 'first', kind: 'test', postedOn: on, postedBy: 'test', lines }),
    );
    await lockWaits(db.pool, 1);
    const acting = inTransactionOnce(db.pool, (tx) =>
      what === 'placed' ? placeHold(tx, { merchantId: 'M1', ...act, on }) : releaseHold(tx, hold.id, { ...act, on }),
    );
    await lockWaits(db.pool, 2);
    await holding.query('rollback');
    holding.release();
    await Promise.all([booking, acting]);
    expect(await own()).toEqual(what === 'placed' ? ['held:M1 9000'] : ['wallet:M1 9000']);
  },
);
