import { z } from 'zod';
import { actingAs } from '../audit/store.ts';
import { pageOfFew } from '../platform/database/keyset.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import { reason, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import type { Expiring } from './retention.ts';
import { changeRetention, retentionRules } from './retention-store.ts';
import { changeUsualRule, listUsualRules } from './rule-store.ts';

export type RulePorts = { readonly pool: Pool; readonly expiring: readonly Expiring[] };

const retention = z.object({
  kind: z.string(),
  ko: z.string(),
  en: z.string(),
  keepDays: z.number().int(),
  keepDaysDefault: z.number().int(),
});
const usual = z.object({
  job: z.string(),
  sameHour: z.boolean(),
  samplesLeast: z.number().int(),
  samplesMost: z.number().int(),
  spreads: z.number(),
  slackPercent: z.number().int(),
  slackMs: z.number().int(),
  stuckTimes: z.number(),
  stuckMs: z.number().int(),
});
const usualChange = z.object({
  sameHour: z.boolean().optional(),
  samplesLeast: z.number().int().min(3).max(1000).optional(),
  samplesMost: z.number().int().min(3).max(1000).optional(),
  spreads: z.number().min(1).max(100).optional(),
  slackPercent: z.number().int().min(0).max(1000).optional(),
  slackMs: z.number().int().min(0).max(864e5).optional(),
  stuckTimes: z.number().min(1).max(1000).optional(),
  stuckMs: z.number().int().min(1).max(31_536_000_000).optional(),
  reason: reason(),
});

/** What is kept for how long, and when a run is out of the usual: data that an administrator changes. */
export function ruleRoutes({ pool, expiring }: RulePorts): Route[] {
  const shown = async () => {
    const rules = await retentionRules(pool);
    return expiring.map(({ kind, words, keepDays }) => ({
      kind,
      ...words,
      keepDays: rules.get(kind) ?? keepDays,
      keepDaysDefault: keepDays,
    }));
  };
  return [
    list({
      id: 'listRetention',
      path: '/retention',
      tag: 'retention',
      summary: { ko: '보존 기한', en: 'How long records of operation are kept' },
      permission: 'read',
      row: retention,
      sorts: ['kind'],
      page: async (_, request) => pageOfFew(await shown(), request, ({ kind }) => kind),
    }),
    route({
      id: 'changeRetention',
      method: 'put',
      path: '/retention/{kind}',
      tag: 'retention',
      summary: { ko: '보존 기한 변경', en: 'Change how long records of a kind are kept' },
      permission: 'configure',
      problems: ['not_found'],
      params: z.object({ kind: term() }),
      body: z.object({ keepDays: z.number().int().min(1).max(36_500), reason: reason() }),
      answer: retention,
      async handle({ actor, params: { kind }, body }) {
        await inTransaction(pool, async (tx) => {
          await actingAs(tx, actor, body.reason);
          await changeRetention(tx, expiring, { kind, keepDays: body.keepDays });
        });
        return (await shown()).find((each) => each.kind === kind) as z.output<typeof retention>;
      },
    }),
    list({
      id: 'listUsualRules',
      path: '/usual-rules',
      tag: 'runs',
      summary: { ko: '평소 기준', en: 'When a run is out of the usual or stuck, by job' },
      permission: 'read',
      row: usual,
      sorts: ['job'],
      page: async (_, request) => pageOfFew(await listUsualRules(pool), request, ({ job }) => job),
    }),
    route({
      id: 'changeUsualRule',
      method: 'put',
      path: '/usual-rules/{job}',
      tag: 'runs',
      summary: { ko: '평소 기준 변경', en: 'Change when a job is out of the usual' },
      permission: 'configure',
      params: z.object({ job: term() }),
      body: usualChange,
      answer: usual,
      problems: ['usage'],
      handle: ({ actor, params, body: { reason: why, ...change } }) =>
        inTransaction(pool, async (tx) => {
          await actingAs(tx, actor, why);
          return await changeUsualRule(tx, params.job, change);
        }),
    }),
  ];
}
