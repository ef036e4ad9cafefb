import type { Pool } from 'pg';
import { z } from 'zod';
import { flag, instant, rowId, someOf } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { decidingPath } from './deciding-path.ts';
import { type Approval, approvalKinds, findApproval, pageOfApprovals } from './store.ts';

const approval = z.object({
  id: rowId(),
  kind: z.enum(approvalKinds),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
  askedBy: z.string(),
  askedAt: instant(),
  reason: z.string(),
  decidedBy: z.string().nullable(),
  decidedAt: instant().nullable(),
  decision: z.enum(['approved', 'refused']).nullable(),
  note: z.string().nullable(),
  /** What to POST to, to decide; null once it is decided, or where there is no such act. */
  approve: z.string().nullable(),
  refuse: z.string().nullable(),
});

/** 승인. `/approvals`: all that waits for a second person, each with the act that decides it. */
export function approvalRoutes({ pool }: { readonly pool: Pool }): Route[] {
  const withActs = (found: Approval) => ({
    ...found,
    ...(found.decision === null ? decidingPath(found) : { approve: null, refuse: null }),
  });
  return [
    list({
      id: 'listApprovals',
      path: '/approvals',
      tag: 'approvals',
      summary: { ko: '승인 대기 목록', en: 'What waits for a second person, and which act decides it' },
      permission: 'read',
      filter: z.object({ kind: someOf(approvalKinds), decided: flag().optional() }),
      row: approval,
      sorts: ['id'],
      descendingFirst: true,
      async page({ query }, request) {
        const page = await pageOfApprovals(pool, query, request);
        return { ...page, rows: page.rows.map(withActs) };
      },
    }),
    route({
      id: 'showApproval',
      path: '/approvals/{id}',
      tag: 'approvals',
      summary: { ko: '승인 한 건', en: 'One of them' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ id: rowId() }),
      answer: approval,
      handle: async ({ params }) => withActs(await findApproval(pool, params.id)),
    }),
  ];
}
