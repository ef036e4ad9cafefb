import { DBOS } from '@dbos-inc/dbos-sdk';
import { DBOSWorkflowConflictError, runTransaction } from '@dbos-inc/dbos-sdk/datasource';
import { DBOSWorkflowCancelledError } from '@dbos-inc/dbos-sdk/internal/error';
import { check } from '../../kernel/check.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { PoolClient } from '../database/pool.ts';
import { encodeCheckpoint } from './checkpoint.ts';
import { currentTransaction, dataSourceName } from './data-source.ts';
import { observedStep } from './observer.ts';
import { noteRetry } from './run-log.ts';

/** 재시도. How often a step is tried in all, and how long before the second try; each later wait doubles. */
export type Retries = { attempts: number; firstWaitMs: number };

/**
 * 단계. A step with effects outside the database (SFTP, bank, mail, files). AT LEAST ONCE: a process that dies between
 * the effect and the checkpoint repeats it, so it needs an idempotency key or must ask before it sends again.
 * The value is checkpointed and handed back as it was by every replay: ids and counts, not rows.
 * A Problem is an answer and never retried; after the last try its error is the step's error.
 * @throws Problem `checkpoint_too_large`
 */
export function step<T>(name: string, body: () => Promise<T>, options: { retries?: Retries } = {}): Promise<T> {
  const attempts = options.retries?.attempts ?? 1;
  let failures = 0;
  let number: number | undefined;
  return DBOS.runStep(
    async () => {
      number = DBOS.stepID;
      const value = await observedStep(name, body);
      encodeCheckpoint(name, value);
      return value;
    },
    {
      name,
      retriesAllowed: attempts > 1,
      maxAttempts: attempts,
      intervalSeconds: (options.retries?.firstWaitMs ?? 0) / 1000,
      // False at the last failure too: the engine then keeps that error instead of one of its own without our code.
      shouldRetry: (error) => {
        failures += 1;
        const again = failures < attempts && !isProblem(error);
        if (again) noteRetry(failures, error, number);
        return again;
      },
    },
  );
}

/**
 * 트랜잭션 단계. A step whose effects are rows. EXACTLY ONCE: rows, checkpoint and the proof that this process still
 * owns the run commit together (READ COMMITTED). Conflicts and lost connections are retried with back-off, so `body`
 * may run several times: it must change nothing but rows through `tx`.
 * Outside a workflow it is a plain transaction, tried once: without a checkpoint a lost commit cannot be told apart.
 * @throws Problem `checkpoint_too_large`, with the rows rolled back
 */
export function transaction<T>(name: string, body: (tx: PoolClient) => Promise<T>): Promise<T> {
  return runTransaction(() => observedStep(name, () => body(currentTransaction())), name, {
    dsName: dataSourceName,
    config: name,
  });
}

/** The id of the run that this code belongs to. A bug outside a workflow. */
export function runId(): string {
  const id = DBOS.workflowID;
  check(id, 'runId() is asked outside a workflow');
  return id;
}

/**
 * True where an error only says that this execution of the run is over: it was cancelled, or goes on elsewhere. A
 * workflow that notes its failures lets such an error through: the run has not failed.
 */
export function leavesRun(error: unknown): boolean {
  return error instanceof DBOSWorkflowConflictError || error instanceof DBOSWorkflowCancelledError;
}

/**
 * True in runs that began with the change `name`, false in older ones that are being replayed. A workflow whose steps
 * change asks this and keeps the old order of steps for the old runs, until none is left.
 */
export function hasChange(name: string): Promise<boolean> {
  return DBOS.patch(name);
}
