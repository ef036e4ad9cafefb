import type { Readable } from 'node:stream';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Language } from '../kernel/problem.ts';
import { flag, rowId, term } from '../platform/http/fields.ts';
import { type Route, upload, type Words } from '../platform/http/route.ts';
import { type ImportOptions, type ImportOutcome, refusalText } from './import-records.ts';
import type { ImportSource } from './import-source.ts';
import type { RecordFormat } from './record-scanner.ts';

/** What a body is named where the sender does not say. */
const unnamed = 'upload';

const formats: Readonly<Record<string, RecordFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};

export const keptRefusal = z.object({
  line: z.number().int(),
  code: z.string(),
  message: z.string(),
});
const outcome = z.object({
  importId: rowId(),
  /** False where `strict` kept everything out. */
  entered: z.boolean(),
  added: z.number().int(),
  same: z.number().int(),
  refused: z.number().int(),
  /** The first thousand; `/imports/{id}/refusals` has them all. */
  refusals: z.array(keptRefusal),
});

/** `POST …/imports`: what `… import FILE` does, of a body that is read no faster than the database takes it. */
export function importRoute({
  id,
  path,
  tag,
  summary,
  pool,
  bring,
}: {
  readonly id: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: Words;
  readonly pool: Pool;
  bring(pool: Pool, source: ImportSource, options: ImportOptions): Promise<ImportOutcome>;
}): Route {
  return upload({
    id,
    path,
    tag,
    summary,
    permission: 'import',
    problems: ['import_header', 'import_encoding', 'import_empty', 'import_too_many_days', 'interrupted'],
    method: 'post',
    accepts: Object.keys(formats),
    query: z.object({
      /** With any refusal nothing goes in. */
      strict: flag().optional(),
      /** What the file is called, for people. */
      fileName: term().optional(),
    }),
    answer: outcome,
    async handle({ actor, language, query, signal, stream, mediaType }) {
      const source = sourceOf(stream, query.fileName ?? unnamed, mediaType);
      const done = await bring(pool, source, { who: actor.who, strict: query.strict ?? false, signal });
      return { ...done, refusals: done.refusals.map((refusal) => refusalIn(refusal, language)) };
    },
  });
}

/** A refusal with its text in the language of whoever asks. */
export function refusalIn(
  refusal: ImportOutcome['refusals'][number],
  language: Language,
): z.output<typeof keptRefusal> {
  return { line: refusal.line, code: refusal.code, message: refusalText(refusal, language) };
}

function sourceOf(bytes: Readable, name: string, mediaType: string): ImportSource {
  const format = formats[mediaType.split(';')[0]?.trim().toLowerCase() ?? ''];
  return { name, bytes, ...(format === undefined ? {} : { format }) };
}
