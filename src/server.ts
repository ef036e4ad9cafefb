import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { type App, openApp, startAutomaticWork } from './app.ts';
import { failureText, type Language, Problem } from './kernel/problem.ts';
import { createBankApi } from './payout/api.ts';
import { bankIds } from './payout/banks/registry.ts';
import { payoutTotalText } from './payout/payout-rows.ts';
import { payoutTotals } from './payout/totals-store.ts';
import { type Config, languageOf, loadConfig } from './platform/config.ts';
import { holdInstance } from './platform/instance-lock.ts';
import { createLog, type Log } from './platform/log.ts';
import { createShutdown, type Shutdown } from './platform/shutdown.ts';
import { createProgress, type Progress } from './platform/terminal.ts';
import { differentialProviders } from './providers/differential-registry.ts';
import { reconciledProviders } from './providers/registry.ts';
import { stages } from './providers/stage.ts';
import { daySummary } from './reconciliation/day-summary.ts';
import { openRun } from './reconciliation/run-store.ts';
import { summaryToText } from './reconciliation/summary-text.ts';
import { expectedOf } from './reconciliation/workflow.ts';
import { openSandboxBank } from './sandbox/bank.ts';
import { parseMoods } from './sandbox/bank-moods.ts';
import { bankAccountsFile } from './sandbox/generate.ts';
import { startLiveFeed } from './sandbox/live-feed.ts';
import { importWorld } from './sandbox/load.ts';
import { openSandbox, type Sandbox } from './sandbox/sandbox.ts';
import { defaultBreaks, defaultFrom, makeWorld } from './sandbox/world.ts';
import { listCycles } from './settlement/cycle-list-store.ts';
import { cycleText } from './settlement/cycle-rows.ts';
import { unsettledTotals } from './settlement/unsettled-store.ts';

const sandboxSeed = 1;
const sandboxDays = 3;
const sandboxPaymentsPerDay = 100_000;
/** What goes on selling in the sandbox while the server runs. */
const liveSales = { sales: 40, everyMs: 10_000 };

/** `npm start`: a sandbox of simulated providers, its days reconciled for real, and then a server that stays. */
async function main(): Promise<void> {
  const config = loadConfig(
    process.env,
    reconciledProviders.map((provider) => provider.id),
    bankIds,
    differentialProviders.map((provider) => provider.id),
  );
  const log = createLog(config);
  const instance = holdInstance(config.home, 'server');
  const shutdown = createShutdown({ log });
  shutdown.onClose('instance lock', () => instance.release());
  // The end waits for active work before it closes: so nothing that is being opened here can be left open.
  const starting = shutdown.active.begin('start');
  try {
    const port = await start(config, log, shutdown);
    instance.announce({ port });
    starting.end();
    shutdown.started();
    process.stdout.write(`ready: http://127.0.0.1:${port}\n`);
  } catch (error) {
    starting.end();
    if (shutdown.signal.aborted) {
      log.debug({ err: error }, 'stopped while starting');
      return;
    }
    await shutdown.end('failed');
    throw error;
  }
}

/**
 * Serves, opens everything and reconciles the sandbox's days; returns the port. The port comes first: one that is taken
 * is said at once, and whoever asks meanwhile hears that we are starting. Throws where the end has begun.
 */
async function start(config: Config, log: Log, shutdown: Shutdown): Promise<number> {
  const { signal } = shutdown;
  const progress = createProgress(process.stderr);
  let opened: App | undefined;
  try {
    const port = await serveHttp(() => opened, config, log, shutdown);
    const sandbox = await openSandbox({
      folder: path.join(config.home, 'sandbox'),
      seed: sandboxSeed,
      days: sandboxDays,
      payments: sandboxPaymentsPerDay,
      progress,
      signal,
    });
    shutdown.onClose('sandbox', () => sandbox.close());
    signal.throwIfAborted();
    const bank = await openSandboxBank({
      folder: path.join(config.home, 'sandbox', 'bank'),
      seed: String(sandboxSeed),
      moods: parseMoods('everyday'),
      accountsFile: path.join(sandbox.world.folder, bankAccountsFile),
      callbackUrl: () => `http://127.0.0.1:${port}`,
    });
    shutdown.onClose('bank', () => bank.close());
    const sources = { ...config.sources, ...sandbox.sources };
    const app = await openApp({ ...config, sources, banks: { ...config.banks, 'json-van': bank.address } }, log);
    shutdown.onClose('app', () => app.close());
    signal.throwIfAborted();
    const { language } = config;
    await importWorld(app.pool, sandbox.world, { who: 'sandbox', cipher: app.cipher, language, progress, signal });
    for (const on of sandbox.world.days) await reconcileDay(app, on, shutdown, language);
    signal.throwIfAborted();
    opened = app;
    await goOn(app, sandbox, { log, shutdown, progress });
    signal.throwIfAborted();
    return port;
  } finally {
    progress.close();
  }
}

/** From here on the sandbox sells, settles and pays out by itself. Says what came of the first slot. */
async function goOn(
  app: App,
  { world }: Sandbox,
  { log, shutdown, progress }: { readonly log: Log; readonly shutdown: Shutdown; readonly progress: Progress },
): Promise<void> {
  const { language } = app.config;
  progress.update('settle', language === 'ko' ? '정산 중' : 'settling');
  const work = await startAutomaticWork(app, log);
  shutdown.onClose('settlement and payouts', () => work.stop());
  await work.firstSlot;
  shutdown.signal.throwIfAborted();
  const spec = { seed: world.seed, days: sandboxDays, payments: sandboxPaymentsPerDay };
  const living = makeWorld({ ...spec, breaks: defaultBreaks, from: defaultFrom });
  const feed = startLiveFeed({ pool: app.pool, world: living, log, ...liveSales });
  shutdown.onClose('live sales', () => feed.stop());
  const [cycle] = await listCycles(app.pool, { state: 'settled', limit: 1 });
  if (cycle === undefined) return;
  const payouts = (await payoutTotals(app.pool)).map((total) => `  ${payoutTotalText(total, language)}\n`).join('');
  process.stdout.write(`${cycleText(cycle, await unsettledTotals(app.pool), language)}${payouts}\n`);
}

async function reconcileDay(app: App, on: string, shutdown: Shutdown, language: Language): Promise<void> {
  shutdown.signal.throwIfAborted();
  const request = {
    on,
    providers: reconciledProviders.map((provider) => provider.id),
    stages: [...stages],
    who: 'sandbox',
  };
  const { runId } = await openRun(app.pool, request);
  const work = shutdown.active.begin(runId);
  try {
    const result = await app.run(runId, request, () => undefined);
    const day = await daySummary(app.pool, Temporal.PlainDate.from(on), expectedOf(request), language);
    const report = `${language === 'ko' ? '보고서' : 'report'}: ${result.report}`;
    process.stdout.write(`${summaryToText(day, language)}\n${report}\n\n`);
  } finally {
    work.end();
  }
}

/**
 * Live when the process answers, ready while it can run workflows; `opened` is undefined until it has started. Banks are
 * heard from then on, too; they come again with what was not taken.
 */
async function serveHttp(opened: () => App | undefined, config: Config, log: Log, shutdown: Shutdown): Promise<number> {
  const http = new Hono();
  http.get('/', (context) => context.redirect('/health'));
  http.get('/health', async (context) => {
    const app = opened();
    if (app === undefined) return context.json({ status: 'starting' }, 503);
    const database = await app.pool.query('select 1').then(
      () => true,
      () => false,
    );
    const engine = app.durable.isHealthy();
    const ok = database && engine && !shutdown.signal.aborted;
    return context.json({ status: ok ? 'ok' : 'unavailable', database, engine }, ok ? 200 : 503);
  });
  let bankApi: Hono | undefined;
  http.all('/bank/*', (context) => {
    const app = opened();
    if (app === undefined || shutdown.signal.aborted) return context.json({ status: 'unavailable' }, 503);
    bankApi ??= createBankApi({ pool: app.pool, log, banks: app.banks, now: () => Temporal.Now.instant() });
    return bankApi.fetch(context.req.raw);
  });
  const server = serve({ fetch: http.fetch, port: config.port, hostname: '127.0.0.1' });
  // Rejects with the server's error if that comes first.
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw portProblem(error, config.port);
  });
  shutdown.onClose('http', () => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

function portProblem(error: NodeJS.ErrnoException, port: number): Error {
  return error.code === 'EADDRINUSE' ? new Problem('port_taken', { port }) : error;
}

await main().catch((error: unknown) => {
  process.stderr.write(`${failureText(error, languageOf(process.env))}\n`);
  process.exitCode = 1;
});
