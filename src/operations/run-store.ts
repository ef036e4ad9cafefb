import type { Pool } from 'pg';
import { listRuns, type Run, type RunDetail, type RunState, showRun } from '../platform/durable/runs.ts';

/** What a reconciliation knows of its run, besides what the engine knows. */
export type RunFacts = {
  readonly on: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly outcome: 'complete' | 'incomplete' | null;
  readonly reportPath: string | null;
};

/** A run as it is listed; `not_begun`: it was asked for, but no process ever took it to the engine. */
export type ListedRun = {
  readonly id: string;
  readonly workflow: string;
  readonly state: RunState | 'not_begun';
  readonly run: Run | undefined;
  readonly facts: RunFacts | undefined;
};

/** What a run did for a stage of a provider. */
export type StageFacts = {
  readonly provider: string;
  readonly stage: string;
  readonly outcome: string;
  readonly lines: number;
  readonly detail: Readonly<Record<string, unknown>>;
};

export type RunQuery = { readonly on?: string; readonly states?: readonly RunState[]; readonly limit: number };

/** Runs that nobody's workflow started, newest first. */
export async function findRuns(pool: Pool, { on, states, limit }: RunQuery): Promise<readonly ListedRun[]> {
  const runs = await listRuns(pool, {
    topLevel: true,
    limit,
    ...(on === undefined ? {} : { idPrefix: `reconcile:${on}:` }),
    ...(states === undefined ? {} : { states }),
  });
  const facts = await factsOf(pool, { on, limit, ids: runs.map((run) => run.id) });
  const known = runs.map((run) => ({
    id: run.id,
    workflow: run.workflow,
    state: run.state,
    run,
    facts: facts.get(run.id),
    at: run.createdAt.toString(),
  }));
  const listed = new Set(runs.map((run) => run.id));
  const unknown =
    states === undefined
      ? await unknownToEngine(
          pool,
          [...facts.keys()].filter((id) => !listed.has(id)),
        )
      : [];
  const lost = unknown.map((id) => ({
    id,
    workflow: 'reconcile',
    state: 'not_begun' as const,
    run: undefined,
    facts: facts.get(id),
    at: facts.get(id)?.startedAt ?? '',
  }));
  return [...known, ...lost].sort((left, right) => right.at.localeCompare(left.at)).slice(0, limit);
}

/**
 * A run with its steps and children, and what the reconciliation noted of it.
 * @throws Problem `not_found`
 */
export async function inspectRun(
  pool: Pool,
  id: string,
): Promise<{ readonly run: RunDetail; readonly facts: RunFacts | undefined; readonly stages: readonly StageFacts[] }> {
  const run = await showRun(pool, id);
  const facts = await factsOf(pool, { on: undefined, limit: 0, ids: [id] });
  const { rows } = await pool.query<Omit<StageFacts, 'lines'> & { lines: string }>(
    `select provider, stage, outcome, lines::text as lines, detail from reconciliation_run_stage where run_id = $1
      order by started_at, provider`,
    [id],
  );
  return { run, facts: facts.get(id), stages: rows.map((row) => ({ ...row, lines: Number(row.lines) })) };
}

const utc = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The named runs, and the newest of a day or of all days. */
async function factsOf(
  pool: Pool,
  { on, limit, ids }: { on: string | undefined; limit: number; ids: readonly string[] },
): Promise<ReadonlyMap<string, RunFacts>> {
  const { rows } = await pool.query<RunFacts & { id: string }>(
    `with newest as (
       select run_id from reconciliation_run where $1::date is null or business_on = $1::date
        order by started_at desc limit $2
     )
     select run_id as id, business_on::text as "on", started_by as "startedBy", ${utc('started_at')} as "startedAt",
            ${utc('finished_at')} as "finishedAt", outcome, report_path as "reportPath"
       from reconciliation_run where run_id = any ($3::text[]) or run_id in (select run_id from newest)`,
    [on ?? null, limit, ids],
  );
  return new Map(rows.map(({ id, ...facts }) => [id, facts]));
}

async function unknownToEngine(pool: Pool, ids: readonly string[]): Promise<readonly string[]> {
  const unknown: string[] = [];
  for (const id of ids) {
    const found = await listRuns(pool, { idPrefix: id, topLevel: true });
    if (!found.some((run) => run.id === id)) unknown.push(id);
  }
  return unknown;
}
