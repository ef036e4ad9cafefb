import { z } from 'zod';
import { day, flag, instant, someOf, term } from '../platform/http/fields.ts';
import { runStates } from './run-options.ts';
import type { RunFilter } from './run-store.ts';

export const runError = z.object({ code: z.string().nullable(), message: z.string() }).nullable();
const usual = z.object({ samples: z.number().int(), median: z.number(), low: z.number(), high: z.number() });
export const runState = z.enum([...runStates, 'not_begun']);
const count = z.object({
  name: z.string(),
  value: z.number().int(),
  kind: z.enum(['read', 'written', 'skipped']).nullable(),
  perSecond: z.number().int().nullable(),
});

export const runRow = z.object({
  id: z.string(),
  job: z.string(),
  state: runState,
  on: day().nullable(),
  startedBy: z.string().nullable(),
  slot: z.object({ schedule: z.string(), nominalAt: instant(), kind: z.string() }).nullable(),
  backfill: z.string().nullable(),
  key: z.string().nullable(),
  createdAt: instant().nullable(),
  startedAt: instant().nullable(),
  finishedAt: instant().nullable(),
  milliseconds: z.number().int().nullable(),
  attempts: z.number().int(),
  node: z.string().nullable(),
  outcome: z.enum(['complete', 'incomplete']).nullable(),
  report: z.string().nullable(),
  error: runError,
  unusual: z.array(usual.extend({ what: z.string(), value: z.number() })),
});

export const stepRow = z.object({
  number: z.number().int(),
  name: z.string(),
  part: z.string().nullable(),
  startedAt: instant().nullable(),
  milliseconds: z.number().int().nullable(),
  retried: z.number().int(),
  counts: z.array(count),
  error: runError,
});

export const runDetail = runRow.extend({
  parent: z.string().nullable(),
  counts: z.array(count),
  retried: z.number().int(),
  steps: z.array(stepRow),
  parts: z.array(
    z.object({
      id: z.string(),
      state: runState,
      milliseconds: z.number().int().nullable(),
      counts: z.array(count),
      error: runError,
    }),
  ),
  stages: z.array(z.object({ provider: z.string(), stage: z.string(), outcome: z.string(), lines: z.number().int() })),
  files: z.array(
    z.object({
      direction: z.enum(['input', 'output']),
      kind: z.string(),
      provider: z.string().nullable(),
      name: z.string(),
      state: z.string(),
      bytes: z.number().int().nullable(),
      sha256: z.string().nullable(),
      path: z.string(),
    }),
  ),
  usual: z.record(z.string(), usual),
  restart: z.string().nullable().meta({ description: 'The command line that restarts it, where it may be' }),
});

export const logLine = z.object({
  id: z.number().int(),
  runId: z.string(),
  step: z.number().int().nullable(),
  saidAt: instant(),
  level: z.enum(['info', 'warn', 'error', 'fatal']),
  kind: z.enum(['line', 'retry', 'act', 'cut']),
  message: z.string(),
  detail: z.record(z.string(), z.unknown()),
  executorId: z.string(),
});

export const runEvent = z.object({
  run: z.object({ id: z.string(), state: runState, error: runError }).optional(),
  step: z
    .object({ number: z.number().int(), name: z.string(), milliseconds: z.number().int().nullable(), error: runError })
    .optional(),
  line: logLine.optional(),
});

const milliseconds = () => z.coerce.number().int().min(0).max(8.64e9);
/** One or several names. */
const names = () =>
  z.preprocess(
    (given) => (given === undefined ? undefined : [given].flat().flatMap((each) => String(each).split(','))),
    z.array(term()).max(50).optional(),
  );

/** Which runs: of a list in the query, of an act on many in the body. */
const filterShape = {
  job: names(),
  on: day().optional(),
  provider: term().optional(),
  state: someOf(runStates),
  node: term().optional(),
  since: instant().optional(),
  until: instant().optional(),
  atLeastMs: milliseconds().optional(),
  atMostMs: milliseconds().optional(),
  text: term().optional().meta({ description: 'What its error says, in either language' }),
};
export const runFilter = z.object(filterShape);
export const runListFilter = z.object({
  ...filterShape,
  all: flag().optional().meta({ description: 'Runs of payouts too, which are left out unless their job is named' }),
});
export type AskedRuns = z.output<typeof runFilter>;

/** What the interface calls it, as the store does. */
export function toFilter(asked: AskedRuns): Omit<RunFilter, 'now' | 'limit'> {
  const { job, state, since, until, ...same } = asked;
  const named = {
    ...same,
    jobs: job,
    states: state,
    since: since === undefined ? undefined : Temporal.Instant.from(since),
    until: until === undefined ? undefined : Temporal.Instant.from(until),
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

export const bulkOutcome = z.object({
  id: z.string(),
  state: runState,
  outcome: z.enum(['done', 'already', 'would', 'failed']),
  error: runError,
});

export const backfill = z.object({
  id: z.string(),
  job: z.string(),
  from: day(),
  to: day(),
  parallel: z.number().int(),
  who: z.string(),
  reason: z.string().nullable(),
  done: z.number().int(),
  failed: z.number().int(),
  cancelled: z.number().int(),
  left: z.number().int(),
  days: z.array(
    z.object({
      on: day(),
      state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
      runId: z.string().nullable(),
      startedAt: instant().nullable(),
      endedAt: instant().nullable(),
      error: runError,
    }),
  ),
});
