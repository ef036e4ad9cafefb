import { describe, expect, test } from 'vitest';
import type { Entry } from '../../test/support/books.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { books, db, keepOwnBooks } from './own-books.fixture.ts';

keepOwnBooks();

const d1 = '2026-11-18';
const d2 = '2026-11-19';
const d3 = '2026-11-20';

const late: Entry = { tid: 'T1', won: 700, time: '00:00:03' };
const lateLine: Entry = { ...late, time: '23:59:59' };
const plain: Entry = { tid: 'T0', won: 1 };

describe('a correction of a day whose lines were consumed by records of other days', () => {
  test('finds the record of the other day again', async () => {
    await books.payments(d1, [plain]);
    await books.payments(d2, [late]);
    await books.statement('transaction', d1, [plain, lateLine]);
    await books.statement('transaction', d2, []);
    await books.match('transaction', d1);
    await books.match('transaction', d2);
    expect(await books.pairings()).toEqual([`${d2} T1 → ${d1} 3 tid-across-days timing`]);
    for (const corrected of [
      [lateLine, plain],
      [{ ...plain, won: 2 }, lateLine],
    ]) {
      await books.statement('transaction', d1, corrected);
      await books.match('transaction', d1);
      const line = corrected.indexOf(lateLine) + 2;
      expect(await books.pairings()).toEqual([`${d2} T1 → ${d1} ${line} tid-across-days timing`]);
    }
    expect(await books.breaks()).toEqual([`${d1} amount_differs T0/0 1 open`]);
    expect(await books.goneBreaks()).toEqual([]);
  });

  test('keeps what people did about a difference that still stands', async () => {
    await books.payments(d1, [plain]);
    await books.payments(d2, [late]);
    await books.statement('transaction', d1, [plain, { ...lateLine, won: 710 }]);
    await books.statement('transaction', d2, []);
    await books.match('transaction', d1);
    await books.match('transaction', d2);
    expect(await books.breaks()).toEqual([`${d1} amount_differs T1/0 10 open`]);
    await db.pool.query(`update break set state = 'investigating', assigned_to = 'kim' where provider = $1`, [
      books.provider,
    ]);
    await books.statement('transaction', d1, [{ ...lateLine, won: 710 }, plain]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d1} amount_differs T1/0 10 investigating`]);
    await books.statement('transaction', d1, [lateLine, plain]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([]);
    expect(await books.goneBreaks()).toEqual([`${d1} amount_differs T1/0 superseded`]);
    const { rows } = await db.pool.query(
      `select action, from_state, to_state, note like 'superseded in run %' as said from break_event join break using (break_id)
       where provider = $1 order by event_id desc limit 1`,
      [books.provider],
    );
    expect(rows).toEqual([{ action: 'gone', from_state: 'investigating', to_state: 'resolved', said: true }]);
  });

  test.each([
    ["state = 'investigating', assigned_to = 'kim'", 2, '2 investigating'],
    ["state = 'resolved', resolution = 'written_off', resolved_at = now()", 2, '2 resolved'],
    ["state = 'resolved', resolution = 'written_off', resolved_at = now()", 3, '3 open'],
  ])('keeps what somebody does meanwhile (%s, then of %d won)', async (act, won, left) => {
    const differing = (difference: number) => ({ ...plain, won: plain.won + difference });
    await books.payments(d1, [plain, { ...plain, tid: 'T9' }]);
    await books.statement('transaction', d1, [{ ...plain, tid: 'T9' }, differing(2)]);
    await books.match('transaction', d1);
    await books.statement('transaction', d1, [differing(won), { ...plain, tid: 'T9' }]);
    const person = await db.pool.connect();
    await person.query('begin');
    await person.query(`update break set ${act} where provider = $1`, [books.provider]);
    const matching = books.match('transaction', d1);
    await lockWaits(db.pool, 1);
    await person.query('commit');
    person.release();
    await matching;
    const { rows } = await db.pool.query<{ text: string }>(
      `select b.difference_won || ' ' || b.state as text, b.resolution is not null as resolved, e.from_state, e.to_state
         from break b join break_event e using (break_id) where provider = $1 order by event_id desc limit 1`,
      [books.provider],
    );
    const [, from = '', state = ''] = [...(/state = '(\w+)'/.exec(act) ?? []), left.split(' ')[1]];
    const resolved = state === 'resolved';
    expect(rows).toEqual([{ text: left, resolved, from_state: from, to_state: state }]);
  });

  test('opens a resolved difference again when its amount is another', async () => {
    await books.payments(d1, [plain]);
    await books.statement('transaction', d1, [{ ...plain, won: 11 }]);
    await books.match('transaction', d1);
    await db.pool.query(
      `update break set state = 'resolved', resolution = 'written_off', resolved_at = now() where provider = $1`,
      [books.provider],
    );
    await books.statement('transaction', d1, [
      { tid: 'T9', won: 5 },
      { ...plain, won: 11 },
    ]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toContain(`${d1} amount_differs T0/0 10 resolved`);
    await books.statement('transaction', d1, [{ ...plain, won: 1_000_001 }]);
    await books.match('transaction', d1);
    expect(await books.breaks()).toEqual([`${d1} amount_differs T0/0 1000000 open`]);
    const { rows } = await db.pool.query(
      `select action, from_state, to_state, note like '10 → 1000000 won in run %' as said, resolution, resolved_at
       from break_event join break using (break_id) where provider = $1 and kind = 'amount_differs'
       order by event_id desc limit 1`,
      [books.provider],
    );
    expect(rows).toEqual([
      { action: 'changed', from_state: 'resolved', to_state: 'open', said: true, resolution: null, resolved_at: null },
    ]);
  });

  test('finds a settled capture of an earlier day again', async () => {
    const capture: Entry = { tid: 'T1', won: 1000, fee: 20, vat: 2 };
    await books.captures(d1, [capture]);
    await books.captures(d3, [{ tid: 'T3', won: 300 }]);
    await books.statement('settlement', d1, []);
    await books.statement('settlement', d3, [
      { ...capture, dated: d1 },
      { tid: 'T3', won: 300 },
    ]);
    await books.match('settlement', d1);
    await books.match('settlement', d3);
    await books.statement('settlement', d3, [
      { tid: 'T3', won: 300 },
      { ...capture, dated: d1 },
    ]);
    await books.match('settlement', d3);
    expect(await books.breaks('settlement')).toEqual([]);
    expect(await books.pairings('settlement')).toEqual([`${d1} T1 → ${d3} 3 tid-across-days matched`]);
  });

  test('a released capture keeps its release', async () => {
    const capture: Entry = { tid: 'T1', won: 1000 };
    await books.captures(d1, [capture]);
    await books.captures(d3, [{ tid: 'T3', won: 300 }]);
    await books.statement('capture', d1, [{ ...capture, result: 'H' }]);
    const release: Entry = { ...capture, dated: d1, result: 'L' };
    await books.statement('capture', d3, [release, { tid: 'T3', won: 300 }]);
    await books.match('capture', d1);
    await books.match('capture', d3);
    expect(await books.breaks('capture')).toEqual([]);
    await books.statement('capture', d3, [{ tid: 'T3', won: 300 }, release]);
    await books.match('capture', d3);
    expect(await books.breaks('capture')).toEqual([]);
    expect(await books.pairings('capture')).toEqual([`${d1} T1 → ${d3} 3 tid-across-days matched`]);
    await books.statement('capture', d3, [{ tid: 'T3', won: 300 }]);
    await books.match('capture', d3);
    expect(await books.breaks('capture')).toEqual([`${d1} capture_held T1/0 -1000 open`]);
  });
});

test('a line that waited and turns out to be a repetition stands beside one that repeats it', async () => {
  await books.payments(d1, [{ ...late, time: '23:59:58' }]);
  await books.payments(d2, [plain]);
  await books.statement('transaction', d1, [{ ...late, time: '23:59:58' }]);
  await books.statement('transaction', d2, [plain, late, late]);
  await books.match('transaction', d2);
  expect(await books.breaks()).toEqual([`${d2} duplicate T1/0 700 open`]);
  for (const on of [d1, d2, d1]) {
    await books.match('transaction', on);
    expect(await books.breaks()).toEqual([`${d2} duplicate T1/0 700 open`, `${d2} duplicate T1/0 700 open`]);
  }
});

test('a break that somebody takes up while its line comes is closed from there', async () => {
  await books.payments(d1, [plain]);
  await books.statement('transaction', d1, []);
  await books.match('transaction', d1);
  await books.statement('transaction', d3, [{ ...plain, dated: d1 }]);
  const person = await db.pool.connect();
  await person.query('begin');
  await person.query(`update break set state = 'investigating' where provider = $1`, [books.provider]);
  const matching = books.match('transaction', d3);
  await lockWaits(db.pool, 1);
  await person.query('commit');
  person.release();
  await matching;
  expect(await books.goneBreaks()).toEqual([`${d1} missing_at_provider T0/0 matched_later`]);
  const { rows } = await db.pool.query(
    `select from_state from break_event join break using (break_id) where provider = $1 and action = 'gone'`,
    [books.provider],
  );
  expect(rows).toEqual([{ from_state: 'investigating' }]);
});
