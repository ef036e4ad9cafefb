import type { Pool, PoolClient } from 'pg';
import type { Language } from '../kernel/problem.ts';
import type { Durable, Handle, Workflow } from '../platform/durable/durable.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import type { Provider } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';
import type { Stage } from '../providers/stage.ts';
import { daySummary } from './day-summary.ts';
import { checkDeposits } from './deposit-store.ts';
import type { LoadResult } from './load-store.ts';
import { finishRun, noteStageRun, type ReconcileRequest, type StageRun } from './run-store.ts';
import { escalate, reconcileStage, type StageRequest, tries } from './stage-workflow.ts';
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
  /** False where another run began to load the same statement meanwhile, and this load is gone. */
  finish(tx: PoolClient, loaded: Loaded): Promise<boolean>;
  /** Whether any of these statements is still to be loaded by somebody. */
  areLoading(statements: readonly number[]): Promise<boolean>;
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

/**
 * A load that is complete but not visible before the import step, a file that was refused, or one that another run loads.
 * Small: a checkpoint.
 */
export type Loaded = { readonly statementId: number; readonly fileName: string } & (
  | { readonly result: LoadResult; readonly refused?: undefined }
  | { readonly result?: undefined; readonly refused?: undefined; readonly overtaken: true }
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
