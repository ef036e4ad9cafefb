import { expect, test } from 'vitest';
import { DayBytes, setInt64, WonBytes } from './byte-values.ts';
import { day, won } from './field.ts';

function daysOf(texts: readonly string[]): number[] {
  const days = new DayBytes(day('YYYYMMDD'));
  return texts.map((text) => {
    const bytes = Buffer.from(text, 'latin1');
    return days.read(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  });
}

test('a day is read the same whatever days came before it', () => {
  const nothing = '\0'.repeat(8);
  const texts = [nothing, '20000101', '20261120', '20261121', '20261120', '20261122', '2026112a', '20261120', nothing];
  expect(daysOf(texts)).toEqual(texts.map((text) => daysOf([text])[0]));
  expect(daysOf(texts)).toEqual([Number.NaN, 0, 9_820, 9_821, 9_820, 9_822, Number.NaN, 9_820, Number.NaN]);
});

test.each([
  ['5', 'unsigned', 5],
  ['000000005', 'unsigned', 5],
  ['-5', 'unsigned', Number.NaN],
  ['-5', 'minus', -5],
  ['00-5', 'minus', -5],
  ['-', 'minus', Number.NaN],
  ['--5', 'minus', Number.NaN],
  ['5-', 'minus', Number.NaN],
  ['', 'minus', Number.NaN],
  ['-99999999', 'minus', -99_999_999],
  ['-999999999999999', 'minus', -999_999_999_999_999],
] as const)('%j, %s, is %d won', (text, sign, expected) => {
  // What stands behind the field is not its own.
  const bytes = Buffer.from(`${text}-7`);
  expect(new WonBytes(won({ sign })).read(bytes, 0, text.length)).toBe(expected);
});

test.each([0, -0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 999_999_999_999_999, -999_999_999_999_999])(
  '%d is written as eight bytes',
  (value) => {
    const view = new DataView(new ArrayBuffer(8));
    setInt64(view, 0, value);
    expect(view.getBigInt64(0)).toBe(BigInt(value));
  },
);
