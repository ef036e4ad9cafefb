import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRate, parseRate } from './rate.ts';

test.each([
  ['0%', 0, '0%'],
  ['1.15%', 11_500, '1.15%'],
  ['1.1500%', 11_500, '1.15%'],
  ['0.0001%', 1, '0.0001%'],
  ['2.5%', 25_000, '2.5%'],
  ['10%', 100_000, '10%'],
  ['99.9999%', 999_999, '99.9999%'],
  ['100%', 1_000_000, '100%'],
])('%s is %i ppm', (text, ppm, written) => {
  expect(parseRate(text)).toBe(ppm);
  expect(formatRate(ppm)).toBe(written);
});

test.each([
  '',
  '1.15',
  '%',
  '1.%',
  '.5%',
  '01%',
  '1.00001%',
  '100.0001%',
  '101%',
  '-1%',
  '+1%',
  '1,5%',
  ' 1%',
  '1 %',
  '1e1%',
])('%j is no rate', (text) => {
  expect(parseRate(text)).toBeUndefined();
});

test('every rate survives being written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
      expect(parseRate(formatRate(ppm))).toBe(ppm);
    }),
  );
});
