import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import type { ProblemCode } from '../kernel/problem.ts';
import { inTransaction, type PoolClient } from '../platform/database/pool.ts';
import { debtOf, house, receivableOf, walletOf } from './accounts.ts';
import { balanceOf, balancesOf, type LedgerEntry, linesOf, post, postAll, reverse } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const newMerchant = (): string => `M-${randomUUID()}`;
const on = '2026-11-20';
const transfer = (event: string, from: string, to: string, amountWon: bigint): LedgerEntry => ({
  event,
  kind: 'test',
  postedOn: on,
  postedBy: 'test',
  lines: [
    { account: from, amountWon: -amountWon },
    { account: to, amountWon },
  ],
});
const inTx = <T>(work: (tx: PoolClient) => Promise<T>) => inTransaction(database.pool, work);
const refusal = (code: ProblemCode, details: object = {}) => ({ code, details: expect.objectContaining(details) });

async function funded(won = 1000n): Promise<string> {
  const wallet = walletOf(newMerchant());
  await inTx((tx) => post(tx, transfer(`fund:${wallet}`, receivableOf('ksnet'), wallet, won)));
  return wallet;
}

describe('an event books once', () => {
  test('a capture with its fee and VAT', async () => {
    const wallet = walletOf(newMerchant());
    const before = await balancesOf(database.pool, [receivableOf('ksnet'), house.fee, house.vat]);
    const entry: LedgerEntry = {
      ...transfer(`settlement:${wallet}`, house.fee, wallet, 1n),
      lines: [
        { account: receivableOf('ksnet'), amountWon: -1000n },
        { account: house.fee, amountWon: 20n },
        { account: house.vat, amountWon: 2n },
        { account: wallet, amountWon: 978n },
      ],
    };
    expect(await inTx((tx) => post(tx, entry))).toBe(true);
    expect(await inTx((tx) => post(tx, entry))).toBe(false);
    expect(await inTx((tx) => post(tx, { ...entry, lines: entry.lines.toReversed() }))).toBe(false);
    const after = await balancesOf(database.pool, [receivableOf('ksnet'), house.fee, house.vat, wallet]);
    const moved = [...after].map(([account, won]) => won - (before.get(account) ?? 0n));
    expect(moved).toEqual([-1000n, 20n, 2n, 978n]);
    expect(await linesOf(database.pool, entry.event)).toEqual(entry.lines);
  });

  test.each([
    ['another amount', 'same', 999n],
    ['another account', 'other', 1000n],
  ])('with %s it is refused', async (_, which, won) => {
    const wallet = await funded();
    const to = which === 'same' ? wallet : walletOf(newMerchant());
    const again = inTx((tx) => post(tx, transfer(`fund:${wallet}`, receivableOf('ksnet'), to, won)));
    await expect(again).rejects.toMatchObject(refusal('ledger_event_differs', { event: `fund:${wallet}` }));
    expect(await balanceOf(database.pool, wallet)).toBe(1000n);
  });

  test('of many who book it at once one does', async () => {
    const wallet = walletOf(newMerchant());
    const entry = transfer(`once:${wallet}`, house.suspense, wallet, 5n);
    const booked = await Promise.all(Array.from({ length: 8 }, () => inTx((tx) => post(tx, entry))));
    expect(booked.filter(Boolean)).toHaveLength(1);
    expect(await balanceOf(database.pool, wallet)).toBe(5n);
  });
});

test.each([
  ['a wallet', (m: string) => transfer(`below:${m}`, walletOf(m), house.bank, 1n), 'wallet', '-1'],
  ['a debt above nothing', (m: string) => transfer(`debt:${m}`, house.bank, debtOf(m), 7n), 'debt', '7'],
])('%s on its wrong side is refused, whatever else the entry holds', async (_, entryOf, kind, wouldBeWon) => {
  const merchant = newMerchant();
  await expect(inTx((tx) => post(tx, entryOf(merchant)))).rejects.toMatchObject(
    refusal('ledger_insufficient', { account: `${kind}:${merchant}`, wouldBeWon }),
  );
});

test.each(['wallet', 'fee:M1', 'nothing', 'nothing:M1', 'wallet:', ':', ''])(
  'the chart knows no %j',
  async (account) => {
    const posted = inTx((tx) => post(tx, transfer(`chart:${account}`, house.suspense, account, 1n)));
    await expect(posted).rejects.toMatchObject(refusal('ledger_account_unknown', { account }));
  },
);

test('a reversal takes back what was booked, once', async () => {
  const wallet = await funded();
  const take = { event: `fund:${wallet}`, by: 'kim', reason: 'wrong merchant', postedOn: '2026-11-23' };
  expect(await inTx((tx) => reverse(tx, take))).toBe(true);
  expect(await inTx((tx) => reverse(tx, take))).toBe(false);
  expect(await balanceOf(database.pool, wallet)).toBe(0n);
  await expect(inTx((tx) => reverse(tx, { ...take, event: 'nothing' }))).rejects.toMatchObject(
    refusal('ledger_event_unknown'),
  );
});

test('an adjustment that nobody approved is refused by the database', async () => {
  const entry = { ...transfer('adjustment:1', house.suspense, house.rounding, 1n), kind: 'adjustment' };
  await expect(inTx((tx) => post(tx, entry))).rejects.toMatchObject(
    refusal('ledger_unapproved', { event: 'adjustment:1' }),
  );
});

describe('many entries at once', () => {
  const batch = (entries: readonly LedgerEntry[]) =>
    inTx(async (tx) => {
      await tx.query(`create temp table batch (event text, kind text, posted_on date, posted_by text, reason text,
                      account text, amount_won bigint) on commit drop`);
      for (const { event, kind, postedOn, postedBy, lines } of entries)
        for (const { account, amountWon } of lines)
          await tx.query('insert into batch values ($1, $2, $3, $4, null, $5, $6)', [
            event,
            kind,
            postedOn,
            postedBy,
            account,
            amountWon,
          ]);
      return postAll(tx, { from: 'batch' });
    });

  test('are booked like one by one; those booked before are left out', async () => {
    const [a, b] = [walletOf(newMerchant()), walletOf(newMerchant())];
    const entries = [
      transfer(`fund:${a}`, house.suspense, a, 10n),
      { ...transfer(`fund:${b}`, house.suspense, b, 20n), postedOn: '2026-11-21' },
    ];
    expect(await batch(entries)).toBe(2);
    expect(await batch([...entries, transfer(`move:${a}`, a, b, 4n)])).toBe(1);
    expect([...(await balancesOf(database.pool, [a, b])).values()]).toEqual([6n, 24n]);
  });

  test('a booked event with another amount is refused, and nothing of the batch is booked', async () => {
    const [a, b] = [walletOf(newMerchant()), walletOf(newMerchant())];
    await batch([transfer(`fund:${a}`, house.suspense, a, 10n)]);
    await expect(
      batch([transfer(`fund:${b}`, house.suspense, b, 1n), transfer(`fund:${a}`, house.suspense, a, 11n)]),
    ).rejects.toMatchObject(refusal('ledger_event_differs', { event: `fund:${a}` }));
    expect(await balanceOf(database.pool, b)).toBe(0n);
  });

  test('one event with two sets of particulars is refused', async () => {
    const a = walletOf(newMerchant());
    const entry = transfer(`fund:${a}`, house.suspense, a, 10n);
    await expect(batch([entry, { ...entry, postedOn: '2026-11-19' }])).rejects.toMatchObject(
      refusal('ledger_event_differs'),
    );
  });

  test('a wallet below nothing is refused by its name', async () => {
    const [a, b] = [walletOf(newMerchant()), walletOf(newMerchant())];
    await expect(batch([transfer(`move:${a}`, a, b, 4n)])).rejects.toMatchObject(
      refusal('ledger_insufficient', { account: a, wouldBeWon: '-4' }),
    );
  });
});
