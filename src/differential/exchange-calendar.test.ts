import { expect, test } from 'vitest';
import { seoul } from '../kernel/business-day.ts';
import { answerTimes, nextPoll, sendInstant } from './exchange-calendar.ts';

const calendar = {
  send: { days: 1, at: '00:30' },
  poll: { days: 0, at: '09:00', everySeconds: 600 },
  deadline: { businessDays: 2, at: '18:00' },
  tooOldDays: 90,
  lookBackDays: 14,
};
/** Christmas of 2026 is a Friday. */
const holidays = new Set(['2026-12-25']);
const at = (text: string) => Temporal.Instant.from(`${text.replace(' ', 'T')}+09:00`);
const textOf = (instant: Temporal.Instant) =>
  instant.toZonedDateTimeISO(seoul).toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ' ');

test('a file goes out so many calendar days after its day', () => {
  expect(textOf(sendInstant(calendar, Temporal.PlainDate.from('2026-12-31')))).toBe('2027-01-01 00:30:00');
});

test.each([
  // sent               looked for from    until
  ['2026-12-23 00:30', '2026-12-23 09:00', '2026-12-28 18:00'],
  ['2026-12-24 23:59', '2026-12-24 09:00', '2026-12-29 18:00'],
  ['2026-12-25 00:30', '2026-12-28 09:00', '2026-12-29 18:00'],
  ['2026-12-26 00:30', '2026-12-28 09:00', '2026-12-29 18:00'],
  ['2026-12-28 00:30', '2026-12-28 09:00', '2026-12-30 18:00'],
])('sent at %s: looked for from %s until %s, in business days of Seoul', (sent, from, until) => {
  const { pollFrom, deadlineAt } = answerTimes(calendar, at(sent), holidays);
  expect([textOf(pollFrom), textOf(deadlineAt)]).toEqual([`${from}:00`, `${until}:00`]);
});

const file = { pollFrom: at('2026-12-28 09:00'), deadlineAt: at('2026-12-30 18:00') };
test.each([
  // now                   next
  ['2026-12-26 12:00:00', '2026-12-28 09:00:00'],
  ['2026-12-28 09:00:00', '2026-12-28 09:10:00'],
  ['2026-12-28 09:09:59', '2026-12-28 09:10:00'],
  ['2026-12-28 09:20:01', '2026-12-28 09:30:00'],
  // A clock that jumped meets the schedule again, not what it missed of it.
  ['2026-12-30 03:33:33', '2026-12-30 03:40:00'],
  ['2026-12-30 17:59:00', '2026-12-30 18:00:00'],
  // Late as it is: at once.
  ['2027-01-04 00:00:00', '2027-01-04 00:00:00'],
])('at %s it is looked for next at %s', (now, next) => {
  expect(textOf(nextPoll(calendar, at(now), [file]))).toBe(next);
});

test('of several files the first that is due decides, and a deadline off the schedule is met', () => {
  const other = { pollFrom: at('2026-12-28 09:05'), deadlineAt: at('2026-12-28 09:12') };
  const next = (now: string) => textOf(nextPoll(calendar, at(now), [file, other]));
  expect(next('2026-12-28 09:00')).toBe('2026-12-28 09:05:00');
  expect(next('2026-12-28 09:05')).toBe('2026-12-28 09:10:00');
  expect(next('2026-12-28 09:10')).toBe('2026-12-28 09:12:00');
});
