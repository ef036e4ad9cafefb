import { expect, test } from 'vitest';
import { addBusinessDays } from '../kernel/business-day.ts';
import { isProblem } from '../kernel/problem.ts';
import { koreanHolidays } from './holidays.ts';

test.each([
  ['2026-11-19', 1, '2026-11-20'],
  ['2026-11-20', 1, '2026-11-23'],
  ['2026-12-24', 1, '2026-12-28'], // Christmas, then a weekend
  ['2026-02-13', 2, '2026-02-20'], // the three days of 설날 2026
  ['2026-12-31', 1, '2027-01-04'], // across the year: New Year's Day, then a weekend
])('%s and %i business days is %s', (from, count, expected) => {
  const holidays = koreanHolidays(2026, 2027);
  expect(addBusinessDays(Temporal.PlainDate.from(from), count, holidays).toString()).toBe(expected);
});

test('a year that the gazette has not published is refused, not guessed', () => {
  expect(() => koreanHolidays(2026, 2100)).toThrow(expect.toSatisfy((e: unknown) => isProblem(e, 'holidays_unknown')));
});
