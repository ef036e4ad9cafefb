import { beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { type ImportOutcome, refusalText } from '../imports/import-records.ts';
import { importMerchants } from './import-merchants.ts';
import { importCardBins, importPreferentialRates, importSubMerchants } from './import-tiers.ts';
import { preferentialRates, subMerchantOf } from './tier-store.ts';

const by = { who: 'tester' };

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  await importMerchants(database.pool, csv(['merchantId,name,businessNo', 'M1,서울커피,1234567891']), by);
  return () => database.close();
});

const csv = (lines: readonly string[]) => textSource([...lines, ''].join('\n'));
const rates = (...lines: string[]) =>
  importPreferentialRates(database.pool, csv(['validFrom,tier,cardType,rate,source', ...lines]), by);
const subMerchants = (...lines: string[]) =>
  importSubMerchants(database.pool, csv(['merchantId,validFrom,intermediaryNo,openedOn,closedOn', ...lines]), by);
const bins = (...lines: string[]) => importCardBins(database.pool, csv(['bin,cardType,validFrom', ...lines]), by);
const refusals = ({ refusals: kept }: ImportOutcome) => kept.map(({ line, code }) => `${line}: ${code}`);

describe('preferential rates', () => {
  /** Of the tiers 0 to 3 in ppm, credit/check. */
  const inForce = async (on: string) => {
    const rows = await preferentialRates(database.pool, on);
    return [0, 1, 2, 3]
      .map((tier) => rows.filter((row) => row.tier === tier).map(({ ratePpm }) => ratePpm))
      .map((pair) => pair.join('/'))
      .join(' ');
  };

  test('are those of the law before and after each of its changes', async () => {
    const table = [
      ['2019-01-30', '   '],
      ['2019-01-31', '8000/5000 13000/10000 14000/11000 16000/13000'],
      ['2022-01-30', '8000/5000 13000/10000 14000/11000 16000/13000'],
      ['2022-01-31', '5000/2500 11000/8500 12500/10000 15000/12500'],
      ['2025-02-13', '5000/2500 11000/8500 12500/10000 15000/12500'],
      ['2025-02-14', '4000/1500 10000/7500 11500/9000 14500/11500'],
      ['2026-11-20', '4000/1500 10000/7500 11500/9000 14500/11500'],
    ] as const;
    for (const [on, expected] of table) expect([on, await inForce(on)]).toEqual([on, expected]);
  });

  test('come in for a day, are corrected for it, and leave the days before as they were', async () => {
    expect(await rates('2027-02-14,0,credit,0.35%,고시', '2027-02-14,0,check,0.1%,고시')).toMatchObject({ added: 2 });
    expect(await inForce('2027-02-13')).toMatch(/^4000\/1500 /);
    expect(await inForce('2027-02-14')).toBe('3500/1000 10000/7500 11500/9000 14500/11500');
    expect(await rates('2027-02-14,0,credit,0.36%,정정')).toMatchObject({ added: 1, same: 0 });
    expect(await rates('2027-02-14,0,credit,0.36%,정정')).toMatchObject({ added: 0, same: 1 });
    expect(await inForce('2027-02-14')).toMatch(/^3600\/1000 /);
    const all = await preferentialRates(database.pool, null);
    expect(
      all
        .filter(({ tier, cardType }) => tier === 0 && cardType === 'C')
        .map(({ validFrom, validTo, ratePpm, holds }) => `${validFrom}/${validTo ?? ''} ${ratePpm} ${holds}`),
    ).toEqual([
      '2019-01-31/2022-01-30 8000 true',
      '2022-01-31/2025-02-13 5000 true',
      '2025-02-14/2027-02-13 4000 true',
      '2027-02-14/ 3500 false',
      '2027-02-14/ 3600 true',
    ]);
  });

  test('in another unit than percent, above 100 % or beyond belief are refused', async () => {
    const outcome = await rates(
      '2027-02-14,0,credit,0.4,고시',
      '2027-02-14,0,credit,40bp,고시',
      '2027-02-14,0,credit,4000,고시',
      '2027-02-14,0,credit,4‰,고시',
      '2027-02-14,0,credit,100.0001%,고시',
      '2027-02-14,0,credit,140%,고시',
      '2027-02-14,0,credit,-0.4%,고시',
      '2027-02-14,0,credit,0.40001%,고시',
      '2027-02-14,0,credit,15%,고시',
      '2027-02-14,0,credit,3.0001%,고시',
      '2027-02-14,4,credit,0.4%,고시',
      '2027-02-14,0,debit,0.4%,고시',
      '2027-02-30,0,credit,0.4%,고시',
      '2027-02-14,0,credit,0.4%,',
      '2027-02-14,3,credit,3%,고시',
      '2027-02-14,0,credit,0%,고시',
      '2027-02-14,0,credit,0.1%,고시',
    );
    expect(refusals(outcome)).toEqual([
      '2: import_rate',
      '3: import_rate',
      '4: import_rate',
      '5: import_rate',
      '6: import_rate',
      '7: import_rate',
      '8: import_rate',
      '9: import_rate',
      '10: import_rate_unlikely',
      '11: import_rate_unlikely',
      '12: import_number',
      '13: import_choice',
      '14: import_day',
      '15: import_text',
      '18: import_differs_in_file',
    ]);
    expect(outcome.added).toBe(2);
    const unlikely = outcome.refusals[8] as (typeof outcome.refusals)[number];
    expect(refusalText(unlikely, 'en')).toBe('rate (21-23): no preferential rate is above 3%. A slip of its unit: 15%');
    for (const refusal of outcome.refusals) expect(refusalText(refusal, 'ko')).not.toContain('?');
  });
});

describe('sub-merchants', () => {
  test('are dated facts, the last word of a day holding', async () => {
    await subMerchants('M1,2026-01-01,,2020-05-01,', 'M1,2026-07-01,1108100024,2020-05-01,');
    expect(await subMerchants('M1,2026-07-01,1108100024,2020-05-01,2026-12-31')).toMatchObject({ added: 1 });
    expect(await subMerchants('M1,2026-07-01,1108100024,2020-05-01,2026-12-31')).toMatchObject({ same: 1 });
    expect(await subMerchantOf(database.pool, 'M1')).toEqual([
      { validFrom: '2026-01-01', intermediaryNo: null, openedOn: '2020-05-01', closedOn: null },
      { validFrom: '2026-07-01', intermediaryNo: '1108100024', openedOn: '2020-05-01', closedOn: null },
      { validFrom: '2026-07-01', intermediaryNo: '1108100024', openedOn: '2020-05-01', closedOn: '2026-12-31' },
    ]);
  });

  test('that are wrong are refused', async () => {
    const outcome = await subMerchants(
      'M9,2026-01-01,,2020-05-01,',
      'M1,2026-13-01,,2020-05-01,',
      'M1,2026-01-01,1108100025,2020-05-01,',
      'M1,2026-01-01,110-81-00024,2020-05-01,',
      'M1,2026-01-01,,,',
      'M1,2026-01-01,,2020-05-01,2020-04-30',
      'M1,2026-01-01,,2020-05-01,2020-05-01',
    );
    expect(refusals(outcome)).toEqual([
      '2: import_merchant_unknown',
      '3: import_day',
      '4: import_business_no',
      '5: import_business_no',
      '6: import_day',
      '7: import_below',
    ]);
    expect(outcome.added).toBe(1);
  });
});

describe('card BINs', () => {
  const typeOn = async (bin: string, on: string): Promise<string | undefined> => {
    const { rows } = await database.pool.query<{ card_type: string }>(
      `select card_type from card_bin where bin = $1 and valid_from <= $2
        order by valid_from desc, card_bin_id desc limit 1`,
      [bin, on],
    );
    return rows[0]?.card_type;
  };

  test('say of a day whether a card is credit or check', async () => {
    await bins('941083,credit,2020-01-01', '536510,check,2020-01-01', '941083,check,2026-06-01');
    expect(await bins('941083,check,2026-06-01', '536510,credit,2020-01-01')).toMatchObject({ added: 1, same: 1 });
    expect(await typeOn('941083', '2026-05-31')).toBe('C');
    expect(await typeOn('941083', '2026-06-01')).toBe('K');
    expect(await typeOn('536510', '2026-06-01')).toBe('C');
    expect(await typeOn('536510', '2019-12-31')).toBeUndefined();
  });

  test('that are wrong are refused', async () => {
    const outcome = await bins(
      '94108,credit,2020-01-01',
      '94108312,credit,2020-01-01',
      '9410-8,credit,2020-01-01',
      '941083,체크,2020-01-01',
      '941083,credit,',
      '941083,credit,2020-01-01',
    );
    expect(refusals(outcome)).toEqual([
      '2: import_bin',
      '3: import_bin',
      '4: import_bin',
      '5: import_choice',
      '6: import_day',
    ]);
    expect(outcome.added).toBe(1);
  });
});
