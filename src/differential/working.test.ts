import { expect, test } from 'vitest';
import { differenceText, preferentialText } from './working.ts';

// By hand: amount × rate; cut or rounded; a tenth of that as VAT, cut or rounded; the sum.
const table = [
  // amount, ppm, rounding, preferential, text
  [10_000n, 11_500, 'floor', 126n, '10,000 × 1.15% = 115 + VAT 11 = 126 (floor)'],
  [10_000n, 11_500, 'half_up', 127n, '10,000 × 1.15% = 115 + VAT 12 = 127 (half up)'],
  [1234n, 11_500, 'floor', 15n, '1,234 × 1.15% = 14.191 → 14 + VAT 1 = 15 (floor)'],
  [-1234n, 11_500, 'floor', -15n, '-1,234 × 1.15% = -14.191 → -14 + VAT -1 = -15 (floor)'],
  [101n, 4000, 'floor', 0n, '101 × 0.4% = 0.404 → 0 + VAT 0 = 0 (floor)'],
  [1_234_567n, 1500, 'half_even', 2037n, '1,234,567 × 0.15% = 1,851.8505 → 1,852 + VAT 185 = 2,037 (half even)'],
] as const;

test.each(table)(
  'the preferential fee on %d at %d ppm, %s, is %d',
  (amountWon, ratePpm, fee, preferentialWon, text) => {
    const priced = { amountWon, ratePpm, preferentialWon, chargedWon: 0n, differenceWon: 0n };
    expect(preferentialText(priced, { fee, vat: 'added' }, 'en')).toBe(text);
  },
);

test('a fee that was rounded otherwise shows no working that is not its own', () => {
  const priced = { amountWon: 10_000n, ratePpm: 11_500, preferentialWon: 127n, chargedWon: 0n, differenceWon: 0n };
  expect(preferentialText(priced, { fee: 'floor', vat: 'added' }, 'ko')).toBe('127');
  expect(preferentialText(priced, { fee: 'half_up', vat: 'added' }, 'ko')).toBe(
    '10,000 × 1.15% = 115 + 부가세 12 = 127 (반올림)',
  );
});

test('the difference is shown with its working, and with what it would have been', () => {
  const of = (chargedWon: bigint, preferentialWon: bigint, differenceWon: bigint) =>
    differenceText({ amountWon: 0n, ratePpm: 0, chargedWon, preferentialWon, differenceWon });
  expect(of(220n, 44n, 176n)).toBe('220 − 44 = 176');
  expect(of(-220n, -44n, -176n)).toBe('-220 − (-44) = -176');
  expect(of(-110n, -22n, -87n)).toBe('-87 (-110 − (-22) = -88)');
  expect(
    differenceText({ amountWon: 0n, ratePpm: null, chargedWon: 220n, preferentialWon: null, differenceWon: null }),
  ).toBe('—');
});
