import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { approval, cancel, capture, paymentsCsv } from '../../test/support/payment-lines.ts';
import { importPayments } from './import-payments.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test('amounts that no day could sum up cost their own lines and no other', async () => {
  const wide = '9223372036854775807';
  const lines = [
    approval({ providerTid: 'A', amountWon: '10000000000000' }),
    approval({ providerTid: 'B', amountWon: wide }),
    approval({ providerTid: 'C', amountWon: wide }),
    cancel({ providerTid: 'C', amountWon: `-${wide}` }),
    capture({ providerTid: 'B', amountWon: wide }),
  ];
  const source = { name: 'payments.csv', bytes: Readable.from([Buffer.from(paymentsCsv(lines))]) };
  const outcome = await importPayments(database.pool, source, { who: 'test', providers: ['ksnet'] });
  expect(outcome).toMatchObject({ added: 1, refused: 4 });
  expect(outcome.refusals.map(({ line, code }) => `${line} ${code}`)).toEqual([
    '3 import_number',
    '4 import_number',
    '5 import_number',
    '6 import_number',
  ]);
});
