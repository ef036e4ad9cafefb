// Each way in which claims and ledger could part, made by force, is found by the check that is about it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createAnswerBooks } from './answers.fixture.ts';
import { addVerifyCommand } from './verify-commands.ts';
import { verifyClaims } from './verify-store.ts';

let database: TestDatabase;
let books: ReturnType<typeof createAnswerBooks>;
beforeEach(async () => {
  database = await testDatabase();
  books = createAnswerBooks(database.pool);
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  await books.cancel(file, { tid: 'T2' });
  await books.answer(file, [{ tid: 'T1' }, { tid: 'T2' }, { tid: 'T2', seq: 1 }]);
});
afterEach(async () => {
  books.close();
  await database.close();
});

/** What no trigger lets happen. */
const force = (sql: string) =>
  database.pool.query(`set session_replication_role = replica; ${sql}; reset session_replication_role`);
const verify = (...line: string[]) =>
  runCommand(database.pool, ['differential', 'verify', ...line], (program, context, output) =>
    addVerifyCommand(program.command('differential'), context, output),
  );

test('clean, it says so and ends well', async () => {
  expect((await verifyClaims(database.pool)).deviations).toEqual([]);
  expect(await verify()).toEqual({ said: '3 claims: all agree with the ledger\n', exitCode: 0 });
  const { said, exitCode } = await verify('--json');
  expect([JSON.parse(said), exitCode]).toEqual([{ clean: true, claims: 3, accepted: 3, deviations: 0, named: [] }, 0]);
});

const one = `provider_tid = 'T1' and cancel_seq = 0`;
test.each([
  // 176 of T1, and 0 of T2 with its cancel, are booked.
  [
    'a result of other won',
    `update claim_result set difference_won = 187, supply_won = 170, vat_won = 17 where ${one}`,
    ['answer_sums answer 1 M1 187 176', 'receivable welcome 187 176'],
  ],
  [
    'more than the 220 that were charged',
    `update claim_result set difference_won = 231, supply_won = 210, vat_won = 21 where ${one}`,
    [
      'answer_sums answer 1 M1 231 176',
      'more_than_charged welcome-online:T1/0 D 220 231',
      'receivable welcome 231 176',
    ],
  ],
  [
    'a result without its claim',
    `delete from claim where ${one}`,
    ['answer_sums answer 1 M1 0 176', 'receivable welcome 0 176', 'result_without_claim welcome-online:T1/0 D 176'],
  ],
  [
    'an accepted claim in another state',
    `update claim set state = 'R', reason = 'welcome:09' where ${one}`,
    ['accepted_in_another_state welcome-online:T1/0 D R 0 176'],
  ],
  [
    'a claim of another merchant than the one that was refunded',
    `update claim set merchant_id = 'M9' where ${one}`,
    ['answer_sums answer 1 M1 0 176', 'answer_sums answer 1 M9 176 0'],
  ],
  [
    'a clawback whose approval is not accepted',
    `delete from claim_result where provider_tid = 'T2' and cancel_seq = 0`,
    [
      'answer_sums answer 1 M1 0 176',
      'clawback_without_refund welcome-online:T2/1 D 0 -176',
      'receivable welcome 0 176',
    ],
  ],
  [
    'a cancel that takes more than the 220 that it was given back',
    `update claim_result set difference_won = -231, supply_won = -210, vat_won = -21 where provider_tid = 'T2' and cancel_seq = 1`,
    [
      'answer_sums answer 1 M1 121 176',
      'more_than_charged welcome-online:T2/1 D -220 -231',
      'receivable welcome 121 176',
    ],
  ],
  [
    'a refund that says other won than its entry',
    `update claim_refund set wallet_won = 175, refund_won = 351`,
    [
      'answer_sums answer 1 M1 176 175',
      'refund_entries differential:1:M1 refund_receivable:welcome -175 -176',
      'refund_entries differential:1:M1 wallet:M1 175 176',
    ],
  ],
  [
    'a refund that nobody noted',
    `delete from claim_refund`,
    [
      'answer_sums answer 1 M1 176 0',
      'refund_entries differential:1:M1 refund_receivable:welcome 0 -176',
      'refund_entries differential:1:M1 wallet:M1 0 176',
    ],
  ],
  [
    'won that were refunded without an answer',
    `update claim_result set answer_id = null where ${one}`,
    ['answer_sums answer 1 M1 0 176', 'retroactive_sums retroactive M1 176 0'],
  ],
])('%s', async (_, sql, found) => {
  await force(sql);
  const { deviations } = await verifyClaims(database.pool);
  const text = deviations.map((each) =>
    [each.check, each.subject, each.expectedWon, each.foundWon].filter((part) => part !== null).join(' '),
  );
  expect(text.sort()).toEqual(found);
  const { said, exitCode } = await verify();
  expect(exitCode).toBe(1);
  expect(said).toMatch(new RegExp(`3 claims: ${found.length} deviations|2 claims: ${found.length} deviations`));
});
