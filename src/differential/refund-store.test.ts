// Refunds that are booked while somebody else is at the same merchant's accounts.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { type LedgerLine, post } from '../ledger/store.ts';
import { inTransactionOnce, type PoolClient } from '../platform/database/pool.ts';
import { placeHold, releaseHold } from '../settlement/hold-store.ts';
import { bookRefunds } from './refund-store.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
  await db.pool.query(`insert into import (kind, file_name, imported_by) values ('merchants', 'x', 'test')`);
  await db.pool.query(`insert into merchant select 'M001', 'M001', '1234567891', max(import_id) from import`);
});
afterEach(() => db.close());

const on = '2026-11-23';
const namesOf = (merchants: number) =>
  Array.from({ length: merchants }, (_, n) => `M${String(n + 1).padStart(3, '0')}`);

let events = 0;
const move = (tx: PoolClient, ...lines: LedgerLine[]) => {
  events += 1;
  return post(tx, { event: `move:${events}`, kind: 'test', postedOn: on, postedBy: 'test', lines });
};
/** So many won come to the account from nowhere, or go there. */
const give = (tx: PoolClient, account: string, amountWon: bigint) =>
  move(tx, { account, amountWon }, { account: 'suspense', amountWon: -amountWon });

/** Books so many won for each of these merchants, in one transaction, which is not begun anew. */
const refund = (merchants: readonly string[], won: bigint, postedOn = on) =>
  inTransactionOnce(db.pool, async (tx) => {
    await tx.query(
      `create temp table due (provider text, merchant_id text collate "C", difference_won bigint) on commit drop`,
    );
    await tx.query(`insert into due select 'welcome', m, $2 from unnest($1::text[]) m`, [merchants, won]);
    const of = { from: 'due', eventPrefix: 'refund:', kind: 'differential', answerId: null } as const;
    const { refused } = await bookRefunds(tx, { ...of, postedOn, postedBy: 'test' });
    expect([...refused]).toEqual([]);
  });

/** Begins a transaction that a test ends. */
async function begun(work: (tx: PoolClient) => Promise<unknown>) {
  const tx = await db.pool.connect();
  await tx.query('begin');
  await work(tx);
  return async (how: 'commit' | 'rollback'): Promise<void> => {
    await tx.query(how);
    tx.release();
  };
}

const own = async (merchant = 'M001'): Promise<string[]> => {
  const { rows } = await db.pool.query(
    `select account || ' ' || balance_won as text from ledger_account where owner = $1 and balance_won <> 0 order by 1`,
    [merchant],
  );
  return rows.map(({ text }) => text);
};

// Few merchants are looked up among all accounts, many are not.
test.each([1, 400])(
  'what is repaid of a debt while a refund waits for it is not repaid twice, of %i merchants',
  async (merchants) => {
    const names = namesOf(merchants);
    await inTransactionOnce(db.pool, (tx) =>
      move(tx, ...names.map((name) => ({ account: `debt:${name}`, amountWon: -1_000n })), {
        account: 'suspense',
        amountWon: 1_000n * BigInt(merchants),
      }),
    );
    const end = await begun((tx) => give(tx, 'debt:M001', 400n));
    const refunding = refund(names, 700n);
    await lockWaits(db.pool, 1);
    await end('commit');
    await refunding;
    expect(await own()).toEqual(['wallet:M001 100']);
    if (merchants > 1) expect(await own('M002')).toEqual(['debt:M002 -300']);
  },
);

test('what is owed more while a refund waits for the debt is repaid by it', async () => {
  await inTransactionOnce(db.pool, (tx) => give(tx, 'debt:M001', -100n));
  const end = await begun((tx) => give(tx, 'debt:M001', -900n));
  const refunding = refund(['M001'], 700n);
  await lockWaits(db.pool, 1);
  await end('commit');
  await refunding;
  expect(await own()).toEqual(['debt:M001 -300']);
});

test('the first debt of a merchant, which comes about while a refund is booked, is repaid by it', async () => {
  await inTransactionOnce(db.pool, (tx) => give(tx, 'wallet:M001', 50n));
  // As a slot does that takes back more than the wallet has.
  const end = await begun((tx) =>
    move(
      tx,
      { account: 'wallet:M001', amountWon: -50n },
      { account: 'debt:M001', amountWon: -900n },
      { account: 'suspense', amountWon: 950n },
    ),
  );
  const refunding = refund(['M001', 'M002'], 700n);
  await lockWaits(db.pool, 1);
  await end('commit');
  await refunding;
  expect(await own()).toEqual(['debt:M001 -200']);
  expect(await own('M002')).toEqual(['wallet:M002 700']);
  const { rows } = await db.pool.query(`select offset_won, wallet_won from claim_refund where merchant_id = 'M001'`);
  expect(rows).toEqual([{ offset_won: 700n, wallet_won: 0n }]);
});

test.each([
  ['placed', ['held:M001 750']],
  ['released', ['wallet:M001 750']],
] as const)('a hold that is being %s is waited for', async (what, left) => {
  await inTransactionOnce(db.pool, (tx) => give(tx, 'wallet:M001', 50n));
  const act = { by: 'kim', reason: 'complaint', on };
  const place = (tx: PoolClient) => placeHold(tx, { merchantId: 'M001', ...act });
  const placed = what === 'released' ? await inTransactionOnce(db.pool, place) : undefined;
  const end = await begun((tx) => (placed === undefined ? place(tx) : releaseHold(tx, placed.hold.id, act)));
  const refunding = refund(['M001'], 700n);
  await lockWaits(db.pool, 1);
  await end('commit');
  await refunding;
  expect(await own()).toEqual(left);
});

test('a refund waits for the first booking of a day, and is not waited for', async () => {
  await inTransactionOnce(db.pool, (tx) => give(tx, 'debt:M001', -1_000n));
  const day = '2026-12-01';
  // Who books first has made the day's leaf, and does not come to the accounts before this is over.
  const end = await begun((tx) =>
    tx.query(`insert into ledger_entry (event, kind, posted_on, posted_by) values ('first', 'test', '${day}', 'test')`),
  );
  const lines = [
    { account: 'debt:M001', amountWon: 400n },
    { account: 'suspense', amountWon: -400n },
  ];
  const booking = inTransactionOnce(db.pool, (tx) =>
    post(tx, { event: 'first', kind: 'test', postedOn: day, postedBy: 'test', lines }),
  );
  await lockWaits(db.pool, 1);
  const refunding = refund(['M001'], 700n, day);
  await lockWaits(db.pool, 2);
  await end('rollback');
  await Promise.all([booking, refunding]);
  expect(await own()).toEqual(['wallet:M001 100']);
});
