import { expect, test } from 'vitest';
import { SumTable } from './sum-table.ts';
import { grandTotal } from './totals.ts';

test.each([1n, -1n])('sums stay exact far beyond 2^53 (sign %i)', (sign) => {
  const table = new SumTable();
  const amount = sign * 999_999_999_999_999n;
  const big = sign * 9_000_000_000_000_000_001n;
  for (let i = 0; i < 1_001; i += 1) table.add(0, 0, Number(amount));
  table.addBig(0, 0, big);
  table.add(5, 0, 7);
  const { amountWon } = table.sums().won;
  expect(amountWon[0]).toBe(amount * 1_001n + big);
  expect(grandTotal(amountWon)).toBe(amount * 1_001n + big + 7n);
});
