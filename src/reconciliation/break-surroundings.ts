import type { Writable } from 'node:stream';
import { seoul } from '../kernel/business-day.ts';
import { isProblem } from '../kernel/problem.ts';
import { koreanHolidays } from '../platform/holidays.ts';
import type { FilterWorld } from './break-options.ts';

/** Where the commands about breaks write, and the world they are asked in; tests give their own. */
export type BreakSurroundings = { readonly output: Writable; readonly world: FilterWorld };

/** Records, and so breaks, are kept for five years. */
const yearsKept = 5;

/** Standard output, and today in Seoul. */
export function breakSurroundings(): BreakSurroundings {
  const today = Temporal.Now.plainDateISO(seoul);
  return {
    output: process.stdout,
    world: { today, holidays: holidaysUpTo(today), providers: ['ksnet', 'welcome-online', 'welcome-offline'] },
  };
}

/**
 * The holidays by which an age is counted. A year that is not published has its weekends only: an age is there to be
 * looked at, and a list is not refused for it.
 */
export function holidaysUpTo(today: Temporal.PlainDate): ReadonlySet<string> {
  const holidays = new Set<string>();
  for (let year = today.year - yearsKept; year <= today.year; year += 1) {
    for (const day of publishedHolidays(year)) holidays.add(day);
  }
  return holidays;
}

function publishedHolidays(year: number): ReadonlySet<string> {
  try {
    return koreanHolidays(year);
  } catch (error) {
    if (isProblem(error, 'holidays_unknown')) return new Set();
    throw error;
  }
}
