import type { Writable } from 'node:stream';
import { seoul } from '../kernel/business-day.ts';
import { publishedHolidays } from '../platform/holidays.ts';
import { providers } from '../providers/registry.ts';
import type { FilterWorld } from './break-options.ts';

/** Where the commands about breaks write, and the world they are asked in; tests give their own. */
export type BreakSurroundings = { readonly output: Writable; readonly world: FilterWorld };

/**
 * Standard output, and today in Seoul. A year whose holidays are not published yet has its weekends only: an age is
 * there to be looked at, and a list is not refused for it.
 */
export function breakSurroundings(): BreakSurroundings {
  return {
    output: process.stdout,
    world: {
      today: Temporal.Now.plainDateISO(seoul),
      holidays: publishedHolidays(),
      providers: providers.map((provider) => provider.id),
    },
  };
}
