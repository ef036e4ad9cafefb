import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { deviationsOf } from '../../test/support/ledger.ts';
import { isProblem } from '../kernel/problem.ts';
import { inTransaction, type PoolClient } from '../platform/database/pool.ts';
import { balanceOf, type LedgerLine, post, postAll } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ max: 16 });
});
afterAll(() => database.close());

const book = (tx: PoolClient, event: string, lines: readonly LedgerLine[]) =>
  post(tx, { event, kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines });
const names = (from: number, count: number) => Array.from({ length: count }, (_, n) => `wallet:C${(from + n) % 300}`);

async function bookAll(tx: PoolClient, event: string, accounts: readonly string[]): Promise<number> {
  await tx.query(
    `create temp table posting on commit drop as
     select $1 || ':' || name as event, 'test' as kind, '2026-11-20'::date as posted_on, 'test' as posted_by,
            null::text as reason, line.account, line.won as amount_won
       from unnest($2::text[]) as a (name)
      cross join lateral (values ('suspense', -1::bigint), (name, 1)) as line (account, won)`,
    [event, accounts],
  );
  return postAll(tx, { from: 'posting' });
}

test('postings onto the same accounts, in any order and at once, wait for one another and never dead-lock', async () => {
  const rounds = Array.from({ length: 48 }, (_, n) => {
    const accounts = names(n * 37, 200);
    return n % 2 === 0 ? accounts : accounts.toReversed();
  });
  const counts = await Promise.all(
    rounds.map((accounts, n) =>
      inTransaction(database.pool, async (tx) => {
        if (n % 3 > 0) return bookAll(tx, `batch:${n}`, accounts);
        const lines = accounts.map((account) => ({ account, amountWon: 1n }));
        await book(tx, `entry:${n}`, [...lines, { account: 'suspense', amountWon: BigInt(-accounts.length) }]);
        return 1;
      }),
    ),
  );
  expect(counts).toEqual(rounds.map((accounts, n) => (n % 3 > 0 ? accounts.length : 1)));
  expect(await balanceOf(database.pool, 'suspense')).toBe(BigInt(-48 * 200));
  expect(await deviationsOf(database.pool)).toEqual([]);
});

test('of two who spend the same won at once, one does', async () => {
  await inTransaction(database.pool, (tx) =>
    book(tx, 'fund', [
      { account: 'suspense', amountWon: -10n },
      { account: 'wallet:S', amountWon: 10n },
    ]),
  );
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      inTransaction(database.pool, (tx) =>
        book(tx, `spend:${n}`, [
          { account: 'wallet:S', amountWon: -4n },
          { account: 'in_flight:S', amountWon: 4n },
        ]),
      ).catch((error: unknown) => {
        if (isProblem(error, 'ledger_insufficient')) return 'refused';
        throw error;
      }),
    ),
  );
  expect(outcomes.filter((outcome) => outcome === true)).toHaveLength(2);
  expect(await balanceOf(database.pool, 'wallet:S')).toBe(2n);
  expect(await balanceOf(database.pool, 'in_flight:S')).toBe(8n);
});

test('an open transaction on a hot account keeps hardly anybody waiting, for its balance is spread', async () => {
  const fees = (n: number) => [
    { account: 'receivable:hot', amountWon: -1n },
    { account: `wallet:H${n}`, amountWon: 1n },
  ];
  const holder = await database.pool.connect();
  try {
    await holder.query('begin');
    await book(holder, 'hot:held', fees(-1));
    const booked = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        inTransaction(database.pool, async (tx) => {
          await tx.query('set local lock_timeout = 500');
          return book(tx, `hot:${n}`, fees(n));
        }).catch((error: unknown) => (error as { code?: string }).code),
      ),
    );
    expect(booked.filter((outcome) => outcome === true).length).toBeGreaterThanOrEqual(6);
    await holder.query('commit');
  } finally {
    holder.release();
  }
  const { rows } = await database.pool.query(`select shard from ledger_balance where account = 'receivable:hot'`);
  expect(rows.length).toBeGreaterThan(1);
});
