import { z } from 'zod';
import type { Pool } from '../platform/database/pool.ts';
import { instant, term } from '../platform/http/fields.ts';
import type { Jobs } from './job.ts';
import { scheduleToJson } from './schedule-json.ts';
import { scheduleOverviews } from './schedule-overview-store.ts';
import { businessDayRules, misfirePolicies, overlapPolicies, slotReasons, slotStates } from './schedule-rows.ts';

export type SchedulePorts = { readonly pool: Pool; readonly jobs: Jobs; now(): Temporal.Instant };

export const tag = 'schedules';
export const name = z
  .string()
  .max(60)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .meta({ description: 'kebab-case' });
export const named = z.object({ name });
export const parameters = z.record(z.string().max(100), z.unknown());

export const terms = z.object({
  job: term(),
  parameters,
  cron: z.string().min(1).max(100).meta({ description: 'Five fields, or six with seconds first' }),
  timeZone: z.string().min(1).max(60).meta({ description: 'IANA name; Asia/Seoul where nothing is said' }),
  businessDays: z.enum(businessDayRules),
  misfire: z.enum(misfirePolicies),
  misfireMost: z.number().int().min(1).max(100),
  overlap: z.enum(overlapPolicies),
  lateAfterSeconds: z.number().int().min(1).max(86_400).nullable(),
  longAfterSeconds: z.number().int().min(1).max(2_678_400).nullable(),
  enabled: z.boolean(),
});
export const pauseShape = z.object({
  kind: z.enum(['everything', 'schedule', 'queue']),
  subject: z.string(),
  since: instant(),
  until: instant().nullable(),
  who: z.string(),
  reason: z.string(),
});
export const schedule = terms.extend({
  name,
  version: z.number().int(),
  changedAt: instant(),
  changedBy: z.string(),
  reason: z.string(),
  nextAt: instant().nullable(),
  pause: pauseShape.nullable(),
  last: z
    .object({
      nominalAt: instant(),
      state: z.enum(slotStates),
      reason: z.enum(slotReasons).nullable(),
      runId: z.string().nullable(),
    })
    .nullable(),
});

/** A schedule as it is answered. @throws Problem `not_found` */
export async function shown(pool: Pool, called: string, now: Temporal.Instant) {
  const [found] = await scheduleOverviews(pool, now, called);
  return scheduleToJson(found as NonNullable<typeof found>);
}
