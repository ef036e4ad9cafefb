import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { addBusinessDays } from '../kernel/business-day.ts';
import { isProblem, type ProblemCode } from '../kernel/problem.ts';
import { publishedHolidays } from '../platform/holidays.ts';
import { calendarCommands } from './commands.ts';
import { addHoliday, businessCalendar, removeHoliday } from './store.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const by = { name: '임시공휴일', recordedBy: 'kim', reason: '국무회의 의결' };
const refusal = (code: ProblemCode) => expect.toSatisfy((error: unknown) => isProblem(error, code));
const nextDay = async (from: string) =>
  addBusinessDays(Temporal.PlainDate.from(from), 1, await businessCalendar(database.pool)).toString();

test('without overrides the calendar is the gazette', async () => {
  expect(await businessCalendar(database.pool)).toEqual(publishedHolidays());
  for (const day of ['2026-05-01', '2026-07-17', '2026-08-17']) {
    expect(await businessCalendar(database.pool)).toContain(day);
  }
});

test('a temporary holiday counts at once, and the last word on a day is valid', async () => {
  expect(await nextDay('2026-11-20')).toBe('2026-11-23');
  await addHoliday(database.pool, { ...by, day: '2026-11-23' });
  expect(await nextDay('2026-11-20')).toBe('2026-11-24');
  await expect(addHoliday(database.pool, { ...by, day: '2026-11-23' })).rejects.toThrow(refusal('calendar_unchanged'));
  await removeHoliday(database.pool, { ...by, day: '2026-11-23' });
  expect(await nextDay('2026-11-20')).toBe('2026-11-23');
  await addHoliday(database.pool, { ...by, day: '2026-11-23' });
  expect(await nextDay('2026-11-20')).toBe('2026-11-24');
});

test('a holiday of the gazette is opened, and closed again', async () => {
  await expect(addHoliday(database.pool, { ...by, day: '2026-12-25' })).rejects.toThrow(refusal('calendar_unchanged'));
  await removeHoliday(database.pool, { ...by, day: '2026-12-25' });
  expect(await nextDay('2026-12-24')).toBe('2026-12-25');
  await addHoliday(database.pool, { ...by, day: '2026-12-25' });
  expect(await nextDay('2026-12-24')).toBe('2026-12-28');
});

test('a day that is no holiday cannot be taken away', async () => {
  await expect(removeHoliday(database.pool, { ...by, day: '2026-11-25' })).rejects.toThrow(
    refusal('calendar_unchanged'),
  );
});

test('a year that is not published yet has its weekends and what an operator adds', async () => {
  await addHoliday(database.pool, { ...by, day: '2035-06-04' });
  expect(await nextDay('2035-06-01')).toBe('2035-06-05');
});

describe('the commands', () => {
  const calendar = (...line: string[]) =>
    runCommand(database.pool, ['calendar', ...line], (program, context, output) =>
      calendarCommands(program, context, output),
    );

  test('add, list and remove', async () => {
    expect(
      (await calendar('add', '2027-06-14', '--name', '임시공휴일', '--reason', '국무회의 의결', '--by', 'lee')).said,
    ).toBe('2027-06-14: is now a holiday (임시공휴일)\n');
    const listed = await calendar('list', '--from', '2027-06-01', '--to', '2027-06-30');
    expect(listed.said).toMatch(
      /2027-06-06 +Sun +closed +현충일 +gazette\n2027-06-14 +Mon +closed +임시공휴일 +lee +국무회의 의결\n/,
    );
    await calendar('remove', '2027-06-14', '--reason', '취소되었음');
    const { said } = await calendar('list', '--from', '2027-06-14', '--to', '2027-06-14', '--json');
    expect(JSON.parse(said)).toEqual([
      { day: '2027-06-14', closed: false, name: 'business day', recordedBy: 'operator', reason: '취소되었음' },
    ]);
  });

  test.each([
    ['a day that does not exist', ['add', '2026-02-30', '--name', 'x', '--reason', 'y'], 'usage'],
    ['an empty reason', ['add', '2026-02-27', '--name', 'x', '--reason', ' '], 'usage'],
    ['a holiday again', ['add', '2026-02-17', '--name', 'x', '--reason', 'y'], 'calendar_unchanged'],
    ['a range that is none', ['list', '--from', 'May'], 'usage'],
  ] as const)('refuse %s', async (_, line, code) => {
    await expect(calendar(...line)).rejects.toThrow(refusal(code));
  });
});
