import * as gazette from '@hyunbinseo/holidays-kr/all';
import { Problem } from '../kernel/problem.ts';

const byYear = new Map(
  Object.entries(gazette).map(([name, days]) => [Number(name.slice(1)), days as HolidayNames] as const),
);
type HolidayNames = Readonly<Record<string, readonly string[]>>;

/**
 * 공휴일. The public holidays of Korea (substitute and temporary ones too) of the years given, as `YYYY-MM-DD`, from the
 * official gazette. A year that is not published yet is `holidays_unknown`: a pay-in day is never guessed.
 */
export function koreanHolidays(fromYear: number, toYear = fromYear): ReadonlySet<string> {
  const holidays = new Set<string>();
  for (let year = fromYear; year <= toYear; year += 1) {
    const days = byYear.get(year);
    if (days === undefined) throw new Problem('holidays_unknown', { year });
    for (const day of Object.keys(days)) holidays.add(day);
  }
  return holidays;
}

/** 공휴일. Every public holiday that the gazette has published so far. */
export function publishedHolidays(): ReadonlySet<string> {
  return koreanHolidays(Math.min(...byYear.keys()), Math.max(...byYear.keys()));
}

/** 공휴일. Every public holiday that the gazette has published so far, with its name. */
export function publishedHolidayNames(): ReadonlyMap<string, string> {
  return new Map(
    [...byYear.values()].flatMap((days) => Object.entries(days).map(([day, names]) => [day, names.join(', ')])),
  );
}

/** The last year whose holidays the gazette has published. */
export function lastPublishedYear(): number {
  return Math.max(...byYear.keys());
}
