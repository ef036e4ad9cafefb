import type { Pool } from 'pg';
import { z } from 'zod';
import { flag, instant, rowId, someOf, term } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { keptRefusal, refusalIn } from './import-route.ts';
import { findImport, pageOfImports, pageOfRefusals } from './list-store.ts';
import { importNames } from './staged-table.ts';

const keptImport = z.object({
  id: rowId(),
  kind: z.enum(importNames),
  fileName: z.string(),
  importedBy: z.string(),
  startedAt: instant(),
  finishedAt: instant().nullable(),
  added: z.number().int(),
  same: z.number().int(),
  refused: z.number().int(),
});
const named = z.object({ id: rowId() });

/** 적재 이력. `/imports`: what was brought in by whom, and every line that was refused, with its reason. */
export function importRoutes({ pool }: { readonly pool: Pool }): Route[] {
  return [
    list({
      id: 'listImports',
      path: '/imports',
      tag: 'imports',
      summary: { ko: '적재 이력', en: 'What was imported, by whom, and what was refused of it' },
      permission: 'read',
      filter: z.object({ kind: someOf(importNames), by: term().optional(), refused: flag().optional() }),
      row: keptImport,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfImports(pool, query, request),
    }),
    route({
      id: 'showImport',
      path: '/imports/{id}',
      tag: 'imports',
      summary: { ko: '적재 한 건', en: 'One import' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: named,
      answer: keptImport,
      handle: ({ params }) => findImport(pool, params.id),
    }),
    list({
      id: 'listImportRefusals',
      path: '/imports/{id}/refusals',
      tag: 'imports',
      summary: { ko: '거절된 행과 사유', en: 'Every line that was refused, and why' },
      permission: 'read',
      problems: ['not_found'],
      params: named,
      row: keptRefusal,
      sorts: ['line'],
      async page({ params, language }, request) {
        const page = await pageOfRefusals(pool, params.id, request);
        return { ...page, rows: page.rows.map((refusal) => refusalIn(refusal, language)) };
      },
    }),
  ];
}
