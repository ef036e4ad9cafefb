import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import type { ImportOutcome } from '../imports/import-records.ts';
import { importMerchants } from './import-merchants.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate merchant, import cascade');
});

function bring(...lines: string[]): Promise<ImportOutcome> {
  const csv = ['merchantId,name,businessNo', ...lines, ''].join('\n');
  return importMerchants(database.pool, textSource(csv), { who: 'tester' });
}

test('merchants go in once, and again changes nothing', async () => {
  const lines = ['M1,서울커피,1234567891', 'M2,"한강서점, 본점",9999900010'];
  expect(await bring(...lines)).toMatchObject({ added: 2, same: 0, refused: 0 });
  expect(await bring(...lines.toReversed())).toMatchObject({ added: 0, same: 2, refused: 0 });
  const { rows } = await database.pool.query('select merchant_id, name, business_no from merchant order by 1');
  expect(rows).toEqual([
    { merchant_id: 'M1', name: '서울커피', business_no: '1234567891' },
    { merchant_id: 'M2', name: '한강서점, 본점', business_no: '9999900010' },
  ]);
});

test.each([
  ['another name', 'M1,부산커피,1234567891', 'import_differs'],
  ['no id', ',이름,1234567891', 'import_text'],
  ['no name', 'M2,,1234567891', 'import_text'],
  ['a wrong check digit', 'M2,이름,1234567890', 'import_business_no'],
  ['nine digits', 'M2,이름,123456789', 'import_business_no'],
  ['hyphens', 'M2,이름,123-45-67891', 'import_business_no'],
])('a merchant with %s is refused, and the rest goes in', async (_, line, code) => {
  await bring('M1,서울커피,1234567891');
  const outcome = await bring(line, 'M3,부산식당,9999900024');
  expect(outcome).toMatchObject({ added: 1, refused: 1, refusals: [{ line: 2, code }] });
});
