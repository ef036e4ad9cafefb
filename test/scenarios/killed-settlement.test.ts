import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSettlementBooks, type Sale } from '../../src/settlement/books.fixture.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { runProcess } from '../support/processes.ts';

const worker = path.resolve(import.meta.dirname, '../../src/settlement/worker.fixture.ts');
const day = '2026-11-20';

let db: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;

beforeEach(async () => {
  db = await testDatabase();
  books = createSettlementBooks(db.pool);
  await db.pool.query('create table paid_after (slot text)');
  for (const merchant of ['M1', 'M2', 'M3']) await books.merchant(merchant);
});
afterEach(() => db.close());

const slotText = (n: number) =>
  `${day}T${String(9 + Math.floor(n / 12)).padStart(2, '0')}:${String((n % 12) * 5).padStart(2, '0')}+09:00`;

/** What comes in before slot n: a sale of each merchant, and the cancel of one of the slot before. */
function salesOf(n: number): Sale[] {
  const sales: Sale[] = ['M1', 'M2', 'M3'].map((merchant) => ({ tid: `${merchant}-${n}`, won: 10_000, merchant }));
  if (n > 0) sales.push({ tid: `M1-${n - 1}`, seq: 1, won: -10_000, merchant: 'M1' });
  return sales;
}

const workerOf = (slots: readonly string[], env: NodeJS.ProcessEnv) =>
  runProcess(worker, slots, { DATABASE_URL: db.url, ...env });

/** Each process ends what the one before was killed at, and is killed in the next slot. */
async function killedAt(deaths: readonly NodeJS.ProcessEnv[]): Promise<void> {
  for (const [n, death] of deaths.entries()) {
    await books.sales(salesOf(n));
    const slots = n === 0 ? [slotText(0)] : [slotText(n - 1), slotText(n)];
    const doomed = workerOf(slots, death);
    expect(await doomed.ended, doomed.errors()).toBe('SIGKILL');
  }
  const last = workerOf([slotText(deaths.length - 1)], {});
  expect(await last.ended, last.errors()).toBe(0);
}

/** Every capture is settled once, every slot is credited and paid out once, and the wallets hold what they must. */
async function expectEverythingOnce(slots: number): Promise<void> {
  const count = async (sql: string) => Number((await db.pool.query(`select count(*) as n from ${sql}`)).rows[0].n);
  expect(await books.unsettled()).toEqual([]);
  expect(await books.items()).toHaveLength(3 * slots + slots - 1);
  expect(await count(`settlement_cycle where state = 'settled'`)).toBe(slots);
  expect(await count('settlement_cycle')).toBe(slots);
  expect(await count('(select distinct slot from paid_after) s')).toBe(slots);
  expect(await count('paid_after')).toBe(slots);
  // 10,000 won at 1.15 %: fee 115, VAT 11, 9,874 left. Of M1 one sale is left, all others were cancelled in full.
  expect(await books.balances()).toEqual([
    `fee ${115 * (2 * slots + 1)}`,
    `receivable:ksnet ${-10_000 * (2 * slots + 1)}`,
    `vat ${11 * (2 * slots + 1)}`,
    'wallet:M1 9874',
    `wallet:M2 ${9_874 * slots}`,
    `wallet:M3 ${9_874 * slots}`,
  ]);
}

/** How many statements a slot takes, told by a process that lives. */
async function statementsOfASlot(): Promise<number> {
  const other = await testDatabase();
  try {
    const quiet = createSettlementBooks(other.pool);
    await other.pool.query('create table paid_after (slot text)');
    await quiet.merchant('M1');
    // The first process of a database makes the engine's tables and indexes beside its slot.
    const first = runProcess(worker, [slotText(0)], { DATABASE_URL: other.url });
    expect(await first.ended, first.errors()).toBe(0);
    await quiet.sales([{ tid: 'a', won: 1_000 }]);
    const living = runProcess(worker, [slotText(1)], { DATABASE_URL: other.url });
    const [, state, items, statements] = (await living.line()).split(' ');
    expect([state, items]).toEqual(['settled', '1']);
    expect(await living.ended, living.errors()).toBe(0);
    return Number(statements);
  } finally {
    await other.close();
  }
}

test.each([
  ['before', 'DIE_BEFORE', 0],
  ['after', 'DIE_AFTER', 2],
])(
  'killed %s statements from the first to the last of a slot, each capture is settled once',
  async (_, when, shift) => {
    const statements = await statementsOfASlot();
    const deaths: NodeJS.ProcessEnv[] = [];
    for (let at = 1 + shift; at < statements - 2; at += 4) deaths.push({ [when]: String(at) });
    expect(deaths.length).toBeGreaterThan(8);
    await killedAt(deaths);
    await expectEverythingOnce(deaths.length);
  },
);

test('two processes that settle the same slots settle each once', async () => {
  const slots = [0, 1, 2].map(slotText);
  for (const n of [0, 1, 2]) await books.sales(salesOf(n));
  const both = [workerOf(slots, {}), workerOf(slots, {})];
  for (const each of both) expect(await each.ended, each.errors()).toBe(0);
  expect(await books.items()).toHaveLength(11);
  const { rows } = await db.pool.query('select state, count(*)::int as n from settlement_cycle group by state');
  expect(rows.find(({ state }) => state === 'settled').n).toBeGreaterThan(0);
  expect(rows.find(({ state }) => state === 'running' || state === 'failed')).toBeUndefined();
});
