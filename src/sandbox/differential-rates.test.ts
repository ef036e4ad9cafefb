import { describe, expect, test } from 'vitest';
import { preferentialRate, preferentialWon, supplyOf } from './differential-rates.ts';

const cut = { feeEnds: 'cut', supplyEnds: 'cut', lastCancel: 'remainder' } as const;
const half = { feeEnds: 'half_up', supplyEnds: 'half_up', lastCancel: 'remainder' } as const;

test.each([
  ['2022-01-30', 0, 'credit', 80n],
  ['2022-01-31', 0, 'credit', 50n],
  ['2025-02-13', 1, 'check', 85n],
  ['2025-02-14', 1, 'check', 75n],
  ['2026-08-14', 3, 'credit', 145n],
] as const)('on %s tier %i of %s cards pays %d hundredths of a percent', (day, tier, card, rate) => {
  expect(preferentialRate(day, tier, card)).toBe(rate);
});

describe.each([
  // 1.15 % of 10,990: 126.385 and 12.6 of VAT. 0.15 % of 7,000: 10.5 and 1.
  ['cut', cut, 10_990n, 115n, 126n + 12n],
  ['to the nearest', half, 10_990n, 115n, 126n + 13n],
  ['cut', cut, 7_000n, 15n, 10n + 1n],
  ['to the nearest', half, 7_000n, 15n, 11n + 1n],
] as const)('rounded %s', (_, manner, amountWon, rate, expected) => {
  test(`${amountWon} at ${rate} may cost ${expected}, and a cancel gives that back`, () => {
    expect(preferentialWon(amountWon, rate, manner)).toBe(expected);
    expect(preferentialWon(-amountWon, rate, manner)).toBe(-expected);
  });
});

test.each([
  // 1,492 / 1.1 = 1,356.36; 1,493 / 1.1 = 1,357.27; 16 / 1.1 = 14.55
  [1_492n, 1_356n, 1_356n],
  [1_493n, 1_357n, 1_357n],
  [16n, 14n, 15n],
  [-16n, -14n, -15n],
])('of %d won with VAT the supply is %d when cut, %d to the nearest', (won, whenCut, nearest) => {
  expect(supplyOf(won, cut)).toBe(whenCut);
  expect(supplyOf(won, half)).toBe(nearest);
});
