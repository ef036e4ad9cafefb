import { Problem } from '../../kernel/problem.ts';
import type { Pool } from '../database/pool.ts';
import { decodeCheckpoint } from './checkpoint.ts';

/**
 * 실행 상태. `waiting`: in the queue, to be taken up; `running`: some process works on it; `exhausted`: given up after
 * a hundred take-overs, which is what a run that kills its process comes to.
 */
export type RunState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'exhausted';

/** What went wrong, as data: `code` and `details` are there for a Problem. */
export type RunError = { name: string; message: string; code?: string; details?: Record<string, unknown> };

/** 실행 이력. One run of a workflow. */
export type Run = {
  id: string;
  workflow: string;
  state: RunState;
  parentId: string | undefined;
  /** The process that works, or last worked, on it. */
  executorId: string;
  /** How often it was begun or taken over. */
  attempts: number;
  createdAt: Temporal.Instant;
  /** When it was last begun: later than `createdAt` where it waited, was taken over or restarted. */
  startedAt: Temporal.Instant;
  updatedAt: Temporal.Instant;
  completedAt: Temporal.Instant | undefined;
  outputBytes: number;
  error: RunError | undefined;
};

/** 단계 이력. A step that has ended; the step that is running now has no record yet. */
export type RunStep = {
  number: number;
  /** `DBOS.getResult` where the workflow waited for a child. */
  name: string;
  /** The child that the step started or waited for. */
  childId: string | undefined;
  startedAt: Temporal.Instant | undefined;
  completedAt: Temporal.Instant | undefined;
  outputBytes: number;
  error: RunError | undefined;
};

export type RunDetail = Run & { arguments: unknown[]; output: unknown; steps: RunStep[]; children: Run[] };

export type RunFilter = {
  workflow?: string;
  states?: readonly RunState[];
  idPrefix?: string;
  parentId?: string;
  /** Only runs that nobody's workflow started. */
  topLevel?: boolean;
  createdSince?: Temporal.Instant;
  limit?: number;
};

/** The engine's words for each state. */
export const engineStates: Readonly<Record<RunState, readonly string[]>> = {
  waiting: ['ENQUEUED', 'DELAYED'],
  running: ['PENDING'],
  done: ['SUCCESS'],
  failed: ['ERROR'],
  cancelled: ['CANCELLED'],
  exhausted: ['MAX_RECOVERY_ATTEMPTS_EXCEEDED'],
};

const limitDefault = 100;

const undefinedTable = '42P01';

// The engine's own tables, read with SQL: its listing API needs a launched engine and returns neither sizes nor
// children, and a history is looked at from processes that run no work.
const selectRuns = `
  select r.workflow_uuid as id, r.name as workflow, r.status, r.parent_workflow_id as "parentId",
         r.executor_id as "executorId", r.recovery_attempts as attempts,
         r.created_at as "createdMs", r.started_at_epoch_ms as "startedMs", r.updated_at as "updatedMs", r.completed_at as "completedMs",
         coalesce(octet_length(coalesce(o.output, r.output)), 0) as "outputBytes", coalesce(o.error, r.error) as error
    from dbos.workflow_status r left join dbos.workflow_output o using (workflow_uuid)`;

type RunRow = {
  id: string;
  workflow: string;
  status: string;
  parentId: string | null;
  executorId: string | null;
  attempts: bigint | null;
  createdMs: bigint;
  startedMs: bigint | null;
  updatedMs: bigint;
  completedMs: bigint | null;
  outputBytes: number;
  error: string | null;
};

/**
 * Runs, by what follows `from dbos.workflow_status r left join dbos.workflow_output o`. No table of the engine is there
 * before its first launch: then there has been no run.
 */
export async function findRuns(pool: Pool, where: string, values: unknown[]): Promise<Run[]> {
  try {
    return (await pool.query<RunRow>(`${selectRuns} ${where}`, values)).rows.map(toRun);
  } catch (error) {
    if ((error as { code?: string }).code === undefinedTable) return [];
    throw error;
  }
}

/** Runs, newest first. The engine need not be launched. */
export async function listRuns(pool: Pool, filter: RunFilter = {}): Promise<Run[]> {
  return await findRuns(
    pool,
    `where ($1::text is null or r.name = $1)
        and ($2::text[] is null or r.status = any ($2))
        and ($3::text is null or starts_with(r.workflow_uuid, $3))
        and ($4::text is null or r.parent_workflow_id = $4)
        and (not $5 or r.parent_workflow_id is null)
        and r.created_at >= $6
      order by r.created_at desc, r.workflow_uuid
      limit $7`,
    [
      filter.workflow ?? null,
      filter.states?.flatMap((state) => engineStates[state]) ?? null,
      filter.idPrefix ?? null,
      filter.parentId ?? null,
      filter.topLevel ?? false,
      filter.createdSince?.epochMilliseconds ?? 0,
      filter.limit ?? limitDefault,
    ],
  );
}

/** The states of those of these runs that were ever begun. */
export async function statesOfRuns(pool: Pool, ids: readonly string[]): Promise<Map<string, RunState>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; status: string }>(
    'select workflow_uuid as id, status from dbos.workflow_status where workflow_uuid = any ($1)',
    [ids],
  );
  return new Map(rows.map(({ id, status }) => [id, toState(status)]));
}

/** @throws Problem `not_found` */
export async function showRun(pool: Pool, id: string): Promise<RunDetail> {
  const [run] = await findRuns(pool, 'where r.workflow_uuid = $1', [id]);
  if (!run) throw new Problem('not_found', { what: 'run', id });
  const values = await pool.query<{ inputs: string | null; output: string | null }>(
    `select coalesce(i.inputs, r.inputs) as inputs, coalesce(o.output, r.output) as output
       from dbos.workflow_status r left join dbos.workflow_output o using (workflow_uuid)
                                   left join dbos.workflow_input i using (workflow_uuid)
      where r.workflow_uuid = $1`,
    [id],
  );
  const steps = await listSteps(pool, id);
  const children = await findRuns(pool, 'where r.workflow_uuid = any ($1) order by r.created_at, r.workflow_uuid', [
    steps.flatMap((step) => step.childId ?? []),
  ]);
  const { inputs, output } = values.rows[0] ?? { inputs: null, output: null };
  return {
    ...run,
    arguments: decodeCheckpoint<unknown[]>(inputs) ?? [],
    output: decodeCheckpoint<unknown>(output) ?? undefined,
    steps,
    children,
  };
}

/** The steps of a run that have ended, in their order. */
export async function listSteps(pool: Pool, id: string): Promise<RunStep[]> {
  const { rows } = await pool.query<{
    number: number;
    name: string;
    childId: string | null;
    startedMs: bigint | null;
    completedMs: bigint | null;
    outputBytes: number;
    error: string | null;
  }>(
    `select function_id as number, function_name as name, child_workflow_id as "childId",
            started_at_epoch_ms as "startedMs", completed_at_epoch_ms as "completedMs",
            coalesce(octet_length(output), 0) as "outputBytes", error
       from dbos.operation_outputs where workflow_uuid = $1 order by function_id`,
    [id],
  );
  return rows.map(({ startedMs, completedMs, ...row }) => ({
    number: row.number,
    name: row.name,
    childId: row.childId ?? undefined,
    startedAt: toInstant(startedMs),
    completedAt: toInstant(completedMs),
    outputBytes: row.outputBytes,
    error: toRunError(row.error),
  }));
}

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    workflow: row.workflow,
    state: toState(row.status),
    parentId: row.parentId ?? undefined,
    executorId: row.executorId ?? '',
    attempts: Number(row.attempts ?? 0),
    createdAt: toInstant(row.createdMs),
    startedAt: toInstant(row.startedMs ?? row.createdMs),
    updatedAt: toInstant(row.updatedMs),
    completedAt: toInstant(row.completedMs),
    outputBytes: row.outputBytes,
    error: toRunError(row.error),
  };
}

function toState(status: string): RunState {
  const states = Object.keys(engineStates) as RunState[];
  const state = states.find((candidate) => engineStates[candidate].includes(status));
  if (!state) throw new Error(`the engine has a state that is not known here: ${status}`);
  return state;
}

function toInstant(epochMs: bigint): Temporal.Instant;
function toInstant(epochMs: bigint | null): Temporal.Instant | undefined;
function toInstant(epochMs: bigint | null): Temporal.Instant | undefined {
  return epochMs === null ? undefined : Temporal.Instant.fromEpochMilliseconds(Number(epochMs));
}

function toRunError(text: string | null): RunError | undefined {
  if (text === null) return undefined;
  const { name, message, code, details } = decodeCheckpoint<RunError>(text);
  return { name, message, ...(code === undefined ? {} : { code }), ...(details === undefined ? {} : { details }) };
}
