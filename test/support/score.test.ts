import { expect, test } from 'vitest';
import { type ScoredBreak, score } from './score.ts';

const planted = (kind: string, providerTid: string, differenceWon: number | null = 100): ScoredBreak => ({
  provider: 'ksnet',
  stage: 'transaction',
  on: '2026-11-20',
  kind,
  providerTid,
  line: 7,
  differenceWon,
});

test('a score counts what is right once, and names what is missed and what is invented', () => {
  const truth = [
    planted('amount_differs', 'a'),
    planted('amount_differs', 'b'),
    planted('duplicate', 'c'),
    planted('timing', 'd', 0),
  ];
  const breaks = [
    { ...planted('amount_differs', 'a'), id: 1 },
    { ...planted('amount_differs', 'a'), id: 2 }, // the same difference, told twice
    planted('duplicate', 'c', 101), // another amount is another difference
    planted('missing_here', 'd', 500), // a timing difference is no break
  ];
  const result = score(breaks, truth);
  expect(result.kinds).toEqual({
    amount_differs: { planted: 2, reported: 2, right: 1, precision: 0.5, recall: 0.5 },
    duplicate: { planted: 1, reported: 1, right: 0, precision: 0, recall: 0 },
    missing_here: { planted: 0, reported: 1, right: 0, precision: 0, recall: 1 },
  });
  expect(result.missed).toEqual([truth[1], truth[2]]);
  expect(result.invented).toEqual([breaks[1], breaks[2], breaks[3]]);
  expect(result.timingAsBreaks).toEqual([breaks[3]]);
});

test('all found and nothing else is 1 and 1, and an unknown amount is only equal to an unknown amount', () => {
  const truth = [planted('unreadable', 'a', null)];
  expect(score(truth, truth).kinds).toEqual({
    unreadable: { planted: 1, reported: 1, right: 1, precision: 1, recall: 1 },
  });
  expect(score([planted('unreadable', 'a', 0)], truth).missed).toEqual(truth);
});
