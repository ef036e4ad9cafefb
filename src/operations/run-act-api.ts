import { z } from 'zod';
import { showRun } from '../platform/durable/runs.ts';
import { day, reason, term } from '../platform/http/fields.ts';
import { type Route, route, type Words } from '../platform/http/route.ts';
import { showBackfill } from './backfill-store.ts';
import { parallelMost } from './backfill-workflow.ts';
import { backfillToJson, outcomesToJson } from './run-act-json.ts';
import { actOnRuns, type BulkAct, bulkDefault, bulkMost, cancelRun, restartRun } from './run-acts.ts';
import type { RunEngine } from './run-commands.ts';
import { backfill, bulkOutcome, runFilter, runState, toFilter } from './run-schemas.ts';

const tag = 'runs';
const byId = z.object({ id: term() });
const why = z.object({ reason: reason().optional() });

/** Acts on runs: one, those that a filter means, and a job for a range of days. */
export function runActRoutes(engine: RunEngine): Route[] {
  const { pool } = engine;
  const one = (act: BulkAct, summary: Words, does: typeof cancelRun): Route =>
    route({
      id: `${act}Run`,
      method: 'post',
      path: `/runs/{id}/${act}`,
      tag,
      summary,
      permission: 'run',
      problems: [
        'not_found',
        'run_is_part',
        'run_not_ours_to_stop',
        act === 'cancel' ? 'run_over' : 'run_not_restartable',
      ],
      params: byId,
      body: why,
      answer: z.object({ id: z.string(), state: runState, outcome: z.enum(['done', 'already']) }),
      status: act === 'cancel' ? 200 : 202,
      async handle({ params: { id } }) {
        const outcome = await does(engine, id);
        return { id, state: (await showRun(pool, id)).state, outcome };
      },
    });
  const many = (act: BulkAct, summary: Words): Route =>
    route({
      id: `${act}Runs`,
      method: 'post',
      path: `/runs/${act}`,
      tag,
      summary,
      permission: 'run',
      problems: ['bulk_unfiltered', 'bulk_too_many'],
      body: z.object({
        filter: runFilter.default({ job: undefined, state: undefined }),
        everything: z.boolean().default(false),
        most: z.number().int().min(1).max(bulkMost).default(bulkDefault),
        dryRun: z.boolean().default(false),
        reason: reason().optional(),
      }),
      answer: z.object({ outcomes: z.array(bulkOutcome) }),
      subject: () => 'runs by filter',
      async handle({ body: { filter, everything, most, dryRun }, language }) {
        const outcomes = await actOnRuns(engine, act, { filter: toFilter(filter), everything, most, dryRun });
        return { outcomes: outcomesToJson(outcomes, language) };
      },
    });
  return [
    one('cancel', { ko: '실행 취소', en: 'End a run before its next step' }, cancelRun),
    one('restart', { ko: '실패한 단계부터 다시 시작', en: 'Let a run go on from the step that failed' }, restartRun),
    many('cancel', { ko: '실행 일괄 취소', en: 'Cancel the runs that a filter means' }),
    many('restart', { ko: '실행 일괄 재시작', en: 'Restart the runs that a filter means' }),
    route({
      id: 'startBackfill',
      method: 'post',
      path: '/backfills',
      tag,
      summary: { ko: '기간 소급 실행', en: 'Run a job again for a range of days' },
      permission: 'run',
      problems: ['not_found', 'backfill_refused'],
      body: z.object({
        job: term(),
        from: day(),
        to: day(),
        parallel: z.number().int().min(1).max(parallelMost).default(2),
        parameters: z.record(z.string(), z.unknown()).default({}),
        reason: reason().optional(),
      }),
      answer: z.object({ id: z.string() }),
      status: 202,
      subject: ({ body }) => `backfill:${body.job}:${body.from}..${body.to}`,
      async handle({ actor, body: { reason: because, ...asked } }) {
        const { id } = await engine.backfills.start({ ...asked, who: actor.who, reason: because ?? null });
        return { id };
      },
    }),
    route({
      id: 'showBackfill',
      method: 'get',
      path: '/backfills/{id}',
      tag,
      summary: { ko: '소급 실행 상세', en: 'A backfill, and what each of its days came to' },
      permission: 'read',
      problems: ['not_found'],
      params: byId,
      answer: backfill,
      handle: async ({ params, language }) => backfillToJson(await showBackfill(pool, params.id), language),
    }),
  ];
}
