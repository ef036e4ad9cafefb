import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { WorkflowHandle } from '@dbos-inc/dbos-sdk';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { registerDataSource } from '@dbos-inc/dbos-sdk/datasource';
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor';
import { dbRetryConfig, INTERNAL_QUEUE_NAME } from '@dbos-inc/dbos-sdk/internal/utils';
import { registerInternalQueue } from '@dbos-inc/dbos-sdk/internal/wfqueue';
import { RetrievedHandle } from '@dbos-inc/dbos-sdk/internal/workflow';
import { check } from '../../kernel/check.ts';
import type { Pool } from '../database/pool.ts';
import { encodeCheckpoint } from './checkpoint.ts';
import { createDataSource } from './data-source.ts';
import type { Log } from './engine-log.ts';
import { engineLogger } from './engine-log.ts';
import { migrateEngine } from './engine-schema.ts';
import { observedRun } from './observer.ts';
import type { ProofOfLife } from './proof-of-life.ts';
import { createProofOfLife } from './proof-of-life.ts';
import { releaseHeld, restartRun } from './restart.ts';
import { startRunIndexes } from './run-indexes.ts';
import { noteAct, type RunLog, startRunLog } from './run-log.ts';
import { admitSleepers, parkSleepers } from './sleep.ts';
import { runId } from './step.ts';
import type { TakeOver } from './take-over.ts';
import { startTakeOver } from './take-over.ts';

/**
 * Never the engine's default, a hash of the code: after a deploy nobody would recover the runs of yesterday's code.
 * A workflow whose steps change asks `hasChange`.
 */
const applicationVersion = '1';

/** How long another process waits for one whose proof of life is lost with the server's restart. */
const graceMs = 5_000;
const engineConnections = 8;
const engineRetries = { initialBackoffSec: 0.25, maxBackoffSec: 5 };
const resultPollMs = 100;
/** How long the end waits for what runs said to be written. */
const logWithinMs = 2_000;

export type DurableOptions = {
  /** `postgresql://…`, over TCP: the engine does not wait for a server that is away behind a socket file. */
  databaseUrl: string;
  /** Where `transaction` takes its connections; the engine's own bookkeeping has a pool of its own (8). */
  pool: Pool;
  log: Log;
  /** A process that says nothing for so long counts as dead, and its work is taken over. */
  frozenAfterMs?: number;
  /** How often the work of dead processes is looked for. */
  takeOverEveryMs?: number;
  /** How often a sleeping run looks at the clock, and whether it was cancelled. */
  lookEveryMs?: number;
  /** What else belongs to the engine's tables: done at each launch, before any run ends. */
  attach?(pool: Pool): Promise<void>;
  /** Where what a run said is put by a process that ends by an error of its own. */
  spillFolder?: string;
};

/** 작업 정의. A registered workflow: its name in the history, and the types of its arguments and result. */
export type Workflow<Args extends unknown[], Result> = {
  readonly name: string;
  readonly run: (...args: Args) => Promise<Result>;
};

/** 실행. One run of a workflow, here or in another process. */
export type Handle<Result> = {
  readonly id: string;
  /** Waits for the end; throws what the workflow threw, by `name` and `code` (use `isProblem`). */
  result(): Promise<Result>;
};

export type Durable = {
  /** Unique to this process; the owner of its runs in the history. */
  readonly executorId: string;
  /** Before `launch`. A workflow calls `step`, `transaction` and `start` in the same order every time it is run. */
  register<Args extends unknown[], Result>(
    name: string,
    run: (...args: Args) => Promise<Result>,
  ): Workflow<Args, Result>;
  launch(): Promise<void>;
  /** Takes no new work, gives running work `timeoutMs` to end, and leaves the rest, and what sleeps, to be taken over. */
  shutdown(timeoutMs: number): Promise<void>;
  /** False while the proof of life is lost. */
  isHealthy(): boolean;
  /** The ids of the runs that are executing in this process. */
  running(): string[];
  /**
   * Starts a run, or finds the one that was started with this id before: the id is the idempotency key. Inside a
   * workflow the run is its child; start several, then wait with `Promise.allSettled` over their results.
   */
  start<Args extends unknown[], Result>(
    workflow: Workflow<Args, Result>,
    id: string,
    ...args: Args
  ): Promise<Handle<Result>>;
  handle<Result>(id: string): Handle<Result>;
  /**
   * Runs a failed or cancelled run again under its id from the step that failed, and its failed children likewise.
   * @throws Problem `not_found`, `run_not_restartable`
   */
  restart(id: string): Promise<void>;
  /** Ends a run and its children before their next step. Nothing happens to one that has ended. */
  cancel(id: string): Promise<void>;
};

let inUse = false;

/**
 * The engine of this process. There is one: a second before the first is shut down is a bug.
 * Whoever launches it also takes up restarted runs and those of dead processes, so every process registers every
 * workflow, a command that is soon over too: what it leaves unfinished waits for the next process.
 */
export function createDurable(options: DurableOptions): Durable {
  check(!inUse, 'this process already has a durable engine');
  inUse = true;
  const { log, pool } = options;
  const executorId = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const { frozenAfterMs = 15_000, takeOverEveryMs = 500, lookEveryMs = 10_000 } = options;
  const proof = createProofOfLife({ databaseUrl: options.databaseUrl, executorId, frozenAfterMs, log });
  let takeOver: TakeOver | undefined;
  let runLog: RunLog | undefined;
  let indexes: { stop(): Promise<void> } | undefined;
  admitSleepers(pool, lookEveryMs);

  return {
    executorId,
    register: (name, run) => ({ name, run: DBOS.registerWorkflow(limited(name, run), { name }) }),
    async launch() {
      registerDataSource(createDataSource(pool));
      runLog = startRunLog(pool, executorId, options.spillFolder);
      try {
        await launchEngine(options, executorId, proof);
      } catch (error) {
        // Nothing is left open that would keep the process from its end.
        await Promise.allSettled([DBOS.shutdown({ deregister: true }), runLog.close(0), proof.release()]);
        inUse = false;
        throw error;
      }
      indexes = startRunIndexes(pool, log);
      takeOver = startTakeOver({ proof, executorId, applicationVersion, everyMs: takeOverEveryMs, graceMs, log });
    },
    async shutdown(timeoutMs) {
      // Before the engine counts what it waits for: a sleeping run may have hours to go.
      await Promise.race([parkSleepers(), wait(timeoutMs, undefined, { ref: false })]);
      // The loop last: its looking is what keeps the lock while running work ends.
      await DBOS.shutdown({ deregister: true, workflowCompletionTimeoutMS: timeoutMs });
      await takeOver?.stop();
      await Promise.all([runLog?.close(logWithinMs), indexes?.stop()]);
      await proof.release();
      inUse = false;
    },
    isHealthy: () => DBOS.isInitialized() && proof.isHeld(),
    running: () => [...(DBOSExecutor.globalInstance?.systemDatabase.runningWorkflowMap.keys() ?? [])],
    async start(workflow, id, ...args) {
      encodeCheckpoint(`${workflow.name} (arguments)`, args);
      noteAct(id, 'begun');
      const handle = await DBOS.startWorkflow(workflow.run, { workflowID: id })(...args);
      // Not begun by this call: it may be a child that a restart holds back until its parent is here.
      if (handle instanceof RetrievedHandle && DBOS.isInWorkflow()) await releaseHeld(pool, id);
      return toHandle(handle);
    },
    handle: (id) => toHandle(DBOS.retrieveWorkflow(id)),
    async restart(id) {
      await restartRun(pool, id);
      noteAct(id, 'restarted');
    },
    async cancel(id) {
      await DBOS.cancelWorkflow(id, { cancelChildren: true });
      noteAct(id, 'cancelled');
    },
  };
}

/** The workflow with its result held to the limits of a checkpoint. */
function limited<Args extends unknown[], Result>(name: string, run: (...args: Args) => Promise<Result>) {
  return (...args: Args): Promise<Result> =>
    observedRun(name, runId(), async () => {
      const result = await run(...args);
      encodeCheckpoint(`${name} (result)`, result);
      return result;
    });
}

function toHandle<Result>(handle: WorkflowHandle<Result>): Handle<Result> {
  return { id: handle.workflowID, result: () => handle.getResult({ pollingIntervalMs: resultPollMs }) };
}

async function launchEngine(options: DurableOptions, executorId: string, proof: ProofOfLife): Promise<void> {
  const logger = engineLogger(options.log);
  await migrateEngine(options.databaseUrl, logger);
  await options.attach?.(options.pool);
  // Before the engine may take any work: a run whose owner holds no lock is taken over.
  await proof.query('select 1', []);
  DBOS.setConfig({
    name: 'jeongsan',
    systemDatabaseUrl: withIdleTimeout(options.databaseUrl),
    systemDatabasePoolSize: engineConnections,
    runMigrations: false,
    // Messages, events and streams are not used; trying out the channel alone would take 100 ms of every launch.
    useListenNotify: false,
    applicationVersion,
    executorID: executorId,
    enablePatching: true,
    logger,
  });
  // After an outage the engine would look for the server once a minute only.
  Object.assign(dbRetryConfig, engineRetries);
  // Taken-over and restarted runs wait in this queue, which the engine would look at once a second.
  registerInternalQueue(INTERNAL_QUEUE_NAME, { minPollingIntervalMs: 200 });
  await DBOS.launch();
}

/** Ends the engine's transactions that a frozen process left open. In the URL it costs no query per connection. */
function withIdleTimeout(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const given = url.searchParams.get('options');
  url.searchParams.set('options', `${given ? `${given} ` : ''}-c idle_in_transaction_session_timeout=60000`);
  return url.toString();
}
