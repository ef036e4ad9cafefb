import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { pageOfFew } from '../platform/database/keyset.ts';
import { day, reason, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { addHoliday, type CalendarDay, calendarDays, removeHoliday } from './store.ts';

const calendarDay = z.object({
  day: day(),
  closed: z.boolean(),
  name: z.string(),
  /** Null for the gazette's own. */
  recordedBy: z.string().nullable(),
  reason: z.string().nullable(),
});

/** 영업일 달력. `/calendar`: the gazette's holidays, and the days on which an operator knows better. */
export function calendarRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  const thatDay = async (on: string): Promise<CalendarDay> => {
    const [found] = await calendarDays(pool, { from: on, to: on });
    return found ?? { day: on, closed: false, name: '', recordedBy: null, reason: null };
  };
  const change = {
    tag: 'calendar',
    permission: 'configure',
    problems: ['calendar_unchanged'],
    method: 'post',
  } as const;
  return [
    list({
      id: 'listCalendar',
      path: '/calendar',
      tag: 'calendar',
      summary: { ko: '휴일 목록 (기본: 올해)', en: 'The closed days, of this year unless told otherwise' },
      permission: 'read',
      filter: z.object({ from: day().optional(), to: day().optional() }),
      row: calendarDay,
      sorts: ['day'],
      async page({ query }, request) {
        const from = query.from ?? `${now().toZonedDateTimeISO(seoul).year}-01-01`;
        const days = await calendarDays(pool, { from, to: query.to ?? `${from.slice(0, 4)}-12-31` });
        return pageOfFew(days, request, (each) => each.day);
      },
    }),
    route({
      ...change,
      id: 'addHoliday',
      path: '/calendar/holidays',
      summary: { ko: '임시 공휴일 등록', en: 'Make a day a holiday that the gazette of this release does not have' },
      body: z.object({ day: day(), name: term(), reason: reason() }),
      answer: calendarDay,
      status: 201,
      subject: ({ body }) => body.day,
      async handle({ actor, body }) {
        await addHoliday(pool, { ...body, recordedBy: actor.who });
        return thatDay(body.day);
      },
    }),
    route({
      ...change,
      id: 'removeHoliday',
      path: '/calendar/business-days',
      summary: { ko: '휴일을 영업일로 변경', en: 'Make a holiday a business day after all' },
      body: z.object({ day: day(), reason: reason() }),
      answer: calendarDay,
      status: 201,
      subject: ({ body }) => body.day,
      async handle({ actor, body, language }) {
        const name = language === 'ko' ? '영업일' : 'business day';
        await removeHoliday(pool, { ...body, name, recordedBy: actor.who });
        return thatDay(body.day);
      },
    }),
  ];
}
