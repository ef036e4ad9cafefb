import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { feeTable, termsOf } from '../../test/support/fee-table.ts';
import { chargeFee, type Fee, type FeeTerms, vatPolicies } from '../kernel/fee.ts';
import { roundings } from '../kernel/rounding.ts';

/** `charge_fee` in the database and `chargeFee` here are one rule in two languages. */
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

async function inDatabase(cases: readonly FeeTerms[]): Promise<Fee[]> {
  const { rows } = await database.pool.query<{ fee: bigint; vat: bigint; rule: Fee['rule'] }>({
    text: `
      select charged.fee_won as fee, charged.vat_won as vat, charged.rule
        from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
               with ordinality as asked (amount, rate, fixed, least_fee, most_fee, rounding, vat, n)
       cross join lateral charge_fee(amount, rate, fixed, least_fee, most_fee, rounding, asked.vat) as charged
       order by n`,
    values: [
      cases.map((each) => each.amountWon.toString()),
      cases.map((each) => each.ratePpm),
      cases.map((each) => each.fixedWon.toString()),
      cases.map((each) => each.minFeeWon?.toString() ?? null),
      cases.map((each) => each.maxFeeWon?.toString() ?? null),
      cases.map((each) => each.rounding),
      cases.map((each) => each.vat),
    ],
  });
  return rows.map(({ fee, vat, rule }) => ({ feeWon: fee, vatWon: vat, rule }));
}

test('the table of worked examples, in both signs', async () => {
  const signed = ([1n, -1n] as const).flatMap((sign) => feeTable.map((row) => ({ row, sign })));
  const charged = await inDatabase(signed.map(({ row, sign }) => termsOf(row, sign)));
  expect(charged).toEqual(
    signed.map(({ row, sign }) => ({ feeWon: sign * row[7], vatWon: sign * row[8], rule: row[9] })),
  );
});

/** Amounts of every size, many of them such that the rate gives an exact half. */
const amountWon = fc.oneof(
  fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
  fc.bigInt({ min: -100_000n, max: 100_000n }),
  fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }).map((hundreds) => hundreds * 100n + 50n),
);
const limit = fc.option(fc.bigInt({ min: 0n, max: 10_000n }), { nil: undefined });
const terms = fc
  .record({
    amountWon,
    ratePpm: fc.oneof(
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.integer({ min: 0, max: 100 }).map((n) => n * 10_000),
    ),
    fixedWon: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 10n ** 9n })),
    minFeeWon: limit,
    maxFeeWon: limit,
    rounding: fc.constantFrom(...roundings),
    vat: fc.constantFrom(...vatPolicies),
  })
  .filter(({ minFeeWon, maxFeeWon }) => minFeeWon === undefined || maxFeeWon === undefined || minFeeWon <= maxFeeWon);

test('the database charges what the kernel charges, on any terms', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(terms, { minLength: 200, maxLength: 200 }), async (cases) => {
      expect(await inDatabase(cases)).toEqual(cases.map(chargeFee));
    }),
    { numRuns: 100 },
  );
});

test('every rate, on an amount that makes halves of a won', async () => {
  const { rows } = await database.pool.query<{ wrong: bigint }>(
    // The arithmetic of numeric, exact in products and rounding halves away from zero, is a third opinion.
    `select count(*) as wrong
       from generate_series(0, 1000000) as rate (ppm)
      cross join (values (9999999999550), (-50), (1234567500000)) as amounts (won)
      cross join lateral charge_fee(amounts.won, rate.ppm, 0, null, null, 'half_up', 'none') as charged
      where charged.fee_won <> round(amounts.won::numeric * rate.ppm * 0.000001)`,
  );
  expect(rows).toEqual([{ wrong: 0n }]);
});

test('a set is charged without a call for each row', async () => {
  const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(
    `explain (verbose) select sum(charged.fee_won)
       from generate_series(1, 1000) as amount
      cross join lateral charge_fee(amount, 11500, 0, null, null, 'floor', 'added') as charged`,
  );
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('Aggregate');
  expect(plan).not.toMatch(/charge_fee|Nested Loop/);
});
