import { expect, test } from 'vitest';
import { faultOfTimes, nextOccurrences } from './occurrence.ts';
import type { BusinessDayRule } from './schedule-rows.ts';

const seoul = 'Asia/Seoul';
const newYork = 'America/New_York';
const berlin = 'Europe/Berlin';
/** 2026-11-20 is a Friday; the Monday after is taken as a holiday in some rows. */
const none = new Set<string>();
const monday = new Set(['2026-11-23']);

type Row = readonly [string, string, string, BusinessDayRule, ReadonlySet<string>, string, string];
const table: readonly Row[] = [
  // what, cron, zone, rule, holidays, after, the next ones in the schedule's own clock
  ['every five minutes', '*/5 * * * *', seoul, 'every_day', none, '2026-11-20T12:02:10+09:00', '20T12:05 20T12:10'],
  ['a slot is after', '*/5 * * * *', seoul, 'every_day', none, '2026-11-20T12:05:00+09:00', '20T12:10 20T12:15'],
  ['seconds', '*/20 * * * * *', seoul, 'every_day', none, '2026-11-20T12:00:01+09:00', '20T12:00:20 20T12:00:40'],
  ['open days', '0 8 * * *', seoul, 'business_days', none, '2026-11-20T09:00+09:00', '23T08:00 24T08:00'],
  ['and a holiday', '0 8 * * *', seoul, 'business_days', monday, '2026-11-20T09:00+09:00', '24T08:00 25T08:00'],
  ['rolled on, once', '0 8 * * *', seoul, 'roll_forward', monday, '2026-11-20T09:00+09:00', '24T08:00 25T08:00'],
  ['of a Saturday', '0 8 21 * *', seoul, 'roll_forward', monday, '2026-11-20T09:00+09:00', '24T08:00 12-21T08:00'],
  ['rolled back', '0 8 22 * *', seoul, 'roll_backward', none, '2026-11-20T07:00+09:00', '20T08:00 12-22T08:00'],
  [
    'its time is over',
    '0 8 22 * *',
    seoul,
    'roll_backward',
    none,
    '2026-11-20T08:00+09:00',
    '12-22T08:00 2027-01-22T08:00',
  ],
  ['in order', '0 8,20 * * *', seoul, 'roll_forward', monday, '2026-11-20T21:00+09:00', '24T08:00 24T20:00'],
  // Summer time: a fixed time that is not there comes right after the gap, one that is there twice comes once.
  [
    'skipped hour',
    '30 2 * * *',
    newYork,
    'every_day',
    none,
    '2026-03-07T12:00Z',
    '2026-03-08T03:00-04 2026-03-09T02:30-04',
  ],
  [
    'in steps',
    '*/30 * * * *',
    newYork,
    'every_day',
    none,
    '2026-03-08T06:30Z',
    '2026-03-08T03:00-04 2026-03-08T03:30-04',
  ],
  [
    'doubled hour',
    '30 1 * * *',
    newYork,
    'every_day',
    none,
    '2026-11-01T00:00Z',
    '2026-11-01T01:30-04 2026-11-02T01:30-05',
  ],
  [
    'twice by the clock',
    '*/30 1 * * *',
    newYork,
    'every_day',
    none,
    '2026-11-01T05:00Z',
    '2026-11-01T01:30-04 2026-11-01T01:00-05',
  ],
  [
    'in Berlin',
    '30 2 * * *',
    berlin,
    'every_day',
    none,
    '2026-10-24T12:00Z',
    '2026-10-25T02:30+02 2026-10-26T02:30+01',
  ],
];

test.each(table)('%s: %s %s', (_, cron, timeZone, businessDays, holidays, after, expected) => {
  const from = Temporal.Instant.from(after);
  const found = nextOccurrences({ cron, timeZone, businessDays }, from, 2, holidays).map((at) => {
    const text = at.toZonedDateTimeISO(timeZone).toString({ timeZoneName: 'never' });
    return text.replace(/:00([+-])/, '$1').replace(/([+-]\d\d):00$/, '$1');
  });
  const wanted = expected.split(' ').map((text) => {
    const full = /^\d\dT/.test(text) ? `2026-11-${text}` : /^\d\d-\d\dT/.test(text) ? `2026-${text}` : text;
    return /[+-]\d\d$/.test(full) && full.length > 17 ? full : `${full}+09`;
  });
  expect(found).toEqual(wanted);
});

const now = Temporal.Instant.from('2026-11-20T12:00:00+09:00');
test.each([
  ['0 8 * * *', seoul, 'every_day', /^$/],
  ['0 8 30 2 *', seoul, 'every_day', /never/],
  ['0 8 * *', seoul, 'every_day', /parts/],
  ['61 8 * * *', seoul, 'every_day', /61/],
  ['0 8 * * *', 'Asia/Nowhere', 'every_day', /Asia\/Nowhere/],
  ['* * * * *', seoul, 'roll_forward', /24/],
  [`${'1,'.repeat(60)}2 * * * *`, seoul, 'every_day', /100/],
] as const)('%s in %s, %s: %s', (cron, timeZone, businessDays, fault) => {
  expect(faultOfTimes({ cron, timeZone, businessDays }, now) ?? '').toMatch(fault);
});

test('open days that a schedule never meets are no reason to look for ever', () => {
  const sundays = { cron: '0 8 * * 0', timeZone: seoul, businessDays: 'business_days' } as const;
  expect(nextOccurrences(sundays, now, 1, none)).toEqual([]);
});
