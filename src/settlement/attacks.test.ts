// What a settlement has to live through: one capture, one hold or one file that would stop or rob everybody else.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createSettlementBooks, type Sale, today } from './books.fixture.ts';
import { placeHold, releaseHold } from './hold-store.ts';
import { waitingOf } from './settled-store.ts';
import { unsettledToJson } from './unsettled-rows.ts';
import { listUnsettled, unsettledTotals } from './unsettled-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await books.merchant('M1', { ppm: 0 });
  await books.merchant('M2', { ppm: 0 });
});
afterEach(() => db.close());

const own = async () => (await books.balances()).filter((line) => /^(wallet|held|debt)/.test(line));
const times = ['12:05', '12:10', '12:15', '12:20'] as const;

test.each<[string, Sale[]]>([
  ['the most negative', [{ tid: 'a', seq: 1, won: -(2n ** 63n) }]],
  ['the most', [{ tid: 'a', won: 2n ** 63n - 1n }]],
  ['many that are far too much', ['a', 'b', 'c'].map((tid) => ({ tid, won: 2n ** 63n - 1n }))],
])('amounts that a bigint holds, %s, keep nobody else from being settled', async (_, refused) => {
  for (const sale of refused) await books.sales([sale]);
  for (const [n, time] of times.entries()) {
    await books.sales([{ tid: `b${n}`, won: 1_000, merchant: 'M2' }]);
    await books.settle(time);
  }
  expect(await own()).toEqual(['wallet:M2 4000']);
  expect((await books.unsettled()).map((line) => line.split(' ')[1])).toEqual(
    refused.map(() => 'capture_amount_refused'),
  );
  const refusedWon = refused.reduce((sum, { won }) => sum + BigInt(won), 0n);
  expect(await unsettledTotals(db.pool)).toMatchObject([{ amountWon: refusedWon }]);
  expect(await waitingOf(db.pool, 'M1')).toMatchObject([{ amountWon: refusedWon }]);
  const [listed] = await listUnsettled(db.pool, { limit: 1 });
  expect(listed && unsettledToJson(listed, 'en')).toMatchObject({ amountWon: String(refused[0]?.won) });
});

const act = { by: 'kim', reason: 'complaint', on: today };
const place = () => inTransaction(db.pool, (tx) => placeHold(tx, { merchantId: 'M1', ...act }));

test('a hold that is placed while a slot settles holds what that slot credits', async () => {
  await books.sales([{ tid: 'a', won: 3_000 }]);
  let placing: Promise<unknown> = Promise.resolve();
  await books.settle('12:10', {
    look: async () => {
      placing = place();
      await Promise.race([placing, blockedBackend()]);
    },
  });
  await placing;
  expect(await own()).toEqual(['held:M1 3000']);
});

test('a hold that is released while a slot settles gives back what that slot holds', async () => {
  const { hold } = await place();
  await books.sales([{ tid: 'a', won: 1_000 }]);
  let releasing: Promise<unknown> = Promise.resolve();
  await books.settle('12:05', {
    look: async () => {
      releasing = inTransaction(db.pool, (tx) => releaseHold(tx, hold.id, act));
      await Promise.race([releasing, blockedBackend()]);
    },
  });
  await releasing;
  expect(await own()).toEqual(['wallet:M1 1000']);
});

/** Until somebody waits for a lock: what was begun beside the slot waits for it. */
async function blockedBackend(): Promise<void> {
  for (let left = 1_000; left > 0; left -= 1) {
    const { rows } = await db.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
  }
  throw new Error('nobody waits');
}

describe('what was captured before on a day that no import compares is not settled again', () => {
  const first: Sale = { tid: 'a', won: 1_000, traded: '2026-11-02', captured: '2026-11-03' };
  const again: Sale = { ...first, captured: '2026-11-12' };
  const refused = [expect.stringMatching(/^a\/0 capture_repeated 1 /)];

  test('where the first was settled', async () => {
    await books.sales([first]);
    await books.settle('12:05');
    await books.captures([again, { tid: 'b', won: 10, traded: '2026-11-02', captured: '2026-11-12' }]);
    await books.payments([{ tid: 'b', won: 10, traded: '2026-11-02' }]);
    await books.settle('12:10');
    expect(await books.items()).toEqual(['a/0 1000 0 0 rate', 'b/0 10 0 0 rate']);
    expect(await books.unsettled()).toEqual(refused);
  });

  test('where both come in one slot', async () => {
    await books.payments([first]);
    await books.captures([first, again]);
    await books.settle('12:05');
    expect(await books.items()).toEqual(['a/0 1000 0 0 rate']);
    expect(await books.unsettled()).toEqual(refused);
  });

  test('where the first is not due yet', async () => {
    await books.terms('M1', { from: '2026-11-03', cycle: 'D+30' });
    await books.terms('M1', { from: '2026-11-12', cycle: 'M5' });
    await books.sales([first]);
    await books.settle('12:05');
    await books.captures([again]);
    await books.settle('12:10');
    expect(await books.items()).toEqual([]);
    expect(await books.unsettled()).toEqual([expect.stringMatching(/^a\/0 - 0 /), ...refused]);
  });
});

test('a capture of more than was approved, or cancelled, is not settled', async () => {
  const approved: Sale[] = [
    { tid: 'a', won: 1_000 },
    { tid: 'b', won: 1_000 },
    { tid: 'b', seq: 1, won: -400, kind: 'P' },
    { tid: 'c', won: 1_000 },
  ];
  await books.payments(approved);
  const captured = [1_001n, 1_000n, -401n, 999n];
  await books.captures(approved.map((sale, n) => ({ ...sale, won: captured[n] as bigint })));
  await books.settle('12:05');
  expect(await books.items()).toEqual(['b/0 1000 0 0 rate', 'c/0 999 0 0 rate']);
  expect((await books.unsettled()).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'a/0 capture_over_approval',
    'b/1 capture_over_approval',
  ]);
});
