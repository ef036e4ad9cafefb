import { expect, test } from 'vitest';
import type { SettledItem } from './settled-store.ts';
import { workingText } from './working.ts';

const item: SettledItem = {
  provider: 'ksnet',
  capturedOn: '2026-11-20',
  providerTid: 'a',
  cancelSeq: 0,
  amountWon: 12_300n,
  ratePpm: 18_500,
  rule: 'rate',
  feeWon: 227n,
  vatWon: 22n,
  contractId: 17n,
  validFrom: '2026-01-01',
  contractRatePpm: 18_500,
  fixedWon: 0n,
  minFeeWon: null,
  maxFeeWon: null,
  rounding: 'floor',
  vat: 'added',
};
const contract = 'contract 17 valid from 2026-01-01';

test.each<[string, Partial<SettledItem>, string]>([
  ['a rate', {}, `1.85% of 12,300 = 227.55 → 227 (floor), VAT 22; ${contract}`],
  [
    'a cancel',
    { cancelSeq: 1, amountWon: -12_300n, feeWon: -227n, vatWon: -22n },
    `1.85% of -12,300 = -227.55 → -227 (floor), VAT -22; ${contract}`,
  ],
  ['nothing to round', { amountWon: 10_000n, feeWon: 185n, vatWon: 18n }, `1.85% of 10,000 = 185, VAT 18; ${contract}`],
  [
    'a fixed part',
    { fixedWon: 100n, feeWon: 327n, vatWon: 32n },
    `1.85% of 12,300 = 227.55 → 227 (floor) + 100 = 327, VAT 32; ${contract}`,
  ],
  [
    'a minimum',
    { minFeeWon: 500n, rule: 'minimum', feeWon: 500n, vatWon: 50n },
    `1.85% of 12,300 = 227.55 → 227 (floor) → minimum 500, VAT 50; ${contract}`,
  ],
  [
    'VAT within the fee',
    { amountWon: 80_649n, vat: 'included', rounding: 'half_up', feeWon: 1_356n, vatWon: 136n },
    `1.85% of 80,649 = 1,492.0065 → 1,492 (half up), VAT included: fee 1,356 + VAT 136 (10/11 half up); ${contract}`,
  ],
  ['no VAT', { vat: 'none', vatWon: 0n }, `1.85% of 12,300 = 227.55 → 227 (floor), no VAT; ${contract}`],
  [
    'a tier',
    { ratePpm: 15_000, feeWon: 184n, vatWon: 18n },
    `1.5% of 12,300 = 184.5 → 184 (floor), VAT 18; ${contract}, rate of its tier`,
  ],
  ['kept', { rule: 'kept', amountWon: -12_300n, feeWon: 0n, vatWon: 0n }, `the fee is kept on cancels; ${contract}`],
  [
    'the last cancel',
    { rule: 'remainder', amountWon: -300n, feeWon: -6n, vatWon: -1n },
    `all that was left of the original's fee: fee -6, VAT -1; ${contract}`,
  ],
  [
    'a part of the fee that its own rate would not give',
    { amountWon: -100n, feeWon: -2n, vatWon: 0n },
    `its part of the original's fee: fee -2, VAT 0; ${contract}`,
  ],
])('%s', (_, more, text) => {
  expect(workingText({ ...item, ...more }, 'en')).toBe(text);
});

test('in Korean', () => {
  expect(workingText(item, 'ko')).toBe('12,300의 1.85% = 227.55 → 227 (절사), 부가세 22; 계약 17 (2026-01-01부터)');
});
