import path from 'node:path';
import { openArchive } from './platform/archive.ts';
import type { Config } from './platform/config.ts';
import { type Database, openDatabase } from './platform/database/database.ts';
import { createDurable, type Durable } from './platform/durable/durable.ts';
import type { Log } from './platform/log.ts';
import type { ReconcileEngine } from './reconciliation/reconcile-commands.ts';
import { writeReport } from './reconciliation/report-files.ts';
import type { ReconcileRequest } from './reconciliation/run-store.ts';
import { createStatementPort } from './reconciliation/statement-port.ts';
import { type Reconciliation, registerReconciliation, type StageEvent } from './reconciliation/workflow.ts';

/** A process that runs workflows: the database, the durable engine, and the capabilities registered with it. */
export type App = ReconcileEngine & {
  readonly config: Config;
  readonly database: Database;
  readonly durable: Durable;
  /** Runs a failed run again from its failed step, and waits for its end. */
  restart(runId: string): Promise<void>;
  /** Takes no new work, lets running steps end or parks them, and closes what was opened, in turn. */
  close(): Promise<void>;
};

/** Connections of a process that runs three stages at a time: two lanes of COPY and a transaction each, and some more. */
const poolSize = 16;
const shutdownMs = 20_000;

/** Where the originals of all statements are kept. */
export function archiveFolder(config: Config): string {
  return path.join(config.home, 'archive');
}

/** The composition root: everything that has effects is opened here and handed to the capabilities. */
export async function openApp(config: Config, log: Log): Promise<App> {
  const database = await openDatabase(config, log, { max: poolSize });
  const { pool } = database;
  const durable = createDurable({ databaseUrl: database.url, pool, log });
  const watchers = new Set<(event: StageEvent) => void>();
  const reconciliation = registerReconciliation(durable, {
    pool,
    statements: createStatementPort({
      pool,
      archive: openArchive(archiveFolder(config)),
      sources: config.sources,
      who: 'jeongsan',
    }),
    language: config.language,
    report: (runId) => writeReport({ pool, home: config.home, runId, language: config.language }),
    watch: (event) => {
      for (const watcher of watchers) watcher(event);
    },
  });
  try {
    await durable.launch();
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    config,
    database,
    durable,
    pool,
    run: (runId, request, watch) => runAndWatch(reconciliation, watchers, runId, request, watch),
    async restart(runId) {
      await durable.restart(runId);
      await durable.handle(runId).result();
    },
    async close() {
      await durable.shutdown(shutdownMs);
      await database.close();
    },
  };
}

async function runAndWatch(
  reconciliation: Reconciliation,
  watchers: Set<(event: StageEvent) => void>,
  runId: string,
  request: ReconcileRequest,
  watch: (event: StageEvent) => void,
) {
  watchers.add(watch);
  try {
    const handle = await reconciliation.start(runId, request);
    return await handle.result();
  } finally {
    watchers.delete(watch);
  }
}
