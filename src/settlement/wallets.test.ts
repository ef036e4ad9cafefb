import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { post } from '../ledger/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createSettlementBooks } from './books.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await books.merchant('M1', { vat: 'none', ppm: 0 });
});
afterEach(() => db.close());

/** Without fee and VAT, so that the amounts are the sales'. */
const sell = (tid: string, won: number) => books.sales([{ tid, won, seq: won < 0 ? 1 : 0 }]);
const pay = (won: bigint) =>
  inTransaction(db.pool, (tx) =>
    post(tx, {
      event: `payout:${won}:locked`,
      kind: 'payout_locked',
      postedOn: '2026-11-20',
      postedBy: 'test',
      lines: [
        { account: 'wallet:M1', amountWon: -won },
        { account: 'in_flight:M1', amountWon: won },
      ],
    }),
  );
const hold = async () => {
  const { rows } = await db.pool.query(
    `insert into settlement_hold (merchant_id, reason, placed_by) values ('M1', 'complaint', 'test') returning hold_id`,
  );
  return () =>
    db.pool.query(
      `update settlement_hold set released_by = 'test', released_at = now(), release_reason = 'over' where hold_id = $1`,
      [rows[0].hold_id],
    );
};
const own = async () => (await books.balances()).filter((line) => /^(wallet|held|debt)/.test(line));
const shares = async () => {
  const { rows } = await db.pool.query<{ text: string }>(
    `select concat_ws(' ', to_char(slot at time zone 'Asia/Seoul', 'HH24:MI'), net_won, 'offset', offset_won, 'carried',
       carried_won, 'held', held_won, 'wallet', wallet_won) as text from settlement order by slot`,
  );
  return rows.map(({ text }) => text);
};

test('a cancel after the money has gone is carried as debt, which the next sales repay first', async () => {
  await sell('a', 10_000);
  await books.settle('12:05');
  await pay(7_000n);
  await sell('a', -10_000);
  await books.settle('12:10');
  expect(await own()).toEqual(['debt:M1 -7000']);
  await sell('b', 4_000);
  await books.settle('12:15');
  expect(await own()).toEqual(['debt:M1 -3000']);
  await sell('c', 5_000);
  await books.settle('12:20');
  expect(await own()).toEqual(['wallet:M1 2000']);
  expect(await shares()).toEqual([
    '12:05 10000 offset 0 carried 0 held 0 wallet 10000',
    '12:10 -10000 offset 0 carried 7000 held 0 wallet -3000',
    '12:15 4000 offset 4000 carried 0 held 0 wallet 0',
    '12:20 5000 offset 3000 carried 0 held 0 wallet 2000',
  ]);
});

test('debt grows while there is nothing to take', async () => {
  await sell('a', -1_000);
  await books.settle('12:05');
  await sell('b', -500);
  await books.settle('12:10');
  expect(await own()).toEqual(['debt:M1 -1500']);
});

test('while a hold stands what comes is held, and what is taken back comes from there first', async () => {
  await sell('a', 3_000);
  await books.settle('12:05');
  const release = await hold();
  await sell('b', 2_000);
  await books.settle('12:10');
  expect(await own()).toEqual(['held:M1 2000', 'wallet:M1 3000']);
  await sell('c', -4_000);
  await books.settle('12:15');
  expect(await own()).toEqual(['wallet:M1 1000']);
  await release();
  await sell('d', 700);
  await books.settle('12:20');
  expect(await own()).toEqual(['wallet:M1 1700']);
  expect((await shares()).slice(1, 3)).toEqual([
    '12:10 2000 offset 0 carried 0 held 2000 wallet 0',
    '12:15 -4000 offset 0 carried 0 held -2000 wallet -2000',
  ]);
});

test('debt is repaid before anything is held', async () => {
  await sell('a', -1_000);
  await books.settle('12:05');
  await hold();
  await sell('b', 1_800);
  await books.settle('12:10');
  expect(await own()).toEqual(['held:M1 800']);
});

test('a sale and its cancel in one slot move nothing, and are settled all the same', async () => {
  await books.sales([
    { tid: 'a', won: 1_000 },
    { tid: 'a', seq: 1, won: -1_000 },
  ]);
  expect(await books.settle('12:05')).toMatchObject({ items: 2n, merchants: 1n, netWon: 0n });
  expect(await books.balances()).toEqual([]);
  expect(await shares()).toEqual(['12:05 0 offset 0 carried 0 held 0 wallet 0']);
});

test('a provider that sends no statements is settled by the contract of its method', async () => {
  await books.contract('M1', { ppm: 11_500, vat: 'added', from: '2026-11-01' });
  await books.contract('M1', { method: 'card_offline', ppm: 20_000, vat: 'added' });
  await books.sales([{ tid: 'a', won: 10_000, provider: 'nice' }]);
  expect(await books.settle('12:05')).toMatchObject({ items: 1n, merchants: 1n, netWon: 9_874n });
  // 1.15 % of 10,000 and a tenth of that, cut.
  expect(await books.balances()).toEqual(['fee 115', 'receivable:nice -10000', 'vat 11', 'wallet:M1 9874']);
});

test('captures of two providers are one settlement and one entry', async () => {
  await books.contract('M1', { method: 'card_offline', ppm: 20_000, vat: 'added' });
  await books.sales([
    { tid: 'a', won: 1_000 },
    { tid: 'b', won: 2_000, provider: 'welcome-offline' },
  ]);
  expect(await books.settle('12:05')).toMatchObject({ items: 2n, merchants: 1n });
  expect(await books.balances()).toEqual([
    'fee 40',
    'receivable:ksnet -1000',
    'receivable:welcome-offline -2000',
    'vat 4',
    'wallet:M1 2956',
  ]);
  const { rows } = await db.pool.query('select event, kind, posted_by from ledger_entry');
  expect(rows).toEqual([
    {
      event: 'settlement:2026-11-20T12:05+09:00:M1',
      kind: 'settlement',
      posted_by: 'settle:2026-11-20T12:05+09:00',
    },
  ]);
});

test('what is taken back waits for a refund of the same merchant at its debt, and keeps it not from the wallet', async () => {
  await sell('a', 10_000);
  await books.settle('12:05');
  await pay(7_000n);
  await sell('a', -10_000);
  await books.settle('12:10');
  await sell('b', 20_000);
  await books.settle('12:15');
  expect(await own()).toEqual(['wallet:M1 13000']);
  // As refunds of differential settlement do: the debt first, then what is booked.
  const refund = await db.pool.connect();
  await refund.query('begin');
  await refund.query(`select from ledger_balance where account = 'debt:M1' for update`);
  await sell('b', -20_000);
  const settling = books.settle('12:20');
  await lockWaits(db.pool, 1);
  await refund.query(`select from ledger_balance where account = 'wallet:M1' for update nowait`);
  const lines = [
    { account: 'suspense', amountWon: -1_000n },
    { account: 'wallet:M1', amountWon: 1_000n },
  ];
  await post(refund, { event: 'refund', kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines });
  await refund.query('commit');
  refund.release();
  await settling;
  expect(await own()).toEqual(['debt:M1 -6000']);
});

test.each([
  ['wallet', 'in_flight', -1_000n, ['debt:M1 -1000']],
  ['wallet', 'suspense', 1_000n, ['wallet:M1 1000']],
  ['held', 'suspense', 1_000n, ['held:M1 1000']],
])('what changes in the account %s while a slot waits for it counts', async (account, other, won, left) => {
  if (account === 'held') await hold();
  await sell('a', 20_000);
  await books.settle('12:05');
  const moving = await db.pool.connect();
  await moving.query('begin');
  const lines = [
    { account: `${account}:M1`, amountWon: won },
    { account: other === 'suspense' ? other : `${other}:M1`, amountWon: -won },
  ];
  await post(moving, { event: 'move', kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines });
  await sell('a', -20_000);
  const settling = books.settle('12:10');
  await lockWaits(db.pool, 1);
  await moving.query('commit');
  moving.release();
  await settling;
  expect(await own()).toEqual(left);
});

test('what comes into a first wallet while a slot waits for the debt counts too', async () => {
  const move = (event: string, account: string, won: bigint) => {
    const lines = [
      { account, amountWon: won },
      { account: 'suspense', amountWon: -won },
    ];
    return { event, kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines };
  };
  await inTransaction(db.pool, (tx) => post(tx, move('owed', 'debt:M1', -5_000n)));
  const refund = await db.pool.connect();
  await refund.query('begin');
  await refund.query(`select from ledger_balance where account = 'debt:M1' for update`);
  await sell('a', -20_000);
  const settling = books.settle('12:05');
  await lockWaits(db.pool, 1);
  await post(refund, move('refund', 'wallet:M1', 1_000n));
  await refund.query('commit');
  refund.release();
  await settling;
  expect(await own()).toEqual(['debt:M1 -24000']);
});
