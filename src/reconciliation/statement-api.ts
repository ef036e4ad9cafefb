import type { Pool } from 'pg';
import { z } from 'zod';
import { type Language, problemText } from '../kernel/problem.ts';
import type { Archive } from '../platform/archive.ts';
import { day, instant, reason, rowId, someOf, term } from '../platform/http/fields.ts';
import { download, list, type Route, route, upload } from '../platform/http/route.ts';
import { reconciledProviders } from '../providers/registry.ts';
import { stages } from '../providers/stage.ts';
import { keepStatementByHand } from './collect.ts';
import type { Statement } from './statement.ts';
import { pageOfStatements } from './statement-list-store.ts';
import { findStatement } from './statement-store.ts';

export type StatementApiPorts = { readonly pool: Pool; readonly archive: Archive };

const providerIds = reconciledProviders.map((provider) => provider.id) as [string, ...string[]];
const sources = ['sftp', 'folder', 'hand'] as const;
const states = ['archived', 'imported', 'refused', 'superseded'] as const;
const statement = z.object({
  id: rowId(),
  provider: z.string(),
  stage: z.enum(stages),
  on: day(),
  fileName: z.string(),
  version: z.number().int(),
  sha256: z.string(),
  bytes: z.number().int(),
  source: z.enum(sources),
  receivedAt: instant(),
  receivedBy: z.string(),
  /** Why it was added by hand; null when it was collected. */
  reason: z.string().nullable(),
  state: z.enum(states),
  lines: z.number().int().nullable(),
  unreadable: z.number().int().nullable(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
});
const named = z.object({ id: rowId() });

/** 대사 파일. `/statements`: every version of every provider's file, its original, and those that people bring. */
export function statementRoutes({ pool, archive }: StatementApiPorts): Route[] {
  return [
    list({
      id: 'listStatements',
      path: '/statements',
      tag: 'statements',
      summary: { ko: '대사 파일 목록', en: "Every version of every provider's file" },
      permission: 'read',
      filter: z.object({
        on: day().optional(),
        from: day().optional(),
        to: day().optional(),
        provider: someOf(providerIds),
        stage: someOf(stages),
        state: someOf(states),
      }),
      row: statement,
      sorts: ['on', 'id'],
      descendingFirst: true,
      async page({ query, language }, request) {
        const page = await pageOfStatements(pool, query, request);
        return { ...page, rows: page.rows.map((found) => statementRow(found, language)) };
      },
    }),
    upload({
      id: 'addStatement',
      path: '/statements',
      tag: 'statements',
      summary: { ko: '대사 파일 수기 등록', en: 'Add a file by hand; the next reconciliation takes it in' },
      permission: 'import',
      problems: ['not_found', 'statement_file_name', 'disk_full'],
      method: 'post',
      accepts: ['application/octet-stream', 'text/csv', 'text/plain'],
      query: z.object({
        provider: z.enum(providerIds),
        stage: z.enum(stages),
        on: day(),
        /** The provider's name of the file. */
        fileName: term(),
        reason: reason(),
      }),
      answer: z.object({
        id: rowId(),
        version: z.number().int(),
        /** False where it has these very bytes already: nothing was added. */
        isNew: z.boolean(),
        fileName: z.string(),
      }),
      async handle({ actor, query, stream }) {
        const { provider, stage, fileName, reason: why } = query;
        const on = Temporal.PlainDate.from(query.on);
        const given = { pool, archive, provider, stage, on, fileName, chunks: stream, who: actor.who, why };
        const { statementId, ...added } = await keepStatementByHand(given);
        return { id: statementId, ...added };
      },
    }),
    route({
      id: 'showStatement',
      path: '/statements/{id}',
      tag: 'statements',
      summary: {
        ko: '대사 파일 상세 (원본을 해시와 비교)',
        en: 'One version of a file, its original compared with its hash',
      },
      permission: 'read',
      problems: ['not_found', 'archive_damaged'],
      method: 'get',
      params: named,
      answer: statement,
      async handle({ params, language }) {
        const found = await findStatement(pool, params.id);
        await archive.verify(found);
        return statementRow(found, language);
      },
    }),
    download({
      id: 'downloadStatement',
      path: '/statements/{id}/original',
      tag: 'statements',
      summary: { ko: '대사 파일 원본', en: 'The original, as it came' },
      permission: 'read',
      problems: ['not_found', 'archive_damaged'],
      params: named,
      gives: ['application/octet-stream'],
      async handle({ params }) {
        const found = await findStatement(pool, params.id);
        return {
          stream: copies(archive.read(found)),
          mediaType: 'application/octet-stream',
          fileName: found.fileName,
          bytes: found.bytes,
        };
      },
    }),
  ];
}

/** The archive reads on into the same piece of memory, while what was sent may still be on its way. */
async function* copies(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

function statementRow({ statementId, archivePath: _, loadId: __, problem, ...found }: Statement, language: Language) {
  return {
    ...found,
    id: statementId,
    problem: problem && { code: problem.code, message: problemText(problem.code, problem.details, language) },
  };
}
