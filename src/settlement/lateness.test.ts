import { expect, test } from 'vitest';
import { forecastSlot, latenessAudience, latenessDefaults, msPerCapture } from './lateness.ts';

const minutes = 60_000;

test.each([
  [2_000, undefined],
  [4 * minutes, undefined],
  [4 * minutes + 1, 'in_charge'],
  [10 * minutes, 'in_charge'],
  [10 * minutes + 1, 'operations'],
])('%d ms after its slot: %s', (afterMs, audience) => {
  expect(latenessAudience(afterMs, latenessDefaults)).toBe(audience);
});

test('the pace is that of all captures of the last cycles', () => {
  expect(
    msPerCapture([
      { captures: 9_000, tookMs: 900 },
      { captures: 1_000, tookMs: 1_100 },
    ]),
  ).toBe(0.2);
  expect(msPerCapture([{ captures: 0, tookMs: 50 }])).toBeUndefined();
});

const nextSlot = Temporal.Instant.from('2026-11-20T12:05+09:00');

test.each([
  // now      waiting  still running  ms each  forecast
  ['12:04', 100_000, 0, 1, undefined],
  ['12:04', 240_000, 0, 1, undefined],
  ['12:04', 240_001, 0, 1, 'late 240001'],
  ['12:01', 0, 300_000, 0.5, undefined],
  ['12:04', 0, 300_000, 0.5, 'skipped 90000'],
  ['12:04', 900_000, 300_000, 0.5, 'skipped 90000'],
])('at %s with %d waiting and %d under way at %d ms each: %s', (time, waiting, stillRunning, each, said) => {
  const now = Temporal.Instant.from(`2026-11-20T${time}+09:00`);
  const found = forecastSlot({ now, nextSlot, waiting, stillRunning, msPerCapture: each }, latenessDefaults);
  expect(found && `${found.kind} ${found.expectedMs}`).toBe(said);
});
