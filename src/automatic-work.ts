import { setTimeout as wait } from 'node:timers/promises';
import { startAlerts } from './alerts/alert-work.ts';
import { attachReport } from './alerts/report-files.ts';
import { mailPort } from './alerts/send-port.ts';
import type { App } from './app.ts';
import { closeMadeGood } from './operations/missed-store.ts';
import { noteClock } from './operations/node-store.ts';
import { startNodeWatch } from './operations/node-watch.ts';
import { resumeQueue } from './operations/queue-store.ts';
import { startRunWatch } from './operations/run-watch.ts';
import { watchRuns } from './operations/run-watch-store.ts';
import { defaultSchedules } from './operations/schedule-defaults.ts';
import { seedSchedules } from './operations/schedule-store.ts';
import { type Scheduler, startScheduler, worldPorts } from './operations/scheduler.ts';
import { postDefaults, sendSignedPost } from './platform/http-signed-post.ts';
import type { Log } from './platform/log.ts';
import { productVersion } from './platform/product-version.ts';
import { createVitalSigns } from './platform/vital-signs.ts';
import { reconciledProviders } from './providers/registry.ts';
import { listCycles } from './settlement/cycle-list-store.ts';
import { latenessDefaults } from './settlement/lateness.ts';
import { watchLateness } from './settlement/lateness-store.ts';
import { startLatenessWatch } from './settlement/lateness-watch.ts';
import { startSender } from './webhooks/sender.ts';

/** What a server process does by itself: slots at their time, payouts as they become due, and word of what is late. */
export type AutomaticWork = {
  readonly scheduler: Scheduler;
  stop(): Promise<void>;
};

const latenessEveryMs = 15_000;
const runsEveryMs = 15_000;
/** What takes longer to end is parked with the engine and taken up by the next process. */
const patienceMs = 20_000;

/** Begins all of it. Any number of processes may. */
export async function startAutomaticWork(app: App, log: Log): Promise<AutomaticWork> {
  const { pool, config, cipher, jobs, payouts } = app;
  const { executorId } = app.durable;
  const { now } = worldPorts;
  const limits = { ...latenessDefaults, ...config.lateness };
  const look = () => watchLateness(pool, now(), limits);
  await seedSchedules(pool, jobs, defaultSchedules(jobs, Object.keys(config.differential)), now());
  await payouts.dispatcher.start();
  const scheduler = startScheduler({
    ...worldPorts,
    pool,
    log,
    jobs,
    executorId,
    noteClock: (fault) => noteClock(pool, executorId, fault),
    resumed: async (tx, { kind, subject }) => {
      if (kind === 'queue') await resumeQueue(tx, subject);
    },
    ended: async (job) => {
      if (job !== 'settle') return;
      await measureSlot(app);
      await look();
    },
  });
  const posting = { ...postDefaults, allowed: config.privateHosts, caPath: config.webhookCaPath };
  const sender = startSender({ pool, log, cipher, now, post: (message) => sendSignedPost(message, posting) });
  const lateness = startLatenessWatch({ log, everyMs: latenessEveryMs, look });
  const lookAtRuns = async () => {
    await watchRuns(pool, now());
    await closeMadeGood(pool, jobs);
  };
  const runs = startRunWatch({ log, everyMs: runsEveryMs, look: lookAtRuns });
  const { home, language, sources } = config;
  const alerts = startAlerts({
    pool,
    log,
    cipher,
    now,
    node: executorId,
    mail: mailPort(config.mail),
    post: posting,
    reportFiles: (runId) => attachReport({ pool, home, language }, runId),
    expected: reconciledProviders
      .filter(({ id }) => id in sources)
      .map(({ id, statements }) => ({ provider: id, stages: Object.keys(statements) })),
  });
  const signs = createVitalSigns(config.home);
  const node = startNodeWatch({
    pool,
    log,
    executorId,
    version: productVersion(),
    startedAt: now(),
    vitalSigns: signs.read,
    clockAheadMs: scheduler.clockAheadMs,
  });
  return {
    scheduler,
    async stop() {
      await lateness.stop();
      await runs.stop();
      await sender.stop();
      await alerts.stop();
      await Promise.race([scheduler.stop(), wait(patienceMs, undefined, { ref: false })]);
      await payouts.dispatcher.stop();
      await node.stop();
      signs.close();
    },
  };
}

/** How long the latest settled slot took from its time to its last credit. */
async function measureSlot({ pool, metrics }: App): Promise<void> {
  const [latest] = await listCycles(pool, { state: 'settled', limit: 1 });
  if (latest?.creditedAt) metrics.slotCredited((latest.creditedAt.getTime() - latest.slot.getTime()) / 1000);
}
