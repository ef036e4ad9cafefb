import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, DifferentialEvent, DifferentialPorts } from './differential/ports.ts';
import { type Registrations, registerRegistrations } from './differential/registration-workflow.ts';
import { type DifferentialSettlement, registerDifferential } from './differential/workflow.ts';
import { askedMetrics, readMetrics } from './operations/metrics-store.ts';
import type { Bank } from './payout/bank-port.ts';
import { watchBank } from './payout/bank-watch.ts';
import { openBanks } from './payout/banks/registry.ts';
import { type PayoutReconciliation, registerPayoutReconciliation } from './payout/reconcile-workflow.ts';
import { type Payouts, registerPayouts } from './payout/workflow.ts';
import { openArchive } from './platform/archive.ts';
import { type Cipher, openCipher } from './platform/cipher.ts';
import { type Config, ownBusinessNo } from './platform/config.ts';
import { type Database, openDatabase } from './platform/database/database.ts';
import type { Pool } from './platform/database/pool.ts';
import { createDurable, type Durable } from './platform/durable/durable.ts';
import { observeRuns } from './platform/durable/observer.ts';
import { sleepUntil } from './platform/durable/sleep.ts';
import { createHttpClient } from './platform/http-client.ts';
import type { Log } from './platform/log.ts';
import { createMetrics, type Metrics } from './platform/metrics.ts';
import { openRemoteFolder } from './platform/open-remote-folder.ts';
import { productVersion } from './platform/product-version.ts';
import { differentialAddress } from './platform/remote-address.ts';
import { createRunObserver } from './platform/run-observer.ts';
import { startTracing, traceStatements } from './platform/tracing.ts';
import { differentialProviders } from './providers/differential-registry.ts';
import type { ReconcileEngine } from './reconciliation/reconcile-commands.ts';
import { writeReport } from './reconciliation/report-files.ts';
import type { ReconcileRequest } from './reconciliation/run-store.ts';
import { createStatementPort } from './reconciliation/statement-port.ts';
import { type Reconciliation, registerReconciliation, type StageEvent } from './reconciliation/workflow.ts';
import type { CycleResult } from './settlement/cycle-store.ts';
import { latenessDefaults } from './settlement/lateness.ts';
import { noteClock, settlementStanding, watchLateness } from './settlement/lateness-store.ts';
import { startLatenessWatch } from './settlement/lateness-watch.ts';
import { startSlotClock } from './settlement/slot-clock.ts';
import { registerSettlement, type Settlement } from './settlement/workflow.ts';

/** A process that runs workflows: the database, the durable engine, and the capabilities registered with it. */
export type App = ReconcileEngine & {
  readonly config: Config;
  readonly database: Database;
  readonly durable: Durable;
  readonly cipher: Cipher;
  readonly reconciliation: Reconciliation;
  readonly settlement: Settlement;
  readonly payouts: Payouts;
  readonly payoutReconciliation: PayoutReconciliation;
  readonly differential: DifferentialSettlement;
  readonly registrations: Registrations;
  /** Tells what differential settlement does in this process, until the returned function is called. */
  watchDifferential(watcher: (event: DifferentialEvent) => void): () => void;
  /** The banks that this process reaches. */
  readonly banks: readonly Bank[];
  /** What this process measured, and what the database knows. */
  readonly metrics: Metrics;
  /** Runs a failed run again from its failed step, and waits for its end. */
  restart(runId: string): Promise<void>;
  /** Takes no new work, lets running steps end or parks them, and closes what was opened, in turn. */
  close(): Promise<void>;
};

/** Connections of a process that runs three stages at a time: two lanes of COPY and a transaction each, and some more. */
const poolSize = 16;
const shutdownMs = 20_000;
const latenessEveryMs = 15_000;

const now = () => Temporal.Now.instant();

/** Reads the wall clock, and waits for it in durable runs. */
const wallClock: Clock = { now, waitUntil: sleepUntil };

/** Where the originals of all statements are kept, and what is exchanged with providers. */
export function archiveFolder(config: Config): string {
  return path.join(config.home, 'archive');
}

/** What a simulation puts in the place of the world's own. */
export type AppOptions = { readonly clock?: Clock };

/** The composition root: everything that has effects is opened here and handed to the capabilities. */
export async function openApp(config: Config, log: Log, { clock = wallClock }: AppOptions = {}): Promise<App> {
  const cipher = await openCipher({ home: config.home, key: config.dataKey });
  const database = await openDatabase(config, log, { max: poolSize });
  const { pool } = database;
  const { metrics, close: closeObservation } = await startObservation(config, pool);
  const durable = createDurable({ databaseUrl: database.url, pool, log });
  const archive = openArchive(archiveFolder(config));
  const watchers = new Set<(event: StageEvent) => void>();
  const reconciliation = registerReconciliation(durable, {
    pool,
    statements: createStatementPort({
      pool,
      archive,
      sources: config.sources,
      who: 'jeongsan',
    }),
    language: config.language,
    report: (runId) => writeReport({ pool, home: config.home, runId, language: config.language }),
    watch: (event) => {
      for (const watcher of watchers) watcher(event);
    },
  });
  const { banks: opened, close: closeBanks } = openBanks(config.banks, createHttpClient);
  const banks = opened.map((bank) => watchBank(bank, metrics.bankAnswered, () => performance.now()));
  const payouts = registerPayouts(durable, { pool, log, banks, cipher, now });
  const payoutReconciliation = registerPayoutReconciliation(durable, { pool, banks, now });
  const settlement = registerSettlement(durable, {
    pool,
    log,
    now,
    afterCredit: (tx, slot) => payouts.createDirect(tx, slot),
  });
  const differentialWatchers = new Set<(event: DifferentialEvent) => void>();
  const differentialPorts: DifferentialPorts = {
    pool,
    log,
    archive,
    clock,
    providers: differentialProviders,
    remote: (provider) => openRemoteFolder(differentialAddress(config.differential, provider)),
    businessNo: () => ownBusinessNo(config),
    watch: (event) => {
      for (const watcher of differentialWatchers) watcher(event);
    },
  };
  const differential = registerDifferential(durable, differentialPorts);
  const registrations = registerRegistrations(durable, differentialPorts);
  try {
    await durable.launch();
  } catch (error) {
    closeBanks();
    await closeObservation();
    await database.close();
    throw error;
  }
  return {
    config,
    database,
    durable,
    cipher,
    reconciliation,
    settlement,
    payouts,
    payoutReconciliation,
    differential,
    registrations,
    watchDifferential(watcher) {
      differentialWatchers.add(watcher);
      return () => void differentialWatchers.delete(watcher);
    },
    banks,
    metrics,
    pool,
    run: (runId, request, watch) => runAndWatch(reconciliation, watchers, runId, request, watch),
    async restart(runId) {
      await durable.restart(runId);
      await durable.handle(runId).result();
    },
    async close() {
      await durable.shutdown(shutdownMs);
      closeBanks();
      await closeObservation();
      await database.close();
    },
  };
}

/** Measures what runs here, and makes spans of it where somebody collects them. */
async function startObservation(
  { tracesUrl }: Config,
  pool: Pool,
): Promise<{ readonly metrics: Metrics; close(): Promise<void> }> {
  const metrics = createMetrics();
  metrics.watchPool('main', pool);
  metrics.ask(askedMetrics, () => readMetrics(pool));
  const tracing =
    tracesUrl === undefined ? undefined : await startTracing({ endpoint: tracesUrl, version: productVersion() });
  if (tracing !== undefined) traceStatements(pool);
  observeRuns(createRunObserver(metrics));
  return {
    metrics,
    async close() {
      observeRuns(undefined);
      await tracing?.close();
    },
  };
}

/** What a process does by itself: slots at their time, payouts as they become due, and word of what is late. */
export type AutomaticWork = {
  /** What the slot of the start came to; undefined where another process had begun it. */
  readonly firstSlot: Promise<CycleResult | undefined>;
  stop(): Promise<void>;
};

/** Begins to settle and to pay out. Any number of processes may. */
export async function startAutomaticWork({ pool, config, settlement, payouts }: App, log: Log): Promise<AutomaticWork> {
  const limits = { ...latenessDefaults, ...config.lateness };
  const look = () => watchLateness(pool, now(), limits);
  await payouts.dispatcher.start();
  const clock = startSlotClock({
    log,
    now,
    standing: () => settlementStanding(pool),
    settle: (slot, request) => settlement.settle(slot, request),
    settled: look,
    note: (fault) => noteClock(pool, fault),
  });
  const watch = startLatenessWatch({ log, everyMs: latenessEveryMs, look });
  return {
    firstSlot: clock.first,
    async stop() {
      await watch.stop();
      // A slot that takes longer is parked with the engine and taken up by the next process.
      await Promise.race([clock.stop(), wait(shutdownMs, undefined, { ref: false })]);
      await payouts.dispatcher.stop();
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
