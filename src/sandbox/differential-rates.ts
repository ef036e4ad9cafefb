import type { Tier } from './differential-facts.ts';

/**
 * The sandbox's own arithmetic of preferential fees, written from the law and the providers' manuals and from nothing of
 * the product: what comes out of both has to be equal.
 */

export type CardType = 'credit' | 'check';

/** Percent, credit and check, of tiers 0 to 3, in force from a day on. */
const rates: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    '2019-01-31',
    [
      ['0.80', '0.50'],
      ['1.30', '1.00'],
      ['1.40', '1.10'],
      ['1.60', '1.30'],
    ],
  ],
  [
    '2022-01-31',
    [
      ['0.50', '0.25'],
      ['1.10', '0.85'],
      ['1.25', '1.00'],
      ['1.50', '1.25'],
    ],
  ],
  [
    '2025-02-14',
    [
      ['0.40', '0.15'],
      ['1.00', '0.75'],
      ['1.15', '0.90'],
      ['1.45', '1.15'],
    ],
  ],
];

/** 우대수수료율. In hundredths of a percent: 40 is 0.40 %. */
export function preferentialRate(day: string, tier: Exclude<Tier, 4>, card: CardType): bigint {
  const [, table] = rates.findLast(([from]) => from <= day) ?? [];
  const percent = table?.[tier]?.[card === 'credit' ? 0 : 1];
  if (percent === undefined) throw new Error(`no rate of tier ${tier} on ${day}`);
  return BigInt(percent.replace('.', ''));
}

/** How a provider cuts to whole won, whether the fee's VAT comes on top, and what the last cancel takes back. */
export type Manner = {
  readonly feeEnds: 'cut' | 'half_up';
  readonly supplyEnds: 'cut' | 'half_up';
  readonly lastCancel: 'remainder' | 'rate';
};

/** A share of a size, ended in the provider's manner; sizes have no sign. */
function shareOf(size: bigint, of: bigint, to: bigint, ends: Manner['feeEnds']): bigint {
  return ends === 'cut' ? (size * of) / to : (2n * size * of + to) / (2n * to);
}

/** Does it to a size and gives the sign back. */
function signed(won: bigint, work: (size: bigint) => bigint): bigint {
  return won < 0n ? -work(-won) : work(won);
}

/** Fee and VAT by the preferential rate, together. */
export function preferentialWon(amountWon: bigint, rate: bigint, manner: Manner): bigint {
  return signed(amountWon, (size) => {
    const fee = shareOf(size, rate, 10_000n, manner.feeEnds);
    return fee + shareOf(fee, 1n, 10n, manner.feeEnds);
  });
}

/** 공급가액. What of a difference with VAT is without it. */
export function supplyOf(differenceWon: bigint, manner: Manner): bigint {
  return signed(differenceWon, (size) => shareOf(size, 10n, 11n, manner.supplyEnds));
}
