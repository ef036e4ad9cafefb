import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type App, openApp } from '../../src/app.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { type Config, loadConfig } from '../../src/platform/config.ts';
import { createLog } from '../../src/platform/log.ts';
import { reconciledProviders } from '../../src/providers/registry.ts';
import { type Stage, stages } from '../../src/providers/stage.ts';
import { ageCounter } from '../../src/reconciliation/break-age.ts';
import { breakToJson } from '../../src/reconciliation/break-rows.ts';
import { listBreaks } from '../../src/reconciliation/break-store.ts';
import { daySummary } from '../../src/reconciliation/day-summary.ts';
import type { DaySummary } from '../../src/reconciliation/outcome.ts';
import { openRun } from '../../src/reconciliation/run-store.ts';
import { expectedOf } from '../../src/reconciliation/workflow.ts';
import { type GenerateOptions, generateWorld } from '../../src/sandbox/generate.ts';
import { loadWorld } from '../../src/sandbox/load.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import type { ScoredBreak } from './score.ts';

/** A whole installation of the product with a home and a database of its own, and a world to live in. */
export type Installation = {
  readonly home: string;
  readonly db: TestDatabase;
  readonly config: Config;
  /** Opens the product in this process, one at a time; `sources` replaces where some providers' files are. */
  open(sources?: Config['sources']): Promise<App>;
  close(): Promise<void>;
};

export const allProviders = reconciledProviders.map((provider) => provider.id);

export async function createInstallation(): Promise<Installation> {
  const home = await mkdtemp(path.join(tmpdir(), 'jeongsan-installation-'));
  const db = await testDatabase({ max: 4 });
  const config = loadConfig({ JEONGSAN_HOME: home, DATABASE_URL: db.url }, allProviders);
  return {
    home,
    db,
    config,
    open: (sources = {}) =>
      openApp({ ...config, sources: { ...config.sources, ...sources } }, createLog({ logLevel: 'warn' })),
    async close() {
      await db.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Makes a world and brings it in as a business would meet it. Returns its days and its planted truth. */
export async function bringWorld(
  installation: Installation,
  spec: Omit<GenerateOptions, 'into'>,
): Promise<{ readonly folder: string; readonly days: readonly string[]; readonly truth: ScoredBreak[] }> {
  const folder = path.join(installation.home, 'world');
  const { days } = await generateWorld({ ...spec, into: folder });
  const inboxes = Object.fromEntries(allProviders.map((id) => [id, path.join(installation.home, 'inbox', id)]));
  const cipher = await openCipher({ home: installation.home });
  await loadWorld(installation.db.pool, folder, { who: 'test', cipher, inboxes });
  return { folder, days, truth: JSON.parse(await readFile(path.join(folder, 'truth.json'), 'utf8')) };
}

/** Reconciles a day through the durable engine, as the command does. */
export async function reconcileDay(
  app: App,
  on: string,
  only: { readonly providers?: readonly string[]; readonly stages?: readonly Stage[] } = {},
): Promise<DaySummary & { readonly runId: string }> {
  const request = { on, providers: only.providers ?? allProviders, stages: only.stages ?? stages, who: 'test' };
  const { runId } = await openRun(app.pool, request);
  await app.run(runId, request, () => undefined);
  return { runId, ...(await daySummary(app.pool, Temporal.PlainDate.from(on), expectedOf(request), 'en')) };
}

/** The unresolved breaks as `breaks list --json` prints them. */
export async function breaksAsJson({ pool }: Pick<App, 'pool'>): Promise<ScoredBreak[]> {
  const ageOf = ageCounter(Temporal.PlainDate.from('2026-11-21'), new Set());
  const found: ScoredBreak[] = [];
  for await (const batch of listBreaks(pool, { states: ['open', 'investigating'] } as never, {})) {
    found.push(...batch.map((each) => breakToJson(each, ageOf) as unknown as ScoredBreak));
  }
  return found;
}
