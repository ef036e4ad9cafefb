import * as gazette from '@hyunbinseo/holidays-kr/all';
import { Problem } from '../kernel/problem.ts';

const byYear = new Map(
  Object.entries(gazette).map(([name, days]) => [Number(name.slice(1)), Object.keys(days)] as const),
);

/**
 * 공휴일. The public holidays of Korea (substitute and temporary ones too) of the years given, as `YYYY-MM-DD`, from the
 * official gazette. A year that is not published yet is `holidays_unknown`: a pay-in day is never guessed.
 */
export function koreanHolidays(fromYear: number, toYear = fromYear): ReadonlySet<string> {
  const holidays = new Set<string>();
  for (let year = fromYear; year <= toYear; year += 1) {
    const days = byYear.get(year);
    if (days === undefined) throw new Problem('holidays_unknown', { year });
    for (const day of days) holidays.add(day);
  }
  return holidays;
}

/** 공휴일. Every public holiday that the gazette has published so far. */
export function publishedHolidays(): ReadonlySet<string> {
  return koreanHolidays(Math.min(...byYear.keys()), Math.max(...byYear.keys()));
}
