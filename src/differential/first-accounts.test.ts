// A merchant without any account, of whom a slot takes back while a refund comes: whoever is second sees the first.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import { inTransactionOnce, type PoolClient } from '../platform/database/pool.ts';
import { createSettlementBooks } from '../settlement/books.fixture.ts';
import { holdFirstAccounts } from '../settlement/first-accounts-store.ts';
import { bookRefunds } from './refund-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await books.merchant('M1', { vat: 'none', ppm: 0 });
  // Else who books first on a day is waited for by the next.
  await ensureLedgerDay(db.pool, '2026-11-20');
});
afterEach(() => db.close());

const hold = () =>
  db.pool.query(`insert into settlement_hold (merchant_id, reason, placed_by) values ('M1', 'complaint', 'test')`);
const cancel = () => books.sales([{ tid: 'a', won: -1_000, seq: 1 }]);

/** 700 won come to the merchant; `look` is called before it is committed. */
const refund = (look: (tx: PoolClient) => Promise<unknown> = async () => {}) =>
  inTransactionOnce(db.pool, async (tx) => {
    await tx.query(
      `create temp table due (provider text, merchant_id text collate "C", difference_won bigint) on commit drop`,
    );
    await tx.query(`insert into due values ('welcome', 'M1', 700)`);
    const of = { from: 'due', eventPrefix: 'refund:', kind: 'differential', answerId: null } as const;
    const { refused } = await bookRefunds(tx, { ...of, postedOn: '2026-11-20', postedBy: 'test' });
    expect([...refused]).toEqual([]);
    await look(tx);
  });
const own = async () => (await books.balances()).filter((line) => line.endsWith(' -1000') || / -?[37]00$/.test(line));
/** Until the second one waits for the first, or has passed it. */
const passedOrWaits = (second: Promise<unknown>) => Promise.race([second, lockWaits(db.pool, 1)]);

test.each([
  ['a wallet', async () => {}],
  ['what is held', hold],
])('a refund that comes while a slot makes the first debt repays it, and opens not %s', async (_, prepare) => {
  await prepare();
  await cancel();
  let refunding: Promise<unknown> = Promise.resolve();
  await books.settle('12:05', {
    look: async () => {
      refunding = refund();
      await passedOrWaits(refunding);
    },
  });
  await refunding;
  expect(await own()).toEqual(['debt:M1 -300', 'refund_receivable:welcome -700']);
});

test.each([
  ['the first wallet', async () => {}],
  ['what is held first', hold],
])('a slot that takes back while a refund opens %s takes from there first', async (_, prepare) => {
  await prepare();
  await cancel();
  let settling: Promise<unknown> = Promise.resolve();
  await refund(async () => {
    settling = books.settle('12:05');
    await passedOrWaits(settling);
  });
  await settling;
  expect(await own()).toEqual(['debt:M1 -300', 'refund_receivable:welcome -700']);
});

test('those who credit wait for nobody who credits, and who takes back for all of them', async () => {
  const at = (which: 'net_won > 0' | 'net_won < 0', then: () => Promise<unknown> = async () => {}) =>
    inTransactionOnce(db.pool, async (tx) => {
      const won = which === 'net_won > 0' ? 1 : -1;
      await tx.query(
        `create temp table sum_of on commit drop as select 'M1' collate "C" as merchant_id, ${won} as net_won`,
      );
      await holdFirstAccounts(tx, { from: 'sum_of', which });
      await then();
    });
  let taking: Promise<unknown> = Promise.resolve();
  const order: string[] = [];
  await at('net_won > 0', async () => {
    await at('net_won > 0');
    taking = at('net_won < 0').then(() => order.push('taken'));
    await lockWaits(db.pool, 1);
    order.push('credited');
  });
  await taking;
  expect(order).toEqual(['credited', 'taken']);
});
