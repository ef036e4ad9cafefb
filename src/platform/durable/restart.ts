import { DBOS } from '@dbos-inc/dbos-sdk';
import { Problem } from '../../kernel/problem.ts';
import type { Pool } from '../database/pool.ts';
import type { RunDetail, RunError, RunStep } from './runs.ts';
import { showRun } from './runs.ts';

/** Deeper than any workflow of ours; a chain of children that goes on would be a loop. */
const depthMost = 10;

/**
 * 재시작. Rewinds a run that ended badly to the step that failed and lets it run again under its id; the steps before
 * are not repeated. Failed children go first, each from its own failed step, so that the parent waits for their new
 * end. A run that ended well although a child failed is rewound to where it waited for that child.
 * @throws Problem `not_found`, `run_not_restartable` where it still runs or nothing in it failed
 */
export async function restartRun(pool: Pool, id: string): Promise<void> {
  const restarted = await restartTree(pool, id, 0);
  if (restarted) return;
  const { state } = await showRun(pool, id);
  throw new Problem('run_not_restartable', { id, state });
}

async function restartTree(pool: Pool, id: string, depth: number): Promise<boolean> {
  const run = await showRun(pool, id);
  if (run.state === 'running' || run.state === 'waiting' || depth > depthMost) return false;
  const again = new Set<string>();
  for (const child of run.children) {
    if (await restartTree(pool, child.id, depth + 1)) again.add(child.id);
  }
  if (run.state === 'done' && again.size === 0) return false;
  await DBOS.rewindWorkflow(id, { startStep: firstStepToRepeat(run, again) });
  return true;
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
  const waits = step.name === 'DBOS.getResult' && step.childId !== undefined;
  return waits && (step.error !== undefined || childrenAgain.has(step.childId ?? ''));
}

function isSame(left: RunError, right: RunError): boolean {
  return left.name === right.name && left.code === right.code && left.message === right.message;
}
