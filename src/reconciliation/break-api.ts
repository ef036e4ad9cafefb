import type { Pool } from 'pg';
import { z } from 'zod';
import { businessCalendar } from '../calendar/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { day, instant, reason, rowId, term, won } from '../platform/http/fields.ts';
import { list, type Route, route, type Words } from '../platform/http/route.ts';
import { actOnBreaks, type BreakAct, type BreakTarget, countTargets } from './break-act-store.ts';
import { ageCounter, olderThanCutOff } from './break-age.ts';
import { type BreakQuery, breakFilter, breakQuery, refuseTooWide, toBreakFilter } from './break-query.ts';
import type { AgeOf } from './break-rows.ts';
import { type Break, type BreakSort, pageOfBreaks, showBreak, sumBreaks } from './break-store.ts';
import { breakKinds, reconciledStages } from './outcome.ts';
import { breakStates, type ResolutionByHand, resolutions, resolutionsByHand } from './words.ts';

export type BreakApiPorts = { readonly pool: Pool; now(): Temporal.Instant };

/** Breaks that an act may name. */
const idsMost = 10_000;

const side = z.record(z.string(), z.unknown()).nullable().meta({ description: 'The record that it was found on' });
const breakRow = z.object({
  id: rowId(),
  provider: z.string(),
  stage: z.enum(reconciledStages),
  on: day(),
  kind: z.enum(breakKinds),
  providerTid: z.string().nullable(),
  cancelSeq: z.number().int().nullable(),
  line: z.number().int().nullable(),
  file: z.string().nullable(),
  differenceWon: won().nullable(),
  state: z.enum(breakStates),
  resolution: z.enum(resolutions).nullable(),
  assignedTo: z.string().nullable(),
  openedAt: instant(),
  escalatedAt: instant().nullable(),
  goneAt: instant().nullable(),
  ageBusinessDays: z.number().int(),
  pass: z.string().nullable(),
  ours: side,
  theirs: side,
});
const breakDetail = breakRow.extend({
  identity: z.string(),
  oursOn: day().nullable(),
  openedRun: z.string(),
  resolvedAt: instant().nullable(),
  statement: z
    .object({ file: z.string(), version: z.number().int(), sha256: z.string(), archivePath: z.string() })
    .nullable(),
  events: z.array(
    z.object({
      at: instant(),
      who: z.string(),
      action: z.string(),
      fromState: z.enum(breakStates).nullable(),
      toState: z.enum(breakStates),
      note: z.string().nullable(),
    }),
  ),
});
const refusedBreak = z.object({
  id: rowId(),
  state: z.enum(breakStates),
  resolution: z.enum(resolutions).nullable(),
  assignedTo: z.string().nullable(),
  by: z.string().nullable(),
  at: instant().nullable(),
});
const outcome = z.object({
  action: z.string(),
  dryRun: z.boolean(),
  changed: z.number().int(),
  differenceWon: won(),
  /** The first thousand of an act by filter, all of an act on named breaks. */
  changedIds: z.array(rowId()),
  refused: z.array(refusedBreak),
});

/** Which breaks an act means: those named, or all that a filter takes in. */
const target = {
  ids: z.array(rowId()).min(1).max(idsMost).optional(),
  filter: breakFilter.optional(),
  /** Every unresolved break. */
  all: z.literal(true).optional(),
  dryRun: z.boolean().default(false),
};
type Target = { ids?: number[] | undefined; filter?: BreakQuery | undefined; all?: true | undefined; dryRun: boolean };

/** 불일치. `/breaks`: listed, shown, and brought to their end, one by one or all that a filter takes in. */
export function breakRoutes({ pool, now }: BreakApiPorts): Route[] {
  const today = () => now().toZonedDateTimeISO(seoul).toPlainDate();
  const filterOf = async (asked: BreakQuery) => {
    const holidays = asked.olderThan === undefined ? new Set<string>() : await businessCalendar(pool);
    return toBreakFilter(asked, (daysOld) => olderThanCutOff(today(), daysOld, holidays).toString());
  };
  const ages = async (): Promise<AgeOf> => ageCounter(today(), await businessCalendar(pool));
  const targetOf = async ({ ids, filter, all }: Target): Promise<BreakTarget> => {
    if ([ids, filter, all].filter((each) => each !== undefined).length !== 1) throw new Problem('breaks_too_wide');
    if (ids !== undefined) return { ids: [...new Set(ids)] };
    const meant = await filterOf(filter ?? {});
    if (all === undefined) refuseTooWide(meant);
    return { filter: meant };
  };
  const shown = async (id: number) => {
    const found = await showBreak(pool, id);
    return { ...found, ageBusinessDays: (await ages())(found.on) };
  };

  /** The act on many, and the same on one. */
  const act = <Said>(
    name: BreakAct['action'],
    summary: Words,
    shape: z.ZodRawShape,
    read: (said: Said) => { readonly act: BreakAct; readonly why: string | null },
  ): Route[] => {
    const common = { method: 'post', tag: 'breaks', permission: 'act' } as const;
    return [
      route({
        ...common,
        id: `${name}Breaks`,
        path: `/breaks/${name}`,
        summary: { ko: `${summary.ko} (여러 건)`, en: `${summary.en}: those named, or all that a filter takes in` },
        problems: ['not_found', 'breaks_too_wide'],
        body: z.object({ ...target, ...shape }) as unknown as z.ZodType<Target & Said>,
        answer: outcome,
        subject: ({ body }) =>
          body.ids === undefined ? 'breaks by filter' : `breaks ${body.ids.join(', ')}`.slice(0, 200),
        async handle({ actor, body }) {
          const { act, why } = read(body);
          const meant = await targetOf(body);
          const by = { who: actor.who, why };
          const done = body.dryRun ? await countTargets(pool, meant, act) : await actOnBreaks(pool, meant, act, by);
          return { action: act.action, dryRun: body.dryRun, ...done };
        },
      }),
      route({
        ...common,
        id: `${name}Break`,
        path: `/breaks/{id}/${name}`,
        summary,
        problems: ['not_found', 'break_not_so'],
        params: z.object({ id: rowId() }),
        body: z.object(shape) as unknown as z.ZodType<Said>,
        answer: breakDetail,
        async handle({ actor, params: { id }, body }) {
          const { act, why } = read(body);
          const { refused } = await actOnBreaks(pool, { ids: [id] }, act, { who: actor.who, why });
          const [left] = refused;
          if (left !== undefined) throw new Problem('break_not_so', { id, state: left.state, by: left.by ?? '—' });
          return shown(id);
        },
      }),
    ];
  };

  return [
    list({
      id: 'listBreaks',
      path: '/breaks',
      tag: 'breaks',
      summary: { ko: '불일치 목록 (기본: 미종결)', en: 'Breaks; unresolved ones unless told otherwise' },
      permission: 'read',
      filter: breakQuery,
      row: breakRow,
      sorts: ['on', 'amount', 'id'] satisfies BreakSort[],
      descendingFirst: true,
      async page({ query }, request) {
        const ageOf = await ages();
        const page = await pageOfBreaks(pool, await filterOf(query), request);
        return { ...page, rows: page.rows.map((found: Break) => ({ ...found, ageBusinessDays: ageOf(found.on) })) };
      },
    }),
    route({
      id: 'sumBreaks',
      path: '/breaks/sum',
      tag: 'breaks',
      summary: { ko: '불일치 건수와 차액 합계', en: 'How many breaks a filter takes in, and what they come to' },
      permission: 'read',
      method: 'get',
      query: breakQuery,
      answer: z.object({ count: z.number().int(), differenceWon: won(), absoluteWon: won() }),
      handle: async ({ query }) => sumBreaks(pool, await filterOf(query)),
    }),
    route({
      id: 'showBreak',
      path: '/breaks/{id}',
      tag: 'breaks',
      summary: { ko: '불일치 상세와 이력', en: 'Ours beside theirs, where it stands, and its whole trail' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ id: rowId() }),
      answer: breakDetail,
      handle: ({ params }) => shown(params.id),
    }),
    ...act<{ assignee: string | null; reason?: string }>(
      'assign',
      { ko: '담당 지정·해제', en: 'Give to a person, or to nobody' },
      { assignee: term().nullable(), reason: reason().optional() },
      ({ assignee, reason: why }) => ({ act: { action: 'assign', to: assignee }, why: why ?? null }),
    ),
    ...act<{ reason: string }>(
      'comment',
      { ko: '의견', en: 'Say something in the trail' },
      { reason: reason() },
      ({ reason: why }) => ({
        act: { action: 'comment' },
        why,
      }),
    ),
    ...act<{ reason?: string }>(
      'investigate',
      { ko: '조사 시작', en: 'Somebody looks into it' },
      { reason: reason().optional() },
      ({ reason: why }) => ({ act: { action: 'investigate' }, why: why ?? null }),
    ),
    ...act<{ as: ResolutionByHand; reason: string }>(
      'resolve',
      { ko: '종결', en: 'Bring to its end' },
      { as: z.enum(resolutionsByHand), reason: reason() },
      ({ as, reason: why }) => ({ act: { action: 'resolve', as }, why }),
    ),
  ];
}
