import { z } from 'zod';
import type { Language } from '../kernel/problem.ts';
import { Problem } from '../kernel/problem.ts';
import { listRunLog } from '../platform/durable/run-log-store.ts';
import { flag, term } from '../platform/http/fields.ts';
import { events, list, type Route, route } from '../platform/http/route.ts';
import { runActRoutes } from './run-act-api.ts';
import type { RunEngine } from './run-commands.ts';
import { followRun, type RunEvent } from './run-follow-store.ts';
import { errorToJson, inspectedToJson, listedToJson, milliseconds } from './run-json.ts';
import { levels, levelsFrom } from './run-options.ts';
import { logLine, runDetail, runEvent, runListFilter, runRow, stepRow, toFilter } from './run-schemas.ts';
import { findRuns, inspectRun } from './run-store.ts';

const tag = 'runs';
const byId = z.object({ id: term() });

/** 실행 이력. `/runs`: what runs and ran, what happened in each, live too; and acts on one or many. */
export function runRoutes(engine: RunEngine): Route[] {
  const { pool, now } = engine;
  return [
    list({
      id: 'listRuns',
      path: '/runs',
      tag,
      summary: { ko: '실행 목록', en: 'Runs of the jobs' },
      permission: 'read',
      filter: runListFilter,
      row: runRow,
      sorts: ['createdAt'],
      descendingFirst: true,
      async page({ query: { all, ...asked }, language }, { after, limit, descending }) {
        const { rows, next } = await findRuns(pool, {
          ...toFilter(asked),
          ...(all === undefined ? {} : { all }),
          ...(after === undefined ? {} : { after: readPlace(after) }),
          oldestFirst: !descending,
          now: now(),
          limit,
        });
        return {
          rows: rows.map((run) => listedToJson(run, language, now())),
          next: next && `${next.createdMs}|${next.id}`,
        };
      },
    }),
    route({
      id: 'showRun',
      method: 'get',
      path: '/runs/{id}',
      tag,
      summary: { ko: '실행 상세', en: 'A run: its steps, parts, counts, files, and what is usual' },
      permission: 'read',
      problems: ['not_found'],
      params: byId,
      answer: runDetail,
      handle: async ({ params, language }) =>
        inspectedToJson(await inspectRun(pool, params.id, now()), language, now()),
    }),
    list({
      id: 'listRunSteps',
      path: '/runs/{id}/steps',
      tag,
      summary: { ko: '실행 단계', en: 'The steps of a run that have ended' },
      permission: 'read',
      problems: ['not_found'],
      params: byId,
      row: stepRow,
      sorts: ['number'],
      async page({ params, language }, { after, limit, descending }) {
        const { steps } = inspectedToJson(await inspectRun(pool, params.id, now()), language, now());
        const ordered = descending ? steps.reverse() : steps;
        const from = after === undefined ? 0 : ordered.findIndex(({ number }) => String(number) === after) + 1;
        const rows = ordered.slice(from, from + limit);
        return { rows, next: from + limit < ordered.length ? String(rows.at(-1)?.number) : undefined };
      },
    }),
    list({
      id: 'listRunLogs',
      path: '/runs/{id}/logs',
      tag,
      summary: { ko: '실행 기록', en: 'What was said in a run and its parts' },
      permission: 'read',
      params: byId,
      filter: z.object({
        level: z.enum(levels).optional().meta({ description: 'From this level up' }),
        parts: flag().optional(),
      }),
      row: logLine,
      sorts: ['id'],
      async page({ params, query: { level, parts = true } }, { after, limit, descending }) {
        if (after !== undefined && !/^\d{1,18}$/.test(after)) throw new Problem('cursor_invalid');
        const rows = await listRunLog(pool, {
          runId: params.id,
          parts,
          newestFirst: descending,
          ...(level === undefined ? {} : { levels: levelsFrom(level) }),
          ...(after === undefined ? {} : { after: BigInt(after) }),
          limit,
        });
        return {
          rows: rows.map((line) => ({ ...line, id: Number(line.id) })),
          next: rows.length < limit ? undefined : String(rows.at(-1)?.id),
        };
      },
    }),
    events({
      id: 'followRun',
      path: '/runs/{id}/events',
      tag,
      summary: { ko: '실행 실시간 보기', en: 'What happens in a run, until it is over' },
      permission: 'read',
      problems: ['not_found'],
      params: byId,
      event: runEvent,
      handle: ({ params, language, lastId, signal }) => tell(followRun(pool, params.id, { lastId, signal }), language),
    }),
    ...runActRoutes(engine),
  ];
}

async function* tell(happening: AsyncIterable<RunEvent>, language: Language) {
  for await (const happened of happening) {
    const { id, event } = happened;
    if (happened.event === 'log') {
      yield { id, event, data: { line: { ...happened.line, id: Number(happened.line.id) } } };
    } else if (happened.event === 'step') {
      const { number, name, startedAt, completedAt, error } = happened.step;
      const took = milliseconds(startedAt, completedAt);
      yield { id, event, data: { step: { number, name, milliseconds: took, error: errorToJson(error, language) } } };
    } else {
      const { id: run, state, error } = happened.run;
      yield { id, event, data: { run: { id: run, state, error: errorToJson(error, language) } } };
    }
  }
}

/** @throws Problem `cursor_invalid` */
function readPlace(after: string): { readonly createdMs: number; readonly id: string } {
  const [, ms, id] = /^(\d{1,15})\|(.+)$/s.exec(after) ?? [];
  if (ms === undefined || id === undefined || id.includes('\0')) throw new Problem('cursor_invalid');
  return { createdMs: Number(ms), id };
}
