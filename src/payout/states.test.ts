import { describe, expect, test } from 'vitest';
import type { BankAnswer } from './bank-port.ts';
import { opensAt } from './opening-hours.ts';
import { createSightings } from './sightings.ts';
import { backOffMs, judge, type PayoutState, type Source } from './states.ts';

const word = (outcome: 'succeeded' | 'rejected' | 'processing' | 'not_found' | 'duplicate'): BankAnswer => ({
  outcome,
  code: '0',
  text: '',
});
const none = (outcome: 'not_sent' | 'closed' | 'unknown'): BankAnswer => ({ outcome, reason: '' });

// from, source, answer, settled → to, verdict, booking, next
const cases: readonly (readonly [PayoutState, Source, BankAnswer, boolean, string])[] = [
  ['sent', 'transfer', word('succeeded'), false, 'succeeded applied paid now'],
  ['sent', 'transfer', word('rejected'), false, 'rejected applied released now'],
  ['sent', 'transfer', word('processing'), false, 'unknown applied - later'],
  ['sent', 'transfer', word('duplicate'), false, 'unknown applied - now'],
  ['sent', 'transfer', word('not_found'), true, 'unknown applied - settled'],
  ['sent', 'transfer', none('unknown'), false, 'unknown applied - later'],
  ['sent', 'transfer', none('not_sent'), false, 'holder_checked applied - later'],
  ['sent', 'transfer', none('closed'), false, 'holder_checked applied - open'],
  ['sent', 'inquiry', word('not_found'), false, 'unknown applied - settled'],
  ['unknown', 'inquiry', word('not_found'), false, 'unknown applied - settled'],
  ['unknown', 'inquiry', word('not_found'), true, 'holder_checked applied - now'],
  ['unknown', 'inquiry', none('not_sent'), true, 'unknown applied - later'],
  ['unknown', 'inquiry', none('closed'), true, 'unknown applied - open'],
  ['unknown', 'inquiry', word('duplicate'), true, 'unknown applied - later'],
  ['unknown', 'callback', word('succeeded'), false, 'succeeded applied paid now'],
  ['holder_checked', 'callback', word('succeeded'), false, 'succeeded applied paid now'],
  ['sent', 'callback', word('processing'), false, 'sent repeated - later'],
  ['sent', 'day_list', word('rejected'), false, 'rejected applied released now'],
  ['holder_checked', 'transfer', none('unknown'), false, 'holder_checked repeated - later'],
  ['succeeded', 'transfer', word('succeeded'), false, 'succeeded repeated - now'],
  ['succeeded', 'transfer', none('unknown'), false, 'succeeded repeated - later'],
  ['succeeded', 'day_list', word('rejected'), false, 'succeeded disagrees - now'],
  ['rejected', 'callback', word('succeeded'), false, 'rejected disagrees - now'],
  ['cancelled', 'callback', word('succeeded'), false, 'cancelled disagrees - now'],
  ['cancelled', 'callback', word('rejected'), false, 'cancelled repeated - now'],
  ['sent', 'hand', word('succeeded'), false, 'succeeded applied paid now'],
  ['unknown', 'hand', word('rejected'), false, 'rejected applied released now'],
  ['created', 'hand', word('rejected'), false, 'created repeated - later'],
  ['holder_checked', 'hand', word('succeeded'), false, 'holder_checked repeated - later'],
  ['succeeded', 'hand', word('rejected'), false, 'succeeded repeated - later'],
  ['created', 'holder', word('rejected'), false, 'rejected applied released now'],
  ['holder_checked', 'holder', word('rejected'), false, 'holder_checked repeated - later'],
  ['sent', 'holder', word('rejected'), false, 'sent repeated - later'],
  ['unknown', 'holder', word('rejected'), false, 'unknown repeated - later'],
  ['succeeded', 'holder', word('rejected'), false, 'succeeded repeated - later'],
  ['created', 'holder', none('unknown'), false, 'created applied - later'],
  ['created', 'holder', none('closed'), false, 'created applied - open'],
  ['cancelled', 'holder', none('unknown'), false, 'cancelled repeated - later'],
];

test.each(cases)('%s, %s says %o, settled %s: %s', (state, source, answer, settled, expected) => {
  const { to, verdict, booking, next } = judge(
    { state, sends: state === 'created' ? 0 : 1, asks: 0, claims: 1, inHand: true },
    source,
    answer,
    settled,
  );
  expect(`${to} ${verdict} ${booking ?? '-'} ${next}`).toBe(expected);
});

test.each([
  ['transfer', none('not_sent')],
  ['transfer', none('unknown')],
  ['inquiry', word('not_found')],
] as const)('%s says %o to a run that has let go of it: nothing', (source, answer) => {
  const payout = { state: 'sent', sends: 2, asks: 1, claims: 2, inHand: false } as const;
  expect(judge(payout, source, answer, true)).toMatchObject({ to: 'sent', verdict: 'repeated' });
  expect(judge(payout, source, word('succeeded'), true)).toMatchObject({ to: 'succeeded', booking: 'paid' });
});

test('back-off doubles from a second to five minutes', () => {
  expect([0, 1, 2, 3, 9, 10, 1_000].map(backOffMs)).toEqual([1_000, 1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
});

describe('closing hours', () => {
  test.each([
    ['23:30', '00:30', '2026-11-20T23:29:59+09:00', undefined],
    ['23:30', '00:30', '2026-11-20T23:30:00+09:00', '2026-11-20T15:30:00Z'],
    ['23:30', '00:30', '2026-11-21T00:10:00+09:00', '2026-11-20T15:30:00Z'],
    ['23:30', '00:30', '2026-11-21T00:30:00+09:00', undefined],
    ['02:00', '03:00', '2026-11-21T02:30:00+09:00', '2026-11-20T18:00:00Z'],
    ['02:00', '03:00', '2026-11-21T01:59:59+09:00', undefined],
    ['00:00', '00:00', '2026-11-21T00:00:00+09:00', undefined],
  ])('closed %s–%s, at %s: opens %s', (from, to, at, opening) => {
    expect(opensAt({ from, to }, Temporal.Instant.from(at))?.toString()).toBe(opening);
  });
});

test('a sighting is as old as the clock that only goes forward says, and begins anew when it is sent again', () => {
  let clock = 1_000;
  const sightings = createSightings(() => clock);
  expect(sightings.see(1n, 1)).toBe(0);
  clock += 500;
  expect([sightings.see(1n, 1), sightings.see(2n, 1)]).toEqual([500, 0]);
  expect(sightings.see(1n, 2)).toBe(0);
  clock += 500;
  expect([sightings.see(1n, 2), sightings.see(2n, 1)]).toEqual([500, 500]);
  sightings.forget(2n);
  expect(sightings.see(2n, 1)).toBe(0);
});
