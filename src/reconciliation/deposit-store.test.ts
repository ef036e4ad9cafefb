import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBooks } from '../../test/support/books.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { checkDeposits } from './deposit-store.ts';

const on = '2026-11-18';
let db: TestDatabase;
let books: ReturnType<typeof createBooks>;
let nth = 0;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  nth += 1;
  books = createBooks(db.pool, `provider-${nth}`);
  await books.captures(on, [{ tid: 'T1', won: 1000 }]);
  await promise('2026-11-19');
});

/** A settlement statement of the day, or its next version, that pays 1,000 won in on `day`; reconciled. */
async function promise(day: string): Promise<void> {
  const load = await books.statement('settlement', on, [{ tid: 'T1', won: 1000 }]);
  await db.pool.query('insert into statement_pay_in values ($1, $2, 1, 1000, 0, 0, 1000)', [load, day]);
  await books.match('settlement', on);
}

async function deposit(day: string, won: number): Promise<void> {
  await db.pool.query(
    `with i as (insert into import (kind, file_name, imported_by) values ('deposits', 'x', 'test') returning import_id)
     insert into deposit (provider, deposited_on, bank_ref, amount_won, import_id)
     select $1, $2::text::date, $2::text || '/' || $3::text, $3::text::bigint, import_id from i`,
    [books.provider, day, won],
  );
}

function check(day: string) {
  const { provider } = books;
  return inTransaction(db.pool, (tx) => checkDeposits(tx, { provider, on: Temporal.PlainDate.from(day) }, 'run'));
}

test('a deposit in parts differs until its last part has come', async () => {
  await deposit('2026-11-19', 400);
  await check('2026-11-19');
  expect(await books.breaks('deposit')).toEqual(['2026-11-19 deposit_differs -600 open']);
  await deposit('2026-11-19', 600);
  await check('2026-11-19');
  expect(await books.breaks('deposit')).toEqual([]);
  expect(await check('2026-11-19')).toEqual({ checked: 0 });
});

test('a pay-in that a correction moves to another day is no longer missed on the old one', async () => {
  await check('2026-11-20');
  expect(await books.breaks('deposit')).toEqual(['2026-11-19 deposit_differs -1000 open']);
  await promise('2026-11-20');
  await deposit('2026-11-20', 1000);
  await check('2026-11-20');
  expect(await books.breaks('deposit')).toEqual([]);
});

test('nothing is judged while the file of a MID is missing', async () => {
  await db.pool.query(`update reconciled_stage set inputs = 'loads 1; mids MID2' where provider = $1`, [
    books.provider,
  ]);
  await check('2026-11-20');
  expect(await books.breaks('deposit')).toEqual([]);
});

test('a difference that was resolved is open again when its amount is another', async () => {
  await deposit('2026-11-19', 400);
  await check('2026-11-19');
  await db.pool.query(
    `update break set state = 'resolved', resolution = 'written_off', resolved_at = now() where provider = $1`,
    [books.provider],
  );
  await check('2026-11-19');
  expect(await books.breaks('deposit')).toEqual(['2026-11-19 deposit_differs -600 resolved']);
  await deposit('2026-11-19', -300);
  await check('2026-11-19');
  expect(await books.breaks('deposit')).toEqual(['2026-11-19 deposit_differs -900 open']);
  const { rows } = await db.pool.query(
    `select from_state, to_state, note from break_event join break using (break_id) where provider = $1
      order by event_id desc limit 1`,
    [books.provider],
  );
  expect(rows).toEqual([{ from_state: 'resolved', to_state: 'open', note: '-600 → -900 won in run' }]);
});

test.each([
  [300, ['open → investigating', 'investigating → investigating'], ['2026-11-19 deposit_differs -300 investigating']],
  [600, ['open → investigating', 'investigating → resolved'], []],
])('a break that a person takes up while %d won more are checked keeps its trail', async (won, trail, standing) => {
  await deposit('2026-11-19', 400);
  await check('2026-11-19');
  await deposit('2026-11-19', won);
  const person = await db.pool.connect();
  await person.query('begin');
  const { rows } = await person.query(
    `with taken as (update break set state = 'investigating' where provider = $1 and stage = 'deposit' returning break_id)
     insert into break_event (break_id, who, action, from_state, to_state)
     select break_id, 'kim', 'investigating', 'open', 'investigating' from taken returning break_id`,
    [books.provider],
  );
  const checking = check('2026-11-19');
  await lockWaits(db.pool, 1);
  await person.query('commit');
  person.release();
  await checking;
  expect(await books.breaks('deposit')).toEqual(standing);
  const told = await db.pool.query<{ text: string }>(
    `select from_state || ' → ' || to_state as text from break_event where break_id = $1 and from_state is not null
      order by event_id`,
    [rows[0]?.break_id],
  );
  expect(told.rows.map(({ text }) => text)).toEqual(trail);
});
