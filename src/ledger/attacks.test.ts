import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { house, walletOf } from './accounts.ts';
import { balanceOf, post } from './store.ts';

/** What the database itself refuses, to whoever writes SQL by hand. */
let database: TestDatabase;
let wallet: string;
let entryId: bigint;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  wallet = walletOf(randomUUID());
  const lines = [
    { account: house.suspense, amountWon: -100n },
    { account: wallet, amountWon: 100n },
  ];
  const entry = { event: `fund:${wallet}`, kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines };
  await inTransaction(database.pool, (tx) => post(tx, entry));
  const { rows } = await database.pool.query<{ id: bigint }>(
    'select entry_id as id from ledger_entry where event = $1',
    [entry.event],
  );
  entryId = rows[0]?.id ?? 0n;
});

const tables = ['ledger_line', 'ledger_line_20261120'];
const insertLines = (table: string, id: string, amounts: readonly number[]) =>
  `insert into ${table} (posted_on, account, entry_id, line_no, amount_won)
   select '2026-11-20', $1, ${id}, n + 100, won from unnest('{${amounts.join()}}'::bigint[]) with ordinality as l (won, n)`;

describe.each(tables)('on %s', (table) => {
  test('an entry that does not balance', async () => {
    const attack = inTransaction(database.pool, async (tx) => {
      const { rows } = await tx.query<{ id: bigint }>(
        `insert into ledger_entry (event, kind, posted_on, posted_by) values ($1, 'test', '2026-11-20', 'x')
         returning entry_id as id`,
        [randomUUID()],
      );
      await tx.query(insertLines(table, String(rows[0]?.id), [5, -4]), [wallet]);
    });
    await expect(attack).rejects.toThrow(/does not balance: 1/);
  });

  test('balanced lines for an old entry', async () => {
    const attack = database.pool.query(insertLines(table, String(entryId), [5, -5]), [wallet]);
    await expect(attack).rejects.toThrow(/not posted with it/);
  });

  test('balanced lines for no entry', async () => {
    const attack = database.pool.query(insertLines(table, '987654321', [5, -5]), [wallet]);
    await expect(attack).rejects.toThrow(/not posted with it/);
  });

  test('lines by COPY, as by INSERT', async () => {
    const attack = database.pool.query(
      `copy ${table} from program 'echo 2026-11-20,${wallet},1,900,5' with (format csv)`,
    );
    await expect(attack).rejects.toThrow(/does not balance: 5/);
  });

  test.each([
    ['changed', `update ${table} set amount_won = amount_won * 2`],
    ['deleted', `delete from ${table}`],
    ['emptied', `truncate ${table}`],
  ])('lines are never %s', async (_, sql) => {
    await expect(database.pool.query(sql)).rejects.toThrow(/never changed or deleted/);
  });
});

test('lines for an entry of the same transaction, on another day than its own', async () => {
  const attack = inTransaction(database.pool, async (tx) => {
    await tx.query(`select ensure_ledger_leaf('2026-11-21')`);
    const { rows } = await tx.query<{ id: bigint }>(
      `insert into ledger_entry (event, kind, posted_on, posted_by) values ($1, 'test', '2026-11-21', 'x')
       returning entry_id as id`,
      [randomUUID()],
    );
    await tx.query(insertLines('ledger_line', String(rows[0]?.id), [5, -5]), [wallet]);
  });
  await expect(attack).rejects.toThrow(/not posted with it/);
});

test.each([
  ['an entry changed', `update ledger_entry set reason = 'x'`, /never changed/],
  ['an entry deleted', 'delete from ledger_entry', /never changed/],
  ['entries emptied', 'truncate ledger_entry', /never changed/],
  ['a balance changed', 'update ledger_balance set balance_won = balance_won + 1', /follow from the lines/],
  ['a balance made', `insert into ledger_balance values ('wallet:new', 0, 'credit', 5)`, /follow from the lines/],
  ['a balance deleted', 'delete from ledger_balance', /follow from the lines/],
  ['balances emptied', 'truncate ledger_balance', /follow from the lines/],
  [
    'a reversal of nothing',
    `insert into ledger_entry (event, kind, posted_on, posted_by, reverses) values ('r', 'x', '2026-11-20', 'x', 'nothing')`,
    /never booked/,
  ],
  [
    'an adjustment of one person',
    `insert into ledger_entry (event, kind, posted_on, posted_by) values ('a', 'adjustment', '2026-11-20', 'x')`,
    /was not approved/,
  ],
])('%s is refused', async (_, sql, words) => {
  await expect(database.pool.query(sql)).rejects.toThrow(words);
  expect(await balanceOf(database.pool, wallet)).toBe(100n);
});
