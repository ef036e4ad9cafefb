import path from 'node:path';
import { expiringAlerts } from './alerts/tidy-store.ts';
import { registerDigest } from './alerts/workflow.ts';
import type { Clock, DifferentialEvent, DifferentialPorts } from './differential/ports.ts';
import { type Registrations, registerRegistrations } from './differential/registration-workflow.ts';
import { type DifferentialSettlement, registerDifferential } from './differential/workflow.ts';
import { forgetSessions } from './identity/session-store.ts';
import { registerBackfills } from './operations/backfill-workflow.ts';
import { differentialJob, reconcileJob, settleJob } from './operations/capability-jobs-workflow.ts';
import { dailyCloseJob } from './operations/daily-close-workflow.ts';
import { collectJobs, type Jobs } from './operations/job.ts';
import { askedMetrics, readMetrics } from './operations/metrics-store.ts';
import { payoutSweepJob } from './operations/payout-sweep-workflow.ts';
import type { Expiring } from './operations/retention.ts';
import { ownExpiring } from './operations/retention-store.ts';
import { registerRetention } from './operations/retention-workflow.ts';
import type { RunEngine } from './operations/run-commands.ts';
import { takeUpJob } from './operations/take-up-workflow.ts';
import type { Bank } from './payout/bank-port.ts';
import { watchBank } from './payout/bank-watch.ts';
import { openBanks } from './payout/banks/registry.ts';
import { type PayoutReconciliation, registerPayoutReconciliation } from './payout/reconcile-workflow.ts';
import { type Payouts, registerPayouts } from './payout/workflow.ts';
import { openArchive } from './platform/archive.ts';
import { type Cipher, openCipher } from './platform/cipher.ts';
import { type Config, ownBusinessNo } from './platform/config.ts';
import { type Database, openDatabase } from './platform/database/database.ts';
import { inTransaction, type Pool } from './platform/database/pool.ts';
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
import { registerSettlement, type Settlement } from './settlement/workflow.ts';
import { forgetEvents, tellOfRuns } from './webhooks/delivery-store.ts';

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
  /** What schedules can start. */
  readonly jobs: Jobs;
  /** Tells what differential settlement does in this process, until the returned function is called. */
  watchDifferential(watcher: (event: DifferentialEvent) => void): () => void;
  /** The banks that this process reaches. */
  readonly banks: readonly Bank[];
  /** What this process measured, and what the database knows. */
  readonly metrics: Metrics;
  /** How runs are cancelled, restarted and made up for. */
  readonly runs: RunEngine;
  /** Runs a failed run again from its failed step, and waits for its end. */
  restart(runId: string): Promise<void>;
  /** Takes no new work, lets running steps end or parks them, and closes what was opened, in turn. */
  close(): Promise<void>;
};

/** Connections of a process that runs three stages at a time: two lanes of COPY and a transaction each, and some more. */
const poolSize = 16;
const shutdownMs = 20_000;

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
  const cipher = await openCipher({ home: config.home, ...config.dataKeys });
  const database = await openDatabase(config, log, { max: poolSize });
  const { pool } = database;
  const { metrics, close: closeObservation } = await startObservation(config, pool);
  const durable = createDurable({
    databaseUrl: database.url,
    pool,
    log,
    spillFolder: path.join(config.home, 'run-log'),
    attach: tellOfRuns,
  });
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
  const jobs = collectJobs([
    reconcileJob({ reconciliation }),
    settleJob({ settlement }),
    differentialJob({ differential, providers: differentialProviders.map(({ id }) => id) }),
    takeUpJob({ durable, differential: differentialPorts, configured: Object.keys(config.differential) }),
    payoutSweepJob({ durable, banks, dispatcher: payouts.dispatcher }),
    dailyCloseJob({ durable, pool }),
    registerDigest(durable, { pool, now }),
    registerRetention(durable, { pool, log, expiring: expiringRecords(pool) }),
  ]);
  const backfills = registerBackfills(durable, { pool, jobs: () => jobs, now });
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
    jobs,
    watchDifferential(watcher) {
      differentialWatchers.add(watcher);
      return () => void differentialWatchers.delete(watcher);
    },
    banks,
    metrics,
    pool,
    runs: { pool, durable, backfills, now, result: (runId) => durable.handle(runId).result() },
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

/** 보존. Everything that is kept for a time only. */
export function expiringRecords(pool: Pool): Expiring[] {
  const webhookEvents: Expiring = {
    kind: 'webhook_event',
    words: { ko: '웹훅 이벤트와 전송 기록', en: 'events of webhooks and their deliveries' },
    keepDays: 90,
    chunk: 1_000,
    remove: (before, most) => inTransaction(pool, (tx) => forgetEvents(tx, before, most)),
  };
  const sessions: Expiring = {
    kind: 'person_session',
    words: { ko: '끝난 세션과 로그인 절차', en: 'sessions that ended, and sign-ins that nobody finished' },
    keepDays: 7,
    chunk: 1_000,
    remove: (before, most) => forgetSessions(pool, before, most),
  };
  return [...ownExpiring(pool), webhookEvents, sessions, ...expiringAlerts(pool)];
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
