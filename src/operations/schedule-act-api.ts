import { z } from 'zod';
import { instant, reason } from '../platform/http/fields.ts';
import { type Route, route } from '../platform/http/route.ts';
import { ofSchedule, pause, resume } from './pause-store.ts';
import { requestRun } from './schedule-overview-store.ts';
import { named, parameters, type SchedulePorts, schedule, shown, tag } from './schedule-shapes-api.ts';
import { scheduleNamed } from './schedule-store.ts';

/** What is done to a schedule without changing it: it is paused, goes on, or runs now. */
export function scheduleActRoutes({ pool, jobs, now }: SchedulePorts): Route[] {
  return [
    route({
      id: 'pauseSchedule',
      path: '/schedules/{name}/pause',
      tag,
      summary: { ko: '스케줄 중지', en: 'Pause a schedule: its slots are held until it goes on' },
      permission: 'configure',
      problems: ['schedule_refused', 'not_found'],
      method: 'post',
      params: named,
      body: z.object({ reason: reason(), until: instant().optional() }),
      answer: schedule,
      async handle({ actor, params, body }) {
        const { id } = await scheduleNamed(pool, params.name);
        const until = body.until === undefined ? undefined : Temporal.Instant.from(body.until);
        await pause(pool, ofSchedule(id), { by: { actor, reason: body.reason }, until, now: now() });
        return await shown(pool, params.name, now());
      },
    }),
    route({
      id: 'resumeSchedule',
      path: '/schedules/{name}/resume',
      tag,
      summary: { ko: '스케줄 재개', en: 'Let a schedule go on: its policy decides on what was held' },
      permission: 'configure',
      problems: ['not_paused', 'not_found'],
      method: 'post',
      params: named,
      body: z.object({ reason: reason() }),
      answer: schedule,
      async handle({ actor, params, body }) {
        const { id } = await scheduleNamed(pool, params.name);
        await resume(pool, ofSchedule(id), { by: { actor, reason: body.reason } });
        return await shown(pool, params.name, now());
      },
    }),
    route({
      id: 'runScheduleNow',
      path: '/schedules/{name}/runs',
      tag,
      summary: { ko: '즉시 실행', en: 'Run a schedule now, whatever its times' },
      permission: 'run',
      problems: ['schedule_busy', 'schedule_refused', 'maintenance_on', 'not_found'],
      method: 'post',
      params: named,
      body: z.object({ reason: reason(), parameters: parameters.optional() }),
      answer: z.object({ schedule: z.string(), nominalAt: instant() }),
      status: 202,
      handle: ({ actor, params, body }) =>
        requestRun(pool, jobs, { name: params.name, who: actor.who, now: now(), parameters: body.parameters }),
    }),
  ];
}
