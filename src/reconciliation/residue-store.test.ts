import { expect, test } from 'vitest';
import type { Entry } from '../../test/support/books.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { captureMatching, transactionMatching } from '../providers/matching.ts';
import { drawBase, drawBelow } from '../sandbox/draw.ts';
import { matchStage } from './match-store.ts';
import { books, db, keepOwnBooks } from './own-books.fixture.ts';

const day = Temporal.PlainDate.from('2026-11-18');
const d1 = day.toString();
const d2 = day.add({ days: 1 }).toString();
keepOwnBooks();

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

/** Draws the same numbers for the same seed. */
function drawFrom(seed: number): (below: number) => number {
  const base = drawBase('shared keys', `${seed}`);
  let n = 0;
  return (below) => {
    n += 1;
    return drawBelow(base, n, 0, below);
  };
}

/** The pairs that the `approval` pass should find, as simply as it can be said: card by card first, then in order. */
function approvalPairs(ours: readonly Entry[], theirs: readonly Entry[]): string[] {
  const free = new Map(theirs.map((line, n) => [n + 2, line]));
  const found = new Map<string, number>();
  for (const key of [(e: Entry) => `${e.approvalNo} ${e.cardNo}`, (e: Entry) => `${e.approvalNo}`]) {
    for (const one of ours.toSorted((a, b) => (a.tid < b.tid ? -1 : 1))) {
      if (found.has(one.tid) || one.cardNo === '' || one.approvalNo === '') continue;
      const [line] = [...free].find(([, each]) => key(each) === key(one)) ?? [];
      if (line === undefined) continue;
      found.set(one.tid, line);
      free.delete(line);
    }
  }
  return [...found].map(([tid, line]) => `${d1} ${tid} → ${d1} ${line} approval matched`).sort();
}

test.each([1, 2, 3])('records that share an approval go to their card first, the rest in order (%i)', async (seed) => {
  const draw = drawFrom(seed);
  const entries = (mark: string) =>
    Array.from({ length: 40 + draw(20) }, (_, n) => ({
      tid: `${mark}${100 + ((n * 37) % 101)}`,
      won: 100,
      approvalNo: `A${draw(4)}`,
      orderNo: '',
      cardNo: `123456******${draw(3)}`,
    }));
  const [ours, theirs] = [entries('T'), entries('X')];
  await books.payments(d1, ours);
  await books.statement('transaction', d1, theirs);
  await books.match('transaction', d1);
  expect(await books.pairings()).toEqual(approvalPairs(ours, theirs));
});

test('an approval that a whole day shares on both sides costs no more than their sorting', async () => {
  const [ours, theirs] = [20_000, 20_500];
  await books.payments(d1, []);
  const load = await books.statement('transaction', d1, []);
  await db.pool.query(
    `insert into payment select $1, $2, 'T' || lpad(n::text, 5, '0'), 0, 'A', 100, now(), 'MID1', 'M1', '', 'ONE', '04',
       '04', 'CM1', '123456******1234', 0, 1 from generate_series(1, $3::int) n`,
    [books.provider, d1, ours],
  );
  await db.pool.query(
    `insert into transaction_line (provider, statement_on, load_id, line_no, kind, cancel_seq, instalments, traded_on,
       amount_won, traded_time, provider_tid, mid, approval_no, order_no, acquirer, card_merchant_no, card_no)
     select $1, $2, $3, n, 'A', 0, 0, $2, 100, '12:00', 'X' || n, 'MID1', 'ONE', '', '04', 'CM1', '123456******1234'
     from generate_series(1, $4::int) n order by md5(n::text)`,
    [books.provider, d1, load, theirs],
  );
  await db.pool.query('update payment_total set payments = $2 where provider = $1', [books.provider, ours]);
  await db.pool.query('update statement_load set lines = $2 where load_id = $1', [load, theirs]);
  await inTransaction(db.pool, async (tx) => {
    // The 410 million pairs of that key would take far longer, whatever the machine.
    await tx.query(`set local statement_timeout = '10s'`);
    await matchStage(tx, { provider: books.provider, stage: 'transaction', on: day }, transactionMatching, {
      runId: 'r',
      mids: null,
    });
  });
  const { rows } = await db.pool.query(
    `select count(*)::int as pairs, bool_and(right(provider_tid, 5)::int = line_no) as in_order from pairing
     where provider = $1 and pass = 'approval'`,
    [books.provider],
  );
  expect(rows).toEqual([{ pairs: ours, in_order: true }]);
  expect(await books.breaks()).toHaveLength(theirs - ours);
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
