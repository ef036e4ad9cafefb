import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { type ImportOutcome, refusalText } from '../imports/import-records.ts';
import { importMerchants } from './import-merchants.ts';
import { importHalfYears, importTiers } from './import-tiers.ts';
import { tiersOf } from './tier-store.ts';

const [coffee, books, flowers] = ['1234567891', '9999900010', '2208100016'];
const by = { who: 'tester' };

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  const merchants = [
    'merchantId,name,businessNo',
    `M1,서울커피,${coffee}`,
    `M2,한강서점,${books}`,
    `M3,꽃집,${flowers}`,
    `M4,꽃집 2호점,${flowers}`,
  ];
  await importMerchants(database.pool, csv(merchants), by);
  return () => database.close();
});

const csv = (lines: readonly string[]) => textSource([...lines, ''].join('\n'));
const header = 'businessNo,half,validFrom,validTo,tier';
const tiers = (...lines: string[]) => importTiers(database.pool, csv([header, ...lines]), by);
const halves = (...lines: string[]) => importHalfYears(database.pool, csv(['half,startsOn,source', ...lines]), by);
const refusals = ({ refusals: kept }: ImportOutcome) => kept.map(({ line, code }) => `${line}: ${code}`);
const texts = ({ refusals: kept }: ImportOutcome) => kept.map((refusal) => refusalText(refusal, 'en'));

/** The clock of the database, which is what says since when something is known. */
async function now(): Promise<Temporal.Instant> {
  const { rows } = await database.pool.query<{ now: Date }>('select clock_timestamp() as now');
  return (rows[0] as { now: Date }).now.toTemporalInstant();
}

/** What holds of a business by what was known at an instant: `2026H2 0`. */
async function held(businessNo: string, knownAt: Temporal.Instant): Promise<string[]> {
  const rows = await tiersOf(database.pool, businessNo, knownAt);
  return rows.filter(({ holds }) => holds).map(({ half, tier }) => `${half} ${tier}`);
}

describe('tiers', () => {
  test('are corrected by later rows, and what was known before is still known to have been', async () => {
    const before = await now();
    expect(await tiers(`${coffee},2026H1,,,3`, `${coffee},2026H2,2026-08-14,2027-02-13,2`)).toMatchObject({ added: 2 });
    const first = await now();
    expect(await tiers(`${coffee},2026H1,,,0`)).toMatchObject({ added: 1, same: 0 });
    const second = await now();
    expect(await tiers(`${coffee},2026H1,,,3`)).toMatchObject({ added: 1, same: 0 });
    expect(await held(coffee, before)).toEqual([]);
    expect(await held(coffee, first)).toEqual(['2026H1 3', '2026H2 2']);
    expect(await held(coffee, second)).toEqual(['2026H1 0', '2026H2 2']);
    const last = await tiersOf(database.pool, coffee, await now());
    expect(last.map(({ half, tier, holds }) => `${half} ${tier} ${holds}`)).toEqual([
      '2026H1 3 false',
      '2026H1 0 false',
      '2026H1 3 true',
      '2026H2 2 true',
    ]);
    expect(last.at(-1)).toMatchObject({ startsOn: '2026-08-14', endsOn: '2027-02-13', recordedBy: 'tester' });
  });

  test('again are the same, with their days or without', async () => {
    await tiers(`${coffee},2026H2,,,1`, `${books},2026H2,,,4`);
    expect(
      await tiers(`${coffee},2026H2,2026-08-14,2027-02-13,1`, `${books},2026H2,,,4`, `${books},2026H2,2026-08-14,,4`),
    ).toMatchObject({ added: 0, same: 3, refused: 0 });
  });

  test('of one file are known from one moment on', async () => {
    await tiers(...['2024H1', '2024H2', '2025H1', '2025H2'].map((half) => `${coffee},${half},,,1`));
    const rows = await tiersOf(database.pool, coffee, await now());
    expect(new Set(rows.map(({ knownSince }) => knownSince.getTime())).size).toBe(1);
    const since = (rows[0] as { knownSince: Date }).knownSince.toTemporalInstant();
    expect(await tiersOf(database.pool, coffee, since)).toHaveLength(4);
    expect(await tiersOf(database.pool, coffee, since.subtract({ milliseconds: 1 }))).toHaveLength(0);
  });

  test('that are wrong are refused, each with its reason, and the others go in', async () => {
    const outcome = await tiers(
      '1234567890,2026H2,,,0',
      '123456789,2026H2,,,0',
      '123-45-67891,2026H2,,,0',
      '1108100024,2026H2,,,0',
      `${coffee},2026H3,,,0`,
      `${coffee},2026,,,0`,
      `${coffee},2018H2,,,0`,
      `${coffee},2027H2,,,0`,
      `${coffee},2026H2,,,5`,
      `${coffee},2026H2,,,-1`,
      `${coffee},2026H2,,,`,
      `${coffee},2026H2,,,영세`,
      `${coffee},2026H2,2026-08-13,,0`,
      `${coffee},2026H2,2026-07-31,2027-01-30,0`,
      `${coffee},2026H2,2026-08-14,2027-02-14,0`,
      `${coffee},2026H2,,2027-02-12,0`,
      `${coffee},2026H2,2026-08-15,,0`,
      `${coffee},2026H2,2018-01-01,,0`,
      `${coffee},2026H2,2026-02-30,,0`,
      `${coffee},2026H2,2026-08-14,2026-08-13,0`,
      `${coffee},2027H1,2027-02-14,2027-08-13,0`,
      `${coffee},2027H1,,2027-02-13,0`,
      `${coffee},2026H2,2026-08-14,2027-02-13,0`,
      `${coffee},2026H2,,,1`,
      `${flowers},2026H2,,,2`,
    );
    expect(refusals(outcome)).toEqual([
      '2: import_business_no',
      '3: import_business_no',
      '4: import_business_no',
      '5: import_business_unknown',
      '6: import_half',
      '7: import_half',
      '8: import_half_unknown',
      '9: import_half_unknown',
      '10: import_number',
      '11: import_number',
      '12: import_number',
      '13: import_number',
      '14: import_half_overlaps',
      '15: import_half_overlaps',
      '16: import_half_overlaps',
      '17: import_half_days',
      '18: import_half_days',
      '19: import_half_days',
      '20: import_day',
      '21: import_below',
      '22: import_half_open',
      '23: import_half_overlaps',
      '25: import_differs_in_file',
    ]);
    expect(outcome).toMatchObject({ added: 2, same: 0, refused: 23 });
    const said = texts(outcome);
    expect(said[3]).toBe('No merchant has this business number: 1108100024');
    expect(said[12]).toBe('validFrom: a tier of 2026H2 (2026-08-14 – 2027-02-13) reaches into 2026H1: 2026-08-13');
    expect(said[14]).toBe('validTo: a tier of 2026H2 (2026-08-14 – 2027-02-13) reaches into 2027H1: 2027-02-14');
    expect(said[15]).toBe('validTo: 2026H2 is 2026-08-14 – 2027-02-13, and a tier holds for all of it: 2027-02-12');
    expect(said.at(-1)).toBe(`${coffee} 2026H2: line 24 of the same file says otherwise. Differing: tier`);
    for (const text of [...said, ...outcome.refusals.map((refusal) => refusalText(refusal, 'ko'))]) {
      expect(text).not.toContain('?');
    }
  });

  test('with any refusal nothing goes in where that is asked for', async () => {
    const source = csv([header, `${coffee},2026H2,,,0`, `${coffee},2026H9,,,0`]);
    expect(await importTiers(database.pool, source, { ...by, strict: true })).toMatchObject({
      entered: false,
      added: 0,
      refused: 1,
    });
    expect(await held(coffee, await now())).toEqual([]);
  });

  test('whatever the order of files, at every instant the last word before it holds, and no row is lost', async () => {
    const said = fc.record({
      businessNo: fc.constantFrom(coffee, books),
      half: fc.constantFrom('2025H2', '2026H1', '2026H2'),
      tier: fc.nat(4),
    });
    const file = fc.uniqueArray(said, {
      minLength: 1,
      maxLength: 6,
      selector: ({ businessNo, half }) => `${businessNo} ${half}`,
    });
    const words = new Map<string, number>();
    const epochs: { at: Temporal.Instant; words: ReadonlyMap<string, number> }[] = [];
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 5 }), async (files) => {
        for (const lines of files) {
          const news = lines.filter(({ businessNo, half, tier }) => words.get(`${businessNo} ${half}`) !== tier);
          changes += news.length;
          for (const { businessNo, half, tier } of lines) words.set(`${businessNo} ${half}`, tier);
          const outcome = await tiers(...lines.map(({ businessNo, half, tier }) => `${businessNo},${half},,,${tier}`));
          expect(outcome).toMatchObject({ added: news.length, same: lines.length - news.length, refused: 0 });
          epochs.push({ at: await now(), words: new Map(words) });
        }
      }),
      { numRuns: 12, endOnFailure: true },
    );
    for (const { at, words: then } of epochs) {
      const found = (await Promise.all([coffee, books].map((each) => tiersOf(database.pool, each, at)))).flatMap(
        (rows, n) => rows.map((row) => ({ ...row, businessNo: [coffee, books][n] })),
      );
      const holding = found.filter(({ holds }) => holds);
      expect(new Map(holding.map(({ businessNo, half, tier }) => [`${businessNo} ${half}`, tier]))).toEqual(then);
      expect(holding).toHaveLength(then.size);
    }
    const { rows } = await database.pool.query<{ count: bigint }>('select count(*) from merchant_tier');
    expect(rows[0]?.count).toBe(BigInt(changes));
    await expect(database.pool.query('update merchant_tier set tier = 0')).rejects.toThrow();
  });
});

describe('half-years', () => {
  const period = async (half: string): Promise<string> => {
    const { rows } = await database.pool.query<{ starts_on: string; ends_on: string | null }>(
      'select starts_on, ends_on from half_year_period where half = $1',
      [half],
    );
    return `${rows[0]?.starts_on}/${rows[0]?.ends_on ?? ''}`;
  };

  test('last from their start to the day before the next, and a correction moves both', async () => {
    expect(await period('2024H1')).toBe('2024-01-31/2024-08-13');
    expect(await period('2027H1')).toBe('2027-02-14/');
    expect(await halves('2027H2,2027-08-14,고시', '2028H1,2028-02-14,고시')).toMatchObject({ added: 2, refused: 0 });
    expect(await period('2027H1')).toBe('2027-02-14/2027-08-13');
    expect(await halves('2027H2,2027-08-17,정정 고시')).toMatchObject({ added: 1 });
    expect(await period('2027H1')).toBe('2027-02-14/2027-08-16');
    expect(await period('2027H2')).toBe('2027-08-17/2028-02-13');
    expect(await halves('2027H2,2027-08-17,정정 고시')).toMatchObject({ added: 0, same: 1 });
  });

  test('that are out of order with a neighbour, or leave one out, are refused', async () => {
    const outcome = await halves(
      '2026H3,2026-08-14,고시',
      '2026H2,2026-08-32,고시',
      '2026H2,2026-08-14,',
      '2026H1,2026-08-14,고시',
      '2025H2,2025-02-14,고시',
      '2028H1,2028-02-14,고시',
      '2018H1,2018-01-31,고시',
      '2027H1,2027-02-14,고시 제1호',
      '2027H1,2027-02-15,고시 제1호',
    );
    expect(refusals(outcome)).toEqual([
      '2: import_half',
      '3: import_day',
      '4: import_text',
      '5: import_half_order',
      '6: import_half_order',
      '7: import_half_gap',
      '8: import_half_gap',
      '10: import_differs_in_file',
    ]);
    expect(outcome.added).toBe(1);
    expect(texts(outcome).slice(3, 7)).toEqual([
      '2026H1 cannot start on 2026-08-14: 2026H2 starts on 2026-08-14',
      '2025H2 cannot start on 2025-02-14: 2025H1 starts on 2025-02-14',
      '2028H1 cannot be known without 2027H2: the days between would belong to another half-year',
      '2018H1 cannot be known without 2018H2: the days between would belong to another half-year',
    ]);
  });

  test('may move together, and one that is refused takes along what relied on it', async () => {
    expect(await halves('2027H1,2027-08-01,고시', '2027H2,2028-01-01,고시')).toMatchObject({ added: 2, refused: 0 });
    const outcome = await halves('2028H1,2027-12-31,고시', '2028H2,2028-08-14,고시');
    expect(refusals(outcome)).toEqual(['2: import_half_order', '3: import_half_gap']);
    expect(await period('2027H2')).toBe('2028-01-01/');
  });
});
