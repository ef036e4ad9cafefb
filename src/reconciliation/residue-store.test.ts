import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBooks, type Entry } from '../../test/support/books.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { captureMatching, transactionMatching } from '../providers/matching.ts';
import { matchStage } from './match-store.ts';

const day = Temporal.PlainDate.from('2026-11-18');
const d1 = day.toString();
const d2 = day.add({ days: 1 }).toString();
let db: TestDatabase;
let books: ReturnType<typeof createBooks>;
let provider = 0;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(() => {
  provider += 1;
  books = createBooks(db.pool, `provider-${provider}`);
});

test('lines dated all over the calendar do not hide the day next to them', async () => {
  const early: Entry = { tid: 'T1', won: 700, time: '00:00:03' };
  await books.payments(d2, [early]);
  await books.statement('transaction', d2, [early]);
  await books.match('transaction', d2);
  const strays = Array.from({ length: 70 }, (_, n) => ({
    tid: `X${n}`,
    won: 1,
    dated: day.subtract({ days: 100 + n }).toString(),
  }));
  await books.statement('transaction', d1, [...strays, early]);
  await books.match('transaction', d1);
  expect((await books.breaks()).filter((text) => !text.includes('X'))).toEqual([`${d1} duplicate T1/0 700 open`]);
});

test('a payment that comes after its day was reconciled finds its line on the neighbouring day', async () => {
  await books.payments(d2, [{ tid: 'T2', won: 1 }]);
  await books.statement('transaction', d2, [{ tid: 'T2', won: 1 }]);
  await books.match('transaction', d2);
  await books.statement('transaction', d1, [{ tid: 'T1', won: 700, time: '23:59:59' }]);
  await books.match('transaction', d1);
  expect(await books.breaks()).toEqual([`${d1} missing_here T1/0 700 open`]);
  await books.payments(d1, [{ tid: 'T3', won: 3 }]);
  await books.payments(d2, [{ tid: 'T1', won: 700, time: '00:00:03' }]);
  await books.match('transaction', d1);
  expect(await books.breaks()).toEqual([`${d1} missing_at_provider T3/0 -3 open`]);
  expect(await books.pairings()).toEqual([`${d2} T1 → ${d1} 2 tid-across-days timing`]);
});

test.each(['transaction', 'capture', 'settlement'] as const)('%s reads no leaf of a long history', async (stage) => {
  for (let n = 1; n <= 30; n += 1) {
    const past = day.subtract({ days: n }).toString();
    for (const table of ['payment', 'capture', `${stage}_line`]) {
      await db.pool.query('select ensure_leaf($1, $2, $3)', [table, books.provider, past]);
    }
  }
  const nearMidnight: Entry = { tid: 'T1', won: 700, time: '00:00:03' };
  const ours: Entry[] = [{ tid: 'T2', won: 5 }];
  await books.payments(d1, ours);
  await books.captures(d1, ours);
  await books.statement(stage, d2, [nearMidnight]);
  await books.match(stage, d2);
  await books.statement(stage, d1, [{ tid: 'T2', won: 6 }]);
  const matching = stage === 'transaction' ? transactionMatching : captureMatching;
  const read = await inTransaction(db.pool, async (tx) => {
    await matchStage(tx, { provider: books.provider, stage, on: day }, matching, { runId: 'r', mids: null });
    const { rows } = await tx.query<{ leaf: string }>(
      `select distinct c.relname as leaf from pg_locks l join pg_class c on c.oid = l.relation
       where l.pid = pg_backend_pid() and c.relkind = 'r' and c.relname ~ '_20[0-9]{6}$'`,
    );
    return rows.map((row) => row.leaf).filter((leaf) => !/_202611(17|18|19)$/.test(leaf));
  });
  expect(read).toEqual([]);
});
