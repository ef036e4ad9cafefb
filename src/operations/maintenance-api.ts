import { z } from 'zod';
import { listControls } from '../payout/control-store.ts';
import { pageOfFew } from '../platform/database/keyset.ts';
import type { Pool } from '../platform/database/pool.ts';
import { flag, instant, reason, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { forgetNode, listNodes } from './node-store.ts';
import { assertNoMaintenance, everything, maintenanceOf, pause, pausesInForce, resume } from './pause-store.ts';
import { pauseQueue, unpauseQueue } from './queue-store.ts';
import { pauseToJson } from './schedule-json.ts';
import { pauseShape } from './schedule-shapes-api.ts';

export type MaintenancePorts = {
  readonly pool: Pool;
  /** The banks whose lanes there are. */
  readonly banks: readonly string[];
  now(): Temporal.Instant;
};

const tag = 'operation';
const maintenance = z.object({ on: z.boolean(), pause: pauseShape.nullable(), running: z.number().int() });
const pausing = z.object({ reason: reason(), until: instant().optional() });
const node = z.object({
  executorId: z.string(),
  host: z.string(),
  pid: z.number().int(),
  version: z.string(),
  state: z.enum(['running', 'stopped', 'lost']),
  startedAt: instant(),
  seenAt: instant(),
  clockAheadMs: z.number(),
  diskFreeBytes: z.number().int(),
  diskAllBytes: z.number().int(),
  loopDelayMs: z.number(),
  memoryBytes: z.number().int(),
  runs: z.array(z.string()),
  runsInAll: z.number().int(),
});

/** 점검·큐·노드. `/maintenance`, `/queues`, `/nodes`: what is stopped, and who works. */
export function maintenanceRoutes(ports: MaintenancePorts): Route[] {
  return [...maintenanceOnly(ports), ...queueRoutes(ports), ...nodeRoutes(ports)];
}

/** Lets nobody start a run while maintenance is on: whatever takes the permission `run`, but for cancelling. */
export function heedMaintenance(
  routes: readonly Route[],
  { pool, now }: Pick<MaintenancePorts, 'pool' | 'now'>,
): Route[] {
  return routes.map((each) => {
    if (each.kind !== 'plain' || each.permission !== 'run' || each.id.startsWith('cancel')) return each;
    return {
      ...each,
      problems: [...new Set([...(each.problems ?? []), 'maintenance_on' as const])],
      async handle(call: Parameters<typeof each.handle>[0]) {
        await assertNoMaintenance(pool, now());
        return await each.handle(call);
      },
    };
  });
}

function maintenanceOnly({ pool, now }: MaintenancePorts): Route[] {
  const standing = async () => {
    const found = await maintenanceOf(pool, now());
    const nodes = await listNodes(pool, { all: false });
    const running = nodes.reduce((sum, { runsInAll }) => sum + runsInAll, 0);
    return { on: found !== undefined, pause: found === undefined ? null : pauseToJson(found), running };
  };
  const change = { path: '/maintenance', tag, permission: 'configure', answer: maintenance } as const;
  return [
    route({
      ...change,
      id: 'showMaintenance',
      summary: { ko: '점검 상태', en: 'Whether maintenance is on, and how many runs have not ended' },
      permission: 'read',
      method: 'get',
      handle: standing,
    }),
    route({
      ...change,
      id: 'beginMaintenance',
      summary: { ko: '점검 시작: 새로 시작하지 않음', en: 'Begin maintenance: nothing new starts, what runs ends' },
      problems: ['schedule_refused'],
      method: 'put',
      body: pausing,
      subject: () => 'everything',
      async handle({ actor, body }) {
        const until = body.until === undefined ? undefined : Temporal.Instant.from(body.until);
        await pause(pool, everything, { by: { actor, reason: body.reason }, until, now: now() });
        return await standing();
      },
    }),
    route({
      ...change,
      id: 'endMaintenance',
      summary: { ko: '점검 종료', en: 'End maintenance: policies decide on what was held' },
      problems: ['not_paused'],
      method: 'delete',
      query: z.object({ reason: reason() }),
      subject: () => 'everything',
      async handle({ actor, query }) {
        await resume(pool, everything, { by: { actor, reason: query.reason } });
        return await standing();
      },
    }),
  ];
}

function queueRoutes({ pool, banks, now }: MaintenancePorts): Route[] {
  const queue = z.object({
    bank: z.string(),
    paused: z.boolean(),
    until: instant().nullable(),
    reason: z.string(),
    changedBy: z.string(),
    inHand: z.number().int(),
    waiting: z.number().int(),
  });
  const queues = async () => {
    const pauses = await pausesInForce(pool, now());
    return (await listControls(pool)).map(({ bank, paused, reason: why, changedBy, inHand, waiting }) => {
      const found = pauses.find(({ kind, subject }) => kind === 'queue' && subject === bank);
      const until = (paused ? found?.until?.toString() : undefined) ?? null;
      return { bank, paused, until, reason: why, changedBy, inHand, waiting };
    });
  };
  const one = async (bank: string) =>
    (await queues()).find((each) => each.bank === bank) as Awaited<ReturnType<typeof queues>>[number];
  const change = {
    tag,
    permission: 'configure',
    method: 'post',
    params: z.object({ bank: z.enum(banks) }),
    answer: queue,
  } as const;
  return [
    list({
      id: 'listQueues',
      path: '/queues',
      tag,
      summary: { ko: '큐(은행별 지급) 현황', en: 'Queues: the lanes of payouts, one for each bank' },
      permission: 'read',
      row: queue,
      sorts: ['bank'],
      page: async (_, request) => pageOfFew(await queues(), request, ({ bank }) => bank),
    }),
    route({
      ...change,
      id: 'pauseQueue',
      path: '/queues/{bank}/pause',
      summary: { ko: '큐 중지', en: 'Send nothing new through a bank; what was sent is still asked about' },
      problems: ['schedule_refused'],
      body: pausing,
      async handle({ actor, params, body }) {
        const until = body.until === undefined ? undefined : Temporal.Instant.from(body.until);
        await pauseQueue(pool, params.bank, { by: { actor, reason: body.reason }, until, now: now() });
        return await one(params.bank);
      },
    }),
    route({
      ...change,
      id: 'resumeQueue',
      path: '/queues/{bank}/resume',
      summary: { ko: '큐 재개', en: 'Send again' },
      problems: ['not_paused'],
      body: z.object({ reason: reason() }),
      async handle({ actor, params, body }) {
        await unpauseQueue(pool, params.bank, { actor, reason: body.reason });
        return await one(params.bank);
      },
    }),
  ];
}

function nodeRoutes({ pool }: MaintenancePorts): Route[] {
  return [
    list({
      id: 'listNodes',
      path: '/nodes',
      tag,
      summary: { ko: '노드 현황', en: 'The processes that work, how they are, and on what' },
      permission: 'read',
      filter: z.object({ all: flag().optional().meta({ description: 'Those of the last day that have ended, too' }) }),
      row: node,
      sorts: ['executorId'],
      page: async ({ query }, request) =>
        pageOfFew(await listNodes(pool, { all: query.all ?? false }), request, ({ executorId }) => executorId),
    }),
    route({
      id: 'forgetNode',
      path: '/nodes/{id}/forget',
      tag,
      summary: { ko: '응답 없는 노드를 더 찾지 않음', en: 'Look no more for a lost node that will not come back' },
      permission: 'configure',
      problems: ['not_found', 'node_not_lost'],
      method: 'post',
      params: z.object({ id: term().meta({ description: 'Its own, or host:pid as its finding has it' }) }),
      body: z.object({ reason: reason() }),
      answer: z.object({ node: z.string(), closedFindings: z.number().int() }),
      subject: ({ params }) => `node:${params.id}`,
      handle: ({ actor, params, body }) => forgetNode(pool, params.id, { actor, reason: body.reason }),
    }),
  ];
}
