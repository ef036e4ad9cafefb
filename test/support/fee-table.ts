import type { Fee, VatPolicy } from '../../src/kernel/fee.ts';
import { parseRate } from '../../src/kernel/rate.ts';
import type { Rounding } from '../../src/kernel/rounding.ts';

export type FeeRow = readonly [
  amountWon: bigint,
  rate: string,
  fixedWon: bigint,
  minFeeWon: bigint | null,
  maxFeeWon: bigint | null,
  rounding: Rounding,
  vat: VatPolicy,
  feeWon: bigint,
  vatWon: bigint,
  rule: Fee['rule'],
];

/** Typed and worked out by hand; each stands for its negative too. */
export const feeTable: readonly FeeRow[] = [
  // plain
  [1000n, '2%', 0n, null, null, 'floor', 'added', 20n, 2n, 'rate'],
  [10_000n, '1.15%', 0n, null, null, 'floor', 'added', 115n, 11n, 'rate'],
  [10_000n, '1.15%', 0n, null, null, 'half_up', 'added', 115n, 12n, 'rate'],
  [10_000n, '1.15%', 0n, null, null, 'half_even', 'added', 115n, 12n, 'rate'],
  [10_000n, '1.15%', 0n, null, null, 'half_up', 'none', 115n, 0n, 'rate'],
  [1n, '0%', 0n, null, null, 'half_up', 'added', 0n, 0n, 'rate'],
  [1n, '100%', 0n, null, null, 'half_up', 'added', 1n, 0n, 'rate'],
  [10_000_000_000_000n, '100%', 0n, null, null, 'half_even', 'added', 10_000_000_000_000n, 1_000_000_000_000n, 'rate'],
  [9_999_999_999_999n, '3.3333%', 0n, null, null, 'floor', 'none', 333_329_999_999n, 0n, 'rate'],
  [9_999_999_999_999n, '3.3333%', 0n, null, null, 'half_up', 'none', 333_330_000_000n, 0n, 'rate'],
  // an exact half of a won: 50 × 1% = 0.5, 150 × 1% = 1.5, 250 × 1% = 2.5
  [50n, '1%', 0n, null, null, 'floor', 'none', 0n, 0n, 'rate'],
  [50n, '1%', 0n, null, null, 'half_up', 'none', 1n, 0n, 'rate'],
  [50n, '1%', 0n, null, null, 'half_even', 'none', 0n, 0n, 'rate'],
  [150n, '1%', 0n, null, null, 'floor', 'none', 1n, 0n, 'rate'],
  [150n, '1%', 0n, null, null, 'half_up', 'none', 2n, 0n, 'rate'],
  [150n, '1%', 0n, null, null, 'half_even', 'none', 2n, 0n, 'rate'],
  [250n, '1%', 0n, null, null, 'half_up', 'none', 3n, 0n, 'rate'],
  [250n, '1%', 0n, null, null, 'half_even', 'none', 2n, 0n, 'rate'],
  [249n, '1%', 0n, null, null, 'half_even', 'none', 2n, 0n, 'rate'],
  [251n, '1%', 0n, null, null, 'half_even', 'none', 3n, 0n, 'rate'],
  // the half's parity comes from the millions: 1,000,050 × 1% = 10,000.5, 3,000,050 × 0.0001% = 3.00005
  [1_000_050n, '1%', 0n, null, null, 'half_even', 'none', 10_000n, 0n, 'rate'],
  [1_000_150n, '1%', 0n, null, null, 'half_even', 'none', 10_002n, 0n, 'rate'],
  [1_500_000n, '0.0001%', 0n, null, null, 'half_even', 'none', 2n, 0n, 'rate'],
  [2_500_000n, '0.0001%', 0n, null, null, 'half_even', 'none', 2n, 0n, 'rate'],
  [2_500_000n, '0.0001%', 0n, null, null, 'half_up', 'none', 3n, 0n, 'rate'],
  // an exact half of a won of VAT: 5, 15, 25
  [100n, '5%', 0n, null, null, 'floor', 'added', 5n, 0n, 'rate'],
  [100n, '5%', 0n, null, null, 'half_up', 'added', 5n, 1n, 'rate'],
  [100n, '5%', 0n, null, null, 'half_even', 'added', 5n, 0n, 'rate'],
  [100n, '15%', 0n, null, null, 'half_even', 'added', 15n, 2n, 'rate'],
  [100n, '25%', 0n, null, null, 'half_even', 'added', 25n, 2n, 'rate'],
  [100n, '25%', 0n, null, null, 'half_up', 'added', 25n, 3n, 'rate'],
  // VAT inside: 1492 = 1356 + 136; 1492 × 10 / 11 = 1356.36
  [1492n, '100%', 0n, null, null, 'floor', 'included', 1356n, 136n, 'rate'],
  [1492n, '100%', 0n, null, null, 'half_up', 'included', 1356n, 136n, 'rate'],
  [1492n, '100%', 0n, null, null, 'half_even', 'included', 1356n, 136n, 'rate'],
  [149_200n, '1%', 0n, null, null, 'floor', 'included', 1356n, 136n, 'rate'],
  [1100n, '100%', 0n, null, null, 'floor', 'included', 1000n, 100n, 'rate'],
  // 1495 × 10 / 11 = 1359.09; 1499 × 10 / 11 = 1362.72
  [1495n, '100%', 0n, null, null, 'half_up', 'included', 1359n, 136n, 'rate'],
  [1499n, '100%', 0n, null, null, 'floor', 'included', 1362n, 137n, 'rate'],
  [1499n, '100%', 0n, null, null, 'half_up', 'included', 1363n, 136n, 'rate'],
  // fixed, minimum, maximum
  [10_000n, '1%', 50n, null, null, 'floor', 'added', 150n, 15n, 'rate'],
  [10_000n, '0%', 100n, null, null, 'floor', 'added', 100n, 10n, 'rate'],
  [30n, '0%', 100n, null, null, 'floor', 'added', 100n, 10n, 'rate'],
  [1000n, '1%', 0n, 50n, null, 'floor', 'added', 50n, 5n, 'minimum'],
  [5000n, '1%', 0n, 50n, null, 'floor', 'added', 50n, 5n, 'rate'],
  [5100n, '1%', 0n, 50n, null, 'floor', 'added', 51n, 5n, 'rate'],
  [1_000_000n, '1%', 0n, null, 5000n, 'floor', 'added', 5000n, 500n, 'maximum'],
  [500_000n, '1%', 0n, null, 5000n, 'floor', 'added', 5000n, 500n, 'rate'],
  [1000n, '1%', 20n, 50n, 5000n, 'floor', 'added', 50n, 5n, 'minimum'],
  [4000n, '1%', 20n, 50n, 5000n, 'floor', 'added', 60n, 6n, 'rate'],
  [1_000_000n, '1%', 20n, 50n, 5000n, 'floor', 'none', 5000n, 0n, 'maximum'],
  [1_000_000n, '1%', 0n, 700n, 700n, 'floor', 'included', 636n, 64n, 'maximum'],
  [1000n, '1%', 0n, 0n, 0n, 'floor', 'added', 0n, 0n, 'maximum'],
  // nothing is charged on nothing
  [0n, '1%', 100n, 50n, null, 'floor', 'added', 0n, 0n, 'rate'],
];

/** The row as terms, for the amount or for its negative. */
export function termsOf([amount, rate, fixedWon, min, max, rounding, vat]: FeeRow, sign: 1n | -1n) {
  return {
    amountWon: sign * amount,
    ratePpm: parseRate(rate) ?? Number.NaN,
    fixedWon,
    minFeeWon: min ?? undefined,
    maxFeeWon: max ?? undefined,
    rounding,
    vat,
  };
}
