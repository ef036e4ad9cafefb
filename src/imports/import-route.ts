import type { Readable } from 'node:stream';
import type { Pool } from 'pg';
import { z } from 'zod';
import { type Language, Problem } from '../kernel/problem.ts';
import { flag, rowId, term } from '../platform/http/fields.ts';
import { type Route, upload, type Words } from '../platform/http/route.ts';
import { type ImportOptions, type ImportOutcome, refusalText } from './import-records.ts';
import type { ImportSource } from './import-source.ts';
import type { RecordFormat } from './record-scanner.ts';

/** What a body is named where the sender does not say. */
const unnamed = 'upload';

/** Imports that are read at once: each holds a connection for as long as its sender takes, and others need some too. */
const atOnceMost = 6;
const underWay = new WeakMap<Pool, number>();

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
    problems: [
      'import_header',
      'import_encoding',
      'import_empty',
      'import_too_many_days',
      'interrupted',
      'database_unreachable',
      'data_key_changed',
    ],
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
      const done = await oneOfFew(pool, () =>
        bring(pool, source, { who: actor.who, strict: query.strict ?? false, signal }),
      );
      return { ...done, refusals: done.refusals.map((refusal) => refusalIn(refusal, language)) };
    },
  });
}

/** @throws Problem `streams_too_many` where as many are read already */
async function oneOfFew<T>(pool: Pool, work: () => Promise<T>): Promise<T> {
  const count = underWay.get(pool) ?? 0;
  if (count >= atOnceMost) throw new Problem('streams_too_many', { limit: atOnceMost });
  underWay.set(pool, count + 1);
  try {
    return await work();
  } finally {
    underWay.set(pool, (underWay.get(pool) ?? 1) - 1);
  }
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
