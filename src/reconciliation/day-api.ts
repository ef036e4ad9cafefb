import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { day, instant, someOf, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { reconciledProviders } from '../providers/registry.ts';
import { stages } from '../providers/stage.ts';
import { pageOfDays } from './day-store.ts';
import { daySummary } from './day-summary.ts';
import { breakKinds, reconciledStages, stageStates } from './outcome.ts';
import { openRun, type ReconcileRequest } from './run-store.ts';
import { expectedOf, type Reconciliation } from './workflow.ts';

export type DayApiPorts = {
  readonly pool: Pool;
  readonly reconciliation: Reconciliation;
  now(): Temporal.Instant;
};

const providerIds = reconciledProviders.map((provider) => provider.id) as [string, ...string[]];
const outcome = z.enum(['complete', 'incomplete']);
const amounts = (...names: readonly string[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, won()]))).nullable();

const stageSummary = z.object({
  provider: z.string(),
  stage: z.enum(reconciledStages),
  on: day(),
  state: z.enum(stageStates),
  lines: z.number().int(),
  linesWon: won(),
  ours: z.number().int(),
  oursWon: won(),
  matched: z.number().int(),
  timing: z.number().int(),
  awaiting: z.number().int(),
  held: z.number().int(),
  /** By kind of break, those kinds alone that there are. */
  breaks: z.partialRecord(
    z.enum(breakKinds),
    z.object({ count: z.number().int(), unresolved: z.number().int(), differenceWon: won() }),
  ),
  missing: z.array(z.string()),
  waiting: z.array(z.string()),
  refused: z.array(z.object({ file: z.string(), code: z.string(), details: z.record(z.string(), z.unknown()) })),
  reconciledAt: instant().nullable(),
  /** Records or lines have come in since then: the next run computes it anew. */
  due: z.literal(true).optional(),
  error: z.string().optional(),
});
/** Each side states its own terms, which the breaks must explain: a residual other than 0 makes the day incomplete. */
const equation = z.object({
  provider: z.string(),
  on: day(),
  transactions: amounts(
    'approvedWon',
    'cancelledWon',
    'statedWon',
    'capturedWon',
    'notCapturedWon',
    'breaksWon',
    'timingWon',
    'residualWon',
  ),
  settlement: amounts(
    'capturedWon',
    'netWon',
    'feeWon',
    'vatWon',
    'heldWon',
    'breaksWon',
    'timingWon',
    'depositedWon',
    'notDueWon',
    'depositBreaksWon',
    'residualWon',
  ),
});

/** 대사. `/reconciliations` begins one for any day; `/reconciliation-days` says how days stand, with their equations. */
export function dayRoutes({ pool, reconciliation, now }: DayApiPorts): Route[] {
  return [
    route({
      id: 'startReconciliation',
      path: '/reconciliations',
      tag: 'reconciliation',
      summary: { ko: '대사 실행', en: "Reconcile a business day against the providers' statements" },
      permission: 'run',
      method: 'post',
      body: z.object({
        /** Yesterday in Seoul if not given. */
        on: day().optional(),
        providers: z.array(z.enum(providerIds)).min(1).optional(),
        stages: z.array(z.enum(stages)).min(1).optional(),
      }),
      answer: z.object({
        run: z.string(),
        /** The same was being done already: this is that run. */
        joined: z.boolean(),
        on: day(),
        providers: z.array(z.string()),
        stages: z.array(z.enum(stages)),
      }),
      status: 202,
      subject: ({ body }) => `reconcile ${body.on ?? 'yesterday'}`,
      async handle({ actor, body }) {
        const yesterday = now().toZonedDateTimeISO(seoul).toPlainDate().subtract({ days: 1 });
        const request: ReconcileRequest = {
          on: body.on ?? yesterday.toString(),
          // In the order of the registry: what is asked for in any order is the same request.
          providers: providerIds.filter((id) => body.providers?.includes(id) ?? true),
          stages: stages.filter((stage) => body.stages?.includes(stage) ?? true),
          who: actor.who,
        };
        const { runId, joined } = await openRun(pool, request);
        await reconciliation.start(runId, request);
        const { on, providers } = request;
        return { run: runId, joined, on, providers, stages: request.stages };
      },
    }),
    list({
      id: 'listReconciliationDays',
      path: '/reconciliation-days',
      tag: 'reconciliation',
      summary: { ko: '업무일별 대사 결과', en: 'Business days with what their last run came to' },
      permission: 'read',
      filter: z.object({ from: day().optional(), to: day().optional() }),
      row: z.object({
        on: day(),
        attempts: z.number().int(),
        run: z.string(),
        startedBy: z.string(),
        startedAt: instant(),
        finishedAt: instant().nullable(),
        outcome: outcome.nullable(),
      }),
      sorts: ['on'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfDays(pool, query, request),
    }),
    route({
      id: 'showReconciliationDay',
      path: '/reconciliation-days/{on}',
      tag: 'reconciliation',
      summary: { ko: '업무일의 집계와 등식', en: 'How a business day stands: its stages and its equation' },
      permission: 'read',
      method: 'get',
      params: z.object({ on: day() }),
      query: z.object({ provider: someOf(providerIds), stage: someOf(stages) }),
      answer: z.object({
        on: day(),
        outcome,
        reasons: z.array(z.string()),
        stages: z.array(stageSummary),
        equations: z.array(equation),
      }),
      async handle({ params, query, language }) {
        const expected = expectedOf({ providers: query.provider ?? providerIds, stages: query.stage ?? stages });
        return daySummary(pool, Temporal.PlainDate.from(params.on), expected, language);
      },
    }),
  ];
}
