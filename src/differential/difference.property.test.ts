import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { clawbacks, type Difference, preferentialDifference, splitSupply } from '../kernel/difference.ts';
import { vatPolicies } from '../kernel/fee.ts';
import { roundings } from '../kernel/rounding.ts';
import type { DifferenceRounding } from '../providers/differential.ts';
import { clawbackOf, preferentialFee } from './price-store.ts';

/** What the database computes by the set and `kernel/difference` one by one are one rule in two languages. */
let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const rounding: fc.Arbitrary<DifferenceRounding> = fc.record({
  fee: fc.constantFrom(...roundings),
  vat: fc.constantFrom(...vatPolicies),
  supply: fc.constantFrom(...roundings),
  lastCancel: fc.constantFrom('remainder' as const, 'rate' as const),
});
const won = (max: bigint) => fc.bigInt({ min: 1n, max });

/** A sale that was charged something, and cancels of it in pieces: some too small to matter, at times more than the sale. */
const history = fc.record({
  rounding,
  amountWon: won(3_000_000n),
  ratePpm: fc.constantFrom(0, 1_500, 4_000, 7_500, 10_000, 11_500, 14_500, 16_000),
  chargedPpm: fc.integer({ min: 0, max: 40_000 }),
  pieces: fc.array(fc.record({ percent: fc.integer({ min: 1, max: 100 }), more: fc.bigInt({ min: -30n, max: 30n }) }), {
    maxLength: 5,
  }),
  takesRest: fc.boolean(),
});

test('preferential fees, differences and what cancels take back', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ rounding: by, amountWon, ratePpm, chargedPpm, pieces, takesRest }) => {
      const charged = (amount: bigint) => (amount * BigInt(chargedPpm)) / 1_000_000n;
      const amounts = pieces.map(({ percent }) => -((amountWon * BigInt(percent)) / 100n || 1n));
      const rest = -amountWon - amounts.reduce((sum, each) => sum + each, 0n);
      if (takesRest && rest < 0n) amounts.push(rest);
      const priced = (amount: bigint, chargedWon: bigint): Difference =>
        preferentialDifference({ amountWon: amount, chargedWon, ratePpm, rounding: by.fee, vat: by.vat });
      const approval = priced(amountWon, charged(amountWon));
      fc.pre(approval.differenceWon > 0n);
      const chargedWon = amounts.map((amount, n) => charged(amount) + (pieces[n]?.more ?? 0n));
      const cancels = amounts.map((amount, n) => priced(amount, chargedWon[n] ?? 0n));
      const taken = clawbacks({ amountWon, differenceWon: approval.differenceWon }, cancels, amounts, by.lastCancel);

      const given = `
        select 'T' as tid, date '2026-01-01' as traded_on, n::int as cancel_seq, amount as amount_won, charged as charged_won,
               f.won as preferential_won, ${amountWon}::bigint as original_won, o.difference as original_difference,
               0::bigint as cancelled_won, 0::bigint as taken_won
          from unnest($1::bigint[], $2::bigint[]) with ordinality c (amount, charged, n)
         cross join lateral ${preferentialFee('c.amount', String(ratePpm), by)} f
         cross join (select ${charged(amountWon)}::bigint - a.won as difference
                       from ${preferentialFee(`${amountWon}::bigint`, String(ratePpm), by)} a) o`;
      const { rows } = await db.pool.query(
        `select preferential_won, original_difference, difference_won, rule from (${clawbackOf(given, 'tid', by)}) c order by cancel_seq`,
        [amounts.map(String), chargedWon.map(String)],
      );
      expect(rows).toEqual(
        taken.map(({ differenceWon, rule }, n) => ({
          preferential_won: cancels[n]?.preferentialWon,
          original_difference: approval.differenceWon,
          difference_won: differenceWon,
          rule,
        })),
      );
      // Never more than the approval claims, and with the remainder exactly that where nothing is left.
      const sum = taken.reduce((total, { differenceWon }) => total + differenceWon, 0n);
      expect(-sum <= approval.differenceWon).toBe(true);
      const isEmptied = amounts.reduce((total, each) => total + each, amountWon) <= 0n;
      if (isEmptied && by.lastCancel === 'remainder') expect(-sum).toBe(approval.differenceWon);
    }),
    { numRuns: 300 },
  );
});

test.each([
  [1100n, 'floor', 1000n, 100n],
  [143n, 'floor', 130n, 13n],
  [42n, 'floor', 38n, 4n],
  [101n, 'floor', 91n, 10n],
  [101n, 'half_up', 92n, 9n],
  [-101n, 'half_up', -92n, -9n],
  [-101n, 'floor', -91n, -10n],
  [1n, 'floor', 0n, 1n],
  [0n, 'half_up', 0n, 0n],
] as const)('%s won by %s is supply and VAT', (differenceWon, by, supplyWon, vatWon) => {
  expect(splitSupply(differenceWon, by)).toEqual({ supplyWon, vatWon });
});
