import type { Pool } from '../database/pool.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import { engineStates, findRuns, type Run, type RunState } from './runs.ts';

/**
 * The workflow that there are far more runs of than of all others: a million a day, one for each transfer. They are
 * listed only where they are asked for, and the index of the others leaves them out.
 */
export const hiddenWorkflow = 'payout';

/** Where a page ends: its last run. */
export type RunPlace = { readonly createdMs: number; readonly id: string };

/** What is wanted of the history. Runs that a workflow started belong to their parent and are not listed. */
export type RunQuery = {
  readonly workflows?: readonly string[];
  /** Those of `hiddenWorkflow` too. */
  readonly all?: boolean;
  readonly states?: readonly RunState[];
  /** The business day that the run's id names. */
  readonly on?: string;
  /** Named by the run's id, or by that of one of its parts. */
  readonly provider?: string;
  /** A host, a host and process, or an executor. */
  readonly node?: string;
  readonly since?: Temporal.Instant;
  readonly until?: Temporal.Instant;
  readonly atLeastMs?: number;
  readonly atMostMs?: number;
  /** What its error says, in any case; or one of these codes. */
  readonly error?: { readonly text: string; readonly codes: readonly string[] };
  readonly after?: RunPlace;
  readonly oldestFirst?: boolean;
  readonly now: Temporal.Instant;
  readonly limit: number;
};

/** Runs, newest first unless asked otherwise. The engine need not be launched. */
export async function queryRuns(pool: Pool, wanted: RunQuery): Promise<Run[]> {
  const { where, values } = toSql(wanted);
  const direction = wanted.oldestFirst ? 'asc' : 'desc';
  const order = `order by r.created_at ${direction}, r.workflow_uuid ${direction} limit ${Math.trunc(wanted.limit)}`;
  return await findRuns(pool, `where ${where} ${order}`, values);
}

/** The conditions that are asked for and no others: what is left out must not stand in an index's way. */
export function toSql(wanted: RunQuery): { readonly where: string; readonly values: unknown[] } {
  const values: unknown[] = [];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['r.parent_workflow_id is null'];
  const add = <T>(value: T | undefined, condition: (value: T) => string): void => {
    if (value !== undefined) conditions.push(condition(value));
  };
  const hides = wanted.all !== true && wanted.workflows?.includes(hiddenWorkflow) !== true;
  if (hides) conditions.push(`r.name <> '${hiddenWorkflow}'`);
  add(wanted.workflows, (names) => `r.name = any (${given(names)})`);
  // Written out, for the engine's own index of what failed is by these words.
  add(wanted.states, (states) => `r.status in (${wordsOf(states)})`);
  add(wanted.on, (on) => `${dayOfRun} = ${given(on)}`);
  add(wanted.provider, (provider) => {
    const id = given(provider);
    return `(${id} = any (string_to_array(r.workflow_uuid, ':'))
      or exists (select from dbos.workflow_status c where c.parent_workflow_id = r.workflow_uuid
                    and starts_with(c.workflow_uuid, r.workflow_uuid || '/' || ${id} || '/')))`;
  });
  add(wanted.node, (node) => {
    const name = given(node);
    return `(r.executor_id = ${name} or starts_with(r.executor_id, ${name} || ':'))`;
  });
  add(wanted.since, (since) => `r.created_at >= ${given(since.epochMilliseconds)}`);
  add(wanted.until, (until) => `r.created_at < ${given(until.epochMilliseconds)}`);
  const took = () =>
    `coalesce(r.completed_at, ${given(wanted.now.epochMilliseconds)}::bigint) - coalesce(r.started_at_epoch_ms, r.created_at)`;
  add(wanted.atLeastMs, (ms) => `${took()} >= ${given(ms)}`);
  add(wanted.atMostMs, (ms) => `${took()} <= ${given(ms)}`);
  add(wanted.error, ({ text, codes }) => {
    const like = given([pattern(text), ...codes.map((code) => pattern(`"code":"${code}"`))]);
    return `r.status in (${wordsOf(['failed', 'cancelled', 'exhausted'])})
      and coalesce(o.error, r.error) ilike any (${like})`;
  });
  add(
    wanted.after,
    ({ createdMs, id }) =>
      `(r.created_at, r.workflow_uuid) ${wanted.oldestFirst ? '>' : '<'} (${given(createdMs)}, ${given(id)})`,
  );
  return { where: conditions.join('\n and '), values };
}

/** The same expression as in the index. */
const dayOfRun = `substring(r.workflow_uuid from '\\d{4}-\\d{2}-\\d{2}')`;

function wordsOf(states: readonly RunState[]): string {
  return states
    .flatMap((state) => engineStates[state])
    .map((status) => `'${status}'`)
    .join(', ');
}

function pattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

/** Checkpoints of this run and its parts that are larger than `bytes`. */
export async function largeCheckpoints(
  pool: Pool,
  id: string,
  bytes: number,
): Promise<{ readonly runId: string; readonly step: string; readonly bytes: number }[]> {
  const { rows } = await pool.query<{ runId: string; step: string; bytes: number }>(
    `select workflow_uuid as "runId", function_name as step, octet_length(output) as bytes from dbos.operation_outputs
      where (workflow_uuid = $1
             or workflow_uuid in (select workflow_uuid from dbos.workflow_status where parent_workflow_id = $1))
        and octet_length(output) > $2
      order by bytes desc limit 20`,
    [id, bytes],
  );
  return rows;
}

/** Larger arguments are left where they are: a list needs who asked for a run, not all of it. */
const argumentsMost = 20_000;

/** What each of these runs was started with: the first argument, where it is an object. */
export async function argumentsOfRuns(
  pool: Pool,
  ids: readonly string[],
): Promise<Map<string, Readonly<Record<string, unknown>>>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; inputs: string | null }>(
    `select r.workflow_uuid as id, coalesce(i.inputs, r.inputs) as inputs
       from dbos.workflow_status r left join dbos.workflow_input i using (workflow_uuid)
      where r.workflow_uuid = any ($1) and octet_length(coalesce(i.inputs, r.inputs)) <= $2`,
    [ids, argumentsMost],
  );
  return new Map(
    rows.flatMap(({ id, inputs }) => {
      const [first] = decodeCheckpoint<unknown[] | null>(inputs) ?? [];
      return typeof first === 'object' && first !== null ? [[id, first as Record<string, unknown>]] : [];
    }),
  );
}

/** What the ended steps of a run returned, by their numbers; and the run itself and its parts, by their ids. */
export async function resultsOf(
  pool: Pool,
  id: string,
): Promise<{ readonly steps: ReadonlyMap<number, unknown>; readonly parts: ReadonlyMap<string, unknown> }> {
  const steps = await pool.query<{ number: number; output: string | null }>(
    `select function_id as number, output from dbos.operation_outputs
      where workflow_uuid = $1 and output is not null and octet_length(output) <= $2`,
    [id, resultMost],
  );
  const parts = await pool.query<{ id: string; output: string | null }>(
    `select r.workflow_uuid as id, coalesce(o.output, r.output) as output
       from dbos.workflow_status r left join dbos.workflow_output o using (workflow_uuid)
      where (r.workflow_uuid = $1 or r.parent_workflow_id = $1) and octet_length(coalesce(o.output, r.output)) <= $2`,
    [id, resultMost],
  );
  return {
    steps: new Map(steps.rows.map(({ number, output }) => [number, decodeCheckpoint<unknown>(output)])),
    parts: new Map(parts.rows.map((part) => [part.id, decodeCheckpoint<unknown>(part.output)])),
  };
}

const resultMost = 200_000;
