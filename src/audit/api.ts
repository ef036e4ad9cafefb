import type { Pool } from 'pg';
import { z } from 'zod';
import { instant, rowId, someOf, term } from '../platform/http/fields.ts';
import { download, list, type Route, route } from '../platform/http/route.ts';
import { outcomes } from './act.ts';
import { entriesFrom, findEntry, pageOfEntries, verifyChain } from './chain-store.ts';
import { parseHead } from './entry.ts';
import { entryToJson, exportLine, headText } from './rows.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const entry = z.object({
  number: rowId(),
  /** By the database's clock, to the microsecond. */
  at: instant(),
  who: z.string(),
  from: z.string(),
  key: z.string().nullable(),
  act: z.string(),
  subject: z.string(),
  outcome: z.enum(outcomes),
  reason: z.string().nullable(),
  /** Of a change: `before` and `after`. */
  detail: z.record(z.string(), z.unknown()),
  actId: rowId(),
  previousHash: hash,
  hash,
});
const verification = z.object({
  sound: z.boolean(),
  entries: z.number().int(),
  /** `number:hash`: what is worth noting elsewhere. */
  head: z.string(),
  /** The first one. */
  fault: z.object({ number: rowId(), kind: z.enum(['altered', 'unlinked', 'missing_before']) }).optional(),
  /** Of a head that was noted elsewhere. */
  noted: z.enum(['there', 'gone']).optional(),
  drafts: z.number().int(),
  unguarded: z.array(z.string()),
});

/** 감사 추적. `/audit`: who did what, that nobody took any of it back, and all of it for whoever checks that elsewhere. */
export function auditRoutes({ pool }: { readonly pool: Pool }): Route[] {
  return [
    list({
      id: 'listAuditEntries',
      path: '/audit',
      tag: 'audit',
      summary: { ko: '감사 추적 (최근 순)', en: 'Who did what, newest first' },
      permission: 'audit',
      filter: z.object({
        who: term().optional(),
        /** A star at the end stands for anything. */
        act: term().optional(),
        subject: term().optional(),
        outcome: someOf(outcomes),
        since: instant().optional(),
        until: instant().optional(),
      }),
      row: entry,
      sorts: ['number'],
      descendingFirst: true,
      async page({ query }, request) {
        const { rows, next } = await pageOfEntries(pool, query, request);
        return { rows: rows.map(entryToJson), next };
      },
    }),
    route({
      id: 'verifyAudit',
      path: '/audit/verification',
      tag: 'audit',
      summary: { ko: '체인 전체를 다시 계산', en: 'Compute the whole chain again' },
      permission: 'audit',
      method: 'get',
      query: z.object({
        /** A head that was noted elsewhere, `number:hash` or the hash: the chain must still hold it. */
        head: z
          .string()
          .refine((text) => parseHead(text) !== undefined, 'number:hash')
          .optional(),
      }),
      answer: verification,
      async handle({ query, signal }) {
        const noted = query.head === undefined ? undefined : parseHead(query.head);
        const found = await verifyChain(pool, { noted, signal });
        return { ...found, head: headText(found.head) };
      },
    }),
    download({
      id: 'exportAudit',
      path: '/audit/export',
      tag: 'audit',
      summary: { ko: '전체 내보내기: 제품 없이 검증할 수 있음', en: 'All of it, to be verified without the product' },
      permission: 'audit',
      query: z.object({ from: rowId().optional() }),
      gives: ['application/x-ndjson'],
      handle: async ({ query }) => ({
        stream: exported(pool, query.from ?? 1),
        mediaType: 'application/x-ndjson',
        fileName: 'audit.ndjson',
      }),
    }),
    route({
      id: 'showAuditEntry',
      path: '/audit/{number}',
      tag: 'audit',
      summary: { ko: '감사 항목 한 건', en: 'One entry' },
      permission: 'audit',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ number: rowId() }),
      answer: entry,
      handle: async ({ params }) => entryToJson(await findEntry(pool, params.number)),
    }),
  ];
}

async function* exported(pool: Pool, from: number): AsyncGenerator<Uint8Array> {
  for await (const batch of entriesFrom(pool, from)) yield Buffer.from(batch.map(exportLine).join(''));
}
