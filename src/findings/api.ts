import type { Pool } from 'pg';
import { z } from 'zod';
import { flag, instant, rowId, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { findFinding, pageOfFindings } from './page-store.ts';
import { closeFindings } from './store.ts';

/** Findings that are closed at once. */
const idsMost = 1000;

const audience = z.enum(['in_charge', 'operations']);
const finding = z.object({
  id: rowId(),
  kind: z.string(),
  subject: z.string(),
  audience,
  detail: z.record(z.string(), z.unknown()),
  openedAt: instant(),
  seenAt: instant(),
  times: z.number().int(),
  closedAt: instant().nullable(),
  closedBy: z.string().nullable(),
});
const named = z.object({ id: rowId() });

/** 발견 사항. `/findings`: what a person has to know, and that it is over. */
export function findingRoutes({ pool }: { readonly pool: Pool }): Route[] {
  return [
    list({
      id: 'listFindings',
      path: '/findings',
      tag: 'findings',
      summary: { ko: '발견 사항 (기본: 미종결)', en: 'What a person has to know; open ones unless told otherwise' },
      permission: 'read',
      filter: z.object({
        kind: term().optional(),
        subject: term().optional(),
        audience: audience.optional(),
        /** Closed ones too. */
        closed: flag().optional(),
        since: instant().optional(),
        until: instant().optional(),
      }),
      row: finding,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfFindings(pool, query, request),
    }),
    route({
      id: 'showFinding',
      path: '/findings/{id}',
      tag: 'findings',
      summary: { ko: '발견 사항 한 건', en: 'One finding' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: named,
      answer: finding,
      handle: ({ params }) => findFinding(pool, params.id),
    }),
    route({
      id: 'closeFindings',
      path: '/findings/close',
      tag: 'findings',
      summary: { ko: '종결', en: 'Say of several that they are over, with an outcome for each' },
      permission: 'act',
      method: 'post',
      body: z.object({ ids: z.array(rowId()).min(1).max(idsMost) }),
      answer: z.object({
        closed: z.array(rowId()),
        /** None such was open. */
        left: z.array(rowId()),
      }),
      subject: ({ body }) => `findings ${body.ids.join(', ')}`.slice(0, 200),
      async handle({ actor, body }) {
        const ids = [...new Set(body.ids)];
        const closed = (await closeFindings(pool, ids, actor.who)).map(Number);
        return { closed, left: ids.filter((id) => !closed.includes(id)) };
      },
    }),
  ];
}
