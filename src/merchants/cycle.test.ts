import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { koreanHolidays } from '../platform/holidays.ts';
import { type DueTerms, dueAt, nextDates, parseCycle, type Roll } from './cycle.ts';

const holidays = koreanHolidays(2026, 2027);
const arrivedAt = Temporal.Instant.from('2026-01-01T00:00:00Z');
const seoulTime = (text: string) => Temporal.Instant.from(`${text}+09:00`);

function dueOn(cycle: string, roll: Roll, capturedOn: string, closed: ReadonlySet<string> = holidays): string {
  const due = dueAt({ cycle, roll, dueTime: '09:00' }, Temporal.PlainDate.from(capturedOn), arrivedAt, closed);
  const local = due.toZonedDateTimeISO('Asia/Seoul');
  expect(local.toPlainTime().toString()).toBe('09:00:00');
  return local.toPlainDate().toString();
}

describe('business days after the capture day', () => {
  test.each([
    ['D+0', '2026-11-20', '2026-11-20', 'a Friday'],
    ['D+0', '2026-11-21', '2026-11-23', 'a Saturday'],
    ['D+0', '2026-07-17', '2026-07-20', '제헌절, closed again from 2026 on, a Friday'],
    ['D+1', '2026-11-20', '2026-11-23', 'over a weekend'],
    ['D+1', '2026-11-21', '2026-11-23', 'from a Saturday'],
    ['D+1', '2026-02-13', '2026-02-19', '설날: Monday to Wednesday closed'],
    ['D+2', '2026-02-13', '2026-02-20', '설날'],
    ['D+1', '2026-02-17', '2026-02-19', 'from 설날 itself'],
    ['D+1', '2027-02-05', '2027-02-10', '설날 2027 lies on a weekend: Tuesday stands in for it'],
    ['D+1', '2026-09-23', '2026-09-28', '추석: Thursday to Saturday closed'],
    ['D+2', '2026-09-23', '2026-09-29', '추석'],
    ['D+1', '2026-08-14', '2026-08-18', '광복절 on a Saturday, Monday stands in for it'],
    ['D+1', '2026-02-27', '2026-03-03', '3·1절 on a Sunday, Monday stands in for it'],
    ['D+1', '2026-05-22', '2026-05-26', '부처님 오신 날 on a Sunday, Monday stands in for it'],
    ['D+1', '2026-04-30', '2026-05-04', '노동절, closed from 2026 on, a Friday'],
    ['D+2', '2026-04-30', '2026-05-06', '노동절, then 어린이날'],
    ['D+1', '2026-07-16', '2026-07-20', '제헌절'],
    ['D+1', '2026-12-31', '2027-01-04', 'over the year'],
    ['D+5', '2026-09-18', '2026-09-29', 'three of the days between are closed'],
  ])('%s of %s is %s (%s)', (cycle, capturedOn, due) => {
    for (const roll of ['forward', 'backward', 'none'] as const) expect(dueOn(cycle, roll, capturedOn)).toBe(due);
  });
});

describe('weekly and monthly', () => {
  test.each([
    // cycle, captured on, forward, backward, none
    ['W:MON', '2026-11-16', '2026-11-23', '2026-11-23', '2026-11-23', 'a Monday waits for the next'],
    ['W:MON', '2026-11-22', '2026-11-23', '2026-11-23', '2026-11-23', 'a Sunday does not'],
    ['W:MON', '2026-02-12', '2026-02-19', '2026-02-13', '2026-02-16', '설날'],
    ['W:MON', '2026-02-13', '2026-02-19', '2026-02-23', '2026-02-16', 'rolled back to the capture day is too early'],
    ['W:MON', '2026-02-15', '2026-02-19', '2026-02-23', '2026-02-16', 'rolled back before the capture day'],
    ['W:FRI', '2026-09-21', '2026-09-28', '2026-09-23', '2026-09-25', '추석'],
    ['W:FRI', '2026-09-23', '2026-09-28', '2026-10-02', '2026-09-25', '추석, captured on its eve'],
    ['W:SUN', '2026-11-16', '2026-11-23', '2026-11-20', '2026-11-22', 'always rolled'],
    ['W:FRI', '2026-04-29', '2026-05-04', '2026-04-30', '2026-05-01', '노동절'],
    ['W:FRI', '2026-07-13', '2026-07-20', '2026-07-16', '2026-07-17', '제헌절'],
    ['MD:15', '2026-08-10', '2026-08-18', '2026-08-14', '2026-08-15', '광복절 and the day that stands in for it'],
    ['MD:15', '2026-08-15', '2026-09-15', '2026-09-15', '2026-09-15', 'the 15th itself waits for the next'],
    ['MD:15', '2026-08-14', '2026-08-18', '2026-09-15', '2026-08-15', 'rolled back to the capture day'],
    [
      'MD:31',
      '2026-02-01',
      '2026-03-03',
      '2026-02-27',
      '2026-02-28',
      'the last of February, a Saturday; Monday closed',
    ],
    ['MD:31', '2026-02-28', '2026-03-31', '2026-03-31', '2026-03-31', "captured on the month's last day"],
    ['MD:31', '2026-04-29', '2026-04-30', '2026-04-30', '2026-04-30', 'a month of 30 days'],
    ['MD:30', '2026-01-31', '2026-03-03', '2026-02-27', '2026-02-28', 'no 30th of February'],
    ['MD:29', '2027-02-10', '2027-03-02', '2027-02-26', '2027-02-28', 'no leap year: a Sunday, then 3·1절'],
    ['MD:1', '2026-12-15', '2027-01-04', '2026-12-31', '2027-01-01', 'New Year'],
    ['MD:17', '2026-07-16', '2026-07-20', '2026-08-14', '2026-07-17', 'the August one rolls back over 광복절, too'],
  ])('%s, captured on %s: %s, %s, %s (%s)', (cycle, capturedOn, forward, backward, none) => {
    expect(dueOn(cycle, 'forward', capturedOn)).toBe(forward);
    expect(dueOn(cycle, 'backward', capturedOn)).toBe(backward);
    expect(dueOn(cycle, 'none', capturedOn)).toBe(none);
  });

  test.each([
    ['MD:31', '2028-02-01', '2028-02-29'],
    ['MD:29', '2028-02-01', '2028-02-29'],
    ['MD:30', '2028-02-28', '2028-02-29'],
    ['MD:30', '2028-02-29', '2028-03-30'],
  ])('a leap year: %s of %s is %s', (cycle, capturedOn, due) => {
    expect(dueOn(cycle, 'none', capturedOn)).toBe(due);
  });
});

describe('minutes', () => {
  test.each([
    ['M5', '2026-11-20T12:03:10', '2026-11-20T12:03:10', 'the next slot takes it'],
    ['M1', '2026-11-20T12:03:10', '2026-11-20T12:03:10', 'every slot is one of its'],
    ['M10', '2026-11-20T12:03:10', '2026-11-20T12:10:00', ''],
    ['M10', '2026-11-20T12:10:00', '2026-11-20T12:10:00', 'just in time'],
    ['M10', '2026-11-20T12:10:00.000000001', '2026-11-20T12:20:00', 'just too late'],
    ['M30', '2026-11-20T23:30:01', '2026-11-21T00:00:00', 'midnight'],
    ['M60', '2026-12-31T23:59:59.999', '2027-01-01T00:00:00', 'New Year, closed or not'],
    ['M45', '2026-11-20T22:31:00', '2026-11-20T23:15:00', 'counted from midnight'],
    ['M50', '2026-11-20T23:21:00', '2026-11-21T00:00:00', 'and anew from the next one'],
  ])('%s, arrived at %s: %s %s', (cycle, arrived, due) => {
    const terms: DueTerms = { cycle, roll: 'forward', dueTime: '00:00' };
    const at = dueAt(terms, Temporal.PlainDate.from('2026-11-20'), seoulTime(arrived), holidays);
    expect(at.toString()).toBe(seoulTime(due).toString());
  });
});

test.each([
  '',
  'M0',
  'M61',
  'M05',
  'D+61',
  'D+',
  'D-1',
  'D2',
  'W:mon',
  'W:MONDAY',
  'MD:0',
  'MD:32',
  'MD:015',
  ' M5',
  'm5',
  'M5 ',
])('%j is no cycle', (text) => {
  expect(parseCycle(text)).toBeUndefined();
});

describe('the preview', () => {
  const preview = (cycle: string, roll: Roll, from: string, count: number, closed: ReadonlySet<string> = holidays) =>
    nextDates({ cycle, roll, dueTime: '09:00' }, seoulTime(from), count, closed).map(({ dueAt: at, captures }) =>
      [
        at.toZonedDateTimeISO('Asia/Seoul').toPlainDateTime().toString(),
        ...(captures === undefined ? [] : [`${captures.from} ~ ${captures.to}`]),
      ].join(': '),
    );

  test.each<[string, Roll, string, string[]]>([
    ['M5', 'none', '2026-11-20T12:05:00', ['2026-11-20T12:10:00', '2026-11-20T12:15:00', '2026-11-20T12:20:00']],
    ['M30', 'none', '2026-11-20T23:29:59', ['2026-11-20T23:30:00', '2026-11-21T00:00:00', '2026-11-21T00:30:00']],
    [
      'D+1',
      'forward',
      '2026-02-13T10:00:00',
      [
        '2026-02-19T09:00:00: 2026-02-13 ~ 2026-02-18',
        '2026-02-20T09:00:00: 2026-02-19 ~ 2026-02-19',
        '2026-02-23T09:00:00: 2026-02-20 ~ 2026-02-22',
      ],
    ],
    [
      'W:MON',
      'backward',
      '2026-02-10T00:00:00',
      [
        '2026-02-13T09:00:00: 2026-02-09 ~ 2026-02-12',
        '2026-02-23T09:00:00: 2026-02-13 ~ 2026-02-22',
        '2026-02-27T09:00:00: 2026-02-23 ~ 2026-02-26',
      ],
    ],
    [
      'MD:31',
      'none',
      '2028-02-01T00:00:00',
      [
        '2028-02-29T09:00:00: 2028-01-31 ~ 2028-02-28',
        '2028-03-31T09:00:00: 2028-02-29 ~ 2028-03-30',
        '2028-04-30T09:00:00: 2028-03-31 ~ 2028-04-29',
      ],
    ],
  ])('%s, %s, from %s', (cycle, roll, from, expected) => {
    expect(preview(cycle, roll, from, 3)).toEqual(expected);
  });

  test('a temporary holiday moves what falls on it, and nothing else', () => {
    const closed = new Set([...holidays, '2026-11-23']);
    expect(preview('D+1', 'forward', '2026-11-20T10:00:00', 2)).toEqual([
      '2026-11-23T09:00:00: 2026-11-20 ~ 2026-11-22',
      '2026-11-24T09:00:00: 2026-11-23 ~ 2026-11-23',
    ]);
    expect(preview('D+1', 'forward', '2026-11-20T10:00:00', 2, closed)).toEqual([
      '2026-11-24T09:00:00: 2026-11-20 ~ 2026-11-23',
      '2026-11-25T09:00:00: 2026-11-24 ~ 2026-11-24',
    ]);
    expect(preview('W:MON', 'backward', '2026-11-17T00:00:00', 1, closed)[0]).toMatch(/^2026-11-20T/);
  });
});

test('no capture is due before its day, later ones are never due earlier, and rolled ones on business days', () => {
  const cycle = fc.oneof(
    fc.integer({ min: 0, max: 60 }).map((n) => `D+${n}`),
    fc.constantFrom('MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN').map((day) => `W:${day}`),
    fc.integer({ min: 1, max: 31 }).map((n) => `MD:${n}`),
  );
  const roll = fc.constantFrom<Roll>('forward', 'backward', 'none');
  const days = fc.integer({ min: 0, max: 600 });
  fc.assert(
    fc.property(cycle, roll, days, days, (text, rolled, a, b) => {
      const [early, late] = [Math.min(a, b), Math.max(a, b)].map((n) =>
        Temporal.PlainDate.from('2026-01-01').add({ days: n }).toString(),
      ) as [string, string];
      const due = dueOn(text, rolled, early);
      expect(due >= early && (text.startsWith('D') || due > early)).toBe(true);
      expect(dueOn(text, rolled, late) >= due).toBe(true);
      if (rolled !== 'none') {
        expect(Temporal.PlainDate.from(due).dayOfWeek <= 5 && !holidays.has(due)).toBe(true);
      }
    }),
  );
});
