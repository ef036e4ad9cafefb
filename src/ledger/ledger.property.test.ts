import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { deviationsOf } from '../../test/support/ledger.ts';
import { isProblem } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { balancesOf, type LedgerLine, post, postAll, reverse } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const accounts = ['wallet:A', 'wallet:B', 'held:A', 'debt:A', 'in_flight:B', 'receivable:ksnet', 'fee', 'suspense'];
const mayBeAnything = (account: string) => /^(receivable|fee|suspense)/.test(account);

type Move = {
  readonly act: 'post' | 'batch' | 'reverse' | 'again';
  readonly entries: readonly LedgerLine[][];
  readonly which: number;
};
const account = fc.constantFrom(...accounts);
const won = fc.bigInt({ min: 1n, max: 1000n });
/** Two to five lines that sum to 0: each amount is put on one account and taken from another. */
const entry = fc.array(fc.tuple(account, account, won), { minLength: 1, maxLength: 3 }).map((parts) =>
  parts.flatMap(([from, to, amountWon]) => [
    { account: from, amountWon: -amountWon },
    { account: to, amountWon },
  ]),
);
const move: fc.Arbitrary<Move> = fc.record({
  act: fc.constantFrom('post', 'post', 'batch', 'reverse', 'again'),
  entries: fc.array(entry, { minLength: 1, maxLength: 4 }),
  which: fc.nat(1000),
});

/**
 * A ledger of three lines of code: what is refused there has to be refused by the database, and nothing else.
 * 1. the sum of all is 0; 2. each balance is that of its lines; 3. no side is violated; 4. an event books once;
 * 5. a reversal takes back all; 6. the ledger's own check finds nothing.
 */
class Model {
  readonly balances = new Map<string, bigint>(accounts.map((name) => [name, 0n]));
  readonly booked = new Map<string, readonly LedgerLine[]>();

  /** False where a side would be violated; then nothing changes. */
  book(entries: ReadonlyMap<string, readonly LedgerLine[]>): boolean {
    const after = new Map(this.balances);
    for (const lines of entries.values())
      for (const { account: name, amountWon } of lines) after.set(name, (after.get(name) ?? 0n) + amountWon);
    for (const [name, balance] of after) {
      if (!mayBeAnything(name) && (name.startsWith('debt') ? balance > 0n : balance < 0n)) return false;
    }
    for (const [name, balance] of after) this.balances.set(name, balance);
    for (const [event, lines] of entries) this.booked.set(event, lines);
    return true;
  }
}

let rounds = 0;
test('random entries, batches, reversals and repetitions keep every law of the ledger', async () => {
  const model = new Model();
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 12 }), async (moves) => {
      rounds += 1;
      for (const [n, each] of moves.entries()) await play(model, each, `${rounds}:${n}`);
      const kept = await balancesOf(database.pool, accounts);
      expect(kept).toEqual(model.balances);
      expect([...kept.values()].reduce((sum, balance) => sum + balance, 0n)).toBe(0n);
      expect(await deviationsOf(database.pool)).toEqual([]);
    }),
    { numRuns: 80, endOnFailure: true },
  );
  expect(model.booked.size).toBeGreaterThan(100);
});

async function play(model: Model, { act, entries, which }: Move, name: string): Promise<void> {
  const known = [...model.booked.keys()];
  const earlier = known[which % Math.max(known.length, 1)];
  if (act === 'again' && earlier !== undefined)
    return expect(await booked(earlier, model.booked.get(earlier) ?? [])).toBe(false);
  if (act === 'reverse' && earlier !== undefined) {
    const event = `reversal:${earlier}`;
    const lines = (model.booked.get(earlier) ?? []).map((line) => ({ ...line, amountWon: -line.amountWon }));
    const expected = model.booked.has(event) ? false : model.book(new Map([[event, lines]])) ? true : 'refused';
    const took = refusedOr(
      inTransaction(database.pool, (tx) =>
        reverse(tx, { event: earlier, by: 'test', reason: 'test', postedOn: '2026-11-21' }),
      ),
    );
    return expect(await took).toBe(expected);
  }
  if (act === 'batch') {
    const batch = new Map(entries.map((lines, n) => [`${name}:${n}`, lines]));
    return expect(await bookedAll(batch)).toBe(model.book(batch) ? batch.size : 'refused');
  }
  const lines = entries[0] ?? [];
  expect(await booked(name, lines)).toBe(model.book(new Map([[name, lines]])) ? true : 'refused');
}

const refusedOr = <T>(work: Promise<T>): Promise<T | 'refused'> =>
  work.catch((error: unknown) => {
    if (isProblem(error, 'ledger_insufficient')) return 'refused';
    throw error;
  });

const booked = (event: string, lines: readonly LedgerLine[]) =>
  refusedOr(
    inTransaction(database.pool, (tx) =>
      post(tx, { event, kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines }),
    ),
  );

function bookedAll(batch: ReadonlyMap<string, readonly LedgerLine[]>): Promise<number | 'refused'> {
  const rows = [...batch].flatMap(([event, lines]) => lines.map((line) => ({ event, ...line })));
  return refusedOr(
    inTransaction(database.pool, async (tx) => {
      await tx.query(
        `create temp table posting on commit drop as
         select event, 'test' as kind, '2026-11-20'::date as posted_on, 'test' as posted_by, null::text as reason, account, won as amount_won
           from unnest($1::text[], $2::text[], $3::bigint[]) as line (event, account, won)`,
        [rows.map(({ event }) => event), rows.map((row) => row.account), rows.map(({ amountWon }) => amountWon)],
      );
      return postAll(tx, { from: 'posting' });
    }),
  );
}
