import { check } from './check.ts';

/** 끝수 처리. `floor` cuts towards 0 (절사); a half goes away from 0 (반올림) or to the even neighbour. */
export const roundings = ['floor', 'half_up', 'half_even'] as const;
export type Rounding = (typeof roundings)[number];

/** `n / d` as a whole number, `d` above 0. Symmetric in sign: −n gives the negative of what n gives. */
export function divideRounded(n: bigint, d: bigint, rounding: Rounding): bigint {
  check(d > 0n, `not a divisor: ${d}`);
  const size = n < 0n ? -n : n;
  const quotient = size / d;
  const twice = (size % d) * 2n;
  const up = rounding !== 'floor' && (twice > d || (twice === d && (rounding === 'half_up' || quotient % 2n === 1n)));
  const rounded = up ? quotient + 1n : quotient;
  return n < 0n ? -rounded : rounded;
}
