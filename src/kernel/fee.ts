import { divideRounded, type Rounding } from './rounding.ts';

/** 부가세. `added`: on top of the fee; `included`: the fee holds it and is split; `none`: exempt. */
export const vatPolicies = ['added', 'included', 'none'] as const;
export type VatPolicy = (typeof vatPolicies)[number];

/** What of a contract makes a fee, and the signed amount that it is charged on. */
export type FeeTerms = {
  readonly amountWon: bigint;
  readonly ratePpm: number;
  readonly fixedWon: bigint;
  readonly minFeeWon?: bigint | undefined;
  readonly maxFeeWon?: bigint | undefined;
  readonly rounding: Rounding;
  readonly vat: VatPolicy;
};

/** 수수료. Both carry the sign of the amount; `rule` names what decided the fee before its VAT. */
export type Fee = {
  readonly feeWon: bigint;
  readonly vatWon: bigint;
  readonly rule: 'rate' | 'minimum' | 'maximum';
};

/**
 * 수수료. The rate's part of the amount, rounded, and the fixed part; no less than the minimum and no more than the
 * maximum; then VAT, a tenth of the fee by the same rounding, or split off the fee that holds it (1492 = 1356 + 136).
 * Nothing is charged on 0. The fee may exceed the amount where a fixed part or a minimum says so.
 * `charge_fee` in the database is its twin: a property holds the two equal.
 */
export function chargeFee(terms: FeeTerms): Fee {
  const { amountWon, minFeeWon, maxFeeWon, rounding } = terms;
  const size = amountWon < 0n ? -amountWon : amountWon;
  const sign = amountWon < 0n ? -1n : amountWon > 0n ? 1n : 0n;
  let charged = divideRounded(size * BigInt(terms.ratePpm), 1_000_000n, rounding) + terms.fixedWon;
  let rule: Fee['rule'] = 'rate';
  if (minFeeWon !== undefined && charged < minFeeWon) [charged, rule] = [minFeeWon, 'minimum'];
  if (maxFeeWon !== undefined && charged > maxFeeWon) [charged, rule] = [maxFeeWon, 'maximum'];
  const { feeWon, vatWon } = withVat(charged, rounding, terms.vat);
  return { feeWon: sign * feeWon, vatWon: sign * vatWon, rule };
}

function withVat(charged: bigint, rounding: Rounding, vat: VatPolicy): { feeWon: bigint; vatWon: bigint } {
  if (vat === 'none') return { feeWon: charged, vatWon: 0n };
  if (vat === 'added') return { feeWon: charged, vatWon: divideRounded(charged, 10n, rounding) };
  const supplyWon = divideRounded(charged * 10n, 11n, rounding);
  return { feeWon: supplyWon, vatWon: charged - supplyWon };
}
