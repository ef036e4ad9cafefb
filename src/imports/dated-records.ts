import type { Pool, PoolClient } from 'pg';
import { isProblem } from '../kernel/problem.ts';
import {
  createDatedStaging,
  type DatedRecord,
  dropRefused,
  type LineOf,
  settleRepeated,
  stageRecords,
  stageRefusals,
} from './dated-store.ts';
import { onImportConnection } from './import-connection.ts';
import { type ImportOptions, type ImportOutcome, type ImportPhase, refusalsShown } from './import-records.ts';
import type { ImportSource } from './import-source.ts';
import { NamedFields } from './named-fields.ts';
import type { RecordColumns, Refusal } from './record.ts';
import { RecordScanner } from './record-scanner.ts';
import type { ImportName } from './staged-table.ts';
import { beginImport, countRefused, finishImport, firstRefusals } from './store.ts';

/** A kind of dated fact that comes in from files: what is said later of the same day corrects, and overwrites nothing. */
export type DatedKind = {
  readonly kind: ImportName;
  readonly columns: RecordColumns;
  /** Nothing in a refusal may repeat a long number. */
  readonly confidential?: boolean;
  /** Reads a record, or throws the `Problem` that it is refused for. */
  read(fields: NamedFields): DatedRecord;
  /** Adds to `refused` what of `staged_record` the database knows better. */
  judge(client: PoolClient): Promise<void>;
  /** Adds what of `staged_record` is not said already; returns how many that were. */
  add(client: PoolClient, by: { readonly who: string; readonly importId: bigint }): Promise<number>;
};

/**
 * 적재. Reads a source to its end, then adds what is new in one transaction. The same fact again is counted and ignored;
 * another one for the same identity is a later row beside it; a line that is wrong is refused and kept with its reason.
 * Throws as `importRecords` does.
 */
export async function importDated(
  pool: Pool,
  kind: DatedKind,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const startedAt = new Date();
  return onImportConnection(pool, { fileName: source.name, signal: options.signal }, async (client) => {
    await createDatedStaging(client);
    const report = await readAll(client, kind, source, options);
    report('checking');
    const opened = { kind: kind.kind, who: options.who, fileName: source.name, startedAt };
    const importId = await beginImport(client, opened);
    await kind.judge(client);
    await dropRefused(client);
    const repeated = await settleRepeated(client);
    const refused = await countRefused(client);
    const entered = !(options.strict === true && refused > 0);
    report('adding');
    const counts = entered ? await enter(client, kind, { who: options.who, importId }) : { added: 0, same: 0 };
    const same = counts.same + repeated;
    options.signal?.throwIfAborted();
    await finishImport(client, importId, { added: counts.added, same, refused });
    const refusals = await firstRefusals(client, importId, refusalsShown);
    return { importId, entered, added: counts.added, same, refused, refusals };
  });
}

/**
 * Reads a source of dated facts and brings nothing in: the records in the order of their lines, and what is refused of
 * them as they stand, without what the database knows. Throws as `importRecords` does of a source that is none.
 */
export async function readDated(
  kind: Pick<DatedKind, 'columns' | 'read'>,
  source: ImportSource,
): Promise<{ readonly records: readonly LineOf<DatedRecord>[]; readonly refusals: readonly LineOf<Refusal>[] }> {
  const records: LineOf<DatedRecord>[] = [];
  const refusals: LineOf<Refusal>[] = [];
  const sink = {
    record(fields: ConstructorParameters<typeof NamedFields>[0], lineNo: number) {
      const read = readRecord(kind, new NamedFields(fields, { confidential: false }));
      if ('code' in read) refusals.push({ lineNo, of: read });
      else records.push({ lineNo, of: read });
    },
    refuse: (refusal: Refusal, lineNo: number) => void refusals.push({ lineNo, of: refusal }),
  };
  const scanner = new RecordScanner(source.name, kind.columns, sink, source.format);
  for await (const chunk of source.bytes) scanner.push(chunk);
  scanner.end();
  return { records, refusals };
}

async function enter(
  client: PoolClient,
  kind: DatedKind,
  by: { readonly who: string; readonly importId: bigint },
): Promise<{ added: number; same: number }> {
  const { rows } = await client.query<{ staged: bigint }>('select count(*) as staged from staged_record');
  const added = await kind.add(client, by);
  return { added, same: Number(rows[0]?.staged ?? 0) - added };
}

/** Stages the records and refusals of a chunk at a time, so that memory is bounded whatever the file's size. */
async function readAll(
  client: PoolClient,
  kind: DatedKind,
  source: ImportSource,
  options: ImportOptions,
): Promise<(phase: ImportPhase) => void> {
  let records: LineOf<DatedRecord>[] = [];
  let refusals: LineOf<Refusal>[] = [];
  const sink = {
    record(fields: ConstructorParameters<typeof NamedFields>[0], lineNo: number) {
      const read = readRecord(kind, new NamedFields(fields, { confidential: kind.confidential === true }));
      if ('code' in read) refusals.push({ lineNo, of: read });
      else records.push({ lineNo, of: read });
    },
    refuse: (refusal: Refusal, lineNo: number) => void refusals.push({ lineNo, of: refusal }),
  };
  const scanner = new RecordScanner(source.name, kind.columns, sink, source.format);
  const total = source.totalBytes === undefined ? {} : { totalBytes: source.totalBytes };
  let bytes = 0;
  let rows = 0;
  const report = (phase: ImportPhase): void => options.onProgress?.({ phase, bytes, ...total, rows });
  const flush = async (): Promise<void> => {
    rows += records.length + refusals.length;
    if (records.length > 0) await stageRecords(client, records);
    if (refusals.length > 0) await stageRefusals(client, refusals);
    records = [];
    refusals = [];
  };
  for await (const chunk of source.bytes) {
    options.signal?.throwIfAborted();
    scanner.push(chunk);
    bytes += chunk.length;
    await flush();
    report('reading');
  }
  scanner.end();
  await flush();
  return report;
}

function readRecord(kind: Pick<DatedKind, 'read'>, fields: NamedFields): DatedRecord | Refusal {
  try {
    return kind.read(fields);
  } catch (error) {
    if (isProblem(error)) return { code: error.code, details: error.details };
    throw error;
  }
}
