import { expect, test } from 'vitest';
import type { Suspect } from './facts.ts';
import { TidFilter } from './tid-filter.ts';

/** How many of the identities seem to have been there, by the filter. */
function suspects(filter: TidFilter, count: number, tid: (n: number) => string, seq: (n: number) => number): number {
  const bytes = Buffer.alloc(64);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Suspect[] = [];
  for (let n = 0; n < count; n += 1) {
    const end = bytes.write(tid(n), 0, 'latin1');
    if (!filter.note(bytes, view, 0, end, seq(n), n)) filter.settle(bytes, found);
  }
  filter.settle(bytes, found);
  return found.length;
}

const styles: readonly [title: string, tid: (n: number) => string, seq: (n: number) => number][] = [
  ['a counter', (n) => `7261120${String(n).padStart(8, '0')}`, () => 0],
  ['a counter at the front', (n) => `${String(n).padStart(8, '0')}WP20261120`, () => 0],
  ['the cancels of one payment', () => 'WP2026112010111200000001', (n) => n % 30_000],
  ['counter and sequence together', (n) => `TID${n % 10_000}`, (n) => n % 10_000],
  ['lengths alone', (n) => '0'.repeat(n % 60), (n) => Math.floor(n / 60)],
];

test.each(styles)('%s: nothing that was there is missed, little else is suspected', (_, tid, seq) => {
  const count = 10_000;
  const filter = new TidFilter(count);
  expect(suspects(filter, count, tid, seq)).toBeLessThan(count / 1_000);
  expect(suspects(filter, count, tid, seq)).toBe(count);
});

test('a file larger than expected makes more suspects, never fewer', () => {
  const filter = new TidFilter(1);
  expect(
    suspects(
      filter,
      200_000,
      (n) => `T${n}`,
      () => 0,
    ),
  ).toBeGreaterThan(0);
  expect(
    suspects(
      filter,
      200_000,
      (n) => `T${n}`,
      () => 0,
    ),
  ).toBe(200_000);
});
