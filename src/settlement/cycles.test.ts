import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createSettlementBooks, type Terms } from './books.fixture.ts';
import { failCycle, finishCycle, openCycle, takeCaptures } from './cycle-store.ts';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
});
afterEach(() => db.close());

// Captured on Friday 2026-11-20 and taken by the slot of 12:05.
test.each<[Terms, string | null, [on: string, time: string]]>([
  [{ cycle: 'M5' }, null, ['2026-11-20', '12:05']],
  [{ cycle: 'M10' }, '2026-11-20 12:10', ['2026-11-20', '12:10']],
  [{ cycle: 'M30' }, '2026-11-20 12:30', ['2026-11-20', '12:30']],
  [{ cycle: 'M30' }, '2026-11-20 12:30', ['2026-11-20', '12:35']],
  [{ cycle: 'D+0', at: '12:00' }, null, ['2026-11-20', '12:05']],
  [{ cycle: 'D+1', at: '09:00' }, '2026-11-24 09:00', ['2026-11-24', '09:00']],
  [{ cycle: 'D+2' }, '2026-11-25 00:00', ['2026-11-25', '00:00']],
  [{ cycle: 'W:MON', roll: 'forward' }, '2026-11-24 00:00', ['2026-11-24', '00:00']],
  [{ cycle: 'W:MON', roll: 'none' }, '2026-11-23 00:00', ['2026-11-23', '00:00']],
  [{ cycle: 'MD:22', roll: 'forward' }, '2026-11-24 00:00', ['2026-11-24', '00:00']],
  [{ cycle: 'MD:15', at: '10:00' }, '2026-12-15 10:00', ['2026-12-15', '10:00']],
])('%o waits until %s and is settled then, and not a slot earlier', async (terms, due, [on, time]) => {
  const holidays = ['2026-11-23'];
  await books.merchant('M1', {}, terms);
  await books.sales([{ tid: 'a', won: 10_000 }]);
  const first = await books.settle('12:05', { holidays });
  expect(await books.unsettled()).toEqual(due === null ? [] : [`a/0 - 0 ${due}`]);
  if (due === null) return;
  expect(first).toMatchObject({ items: 0n, waiting: 1n, setAside: 0n });
  const before = Temporal.PlainDateTime.from(due.replace(' ', 'T')).subtract({ minutes: 5 });
  if (before.toString() > '2026-11-20T12:05:00') {
    const slot = { on: before.toPlainDate().toString(), holidays };
    expect(await books.settle(before.toPlainTime().toString({ smallestUnit: 'minute' }), slot)).toMatchObject({
      items: 0n,
    });
  }
  expect(await books.settle(time, { on, holidays })).toMatchObject({ items: 1n, creditedWon: 9_874n });
  expect(await books.unsettled()).toEqual([]);
});

test('what was set aside is settled at a time of its own cycle once it can be', async () => {
  await books.merchant('M1', {}, { cycle: 'M30' });
  await books.captures([{ tid: 'a', won: 10_000 }]);
  await books.settle('12:05');
  expect(await books.unsettled()).toEqual(['a/0 capture_without_approval 1 2026-11-20 12:10']);
  await books.payments([{ tid: 'a', won: 10_000 }]);
  expect(await books.settle('12:10')).toMatchObject({ items: 0n, waiting: 1n });
  expect(await books.settle('12:30')).toMatchObject({ items: 1n });
});

test('a holiday that is added while a capture waits puts it off', async () => {
  await books.merchant('M1', {}, { cycle: 'D+1' });
  await books.sales([{ tid: 'a', won: 10_000 }]);
  await books.settle('12:05');
  const holidays = ['2026-11-23'];
  expect(await books.settle('00:00', { on: '2026-11-23', holidays })).toMatchObject({ items: 0n, waiting: 1n });
  expect(await books.unsettled()).toEqual(['a/0 - 0 2026-11-24 00:00']);
});

describe('tiers', () => {
  const tiers = [
    [10_000, 10_000],
    [50_000, 5_000],
  ] as const;

  test('of this month count what was settled before the slot', async () => {
    await books.merchant('M1', { ppm: 20_000, volume: 'month_to_date', tiers });
    for (const [n, won] of [9_000, 1_000, 40_000, 10_000].entries()) {
      await books.sales([{ tid: `${n}`, won }]);
      await books.settle(`12:${String(5 + 5 * n).padStart(2, '0')}`);
    }
    // Before: 0, 9,000, 10,000, 50,000.
    expect(await books.items()).toEqual([
      '0/0 9000 180 18 rate',
      '1/0 1000 20 2 rate',
      '2/0 40000 400 40 rate',
      '3/0 10000 50 5 rate',
    ]);
  });

  test('of the month before count that month, also what was settled before the contract had tiers', async () => {
    await books.merchant('M1', { ppm: 20_000 });
    await books.sales([{ tid: 'old', won: 12_000, traded: '2026-10-30' }]);
    await books.settle('12:00', { on: '2026-10-30' });
    await books.contract('M1', { from: '2026-11-01', ppm: 20_000, volume: 'previous_month', tiers });
    for (const [n, won] of [60_000, 10_000].entries()) {
      await books.sales([{ tid: `${n}`, won }]);
      await books.settle(`12:${String(5 + 5 * n).padStart(2, '0')}`);
    }
    expect(await books.items()).toEqual(['0/0 60000 600 60 rate', '1/0 10000 100 10 rate', 'old/0 12000 240 24 rate']);
  });

  test('a cancel gives back by the rate of its sale, whatever tier has been reached since', async () => {
    await books.merchant('M1', { ppm: 20_000, volume: 'month_to_date', tiers });
    await books.sales([{ tid: 'a', won: 60_000 }]);
    await books.settle('12:05');
    await books.sales([{ tid: 'a', seq: 1, won: -30_000, kind: 'P' }]);
    await books.settle('12:10');
    expect(await books.items()).toEqual(['a/0 60000 1200 120 rate', 'a/1 -30000 -600 -60 rate']);
  });
});

test('of two that open one slot at once, one has it and the other finds it taken', async () => {
  const slot = Temporal.Instant.from('2026-11-20T12:05+09:00');
  const opened = { slot, runId: 'settle:12:05', who: 'test' };
  const first = await db.pool.connect();
  await first.query('begin');
  expect(await openCycle(first, opened)).toBe('running');
  const second = inTransaction(db.pool, (tx) => openCycle(tx, opened));
  const third = inTransaction(db.pool, (tx) =>
    openCycle(tx, { ...opened, slot: slot.add({ minutes: 5 }), runId: 'settle:12:10' }),
  );
  await lockWaits(db.pool, 2);
  await first.query('commit');
  first.release();
  expect([await second, await third]).toEqual(['closed', 'another_running']);
});

test('a slot that was given up, its run cancelled say, takes nothing away from the next one', async () => {
  await books.merchant('M1', { ppm: 0 });
  await books.sales([{ tid: 'a', won: 1_000 }]);
  const slot = Temporal.Instant.from('2026-11-20T12:05+09:00');
  const runId = 'settle:2026-11-20T12:05+09:00';
  await inTransaction(db.pool, (tx) => openCycle(tx, { slot, runId, who: 'test' }));
  await inTransaction(db.pool, (tx) => failCycle(tx, runId, 'run_ended'));
  const taking = inTransaction(db.pool, (tx) => takeCaptures(tx, slot, runId, 10));
  await expect(taking).rejects.toMatchObject({ code: 'settlement_cycle_over' });
  expect(await books.settle('12:10')).toMatchObject({ captures: 1n, items: 1n });
});

test('a slot that is opened while a later one ends is left out', async () => {
  const [slot, later] = ['12:05', '12:10'].map((time) => Temporal.Instant.from(`2026-11-20T${time}+09:00`));
  const opened = { runId: 'settle:12:10', who: 'test' };
  await inTransaction(db.pool, (tx) => openCycle(tx, { ...opened, slot: later as Temporal.Instant }));
  const opening = await db.pool.connect();
  const outcomes: string[] = [];
  // After any one of its looks at the cycles the later slot ends.
  for (const look of [1, 2, 3]) {
    await db.pool.query(`update settlement_cycle set state = 'running', finished_at = null`);
    let looks = 0;
    const query = opening.query.bind(opening) as (...args: unknown[]) => Promise<unknown>;
    const watched = Object.create(opening, {
      query: {
        value: async (...args: unknown[]) => {
          const answer = await query(...args);
          looks += String(args[0]).includes('from settlement_cycle') ? 1 : 0;
          if (looks === look) await inTransaction(db.pool, (tx) => finishCycle(tx, opened.runId, null));
          return answer;
        },
      },
    });
    await opening.query('begin');
    const found = await openCycle(watched, { slot: slot as Temporal.Instant, runId: 'settle:12:05', who: 'test' });
    await opening.query('rollback');
    outcomes.push(found);
  }
  opening.release();
  expect(outcomes).toEqual(['slot_passed', 'slot_passed', 'another_running']);
});
