import { expect, test } from 'vitest';
import { ageBusinessDays, ageCounter, olderThanCutOff } from './break-age.ts';

const day = Temporal.PlainDate.from;
// Thursday 2026-12-24 … Friday 2026-12-25 is Christmas.
const holidays = new Set(['2026-12-25']);

test.each([
  // break's day     today         age   why
  ['2026-11-20', '2026-11-20', 0, 'on the day itself'],
  ['2026-11-20', '2026-11-21', 0, 'Friday to Saturday: no business day has begun'],
  ['2026-11-20', '2026-11-23', 1, 'Friday to Monday'],
  ['2026-11-16', '2026-11-20', 4, 'Monday to Friday'],
  ['2026-12-24', '2026-12-28', 1, 'over a holiday and a weekend'],
  ['2026-11-23', '2026-11-20', 0, 'a day to come has no age'],
])('a break of %s is on %s %i business days old (%s)', (on, today, age) => {
  expect(ageBusinessDays(day(on), day(today), holidays)).toBe(age);
  expect(ageCounter(day(today), holidays)(on)).toBe(age);
});

test('the cut-off parts exactly the days whose age is more than n, whatever day it is', () => {
  for (let n = 0; n < 6; n += 1) {
    for (let today = day('2026-12-18'); today.toString() < '2027-01-05'; today = today.add({ days: 1 })) {
      const cutOff = olderThanCutOff(today, n, holidays);
      for (let on = today.subtract({ days: 20 }); on.toString() <= today.toString(); on = on.add({ days: 1 })) {
        const older = ageBusinessDays(on, today, holidays) > n;
        expect([`${on}`, `${today}`, n, on.toString() < cutOff.toString()]).toEqual([`${on}`, `${today}`, n, older]);
      }
    }
  }
});
