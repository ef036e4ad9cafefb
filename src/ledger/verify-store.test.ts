import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { deviationsOf } from '../../test/support/ledger.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { ledgerCommands } from './commands.ts';
import { post, reverse } from './store.ts';

/** A ledger with two entries, one of them reversed; then somebody with all rights tampers with it. */
let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  await inTransaction(database.pool, async (tx) => {
    for (const [event, amountWon] of [
      ['first', 100n],
      ['second', 50n],
    ] as const) {
      const lines = [
        { account: 'suspense', amountWon: -amountWon },
        { account: 'wallet:M1', amountWon },
      ];
      await post(tx, { event, kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines });
    }
    await reverse(tx, { event: 'second', by: 'kim', reason: 'wrong', postedOn: '2026-11-21' });
  });
});
afterEach(() => database.close());

/** Without the triggers that would refuse it. */
const tamper = (sql: string) =>
  inTransaction(database.pool, async (tx) => {
    await tx.query('set local session_replication_role = replica');
    await tx.query(sql);
  });

test('a ledger that nobody tampered with is clean', async () => {
  expect(await deviationsOf(database.pool)).toEqual([]);
  const { said, exitCode } = await runCommand(database.pool, ['ledger', 'verify'], (program, context, output) =>
    ledgerCommands(program, context, { output }),
  );
  expect([said, exitCode]).toEqual(['3 entries, 6 lines, 2 accounts verified: clean\n', 0]);
});

test.each([
  [
    'a line changed',
    `update ledger_line set amount_won = 101 where account = 'wallet:M1' and amount_won = 100`,
    ['entry_unbalanced first 0 1', 'balance_differs wallet:M1 101 100'],
  ],
  [
    'the lines of an entry deleted',
    `delete from ledger_line where posted_on = '2026-11-21'`,
    [
      'entry_without_lines reversal:second 0 null',
      'balance_differs suspense -150 -100',
      'balance_differs wallet:M1 150 100',
      'reversal_differs reversal:second 50 null',
      'reversal_differs reversal:second -50 null',
    ],
  ],
  ['an entry deleted', `delete from ledger_entry where event = 'first'`, [/^lines_without_entry 2026-11-20 #\d+ 0 0$/]],
  [
    'an entry moved to another day',
    `update ledger_entry set posted_on = '2026-11-21' where event = 'first'`,
    [/^lines_without_entry 2026-11-20 #\d+ 0 0$/, 'entry_without_lines first 0 null'],
  ],
  [
    'a balance raised',
    `update ledger_balance set balance_won = 101 where account = 'wallet:M1'`,
    ['balance_differs wallet:M1 100 101'],
  ],
  [
    'a balance of nobody',
    `insert into ledger_balance values ('wallet:M2', 0, 'credit', 7)`,
    ['balance_without_lines wallet:M2 null 7'],
  ],
  [
    'a balance deleted',
    `delete from ledger_balance where account = 'wallet:M1'`,
    ['lines_without_balance wallet:M1 100 null'],
  ],
  [
    'an account outside the chart',
    `update ledger_line set account = 'till' where account = 'wallet:M1'`,
    [
      'account_unknown till 100 null',
      'lines_without_balance till 100 null',
      'balance_without_lines wallet:M1 null 100',
    ],
  ],
  [
    'a wallet below nothing',
    `update ledger_line set amount_won = - amount_won;
     alter table ledger_balance drop constraint ledger_balance_side;
     update ledger_balance set balance_won = - balance_won`,
    ['side_violated wallet:M1 -100 -100'],
  ],
  [
    'a balance in two rows',
    `insert into ledger_balance values ('wallet:M1', 3, 'credit', 0)`,
    ['shard_misplaced wallet:M1 [3] null 0'],
  ],
  [
    'a balance with another side',
    `update ledger_balance set side = 'any' where account = 'wallet:M1'`,
    ['shard_misplaced wallet:M1 [0] null 100'],
  ],
])('%s is found, by its name', async (_, sql, found) => {
  await tamper(sql);
  const said = (await deviationsOf(database.pool)).map((d) => `${d.kind} ${d.subject} ${d.expectedWon} ${d.foundWon}`);
  expect(said).toEqual(found.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))));
  const { said: shown, exitCode } = await runCommand(
    database.pool,
    ['ledger', 'verify', '--json'],
    (program, context, output) => ledgerCommands(program, context, { output }),
  );
  expect(exitCode).toBe(1);
  expect(JSON.parse(shown)).toMatchObject({ clean: false });
  expect((JSON.parse(shown) as { deviations: unknown[] }).deviations).toHaveLength(said.length);
});
