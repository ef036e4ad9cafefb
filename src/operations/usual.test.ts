import { expect, test } from 'vitest';
import { comparable, countsOf, describeCounts } from './run-counts.ts';
import { readRunName } from './run-name.ts';
import { findUnusual, median, stuckAfterMs, type UsualRule, usualOf } from './usual.ts';

const rule: UsualRule = {
  sameHour: false,
  samplesLeast: 4,
  samplesMost: 12,
  spreads: 3,
  slackPercent: 10,
  slackMs: 1_000,
  stuckTimes: 2,
  stuckMs: 60_000,
};

test.each([
  [[3], 3],
  [[4, 1], 2.5],
  [[9, 1, 5], 5],
  [[1, 1, 1, 1_000_000], 1],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

// The spread is 1.4826 times the median distance from the median; three of them, or 10 % of the median, are usual.
test.each([
  ['too few are known', [100, 100, 100], undefined],
  ['all the same: the slack is left', [100, 100, 100, 100], [100, 90, 110]],
  ['a wild one moves nothing', [98, 100, 102, 100_000], [101, 90, 112]],
  ['spread about', [80, 90, 100, 110, 120], [100, 55, 145]],
  ['never below nothing', [1, 5, 10, 50, 90], [10, 0, 51]],
])('%s', (_, values, expected) => {
  const usual = usualOf(values, rule);
  expect(usual && [usual.median, usual.low, usual.high]).toEqual(expected);
});

const samples = [9_000, 10_000, 10_000, 11_000].map((milliseconds, n) => ({
  milliseconds,
  counts: { lines: 100 + n },
}));

// The spread is 500 × 1.4826: three of them are 2,224 ms, so up to 12,224 ms are usual; lines 101.5 ± 10.15.
test.each([
  [12_224, { lines: 100 }, []],
  [12_225, { lines: 100 }, ['milliseconds']],
  [1, { lines: 100 }, []],
  [10_000, { lines: 91 }, []],
  [10_000, { lines: 90 }, ['lines']],
  [10_000, { lines: 113 }, ['lines']],
  [10_000, { rows: 7 }, []],
  [99_000, { lines: 0 }, ['milliseconds', 'lines']],
])('%d ms with %j', (milliseconds, counts, expected) => {
  expect(findUnusual({ milliseconds, counts }, samples, rule).map(({ what }) => what)).toEqual(expected);
});

test('stuck is what runs so many times its usual bound, or so long where nothing is known', () => {
  expect(stuckAfterMs(samples, rule)).toBe(2 * 12_224);
  expect(stuckAfterMs(samples.slice(1), rule)).toBe(60_000);
});

test.each([
  ['reconcile:2026-11-20:1', 'reconcile', '2026-11-20', 'reconcile:2026-11-20', undefined],
  ['reconcile:2026-11-20:1/ksnet/capture', 'reconcile', '2026-11-20', 'reconcile:2026-11-20', 'reconcile:2026-11-20:1'],
  ['settle:2026-11-20T12:05+09:00', 'settle', '2026-11-20', 'settle:2026-11-20', undefined],
  ['differential:nice:2026-11-20', 'differential:nice', '2026-11-20', 'differential:nice:2026-11-20', undefined],
  [
    'backfill:settle:2026-11-01..2026-11-03:1f',
    'backfill:settle',
    '2026-11-01',
    'backfill:settle:2026-11-01',
    undefined,
  ],
  ['payout:17:2', 'payout', undefined, 'payout', undefined],
])('%s is a run of %s', (id, series, on, subject, whole) => {
  expect(readRunName(id)).toEqual({ series, on, subject, whole });
});

test.each([
  ['whole numbers by name', { lines: 12, rate: 1.5, outcome: 'done', netWon: 5n }, { lines: 12n, netWon: 5n }],
  ['what names a thing counts nothing', { batchId: 7, fileId: 8n, version: 2, claims: 3 }, { claims: 3n }],
  ['objects within', { total: { rows: 4 } }, { 'total.rows': 4n }],
  ['a list of objects is summed', [{ result: { lines: 2 } }, { result: { lines: 5n } }], { 'result.lines': 7n }],
  ['a list of names is counted', { missing: ['a', 'b'], statements: [17, 18, 19] }, { missing: 2n, statements: 3n }],
  ['a number alone', 42, { result: 42n }],
  ['nothing', null, {}],
  ['what is no whole number', { at: new Date(0), share: Number.NaN, big: 2 ** 60 }, {}],
])('counts: %s', (_, value, expected) => {
  expect(countsOf(value)).toEqual(expected);
});

test('counts have kinds, and rates where something was read or written; amounts have neither', () => {
  const counts = { lines: 3_000n, held: 2n, items: 10n, parts: 4n, netWon: 9n };
  expect(describeCounts(counts, 1_500)).toEqual([
    { name: 'lines', value: 3_000n, kind: 'read', perSecond: 2_000 },
    { name: 'held', value: 2n, kind: 'skipped', perSecond: null },
    { name: 'items', value: 10n, kind: 'written', perSecond: 7 },
    { name: 'parts', value: 4n, kind: null, perSecond: null },
    { name: 'netWon', value: 9n, kind: null, perSecond: null },
  ]);
  expect(comparable(counts)).toEqual({ lines: 3_000, held: 2, items: 10, parts: 4 });
});
