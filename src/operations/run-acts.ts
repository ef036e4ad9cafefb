import type { Pool } from 'pg';
import { Problem } from '../kernel/problem.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { hiddenWorkflow } from '../platform/durable/run-list.ts';
import { type Run, type RunState, showRun } from '../platform/durable/runs.ts';
import { cancelDays, daysUnderWay } from './backfill-store.ts';
import { readRunName } from './run-name.ts';
import { findRuns, type RunFilter } from './run-store.ts';

/** What acts on runs: a process that has the engine. */
export type RunActPorts = {
  readonly pool: Pool;
  readonly durable: Pick<Durable, 'cancel' | 'restart'>;
  now(): Temporal.Instant;
};

/** `already`: it was so before. */
export type ActOutcome = 'done' | 'already';

/**
 * 취소. Ends a run and its parts before their next step; the step that is at work is rolled back, or lets go when it is
 * through. A run that was cancelled stays so, and can be restarted.
 * @throws Problem `not_found`, `run_not_ours_to_stop` of payouts, `run_is_part`, `run_over` where it has ended
 */
export async function cancelRun({ pool, durable }: RunActPorts, id: string): Promise<ActOutcome> {
  const run = await whole(pool, id);
  if (run.state === 'cancelled') return 'already';
  refuseOver(run);
  await durable.cancel(id);
  if (run.workflow === 'backfill') {
    // Its days are runs of their own.
    for (const day of await daysUnderWay(pool, id)) await durable.cancel(day);
    await cancelDays(pool, id);
  }
  // It may have ended by itself meanwhile.
  const { state } = await showRun(pool, id);
  if (state !== 'cancelled') refuseOver({ id, state });
  return 'done';
}

/**
 * 재시작. Lets a run go on from the step that failed, and its failed parts likewise; whoever is free takes it up.
 * @throws Problem `not_found`, `run_not_ours_to_stop` of payouts, `run_is_part`, `run_not_restartable`
 */
export async function restartRun({ pool, durable }: RunActPorts, id: string): Promise<ActOutcome> {
  await whole(pool, id);
  await durable.restart(id);
  return 'done';
}

/** A run that may be acted on as such. */
async function whole(pool: Pool, id: string): Promise<Run> {
  const run = await showRun(pool, id);
  // A transfer is on its way or it is not, whatever becomes of the run that carries it: payouts have acts of their own.
  if (run.workflow === hiddenWorkflow) throw new Problem('run_not_ours_to_stop', { id });
  const parent = run.parentId ?? readRunName(id).whole;
  if (parent !== undefined) throw new Problem('run_is_part', { id, run: readRunName(parent).whole ?? parent });
  return run;
}

const over: readonly RunState[] = ['done', 'failed', 'exhausted'];

function refuseOver({ id, state }: Pick<Run, 'id' | 'state'>): void {
  if (over.includes(state)) throw new Problem('run_over', { id, state });
}

export type BulkAct = 'cancel' | 'restart';

/** States of runs that an act is for. */
const actsOn: Readonly<Record<BulkAct, readonly RunState[]>> = {
  cancel: ['waiting', 'running'],
  restart: ['failed', 'cancelled', 'exhausted'],
};

/** So many runs at once, unless more are asked for, and never more than this. */
export const bulkDefault = 100;
export const bulkMost = 1_000;

export type BulkRequest = {
  readonly filter: Omit<RunFilter, 'now' | 'limit' | 'after' | 'oldestFirst' | 'all'>;
  /** Acts on everything that the act is for, where nothing narrows it. */
  readonly everything: boolean;
  readonly most: number;
  /** Says only what it would act on. */
  readonly dryRun: boolean;
};

/** What became of one run. */
export type BulkOutcome = {
  readonly id: string;
  readonly state: ListedState;
  readonly outcome: ActOutcome | 'would' | 'failed';
  readonly error: unknown;
};
type ListedState = Awaited<ReturnType<typeof findRuns>>['rows'][number]['state'];

/**
 * 일괄 처리. Cancels or restarts the runs that are asked for, the oldest first, each for itself: one that is refused does
 * not keep the others from it. Nothing is done unless all that were found may be acted on at once.
 * @throws Problem `bulk_unfiltered` where nothing says which runs, `bulk_too_many`
 */
export async function actOnRuns(ports: RunActPorts, act: BulkAct, request: BulkRequest): Promise<BulkOutcome[]> {
  const { filter, dryRun } = request;
  const most = Math.min(request.most, bulkMost);
  refuseWide(act, request);
  const states = (filter.states ?? actsOn[act]).filter((state) => actsOn[act].includes(state));
  if (states.length === 0) return [];
  const wanted = { ...filter, states, oldestFirst: true, now: ports.now(), limit: most + 1 };
  const { rows } = await findRuns(ports.pool, wanted);
  if (rows.length > most) throw new Problem('bulk_too_many', { most });
  const outcomes: BulkOutcome[] = [];
  for (const { id, state } of rows) {
    outcomes.push(
      dryRun ? { id, state, outcome: 'would', error: undefined } : { id, state, ...(await tryOne(ports, act, id)) },
    );
  }
  return outcomes;
}

/** @throws Problem `bulk_unfiltered` where nothing says which runs, and not all of them are asked for */
export function refuseWide(act: BulkAct, { filter, everything }: Pick<BulkRequest, 'filter' | 'everything'>): void {
  if (!everything && !isNarrow(filter)) throw new Problem('bulk_unfiltered', { act });
}

/** A state alone says only how they are, not which they are. */
function isNarrow({ jobs, on, provider, node, since, text, atLeastMs }: BulkRequest['filter']): boolean {
  return [jobs, on, provider, node, since, text, atLeastMs].some((each) => each !== undefined);
}

async function tryOne(ports: RunActPorts, act: BulkAct, id: string): Promise<Pick<BulkOutcome, 'outcome' | 'error'>> {
  try {
    const outcome = act === 'cancel' ? await cancelRun(ports, id) : await restartRun(ports, id);
    return { outcome, error: undefined };
  } catch (error) {
    return { outcome: 'failed', error };
  }
}
