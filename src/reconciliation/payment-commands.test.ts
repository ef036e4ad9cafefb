import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBooks } from '../../test/support/books.ts';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { paymentShowCommand } from './payment-commands.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  const books = createBooks(db.pool, 'ksnet');
  const money = { tid: 'T1', won: 1000, fee: 20, vat: 2 };
  await books.payments('2026-11-18', [money]);
  await books.payments('2026-11-20', [{ tid: 'T1', seq: 1, won: -1000 }]);
  await books.captures('2026-11-18', [money]);
  await books.statement('transaction', '2026-11-18', [{ ...money, won: 1010 }]);
  await books.statement('capture', '2026-11-18', [money]);
  await books.statement('settlement', '2026-11-18', [{ ...money, fee: 21, net: 977 }]);
  for (const stage of ['transaction', 'capture', 'settlement'] as const) await books.match(stage, '2026-11-18');
});
afterAll(() => db.close());

const run = (language: 'ko' | 'en', ...line: string[]) =>
  runCommand(
    db.pool,
    ['payments', 'show', ...line],
    (program, context, output) => paymentShowCommand(program, context, output),
    { language },
  );

test('a payment and its cancel of another day, as JSON', async () => {
  const { said } = await run('en', 'T1', '--json');
  const payment = { provider: 'ksnet', providerTid: 'T1', mid: 'MID1' };
  expect(JSON.parse(said)).toEqual([
    {
      ...payment,
      tradedOn: '2026-11-18',
      cancelSeq: 0,
      kind: 'A',
      amountWon: 1000,
      verdict: 'amount_differs',
      capture: { state: 'accepted', on: '2026-11-18', resultCode: '60' },
      settlement: {
        state: 'differs',
        feeWon: 21,
        vatWon: 2,
        netWon: 977,
        payInOn: '2026-11-18',
        kinds: 'fee_differs',
      },
    },
    {
      ...payment,
      tradedOn: '2026-11-20',
      cancelSeq: 1,
      kind: 'C',
      amountWon: -1000,
      verdict: 'not_reconciled',
      capture: { state: 'none', on: null, resultCode: null },
      settlement: { state: 'none', feeWon: null, vatWon: null, netWon: null, payInOn: null, kinds: null },
    },
  ]);
});

test.each([
  [
    'en',
    /2026-11-18 +ksnet +0 +1,000 +Amount differs +accepted 2026-11-18 60 +differs Fee differs +21 +2 +977 +2026-11-18/,
  ],
  ['ko', /2026-11-20 +ksnet +1 +-1,000 +미대사 +미매입 +미매입/],
] as const)('for people (%s)', async (language, expected) => {
  expect((await run(language, 'T1')).said).toMatch(expected);
});

test('an unknown TID, an unknown provider, a provider without it', async () => {
  await expect(run('en', 'T9')).rejects.toMatchObject({ code: 'not_found' });
  await expect(run('en', 'T1', '--provider', 'nobody')).rejects.toMatchObject({ code: 'usage' });
  await expect(run('en', 'T1', '--provider', 'welcome-online')).rejects.toMatchObject({ code: 'not_found' });
});
