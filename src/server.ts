import path from 'node:path';
import { type App, openApp } from './app.ts';
import { startAutomaticWork } from './automatic-work.ts';
import { failureText, type Language } from './kernel/problem.ts';
import { readyText } from './operations/serve-commands.ts';
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
import { startServing } from './serve.ts';
import { listCycles } from './settlement/cycle-list-store.ts';
import { cycleText } from './settlement/cycle-rows.ts';
import { slotAt } from './settlement/slot.ts';
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
    const { port, url, setupLink } = await start(config, log, shutdown);
    instance.announce({ port });
    starting.end();
    shutdown.started();
    process.stdout.write(readyText({ url, setupLink }));
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
 * Serves, opens everything and reconciles the sandbox's days; returns where. The port comes first: one that is taken
 * is said at once, and whoever asks meanwhile hears that we are starting. Throws where the end has begun.
 */
async function start(config: Config, log: Log, shutdown: Shutdown) {
  const { signal } = shutdown;
  const progress = createProgress(process.stderr);
  try {
    const serving = await startServing(config, log, shutdown);
    const { port, url } = serving;
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
      callbackUrl: () => url,
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
    const setupLink = await serving.open(app);
    await goOn(app, sandbox, { log, shutdown, progress });
    signal.throwIfAborted();
    return { port, url, setupLink: setupLink ?? null };
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
  // Slots come every five minutes: whoever has just started the sandbox is shown one at once.
  await app.settlement.settle(slotAt(Temporal.Now.instant()), { who: 'sandbox' }).catch((error: unknown) => {
    log.error({ err: error }, 'the first slot was not settled');
  });
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

await main().catch((error: unknown) => {
  process.stderr.write(`${failureText(error, languageOf(process.env))}\n`);
  process.exitCode = 1;
});
