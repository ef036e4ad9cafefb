import type { Pool, PoolClient } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { addBusinessDays } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { Durable, Handle, Workflow } from '../platform/durable/durable.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import type { Provider } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';
import type { Stage } from '../providers/stage.ts';
import { daySummary } from './day-summary.ts';
import { checkDeposits } from './deposit-store.ts';
import { escalateBreaks } from './escalation-store.ts';
import type { LoadResult } from './load-store.ts';
import { matchStage, staleDays } from './match-store.ts';
import type { ReconciledStage } from './outcome.ts';
import { daysStillMissing, finishRun, noteStageRun, type ReconcileRequest, type StageRun } from './run-store.ts';
import type { RefusedBecause } from './statement.ts';
import type { ExpectedProvider } from './summary-store.ts';

/** What the workflow needs from outside; the composition root decides where files come from and go to. */
export type ReconciliationPorts = {
  readonly pool: Pool;
  readonly statements: StatementPort;
  readonly language: Language;
  /** Makes the report of a run; returns where it lies. */
  report(runId: string): Promise<{ readonly folder: string }>;
  /** Told when a step of a stage begins, how far it is and how it ends, for people who watch. */
  watch(event: StageEvent): void;
};

/** From a provider's files to the lines of a stage. */
export type StatementPort = {
  collect(provider: Provider, stage: Stage, on: Temporal.PlainDate): Promise<Collected>;
  /** `onRows` is told how many lines have been read so far. */
  load(statementId: number, onRows: (rows: number) => void): Promise<Loaded>;
  finish(tx: PoolClient, loaded: Loaded): Promise<void>;
  /** Our MIDs whose file of the day is in, where not all are; null when every one is. */
  midsWithFile(
    tx: PoolClient,
    provider: Provider,
    stage: Stage,
    on: Temporal.PlainDate,
  ): Promise<readonly string[] | null>;
  /** Whether any file of the stage is in, and makes the leaves that matching reads. */
  prepare(provider: Provider, stage: Stage, on: Temporal.PlainDate): Promise<boolean>;
};

/** Statements to load, names that still grow, names that are expected and not there. */
export type Collected = {
  readonly statements: readonly number[];
  readonly waiting: readonly string[];
  readonly missing: readonly string[];
};

/** A load that is complete but not visible before the import step, or a file that was refused. Small: a checkpoint. */
export type Loaded = { readonly statementId: number; readonly fileName: string } & (
  | { readonly result: LoadResult; readonly refused?: undefined }
  | { readonly refused: RefusedBecause; readonly result?: undefined }
);

export type StageEvent = {
  readonly provider: string;
  readonly stage: Stage | 'deposit' | 'report';
  readonly step: 'collect' | 'load' | 'match' | 'done' | 'failed';
  /** So far, or in all when it is done. */
  readonly rows?: number;
  /** What the rows took; only where they make a rate. */
  readonly milliseconds?: number;
  readonly detail?: string;
};

export type ReconcileResult = { readonly outcome: 'complete' | 'incomplete'; readonly report: string };
export type Reconciliation = {
  start(id: string, request: ReconcileRequest): Promise<Handle<ReconcileResult>>;
};

type StageRequest = { readonly provider: string; readonly stage: Stage; readonly on: string; readonly run: string };

/** Half a minute in all: a PostgreSQL that is restarted is back by then. */
const tries = { attempts: 7, firstWaitMs: 500 };

/** 대사. Registers the two workflows; call before the engine is launched. */
export function registerReconciliation(durable: Durable, ports: ReconciliationPorts): Reconciliation {
  const stageWorkflow = durable.register('reconcile-stage', (request: StageRequest) => reconcileStage(ports, request));
  const dayWorkflow = durable.register('reconcile', (request: ReconcileRequest) =>
    reconcileDay(durable, stageWorkflow, ports, request),
  );
  return { start: (id, request) => durable.start(dayWorkflow, id, request) };
}

/** Seed 1's picture: each stage for all its providers in parallel, one after the other; then what needs them all. */
async function reconcileDay(
  durable: Durable,
  stageWorkflow: Workflow<[StageRequest], StageRun>,
  ports: ReconciliationPorts,
  request: ReconcileRequest,
): Promise<ReconcileResult> {
  const id = runId();
  for (const stage of request.stages) {
    const handles: Handle<StageRun>[] = [];
    for (const provider of providersOf(request, stage)) {
      const child = { provider, stage, on: request.on, run: id };
      handles.push(await durable.start(stageWorkflow, `${id}/${provider}/${stage}`, child));
    }
    const ends = await Promise.allSettled(handles.map((handle) => handle.result()));
    await transaction(`note failures of ${stage}`, async (tx) => {
      for (const [n, end] of ends.entries()) {
        const provider = providersOf(request, stage)[n] as string;
        if (end.status === 'fulfilled') continue;
        const failed = failedStage(provider, stage, end.reason);
        await noteStageRun(tx, id, failed);
        ports.watch({ provider, stage, step: 'failed', detail: failed.detail.error ?? '' });
      }
    });
  }
  if (request.stages.includes('settlement')) await reconcileDeposits(ports, request, id);
  const outcome = await transaction('finish', async (tx) => {
    const day = await daySummary(tx, Temporal.PlainDate.from(request.on), expectedOf(request), ports.language);
    await finishRun(tx, id, day.outcome);
    return day.outcome;
  });
  const { folder } = await step('report', () => ports.report(id), { retries: tries });
  ports.watch({ provider: '', stage: 'report', step: 'done', detail: folder });
  return { outcome, report: folder };
}

async function reconcileDeposits(ports: ReconciliationPorts, request: ReconcileRequest, id: string): Promise<void> {
  const on = Temporal.PlainDate.from(request.on);
  for (const provider of providersOf(request, 'settlement')) {
    const { checked } = await transaction(`deposits of ${provider}`, async (tx) => {
      const found = await checkDeposits(tx, { provider, on }, id);
      await escalate(tx, { provider, stage: 'deposit', on, run: id });
      return found;
    });
    ports.watch({ provider, stage: 'deposit', step: 'done', rows: checked });
  }
}

/** One stage of one provider: collect → load → match, then what earlier days owe because of it. */
async function reconcileStage(ports: ReconciliationPorts, request: StageRequest): Promise<StageRun> {
  const { provider: id, stage, run } = request;
  const provider = providerOf(id);
  const on = Temporal.PlainDate.from(request.on);
  const begun = await step('begin', async () => new Date().toISOString());
  const collected = await step('collect', () => collect(ports, provider, stage, on), { retries: tries });
  const loaded = await step('load', () => load(ports, provider, stage, collected.statements), { retries: tries });
  await transaction('import', async (tx) => {
    for (const each of loaded) await ports.statements.finish(tx, each);
  });
  const prepared = await step('prepare', () => ports.statements.prepare(provider, stage, on), { retries: tries });
  const first = prepared
    ? await match(ports, provider, stage, on, run)
    : { outcome: 'missing' as const, lines: 0, alsoStale: [] };
  const stale = await transaction('find stale days', async (tx) => {
    const days = await staleDays(tx, { provider: id, stage, on });
    return [...new Set([...days.map(String), ...collected.lateDays, ...first.alsoStale])].sort();
  });
  const alsoReconciled: string[] = [];
  for (const day of stale) {
    const late = Temporal.PlainDate.from(day);
    const ready = await step(`prepare ${day}`, () => ports.statements.prepare(provider, stage, late), {
      retries: tries,
    });
    if (!ready) continue;
    const { outcome } = await match(ports, provider, stage, late, run);
    if (outcome === 'reconciled') alsoReconciled.push(day);
  }
  const detail = {
    missing: collected.missing,
    waiting: collected.waiting,
    refused: loaded.flatMap((each) => (each.refused === undefined ? [] : [each.fileName])),
    alsoReconciled,
  };
  const stageRun: StageRun = {
    provider: id,
    stage,
    outcome: outcomeOf(first.outcome, detail),
    detail,
    startedAt: begun,
    lines: first.lines,
  };
  await transaction('note', async (tx) => {
    await escalate(tx, { provider: id, stage, on, run });
    await noteStageRun(tx, run, stageRun);
  });
  const milliseconds = Date.now() - Date.parse(begun);
  const rate = first.outcome === 'reconciled' ? { milliseconds } : {};
  ports.watch({ provider: id, stage, step: 'done', rows: first.lines, ...rate });
  return stageRun;
}

/** The day after the business day counts as today, whenever it is run; deposits are as patient as their settlement. */
async function escalate(
  tx: PoolClient,
  due: { provider: string; stage: ReconciledStage; on: Temporal.PlainDate; run: string },
): Promise<void> {
  const { provider, stage, on, run } = due;
  const matching = matchingOf(providerOf(provider), stage === 'deposit' ? 'settlement' : stage);
  const businessDaysOld = matching.escalateAfterBusinessDays;
  // Read at each run: a holiday that was added since counts.
  const holidays = await businessCalendar(tx);
  const today = addBusinessDays(on, 1, holidays);
  await escalateBreaks(tx, { provider, stage, today, businessDaysOld, holidays, runId: run });
}

/** Also looks again for the files that earlier days still miss: either side may arrive late. */
async function collect(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  on: Temporal.PlainDate,
): Promise<Collected & { lateDays: string[] }> {
  ports.watch({ provider: provider.id, stage, step: 'collect' });
  const today = await ports.statements.collect(provider, stage, on);
  const statements = [...today.statements];
  const lateDays: string[] = [];
  for (const day of await daysStillMissing(ports.pool, provider.id, stage, on)) {
    const late = await ports.statements.collect(provider, stage, day);
    statements.push(...late.statements);
    if (late.statements.length > 0) lateDays.push(day.toString());
  }
  return { statements, waiting: today.waiting, missing: today.missing, lateDays };
}

async function load(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  statements: readonly number[],
): Promise<Loaded[]> {
  const began = performance.now();
  const loaded: Loaded[] = [];
  let rowsBefore = 0;
  for (const [n, statementId] of statements.entries()) {
    const detail = statements.length === 1 ? '' : `${n + 1}/${statements.length}`;
    const watchRows = (rows: number) => {
      const milliseconds = performance.now() - began;
      ports.watch({ provider: provider.id, stage, step: 'load', rows: rowsBefore + rows, milliseconds, detail });
    };
    watchRows(0);
    const each = await ports.statements.load(statementId, watchRows);
    loaded.push(each);
    rowsBefore += Number(each.result?.lines ?? 0n);
  }
  return loaded;
}

async function match(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  on: Temporal.PlainDate,
  run: string,
) {
  ports.watch({ provider: provider.id, stage, step: 'match', detail: on.toString() });
  return transaction(`match ${on}`, async (tx) => {
    const day = { provider: provider.id, stage, on };
    const mids = await ports.statements.midsWithFile(tx, provider, stage, on);
    return matchStage(tx, day, matchingOf(provider, stage), { runId: run, mids });
  });
}

function matchingOf(provider: Provider, stage: Stage) {
  const statement = provider.statements[stage];
  if (statement === undefined) throw new Problem('not_found', { what: 'statement', id: `${provider.id} ${stage}` });
  return statement.matching;
}

function providersOf(request: ReconcileRequest, stage: Stage): string[] {
  return request.providers.filter((id) => providerOf(id).statements[stage] !== undefined);
}

/** The providers of a request with those of their stages that it asks for. */
export function expectedOf(request: Pick<ReconcileRequest, 'providers' | 'stages'>): ExpectedProvider[] {
  return request.providers.map((id) => ({
    id,
    stages: request.stages.filter((stage) => providerOf(id).statements[stage] !== undefined),
  }));
}

function outcomeOf(match: 'reconciled' | 'unchanged' | 'missing', detail: StageRun['detail']): StageRun['outcome'] {
  if (detail.refused.length > 0) return 'refused';
  if (detail.missing.length > 0) return 'missing';
  if (detail.waiting.length > 0) return 'waiting';
  return match;
}

function failedStage(provider: string, stage: Stage, reason: unknown): StageRun {
  const error = reason instanceof Error ? reason.message : String(reason);
  return {
    provider,
    stage,
    outcome: 'failed',
    detail: { missing: [], waiting: [], refused: [], alsoReconciled: [], error },
    startedAt: new Date().toISOString(),
    lines: 0,
  };
}
