import { chargeFee, type VatPolicy } from './fee.ts';
import { divideRounded, type Rounding } from './rounding.ts';

/** 우대수수료 차액. What was charged, what may be charged at most, and the rest, each VAT included and with the sign of the amount. */
export type Difference = {
  readonly chargedWon: bigint;
  readonly preferentialWon: bigint;
  readonly differenceWon: bigint;
};

/**
 * 차액. What was charged on an amount above the preferential fee. Both are rounded before one is taken from the other: a
 * rounded difference may be another won. Of an approval that was charged no more it is 0 or less, and nothing is claimed.
 */
export function preferentialDifference(charge: {
  readonly amountWon: bigint;
  readonly chargedWon: bigint;
  readonly ratePpm: number;
  readonly rounding: Rounding;
  readonly vat: VatPolicy;
}): Difference {
  const { amountWon, chargedWon, ratePpm, rounding, vat } = charge;
  const { feeWon, vatWon } = chargeFee({ amountWon, ratePpm, fixedWon: 0n, rounding, vat });
  const preferentialWon = feeWon + vatWon;
  return { chargedWon, preferentialWon, differenceWon: chargedWon - preferentialWon };
}

/** 환수액. What a cancel takes back, 0 or less; `rule` R: what the rate says, M: what remained of the approval's difference. */
export type Clawback = { readonly differenceWon: bigint; readonly rule: 'R' | 'M' };

/**
 * 환수. What the cancels of an approval take back, in their order: each its own difference, never more in all than the
 * approval's; with `remainder` the one that leaves nothing takes what is left.
 */
export function clawbacks(
  approval: { readonly amountWon: bigint; readonly differenceWon: bigint },
  cancels: readonly Difference[],
  amountsWon: readonly bigint[],
  lastCancel: 'remainder' | 'rate',
): Clawback[] {
  let uncancelledWon = approval.amountWon;
  let leftWon = approval.differenceWon;
  return cancels.map(({ differenceWon: byRateWon }, at) => {
    const wasOver = uncancelledWon <= 0n;
    uncancelledWon += amountsWon[at] ?? 0n;
    const ownWon = byRateWon < 0n ? -byRateWon : 0n;
    const isLast = lastCancel === 'remainder' && uncancelledWon <= 0n;
    const takenWon = wasOver ? 0n : isLast || ownWon > leftWon ? leftWon : ownWon;
    leftWon -= takenWon;
    return { differenceWon: -takenWon, rule: -takenWon === byRateWon ? 'R' : 'M' };
  });
}

/** 공급가와 부가세. A difference, VAT included, is supply of ten elevenths, rounded, and VAT of the rest; 1,100 = 1,000 + 100. */
export function splitSupply(
  differenceWon: bigint,
  rounding: Rounding,
): { readonly supplyWon: bigint; readonly vatWon: bigint } {
  const supplyWon = divideRounded(differenceWon * 10n, 11n, rounding);
  return { supplyWon, vatWon: differenceWon - supplyWon };
}
