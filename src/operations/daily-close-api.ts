import { z } from 'zod';
import type { Pool } from '../platform/database/pool.ts';
import { day, instant, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { closedTrialBalance, dailyCloses } from './daily-close-store.ts';

const close = z.object({
  on: day(),
  runId: z.string(),
  closedAt: instant(),
  verdict: z.enum(['balanced', 'deviates']),
  entries: z.number().int(),
  lines: z.number().int(),
  deviations: z.number().int(),
  debitWon: won(),
  creditWon: won(),
  auditNumber: z.number().int().nullable(),
  auditHash: z.string().nullable(),
});
const account = z.object({ account: z.string(), debitWon: won(), creditWon: won(), balanceWon: won() });

/** 일 마감. `/daily-closes`: what the books were at the end of each day, and whether they added up. */
export function dailyCloseRoutes({ pool }: { readonly pool: Pool }): Route[] {
  return [
    list({
      id: 'listDailyCloses',
      path: '/daily-closes',
      tag: 'operation',
      summary: { ko: '일 마감 목록, 최근 날부터', en: 'The days that were closed, latest first' },
      permission: 'read',
      row: close,
      sorts: ['on'],
      descendingFirst: true,
      async page(_, { after, limit, descending }) {
        const rows = await dailyCloses(pool, { after, limit: limit + 1, descending });
        const shown = rows.slice(0, limit);
        return { rows: shown, next: rows.length > limit ? shown.at(-1)?.on : undefined };
      },
    }),
    route({
      id: 'showClosedTrialBalance',
      path: '/daily-closes/{on}',
      tag: 'operation',
      summary: { ko: '시산표', en: 'The trial balance of a day: each kind of account, credits above zero' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ on: day() }),
      answer: z.object({ on: day(), accounts: z.array(account) }),
      async handle({ params: { on } }) {
        return { on, accounts: await closedTrialBalance(pool, on) };
      },
    }),
  ];
}
