import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import type { ImportOutcome } from '../imports/import-records.ts';
import { importDeposits } from './deposit-import.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate deposit, import cascade');
});

function bring(...lines: string[]): Promise<ImportOutcome> {
  const csv = ['provider,depositedOn,bankRef,amountWon', ...lines, ''].join('\n');
  return importDeposits(database.pool, textSource(csv), { who: 'tester', providers: ['ksnet', 'welcome-online'] });
}

test('deposits go in once, and again changes nothing', async () => {
  const lines = ['ksnet,2026-11-23,B1,48900', 'ksnet,2026-11-23,B2,-100', 'welcome-online,2026-11-23,B1,5'];
  expect(await bring(...lines)).toMatchObject({ added: 3, same: 0, refused: 0 });
  expect(await bring(...lines.toReversed())).toMatchObject({ added: 0, same: 3, refused: 0 });
  const { rows } = await database.pool.query(
    'select provider, deposited_on, bank_ref, amount_won from deposit order by provider, bank_ref',
  );
  expect(rows).toEqual([
    { provider: 'ksnet', deposited_on: '2026-11-23', bank_ref: 'B1', amount_won: 48_900n },
    { provider: 'ksnet', deposited_on: '2026-11-23', bank_ref: 'B2', amount_won: -100n },
    { provider: 'welcome-online', deposited_on: '2026-11-23', bank_ref: 'B1', amount_won: 5n },
  ]);
});

test.each([
  ['another amount', 'ksnet,2026-11-23,B1,48901', 'import_differs'],
  ['another day, however far', 'ksnet,2027-11-23,B1,48900', 'import_differs'],
  ['an unknown provider', 'nobody,2026-11-23,B2,1', 'import_provider_unknown'],
  ['no reference', 'ksnet,2026-11-23,,1', 'import_text'],
  ['nothing paid', 'ksnet,2026-11-23,B2,0', 'import_sign'],
  ['a day that is none', 'ksnet,2026-02-29,B2,1', 'import_day'],
])('a deposit with %s is refused, and the rest goes in', async (_, line, code) => {
  await bring('ksnet,2026-11-23,B1,48900');
  const outcome = await bring(line, 'ksnet,2026-11-23,B9,1');
  expect(outcome).toMatchObject({ added: 1, refused: 1, refusals: [{ line: 2, code }] });
});
