import { expect, test } from 'vitest';
import { divideRounded } from './rounding.ts';

/** Typed by hand: n, d, then what floor, half_up and half_even make of it. */
test.each<[bigint, bigint, bigint, bigint, bigint]>([
  [0n, 10n, 0n, 0n, 0n],
  [4n, 10n, 0n, 0n, 0n],
  [5n, 10n, 0n, 1n, 0n],
  [6n, 10n, 0n, 1n, 1n],
  [14n, 10n, 1n, 1n, 1n],
  [15n, 10n, 1n, 2n, 2n],
  [16n, 10n, 1n, 2n, 2n],
  [25n, 10n, 2n, 3n, 2n],
  [35n, 10n, 3n, 4n, 4n],
  [20n, 10n, 2n, 2n, 2n],
  [5n, 11n, 0n, 0n, 0n],
  [6n, 11n, 0n, 1n, 1n],
  [1n, 2n, 0n, 1n, 0n],
  [3n, 2n, 1n, 2n, 2n],
  [9_007_199_254_740_993n, 2n, 4_503_599_627_370_496n, 4_503_599_627_370_497n, 4_503_599_627_370_496n],
])('%i / %i is %i cut, %i half up, %i half even, and so below zero', (n, d, floor, halfUp, halfEven) => {
  expect(divideRounded(n, d, 'floor')).toBe(floor);
  expect(divideRounded(n, d, 'half_up')).toBe(halfUp);
  expect(divideRounded(n, d, 'half_even')).toBe(halfEven);
  expect(divideRounded(-n, d, 'floor')).toBe(-floor);
  expect(divideRounded(-n, d, 'half_up')).toBe(-halfUp);
  expect(divideRounded(-n, d, 'half_even')).toBe(-halfEven);
});

test.each([0n, -10n])('%i divides nothing', (d) => {
  expect(() => divideRounded(1n, d, 'floor')).toThrow();
});
