import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { splitSupply } from '../kernel/difference.ts';
import type { DifferenceRounding } from '../providers/differential.ts';
import { preferentialFee, supplyOf } from './price-store.ts';
import { check, createClaimBooks, credit, unregistered } from './selection.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;

/** Ten digits for a merchant of its own. */
const businessNo = (n: number) => String(1_000_000_000 + n);

beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
});
afterAll(() => db.close());

const plain: DifferenceRounding = { fee: 'floor', vat: 'added', supply: 'floor', lastCancel: 'remainder' };
const tiers = [0, 1, 2, 3] as const;
const halves = ['2019H1', '2021H2', '2022H1', '2024H2', '2025H1', '2026H2'];

/**
 * 100,000 won that were charged 2.3 % and VAT: 2,530. Of each day what is claimed, by tier, credit and check. Worked out
 * by hand: 영세 credit of 2019 is 0.8 %, 800 + 80, and 2,530 − 880 = 1,650.
 */
const byDay: readonly (readonly [day: string, credit: readonly number[], check: readonly number[]])[] = [
  ['2019-01-30', [], []],
  ['2019-01-31', [1650, 1100, 990, 770], [1980, 1430, 1320, 1100]],
  ['2022-01-30', [1650, 1100, 990, 770], [1980, 1430, 1320, 1100]],
  ['2022-01-31', [1980, 1320, 1155, 880], [2255, 1595, 1430, 1155]],
  ['2025-02-13', [1980, 1320, 1155, 880], [2255, 1595, 1430, 1155]],
  ['2025-02-14', [2090, 1430, 1265, 935], [2365, 1705, 1540, 1265]],
  ['2026-11-20', [2090, 1430, 1265, 935], [2365, 1705, 1540, 1265]],
];

test('every tier and card type on the days around each change of rates', async () => {
  for (const tier of tiers) {
    await books.merchant(`R${tier}`, Object.fromEntries(halves.map((half) => [half, tier])), businessNo(tier));
  }
  const provider = unregistered('ksnet', plain);
  for (const [on, byCredit, byCheck] of byDay) {
    const cards = [credit, check].entries();
    const sales = [...cards].flatMap(([n, card]) =>
      tiers.map((tier) => ({
        ...{
          tid: `${n}${tier}-${on}`,
          won: 100_000,
          fee: 2_300,
          vat: 230,
          on,
          captured: on,
          card,
          merchant: `R${tier}`,
        },
      })),
    );
    await books.sales(sales);
    const counts = await books.select(provider, on);
    const { rows } = await db.pool.query(
      'select difference_won from claim where traded_on = $1 order by provider_tid collate "C"',
      [on],
    );
    expect(rows.map((row) => Number(row.difference_won))).toEqual([...byCredit, ...byCheck]);
    expect(counts.ineligible).toBe(byCredit.length === 0 ? 8n : 0n);
  }
});

/** A merchant is 영세 in every first half-year and 중소3 in every second; its rates of the day, 100,000 won, credit. */
const byHalf: readonly (readonly [day: string, tier: number, differenceWon: number])[] = [
  ['2023-01-30', 3, 880],
  ['2023-01-31', 0, 1980],
  ['2023-07-30', 0, 1980],
  ['2023-07-31', 3, 880],
  ['2024-01-30', 3, 880],
  ['2024-01-31', 0, 1980],
  ['2024-07-31', 0, 1980],
  ['2024-08-13', 0, 1980],
  ['2024-08-14', 3, 880],
  ['2025-01-31', 3, 880],
  ['2025-02-13', 3, 880],
  ['2025-02-14', 0, 2090],
  ['2025-07-31', 0, 2090],
  ['2025-08-13', 0, 2090],
  ['2025-08-14', 3, 935],
  ['2026-02-13', 3, 935],
  ['2026-02-14', 0, 2090],
];

test('the tier of the half-year that holds the day of the sale', async () => {
  const known = [2022, 2023, 2024, 2025, 2026].flatMap((year) => [
    [`${year}H1`, 0] as const,
    [`${year}H2`, 3] as const,
  ]);
  await books.merchant('HALF', Object.fromEntries(known), businessNo(10));
  const found: [string, number, number][] = [];
  for (const [on] of byHalf) {
    const sale = {
      tid: `H-${on}`,
      won: 100_000,
      fee: 2_300,
      vat: 230,
      on,
      merchant: 'HALF',
      channel: 'welcome-online',
    };
    await books.sales([sale]);
    await books.select(unregistered('welcome', plain), on);
    const { rows } = await db.pool.query(
      `select tier, difference_won from claim where channel = 'welcome-online' and traded_on = $1`,
      [on],
    );
    for (const row of rows) found.push([on, row.tier, Number(row.difference_won)]);
  }
  expect(found).toEqual(byHalf);
});

/**
 * 중소2, credit, 1.15 %. 12,345 won: 141.9675; 1,000: 11.5; 3,000: 34.5; 100,000: 1,150 of which VAT may be part.
 * A difference that was rounded after it was computed would be another won: 12,345 × (2.3 % − 1.15 %) = 141.97, with
 * VAT 156.16; half up our way it is 155.
 */
const byRounding: readonly (readonly [
  rounding: Partial<DifferenceRounding>,
  won: number,
  feeWon: number,
  vatWon: number,
  preferentialWon: number,
  differenceWon: number,
])[] = [
  [{ fee: 'floor' }, 12_345, 283, 28, 141 + 14, 156],
  [{ fee: 'half_up' }, 12_345, 283, 28, 142 + 14, 155],
  [{ fee: 'half_even' }, 12_345, 283, 28, 142 + 14, 155],
  [{ fee: 'floor' }, 1_000, 23, 2, 11 + 1, 13],
  [{ fee: 'half_up' }, 1_000, 23, 2, 12 + 1, 12],
  [{ fee: 'half_even' }, 1_000, 23, 2, 12 + 1, 12],
  [{ fee: 'floor' }, 3_000, 69, 6, 34 + 3, 38],
  [{ fee: 'half_up' }, 3_000, 69, 6, 35 + 4, 36],
  [{ fee: 'half_even' }, 3_000, 69, 6, 34 + 3, 38],
  [{ fee: 'floor', vat: 'none' }, 100_000, 2_300, 230, 1_150, 1_380],
  [{ fee: 'floor', vat: 'included' }, 100_000, 2_300, 230, 1_150, 1_380],
  [{ fee: 'floor', vat: 'none' }, 100_000, 2_300, 0, 1_150, 1_150],
];

test('each rounding and VAT policy', async () => {
  await books.merchant('ROUND', { '2026H1': 2 }, businessNo(11));
  const found: number[][] = [];
  for (const [n, [rounding, won, fee, vat]] of byRounding.entries()) {
    const on = Temporal.PlainDate.from('2026-03-01').add({ days: n }).toString();
    await books.sales([{ tid: `O-${on}`, won, fee, vat, on, merchant: 'ROUND' }]);
    await books.select(unregistered('ksnet', { ...plain, ...rounding }), on);
    const { rows } = await db.pool.query('select preferential_won, difference_won from claim where traded_on = $1', [
      on,
    ]);
    found.push(rows.flatMap((row) => [Number(row.preferential_won), Number(row.difference_won)]));
  }
  expect(found).toEqual(byRounding.map(([, , , , preferentialWon, differenceWon]) => [preferentialWon, differenceWon]));
});

test('supply in SQL is that of the rule, in whole numbers, whatever the size and sign', async () => {
  const rounds = [0n, 1n, 5n, 6n, 10n, 11n, 16n, 17n, 1000n, 1492n, 9_007_199_254_740_993n, 900_000_000_000_000_001n];
  const won = rounds.flatMap((each) => [each, -each]);
  for (const supply of ['floor', 'half_up', 'half_even'] as const) {
    const { rows } = await db.pool.query(
      `select won, ${supplyOf('won', { ...plain, supply })} as supply, pg_typeof(${supplyOf('won', { ...plain, supply })})::text as type
         from unnest($1::bigint[]) won`,
      [won],
    );
    expect(rows).toEqual(
      won.map((each) => ({ won: each, supply: splitSupply(each, supply).supplyWon, type: 'bigint' })),
    );
  }
});

/** At 1 %: fees of half a won, of one and a half and of two and a half; VATs of half a won and of one and a half. */
const ties = [50, 150, 250, 500, 1_500, -150, 0];
const byTie: readonly (readonly [
  fee: DifferenceRounding['fee'],
  alone: readonly number[],
  taxed: readonly number[],
])[] = [
  ['floor', [0, 1, 2, 5, 15, -1, 0], [0, 1, 2, 5, 16, -1, 0]],
  ['half_up', [1, 2, 3, 5, 15, -2, 0], [1, 2, 3, 6, 17, -2, 0]],
  ['half_even', [0, 2, 2, 5, 15, -2, 0], [0, 2, 2, 5, 17, -2, 0]],
];

test.each(byTie)('halves of a won, rounded by %s', async (fee, alone, taxed) => {
  const feeBy = (vat: DifferenceRounding['vat']) => preferentialFee('amount', '10000', { ...plain, fee, vat });
  const { rows } = await db.pool.query(
    `select a.won::int as alone, i.won::int as included, t.won::int as taxed
       from unnest($1::bigint[]) with ordinality given (amount, n)
      cross join lateral ${feeBy('none')} a cross join lateral ${feeBy('included')} i cross join lateral ${feeBy('added')} t
      order by n`,
    [ties],
  );
  expect(rows.map((row) => row.alone)).toEqual(alone);
  expect(rows.map((row) => row.included)).toEqual(alone);
  expect(rows.map((row) => row.taxed)).toEqual(taxed);
});
