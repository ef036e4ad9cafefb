import type { Pool, PoolClient } from 'pg';
import { type Language, Problem, type ProblemCode, problemText } from '../kernel/problem.ts';
import { onImportConnection } from './import-connection.ts';
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
export const refusalsShown = 1000;

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
  return onImportConnection(pool, { fileName: source.name, signal: options.signal }, async (client) => {
    const staging = await Staging.create(client, kind);
    const progress = await readAll(staging, kind, source, options);
    return enter(client, staging, { fileName: source.name, startedAt }, options, progress);
  });
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
