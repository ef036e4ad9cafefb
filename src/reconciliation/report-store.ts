import type { Pool } from 'pg';
import { type Language, Problem } from '../kernel/problem.ts';
import { listRuns, listSteps } from '../platform/durable/runs.ts';
import { providerOf, providers } from '../providers/registry.ts';
import { type Stage, stages } from '../providers/stage.ts';
import type { BreakFilter } from './break-filter.ts';
import type { AgeOf } from './break-rows.ts';
import { listBreaks } from './break-store.ts';
import { daySummary } from './day-summary.ts';
import type { AgedBreaks, ReportData, ReportRun, SlowStep } from './report-data.ts';

/** Breaks and steps that a report names one by one. */
const largestMost = 50;
const slowestMost = 12;
/** A run has one child for each stage of each provider. */
const childrenMost = 1000;

/**
 * A run of a day's reconciliation.
 * @throws Problem `not_found`
 */
export async function reportRun(pool: Pool, runId: string): Promise<ReportRun> {
  const { rows } = await pool.query<ReportRun>(`${selectRun} where run_id = $1`, [runId]);
  if (!rows[0]) throw new Problem('not_found', { what: 'run', id: runId });
  return rows[0];
}

/**
 * The newest run of a day, or of all days.
 * @throws Problem `not_found`
 */
export async function latestRun(pool: Pool, on: string | undefined): Promise<ReportRun> {
  const { rows } = await pool.query<ReportRun>(
    `${selectRun} where $1::date is null or business_on = $1::date order by started_at desc, attempt desc limit 1`,
    [on ?? null],
  );
  if (!rows[0]) throw new Problem('not_found', { what: 'run', id: on ?? 'reconcile' });
  return rows[0];
}

const utc = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const selectRun = `
  select run_id as "runId", business_on::text as "on", started_by as "startedBy", ${utc('started_at')} as "startedAt",
         ${utc('finished_at')} as "finishedAt", providers, stages from reconciliation_run`;

/** Keeps where the report of a run lies. */
export async function noteReport(pool: Pool, runId: string, folder: string): Promise<void> {
  await pool.query(
    'update reconciliation_run set report_path = $2 where run_id = $1 and report_path is distinct from $2',
    [runId, folder],
  );
}

/** The differences that a report of this run is about: those of its day, providers and stages that exist. */
export function breaksOfRun(run: ReportRun): BreakFilter {
  const kinds = run.stages.filter((stage): stage is Stage => (stages as readonly string[]).includes(stage));
  return {
    states: null,
    standing: true,
    on: run.on,
    providers: run.providers,
    stages: kinds.includes('settlement') ? [...kinds, 'deposit'] : kinds,
  };
}

/** All that the report of a run shows; the files are told of by whoever writes them. */
export async function reportData(
  pool: Pool,
  run: ReportRun,
  ageOf: AgeOf,
  language: Language,
): Promise<Omit<ReportData, 'files'>> {
  const expected = run.providers.map((id) => ({
    id,
    stages: stages.filter((stage) => run.stages.includes(stage) && providerOf(id).statements[stage] !== undefined),
  }));
  const largest: ReportData['largest'][number][] = [];
  for await (const batch of listBreaks(pool, breaksOfRun(run), { limit: largestMost, order: 'amount' })) {
    largest.push(...batch.map((found) => ({ found, age: ageOf(found.on) })));
  }
  return {
    run,
    summary: await daySummary(pool, Temporal.PlainDate.from(run.on), expected, language),
    providerNames: Object.fromEntries(providers.map(({ id, name }) => [id, name])),
    ageing: await ageUnresolved(pool, ageOf),
    slowest: await slowestSteps(pool, run.runId),
    largest,
  };
}

/** Every unresolved break by provider and age; one row a provider and day leaves the database. */
async function ageUnresolved(pool: Pool, ageOf: AgeOf): Promise<readonly AgedBreaks[]> {
  const { rows } = await pool.query<{ provider: string; on: string; count: string; won: string; absolute: string }>(
    `select provider, business_on::text as "on", count(*)::text as count,
            coalesce(sum(difference_won), 0)::text as won, coalesce(sum(abs(difference_won)), 0)::text as absolute
       from break where state <> 'resolved' group by provider, business_on order by provider, business_on`,
  );
  return rows.map(({ provider, on, count, won, absolute }) => ({
    provider,
    age: ageOf(on),
    count: Number(count),
    differenceWon: BigInt(won),
    absoluteWon: BigInt(absolute),
  }));
}

/** The steps of the run and of its children that took longest; waiting for a child is the child's time. */
async function slowestSteps(pool: Pool, runId: string): Promise<readonly SlowStep[]> {
  const children = await listRuns(pool, { idPrefix: `${runId}/`, limit: childrenMost });
  // A run without children is one that the engine has not seen, or one whose own steps are nothing to speak of.
  if (children.length === 0) return [];
  const slow: SlowStep[] = [];
  for (const id of [runId, ...children.map((child) => child.id)]) {
    const part = id === runId ? '' : id.slice(runId.length + 1);
    for (const { name, childId, startedAt, completedAt } of await listSteps(pool, id)) {
      if (childId !== undefined || startedAt === undefined || completedAt === undefined) continue;
      slow.push({ part, name, milliseconds: completedAt.since(startedAt).total('milliseconds') });
    }
  }
  return slow.sort((left, right) => right.milliseconds - left.milliseconds).slice(0, slowestMost);
}
