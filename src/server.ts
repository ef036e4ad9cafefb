import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { type App, openApp } from './app.ts';
import { failureText, type Language, Problem } from './kernel/problem.ts';
import { bankIds } from './payout/banks/registry.ts';
import { type Config, languageOf, loadConfig } from './platform/config.ts';
import { holdInstance } from './platform/instance-lock.ts';
import { createLog, type Log } from './platform/log.ts';
import { createShutdown, type Shutdown } from './platform/shutdown.ts';
import { createProgress } from './platform/terminal.ts';
import { providers } from './providers/registry.ts';
import { stages } from './providers/stage.ts';
import { daySummary } from './reconciliation/day-summary.ts';
import { openRun } from './reconciliation/run-store.ts';
import { summaryToText } from './reconciliation/summary-text.ts';
import { expectedOf } from './reconciliation/workflow.ts';
import { importWorld } from './sandbox/load.ts';
import { openSandbox } from './sandbox/sandbox.ts';

const sandboxSeed = 1;
const sandboxDays = 3;
const sandboxPaymentsPerDay = 100_000;

/** `npm start`: a sandbox of simulated providers, its days reconciled for real, and then a server that stays. */
async function main(): Promise<void> {
  const config = loadConfig(
    process.env,
    providers.map((provider) => provider.id),
    bankIds,
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
    const port = await serveHealth(() => opened, config, shutdown);
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
    const app = await openApp({ ...config, sources: { ...config.sources, ...sandbox.sources } }, log);
    shutdown.onClose('app', () => app.close());
    signal.throwIfAborted();
    await importWorld(app.pool, sandbox.world, { who: 'sandbox', language: config.language, progress, signal });
    for (const on of sandbox.world.days) await reconcileDay(app, on, shutdown, config.language);
    signal.throwIfAborted();
    opened = app;
    return port;
  } finally {
    progress.close();
  }
}

async function reconcileDay(app: App, on: string, shutdown: Shutdown, language: Language): Promise<void> {
  shutdown.signal.throwIfAborted();
  const request = { on, providers: providers.map((provider) => provider.id), stages: [...stages], who: 'sandbox' };
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

/** Live when the process answers, ready while it can run workflows; `opened` is undefined until it has started. */
async function serveHealth(opened: () => App | undefined, config: Config, shutdown: Shutdown): Promise<number> {
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
