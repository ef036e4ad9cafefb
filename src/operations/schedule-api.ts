import { z } from 'zod';
import { pageOfFew } from '../platform/database/keyset.ts';
import { instant, reason, someOf, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { scheduleActRoutes } from './schedule-act-api.ts';
import { jobToJson, scheduleToJson, slotToJson, usualTerms } from './schedule-json.ts';
import { pageOfSlots, scheduleOverviews } from './schedule-overview-store.ts';
import { slotReasons, slotStates } from './schedule-rows.ts';
import { name, named, type SchedulePorts, schedule, shown, tag, terms } from './schedule-shapes-api.ts';
import {
  addSchedule,
  changeSchedule,
  listSchedules,
  previewSlots,
  removeSchedule,
  scheduleNamed,
} from './schedule-store.ts';

const slot = z.object({
  schedule: z.string(),
  job: z.string(),
  nominalAt: instant(),
  kind: z.enum(['clock', 'hand']),
  state: z.enum(slotStates),
  reason: z.enum(slotReasons).nullable(),
  slots: z.number().int(),
  firstAt: instant().nullable(),
  runId: z.string().nullable(),
  makesUpAt: instant().nullable(),
  madeUpBy: instant().nullable(),
  who: z.string(),
  claimedBy: z.string().nullable(),
  startedAt: instant().nullable(),
  endedAt: instant().nullable(),
  lateMs: z.number().nullable(),
  error: z.string().nullable(),
});
const upcoming = z.object({ schedule: z.string(), job: z.string(), at: instant() });

/** 스케줄. `/schedules`, `/slots`, `/upcoming-slots`, `/jobs`: what starts by itself, what did, and what will. */
export function scheduleRoutes(ports: SchedulePorts): Route[] {
  return [...readingRoutes(ports), ...changingRoutes(ports), ...scheduleActRoutes(ports)];
}

function readingRoutes({ pool, jobs, now }: SchedulePorts): Route[] {
  return [
    list({
      id: 'listSchedules',
      path: '/schedules',
      tag,
      summary: { ko: '스케줄 목록', en: 'Schedules, with when they come next' },
      permission: 'read',
      row: schedule,
      sorts: ['name'],
      async page(_, request) {
        const all = (await scheduleOverviews(pool, now())).map(scheduleToJson);
        return pageOfFew(all, request, (each) => each.name);
      },
    }),
    route({
      id: 'showSchedule',
      path: '/schedules/{name}',
      tag,
      summary: { ko: '스케줄 한 건', en: 'One schedule' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      edits: true,
      params: named,
      answer: schedule,
      handle: ({ params }) => shown(pool, params.name, now()),
    }),
    route({
      id: 'previewSlots',
      path: '/upcoming-slots',
      tag,
      summary: { ko: '다음 실행 미리 보기', en: 'The next slots, of one schedule or of all' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      query: z.object({ schedule: name.optional(), limit: z.coerce.number().int().min(1).max(200).default(20) }),
      answer: z.object({ slots: z.array(upcoming) }),
      async handle({ query }) {
        const all =
          query.schedule === undefined ? await listSchedules(pool) : [await scheduleNamed(pool, query.schedule)];
        const slots = await previewSlots(pool, all, { after: now(), count: query.limit });
        return { slots: slots.map((each) => ({ schedule: each.schedule.name, job: each.schedule.job, at: each.at })) };
      },
    }),
    list({
      id: 'listSlots',
      path: '/slots',
      tag,
      summary: { ko: '슬롯 이력: 실행된 것과 누락된 것', en: 'Slots: those that ran, and those that did not and why' },
      permission: 'read',
      filter: z.object({
        schedule: name.optional(),
        kind: term().optional().meta({ description: 'A job' }),
        state: someOf(slotStates),
        run: term().optional(),
        since: instant().optional(),
        until: instant().optional(),
      }),
      row: slot,
      sorts: ['nominalAt'],
      descendingFirst: true,
      async page({ query: { state, kind, ...filter } }, request) {
        const { rows, next } = await pageOfSlots(pool, { ...filter, states: state, job: kind }, request);
        return { rows: rows.map(slotToJson), next };
      },
    }),
    list({
      id: 'listJobs',
      path: '/jobs',
      tag,
      summary: { ko: '스케줄할 수 있는 작업', en: 'What can be scheduled, with the parameters that it takes' },
      permission: 'read',
      row: z.object({
        name: z.string(),
        ko: z.string(),
        en: z.string(),
        parameters: z.record(z.string(), z.unknown()),
      }),
      sorts: ['name'],
      async page(_, request) {
        const all = jobs.all.map((job) => ({
          ...jobToJson(job),
          parameters: z.toJSONSchema(job.parameters, { io: 'input' }) as Record<string, unknown>,
        }));
        return pageOfFew(all, request, (each) => each.name);
      },
    }),
  ];
}

function changingRoutes({ pool, jobs, now }: SchedulePorts): Route[] {
  const optional = terms.omit({ job: true, cron: true }).partial();
  return [
    route({
      id: 'addSchedule',
      path: '/schedules',
      tag,
      summary: { ko: '스케줄 등록', en: 'Add a schedule; its slots are those from now on' },
      permission: 'configure',
      problems: ['schedule_refused', 'schedule_exists', 'not_found'],
      method: 'post',
      body: terms.pick({ job: true, cron: true }).extend({ ...optional.shape, name, reason: reason() }),
      answer: schedule,
      status: 201,
      subject: ({ body }) => body.name,
      async handle({ actor, body: { name: called, reason: why, ...given } }) {
        const by = { actor, reason: why };
        await addSchedule(pool, jobs, { name: called, terms: usualTerms(present(given)), by, now: now() });
        return await shown(pool, called, now());
      },
    }),
    route({
      id: 'editSchedule',
      path: '/schedules/{name}',
      tag,
      summary: { ko: '스케줄 변경', en: 'Change a schedule; every node heeds it within a second or so' },
      permission: 'configure',
      problems: ['schedule_refused', 'version_differs', 'not_found'],
      method: 'patch',
      edits: true,
      params: named,
      body: terms.omit({ job: true }).partial().extend({ reason: reason() }),
      answer: schedule,
      async handle({ actor, params, version, body: { reason: why, ...change } }) {
        const by = { actor, reason: why };
        await changeSchedule(pool, jobs, { name: params.name, version, change: present(change), by, now: now() });
        return await shown(pool, params.name, now());
      },
    }),
    route({
      id: 'removeSchedule',
      path: '/schedules/{name}',
      tag,
      summary: { ko: '스케줄 삭제 (이력은 남음)', en: 'Remove a schedule; its slots stay' },
      permission: 'configure',
      problems: ['version_differs', 'not_found'],
      method: 'delete',
      edits: true,
      params: named,
      query: z.object({ reason: reason() }),
      answer: z.object({ name: z.string(), version: z.number().int() }),
      async handle({ actor, params, query, version }) {
        const by = { actor, reason: query.reason };
        const removed = await removeSchedule(pool, { name: params.name, version, by, now: now() });
        return { name: removed.name, version: removed.version };
      },
    }),
  ];
}

/** Without what was not given. */
function present<T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } & T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
