import { expect, test } from 'vitest';
import { feeTable, termsOf } from '../../test/support/fee-table.ts';
import { chargeFee } from './fee.ts';

test.each(feeTable)('%i at %s + %i, from %s to %s, %s, VAT %s: %i + %i by %s', (...row) => {
  const [feeWon, vatWon, rule] = [row[7], row[8], row[9]];
  expect(chargeFee(termsOf(row, 1n))).toEqual({ feeWon, vatWon, rule });
  expect(chargeFee(termsOf(row, -1n))).toEqual({ feeWon: -feeWon, vatWon: -vatWon, rule });
});
