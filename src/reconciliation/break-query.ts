import { z } from 'zod';
import { Problem } from '../kernel/problem.ts';
import { day, flag, someOf, term } from '../platform/http/fields.ts';
import { reconciledProviders } from '../providers/registry.ts';
import { type BreakFilter, namesNothing } from './break-filter.ts';
import { breakKinds, reconciledStages } from './outcome.ts';
import { breakStates } from './words.ts';

const providerIds = reconciledProviders.map((provider) => provider.id) as [string, ...string[]];
const states = [...breakStates, 'all'] as const;
const wonMost = Number.MAX_SAFE_INTEGER;
const daysMost = 10_000;

/** Which breaks are meant, in a query: the names are those of the command line. */
export const breakQuery = z.object({
  on: day().optional(),
  from: day().optional(),
  to: day().optional(),
  provider: someOf(providerIds),
  stage: someOf(reconciledStages),
  kind: someOf(breakKinds),
  state: someOf(states),
  assigned: term().optional(),
  unassigned: flag().optional(),
  minWon: z.coerce.number().int().min(0).max(wonMost).optional(),
  olderThan: z.coerce.number().int().min(0).max(daysMost).optional(),
  escalated: flag().optional(),
});

/** The same in the body of an act. */
export const breakFilter = breakQuery.extend({
  unassigned: z.boolean().optional(),
  escalated: z.boolean().optional(),
  provider: z.array(z.enum(providerIds)).optional(),
  stage: z.array(z.enum(reconciledStages)).optional(),
  kind: z.array(z.enum(breakKinds)).optional(),
  state: z.array(z.enum(states)).optional(),
  minWon: z.number().int().min(0).max(wonMost).optional(),
  olderThan: z.number().int().min(0).max(daysMost).optional(),
});
export type BreakQuery = z.output<typeof breakQuery>;

/** The filter of a query; `cutOff` says before which day a break is older than so many business days. */
export function toBreakFilter(asked: BreakQuery, cutOff: (daysOld: number) => string): BreakFilter {
  const { on, from, to, assigned, minWon, olderThan } = asked;
  const chosen = asked.state ?? ['open', 'investigating'];
  return {
    states: chosen.includes('all') ? null : breakStates.filter((state) => chosen.includes(state)),
    ...(on === undefined ? {} : { on }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(asked.provider === undefined ? {} : { providers: asked.provider }),
    ...(asked.stage === undefined ? {} : { stages: asked.stage }),
    ...(asked.kind === undefined ? {} : { kinds: asked.kind }),
    ...(assigned === undefined ? {} : { assignedTo: assigned }),
    ...(asked.unassigned === true ? { unassigned: true } : {}),
    ...(minWon === undefined ? {} : { leastWon: BigInt(minWon) }),
    ...(olderThan === undefined ? {} : { before: cutOff(olderThan) }),
    ...(asked.escalated === true ? { escalated: true } : {}),
  };
}

/** An act by a filter that narrows nothing would take everything. @throws Problem `breaks_too_wide` */
export function refuseTooWide(filter: BreakFilter): void {
  if (namesNothing(filter)) throw new Problem('breaks_too_wide');
}
