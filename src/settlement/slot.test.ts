import { expect, test } from 'vitest';
import { formatSlot, nextSlot, parseSlot, slotAt } from './slot.ts';

const at = (text: string) => Temporal.Instant.from(text);

test.each([
  ['2026-11-20T12:05+09:00', '2026-11-20T03:05:00Z'],
  ['2026-11-20T00:00+09:00', '2026-11-19T15:00:00Z'],
  ['2026-12-31T23:55+09:00', '2026-12-31T14:55:00Z'],
])('%s is the slot at %s', (text, instant) => {
  expect(parseSlot(text)?.toString()).toBe(at(instant).toString());
  expect(formatSlot(at(instant))).toBe(text);
});

test.each([
  '2026-11-20T12:07+09:00',
  '2026-11-20T12:05Z',
  '2026-11-20T12:05:00+09:00',
  '2026-02-30T12:05+09:00',
  '2026-11-20T24:05+09:00',
  '2026-11-20 12:05',
  '12:05',
  '',
])('%s is no slot', (text) => {
  expect(parseSlot(text)).toBeUndefined();
});

test.each([
  ['2026-11-20T12:05:00+09:00', '2026-11-20T12:05+09:00', '2026-11-20T12:10+09:00'],
  ['2026-11-20T12:04:59.999+09:00', '2026-11-20T12:00+09:00', '2026-11-20T12:05+09:00'],
  ['2026-11-20T12:09:59.999999999+09:00', '2026-11-20T12:05+09:00', '2026-11-20T12:10+09:00'],
  ['2026-11-20T23:59:30+09:00', '2026-11-20T23:55+09:00', '2026-11-21T00:00+09:00'],
  ['2026-11-20T15:00:01Z', '2026-11-21T00:00+09:00', '2026-11-21T00:05+09:00'],
])('at %s the slot is %s, and then %s', (now, slot, next) => {
  expect(formatSlot(slotAt(at(now)))).toBe(slot);
  expect(formatSlot(nextSlot(slotAt(at(now))))).toBe(next);
});

test('other intervals count from midnight in Seoul', () => {
  expect(formatSlot(slotAt(at('2026-11-20T12:29+09:00'), 30))).toBe('2026-11-20T12:00+09:00');
  expect(formatSlot(nextSlot(at('2026-11-20T23:30+09:00'), 30))).toBe('2026-11-21T00:00+09:00');
});
