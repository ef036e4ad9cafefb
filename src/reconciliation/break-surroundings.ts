import type { Writable } from 'node:stream';
import { seoul } from '../kernel/business-day.ts';
import { reconciledProviders } from '../providers/registry.ts';
import type { FilterWorld } from './break-options.ts';

/** Where the commands about breaks write, and the world they are asked in; tests give their own. */
export type BreakSurroundings = { readonly output: Writable; readonly world: FilterWorld };

/** Standard output, and today in Seoul. */
export function breakSurroundings(): BreakSurroundings {
  return {
    output: process.stdout,
    world: {
      today: Temporal.Now.plainDateISO(seoul),
      providers: reconciledProviders.map((provider) => provider.id),
    },
  };
}
