// What is paid out while something else happens to the same wallet: each test holds one open and lets the others wait.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balanceOf, post } from '../ledger/store.ts';
import { openCipher } from '../platform/cipher.ts';
import { inTransaction, inTransactionOnce, type PoolClient } from '../platform/database/pool.ts';
import { placeHold } from '../settlement/hold-store.ts';
import { noteAnswers } from './answer-store.ts';
import { claimPayouts, markSending } from './claim-store.ts';
import { createDirectPayouts } from './direct-store.ts';
import { rulesOfLate } from './late-answer-store.ts';
import { makeMerchants, noon, on } from './payout.fixture.ts';
import { cancelPayout, requestPayout } from './request-store.ts';

let database: TestDatabase;
let merchant: string;
const rules = { bank: 'journal', now: noon };

beforeEach(async () => {
  database = await testDatabase();
  const cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-')) });
  [merchant = ''] = await makeMerchants(database.pool, cipher, { count: 1, balanceWon: 100_000n });
});

afterEach(() => database.close());

const request = (amountWon: bigint, key: string) =>
  requestPayout(database.pool, { merchantId: merchant, amountWon, key: `${merchant} ${key}`, who: 'kim' }, rules);
const moneyOf = async () => [
  await balanceOf(database.pool, walletOf(merchant)),
  await balanceOf(database.pool, inFlightOf(merchant)),
];

/** Pays out the merchant's wallet as after a slot. */
async function payDirect(): Promise<number> {
  await database.pool.query(
    `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, min_payout_won, recorded_by)
     values ($1, '2026-01-01', 'M5', 'none', 'direct', 1, 'test')`,
    [merchant],
  );
  const slot = { slot: '2026-11-20T12:05+09:00', settledOn: on, runId: 'settle' };
  return await inTransaction(database.pool, (tx) => createDirectPayouts(tx, slot, rules));
}

/** Does `work` in a transaction that is committed once so many others wait for a lock. */
async function during<T>(work: (tx: PoolClient) => Promise<unknown>, others: readonly (() => Promise<T>)[]) {
  const waiting: Promise<T>[] = [];
  await inTransactionOnce(database.pool, async (tx) => {
    await work(tx);
    for (const other of others) {
      waiting.push(other());
      await lockWaits(database.pool, waiting.length);
    }
  });
  return await Promise.allSettled(waiting);
}

test.each([
  ['a withdrawal', () => request(10_000n, 'while'), { status: 'rejected', reason: { code: 'hold_stands' } }],
  ['what is paid by itself', payDirect, { status: 'fulfilled', value: 0 }],
])('of what comes back to a wallet while all is being held, %s that waits gets nothing', async (_, pay, outcome) => {
  const payout = await request(60_000n, 'before');
  const hold = { merchantId: merchant, by: 'kim', reason: 'complaint', on };
  const [, paid] = await during<unknown>(
    (tx) => placeHold(tx, hold),
    [() => cancelPayout(database.pool, payout.id, { who: 'kim' }, noon), pay],
  );
  expect(paid).toMatchObject(outcome);
  expect(await moneyOf()).toEqual([60_000n, 0n]);
});

test('what is credited to a wallet while it is about to be paid out by itself is paid too', async () => {
  await cancelPayout(database.pool, (await request(1_000n, 'before')).id, { who: 'kim' }, noon);
  const lines = [
    { account: 'suspense', amountWon: -5_000n },
    { account: walletOf(merchant), amountWon: 5_000n },
  ];
  const credit = { event: `credit ${merchant}`, kind: 'test', postedOn: on, postedBy: 'test', lines };
  expect(await during((tx) => post(tx, credit), [payDirect])).toEqual([{ status: 'fulfilled', value: 1 }]);
  expect(await moneyOf()).toEqual([0n, 105_000n]);
});

test('that a payout was not sent, said again because its commit was not heard of, does not unsay the next sending', async () => {
  const { id } = await request(10_000n, 'k');
  const send = async () => {
    const [payout] = await claimPayouts(database.pool, rules.bank, noon.add({ hours: 1 }));
    await markSending(database.pool, [{ payoutId: id, run: payout?.run ?? '' }], noon);
    return payout?.run ?? '';
  };
  const notSent = (run: string) => {
    const answer = { outcome: 'not_sent', reason: 'refused' } as const;
    const word = { payoutId: id, source: 'transfer', answer, who: run, releases: run } as const;
    return inTransaction(database.pool, (tx) => noteAnswers(tx, [word], rulesOfLate(rules.bank, noon)));
  };
  const first = await send();
  expect(await notSent(first)).toMatchObject([{ state: 'holder_checked', verdict: 'applied' }]);
  const second = await send();
  expect(await notSent(first)).toMatchObject([{ state: 'sent', verdict: 'repeated' }]);
  await expect(cancelPayout(database.pool, id, { who: 'kim' }, noon)).rejects.toMatchObject({
    code: 'payout_not_cancellable',
  });
  expect(await notSent(second)).toMatchObject([{ state: 'holder_checked', verdict: 'applied' }]);
  expect(await cancelPayout(database.pool, id, { who: 'kim' }, noon)).toMatchObject({ state: 'cancelled' });
});
