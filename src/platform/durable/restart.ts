import { DBOS } from '@dbos-inc/dbos-sdk';
import { INTERNAL_QUEUE_NAME } from '@dbos-inc/dbos-sdk/internal/utils';
import { Problem } from '../../kernel/problem.ts';
import type { Pool } from '../database/pool.ts';
import { retryFaults } from './database-fault.ts';
import type { RunDetail, RunError, RunStep } from './runs.ts';
import { showRun } from './runs.ts';

/** What the engine calls a step that waited for a child. */
const waitStep = 'DBOS.getResult';

/** Deeper than any workflow of ours; a chain of children that goes on would be a loop. */
const depthMost = 10;

/** A queue that nobody serves. A rewound child waits there until its parent comes to the step that starts it. */
const heldQueue = 'held';

type Plan = { id: string; firstStep: number; children: { plan: Plan; startedBy: number }[] };

/**
 * 재시작. Rewinds a run that ended badly to the step that failed and lets it run again under its id; the steps before
 * are not repeated. So does every failed child, from its own failed step: at once where the parent had started it
 * before that step, else when the parent comes to it again. A run that ended well although a child failed is rewound
 * to where it waited for that child.
 * @throws Problem `not_found`, `run_not_restartable` where it still runs or nothing in it failed
 */
export async function restartRun(pool: Pool, id: string): Promise<void> {
  const run = await showRun(pool, id);
  const plan = await planRestart(pool, run, 0);
  if (!plan) throw new Problem('run_not_restartable', { id, state: run.state });
  await rewind(plan, false);
}

/** Lets a child run that `restartRun` held back; nothing happens to any other run. */
export async function releaseHeld(pool: Pool, id: string): Promise<void> {
  await retryFaults(
    () => false,
    () =>
      pool.query(
        `update dbos.workflow_status set queue_name = $3
          where workflow_uuid = $1 and queue_name = $2 and status = 'ENQUEUED'`,
        [id, heldQueue, INTERNAL_QUEUE_NAME],
      ),
  );
}

async function planRestart(pool: Pool, run: RunDetail, depth: number): Promise<Plan | undefined> {
  if (run.state === 'running' || run.state === 'waiting' || depth > depthMost) return undefined;
  const children: Plan['children'] = [];
  for (const { id } of run.children) {
    const plan = await planRestart(pool, await showRun(pool, id), depth + 1);
    const starts = run.steps.find((step) => step.childId === id && step.name !== waitStep);
    if (plan) children.push({ plan, startedBy: starts?.number ?? -1 });
  }
  if (run.state === 'done' && children.length === 0) return undefined;
  const again = new Set(children.map(({ plan }) => plan.id));
  return { id: run.id, firstStep: firstStepToRepeat(run, again), children };
}

/** Children first, so that their parent waits for their new end instead of reading the old one. */
async function rewind({ id, firstStep, children }: Plan, held: boolean): Promise<void> {
  for (const { plan, startedBy } of children) await rewind(plan, held || startedBy >= firstStep);
  await DBOS.rewindWorkflow(id, { startStep: firstStep, ...(held ? { queueName: heldQueue } : {}) });
}

/**
 * The first of: a wait for a child that failed or now runs again, and the step whose error ended the run. An error of
 * another step was the workflow's to handle, and it did. Where none is found the workflow failed between two steps, or
 * wrapped the error: then the first step that failed; and where none did, only what comes after the last step.
 */
export function firstStepToRepeat(run: Pick<RunDetail, 'steps' | 'error'>, childrenAgain: ReadonlySet<string>): number {
  const repeated = run.steps.find(
    (step) => isWaitFor(step, childrenAgain) || (step.error && run.error && isSame(step.error, run.error)),
  );
  const first = repeated ?? run.steps.find((step) => step.error);
  return first?.number ?? (run.steps.at(-1)?.number ?? -1) + 1;
}

function isWaitFor(step: RunStep, childrenAgain: ReadonlySet<string>): boolean {
  const waits = step.name === waitStep && step.childId !== undefined;
  return waits && (step.error !== undefined || childrenAgain.has(step.childId ?? ''));
}

function isSame(left: RunError, right: RunError): boolean {
  return left.name === right.name && left.code === right.code && left.message === right.message;
}
