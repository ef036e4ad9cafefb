import type { Pool, PoolClient } from 'pg';
import { type Language, Problem, type ProblemCode, problemText } from '../kernel/problem.ts';
import type { ImportSource } from './import-source.ts';
import { RecordScanner } from './record-scanner.ts';
import type { ImportKind, StagedTable } from './staged-table.ts';
import { Staging } from './staging.ts';
import {
  addRecords,
  beginImport,
  countRefused,
  ensureLeaves,
  finishImport,
  firstRefusals,
  judgeAgainstTable,
  judgeWithinFile,
  type KeptRefusal,
  refuseDiffering,
  stagedDays,
  type TableDays,
} from './store.ts';

/** More business days than this in one file are a mistake, or a history to be split. */
const maxDays = 400;
/** As many refusals are handed out; all of them are kept. */
const refusalsShown = 1000;

export type ImportPhase = 'reading' | 'checking' | 'adding';
export type ImportProgress = {
  readonly phase: ImportPhase;
  readonly bytes: number;
  readonly totalBytes?: number;
  readonly rows: number;
};

export type ImportOptions = {
  /** Who acts, as it is kept with the import. */
  readonly who: string;
  /** With any refusal nothing goes in. */
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
};

/** 적재 결과. `entered` is false when `strict` kept everything out; `refusals` are the first by line. */
export type ImportOutcome = {
  readonly importId: bigint;
  readonly entered: boolean;
  readonly added: number;
  readonly same: number;
  readonly refused: number;
  readonly refusals: readonly KeptRefusal[];
};

/**
 * 적재. Reads a source to its end, then adds what is new in one transaction: until it commits there is nothing of it.
 * The same record again is counted and ignored; a record that is wrong, or that says otherwise than the same record
 * said before, is refused and kept with its line and reason. Constant memory, whatever the size.
 * Throws `import_header`, `import_encoding`, `import_empty`, `import_too_many_days`, `import_file_unreadable`,
 * `file_changed_while_read`, `interrupted`, `database_unreachable`.
 */
export async function importRecords(
  pool: Pool,
  kind: ImportKind,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const startedAt = new Date();
  const client = await connect(pool);
  const stopListening = cancelOnAbort(pool, client, options.signal);
  // A connection that breaks also fails the statement under way; without a listener it would end the process.
  client.on('error', () => {});
  try {
    const staging = await Staging.create(client, kind);
    const progress = await readAll(staging, kind, source, options);
    return await enter(client, staging, { fileName: source.name, startedAt }, options, progress);
  } catch (error) {
    throw asProblem(error, source.name, options.signal);
  } finally {
    stopListening();
    // The connection carries the temporary tables and the settings of this import away with it.
    client.release(true);
  }
}

/** The text of a kept refusal for people. */
export function refusalText(refusal: KeptRefusal, language: Language): string {
  return problemText(refusal.code as ProblemCode, refusal.detail, language);
}

async function readAll(
  staging: Staging,
  kind: ImportKind,
  source: ImportSource,
  options: ImportOptions,
): Promise<(phase: ImportPhase) => void> {
  const scanner = new RecordScanner(source.name, kind.columns, staging, source.format);
  const total = source.totalBytes === undefined ? {} : { totalBytes: source.totalBytes };
  let bytes = 0;
  const report = (phase: ImportPhase): void => options.onProgress?.({ phase, bytes, ...total, rows: staging.rows });
  for await (const chunk of source.bytes) {
    options.signal?.throwIfAborted();
    scanner.push(chunk);
    bytes += chunk.length;
    await staging.drain();
    report('reading');
  }
  scanner.end();
  await staging.finish();
  return report;
}

async function enter(
  client: PoolClient,
  staging: Staging,
  opened: { readonly fileName: string; readonly startedAt: Date },
  options: ImportOptions,
  report: (phase: ImportPhase) => void,
): Promise<ImportOutcome> {
  report('checking');
  const tables = await prepareTables(client, staging, opened.fileName);
  const importId = await beginImport(client, { kind: staging.kind.kind, who: options.who, ...opened });
  let refused = await countRefused(client);
  let same = 0;
  const counts: number[] = [];
  for (const { table, days } of tables) {
    const judged = (await judgeAgainstTable(client, table, days)) + (await judgeWithinFile(client, table));
    const differing = judged === 0 ? 0 : await refuseDiffering(client, table);
    counts.push(judged);
    refused += differing;
    same += judged - differing;
  }
  const entered = !(options.strict === true && refused > 0);
  let added = 0;
  if (entered) {
    report('adding');
    for (const [i, { table, staged }] of tables.entries()) {
      added += await addRecords(client, table, importId, { staged, judged: counts[i] ?? 0 });
    }
  }
  options.signal?.throwIfAborted();
  await finishImport(client, importId, { added, same, refused });
  return { importId, entered, added, same, refused, refusals: await firstRefusals(client, importId, refusalsShown) };
}

type StagedRecords = { readonly table: StagedTable; readonly staged: number; readonly days: TableDays };

/** The tables that records are staged for, with a partition for each of their days. */
async function prepareTables(client: PoolClient, staging: Staging, file: string): Promise<StagedRecords[]> {
  const tables: StagedRecords[] = [];
  for (const [i, table] of staging.kind.tables.entries()) {
    const staged = staging.staged[i] ?? 0;
    if (staged > 0) tables.push({ table, staged, days: await stagedDays(client, table) });
  }
  const days = new Set(tables.flatMap((records) => records.days.map(({ day }) => day))).size;
  if (days > maxDays) throw new Problem('import_too_many_days', { file, days, limit: maxDays });
  for (const records of tables) await ensureLeaves(client, records.table, records.days);
  return tables;
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw new Problem('database_unreachable', { reason: reasonOf(error) }, { cause: error });
  }
}

/** Asks the server to give up the statement under way, which may run for a minute. Returns how to stop listening. */
function cancelOnAbort(pool: Pool, client: PoolClient, signal: AbortSignal | undefined): () => void {
  const { processID } = client as PoolClient & { readonly processID: number };
  const cancel = (): void => {
    pool.query('select pg_cancel_backend($1)', [processID]).catch(() => {});
  };
  signal?.addEventListener('abort', cancel, { once: true });
  return () => signal?.removeEventListener('abort', cancel);
}

function asProblem(error: unknown, fileName: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof Problem) return error;
  if (signal?.aborted === true) return new Problem('interrupted', { what: fileName }, { cause: error });
  if (isConnectionLost(error)) {
    return new Problem('database_unreachable', { reason: reasonOf(error) }, { cause: error });
  }
  return error;
}

/** Class 08, the three ways in which a server says that it goes away, and what the socket and `pg` say themselves. */
function isConnectionLost(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return (
    /^(08...|57P0[123]|ECONN.*|EPIPE|ETIMEDOUT)$/.test(code) || /Connection terminated|not queryable/.test(message)
  );
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return message || code || String(error);
}
