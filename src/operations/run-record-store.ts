import type { Pool } from 'pg';
import { seoul } from '../kernel/business-day.ts';
import { exactJson } from '../kernel/exact-json.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import { hiddenWorkflow, resultsOf } from '../platform/durable/run-list.ts';
import { findRuns, type Run, type RunState } from '../platform/durable/runs.ts';
import { listUsualRules } from './rule-store.ts';
import { comparable, countsOf, sumCounts } from './run-counts.ts';
import { readRunName } from './run-name.ts';
import { findUnusual, type Sample, type Unusual, type UsualRule } from './usual.ts';

/** What a run is compared with: runs of its series on the same weekday, and of the same hour where the rule says so. */
export type Comparison = { readonly series: string; readonly weekday: number; readonly hour: number };

export function comparisonOf(id: string, startedAt: Temporal.Instant): Comparison {
  const { series, on } = readRunName(id);
  const local = startedAt.toZonedDateTimeISO(seoul);
  const weekday = on === undefined ? local.dayOfWeek : Temporal.PlainDate.from(on).dayOfWeek;
  return { series, weekday, hour: local.hour };
}

/** The rule of each job, by its name. */
export async function usualRules(db: Queryable): Promise<(job: string) => UsualRule> {
  const rules = new Map((await listUsualRules(db)).map(({ job, ...rule }) => [job, rule]));
  const others = rules.get('*') ?? ruleOfLast;
  return (job) => rules.get(job) ?? others;
}

/** Where somebody deleted the row of all others. */
const ruleOfLast: UsualRule = {
  sameHour: false,
  samplesLeast: 4,
  samplesMost: 12,
  spreads: 5,
  slackPercent: 20,
  slackMs: 60_000,
  stuckTimes: 3,
  stuckMs: 21_600_000,
};

/** The last runs that went well, of those that a run is compared with; itself left out. */
export async function samplesFor(
  db: Queryable,
  { series, weekday, hour }: Comparison,
  rule: UsualRule,
  { before, except }: { readonly before: Temporal.Instant; readonly except: string },
): Promise<Sample[]> {
  const rows = await query<{ milliseconds: bigint; counts: Record<string, number> }>(
    db,
    `select milliseconds, counts from run_record
      where series = $1 and compared_on = $2 and (not $3 or compared_at = $4) and state = 'done'
        and ended_at < $5 and run_id <> $6
      order by ended_at desc limit $7`,
    [series, weekday, rule.sameHour, hour, before.toString(), except, rule.samplesMost],
  );
  return rows.map(({ milliseconds, counts }) => ({ milliseconds: Number(milliseconds), counts }));
}

/** What was found of runs that are over. */
export async function unusualOf(db: Queryable, ids: readonly string[]): Promise<Map<string, Unusual[]>> {
  const rows = await query<{ id: string; unusual: Unusual[] }>(
    db,
    `select run_id as id, unusual from run_record where run_id = any ($1) and unusual <> '[]'`,
    [ids],
  );
  return new Map(rows.map(({ id, unusual }) => [id, unusual]));
}

/**
 * When the last recorded run ended: what ended long before is recorded already. An end that is still to come, by a clock that
 * was ahead, says nothing of the others.
 */
export async function lastRecorded(db: Queryable, now: Temporal.Instant): Promise<Temporal.Instant> {
  const [row] = await query<{ at: Date | null }>(
    db,
    'select max(ended_at) as at from run_record where ended_at <= $1',
    [now.toString()],
  );
  return Temporal.Instant.fromEpochMilliseconds(row?.at?.getTime() ?? 0);
}

/** Runs that ended since and are not recorded as they ended, the first of them first; payouts have a record of their own. */
export async function unrecordedRuns(pool: Pool, since: Temporal.Instant, limit: number): Promise<Run[]> {
  return await findRuns(
    pool,
    `where r.completed_at > $1 and r.parent_workflow_id is null and r.name <> '${hiddenWorkflow}'
        and not exists (select from run_record d where d.run_id = r.workflow_uuid
                           and d.ended_at = timestamptz 'epoch' + r.completed_at * interval '1 millisecond')
      order by r.completed_at limit $2`,
    [since.epochMilliseconds, limit],
  );
}

/** The counts of an ended run: of its own result, and of the results of its parts. */
export async function countsOfRun(pool: Pool, id: string): Promise<Readonly<Record<string, bigint>>> {
  const { parts } = await resultsOf(pool, id);
  return sumCounts([...parts.values()].map(countsOf));
}

/** Records what an ended run came to, and returns what of it is unusual: of one that went well only. */
export async function recordRun(
  db: Queryable,
  run: Run & { readonly completedAt: Temporal.Instant },
  counts: Readonly<Record<string, bigint>>,
  rule: UsualRule,
): Promise<Unusual[]> {
  const compared = comparisonOf(run.id, run.startedAt);
  const sample: Sample = { milliseconds: tookMs(run.startedAt, run.completedAt), counts: comparable(counts) };
  const before = { before: run.completedAt, except: run.id };
  const unusual = run.state === 'done' ? findUnusual(sample, await samplesFor(db, compared, rule, before), rule) : [];
  await db.query(
    `insert into run_record (run_id, job, series, business_on, state, started_at, ended_at, milliseconds, counts,
                             compared_on, compared_at, unusual)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11, $12::jsonb)
     on conflict (run_id) do update
        set state = excluded.state, started_at = excluded.started_at, ended_at = excluded.ended_at,
            milliseconds = excluded.milliseconds, counts = excluded.counts, compared_at = excluded.compared_at,
            unusual = excluded.unusual, recorded_at = clock_timestamp()`,
    [
      run.id,
      run.workflow,
      compared.series,
      readRunName(run.id).on ?? null,
      run.state,
      run.startedAt.toString(),
      run.completedAt.toString(),
      sample.milliseconds,
      exactJson(sample.counts),
      compared.weekday,
      compared.hour,
      JSON.stringify(unusual),
    ],
  );
  return unusual;
}

type RecordRow = {
  readonly id: string;
  readonly workflow: string;
  readonly state: RunState;
  readonly startedAt: Date;
  readonly endedAt: Date;
};

/** What is recorded of runs whose record of the engine is gone: their steps are not known any more. */
export type RecordedRuns = {
  readonly ids?: readonly string[] | undefined;
  readonly jobs?: readonly string[] | undefined;
  readonly states?: readonly RunState[] | undefined;
  readonly on?: string | undefined;
  readonly from?: Temporal.Instant | undefined;
  readonly to?: Temporal.Instant | undefined;
  readonly limit: number;
};

/** The newest first. */
export async function forgottenRuns(db: Queryable, wanted: RecordedRuns): Promise<Run[]> {
  const [engine] = await query<{ there: boolean }>(
    db,
    `select to_regclass('dbos.workflow_status') is not null as there`,
  );
  if (engine?.there !== true) return [];
  const rows = await query<RecordRow>(
    db,
    `select run_id as id, job as workflow, state, started_at as "startedAt", ended_at as "endedAt" from run_record d
      where ($1::text[] is null or run_id = any ($1)) and ($2::text[] is null or job = any ($2))
        and ($3::text[] is null or state = any ($3)) and ($4::date is null or business_on = $4)
        and ($5::timestamptz is null or started_at >= $5) and ($6::timestamptz is null or started_at < $6)
        and not exists (select from dbos.workflow_status w where w.workflow_uuid = d.run_id)
      order by started_at desc limit $7`,
    [
      wanted.ids ?? null,
      wanted.jobs ?? null,
      wanted.states ?? null,
      wanted.on ?? null,
      wanted.from?.toString() ?? null,
      wanted.to?.toString() ?? null,
      wanted.limit,
    ],
  );
  return rows.map(({ startedAt, endedAt, ...row }) => ({
    ...row,
    parentId: undefined,
    executorId: '',
    attempts: 0,
    createdAt: startedAt.toTemporalInstant(),
    startedAt: startedAt.toTemporalInstant(),
    updatedAt: endedAt.toTemporalInstant(),
    completedAt: endedAt.toTemporalInstant(),
    outputBytes: 0,
    error: undefined,
  }));
}

/** 보존. Removes the oldest records, at most `most`. */
export async function removeRecords(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from run_record where run_id in (
       select run_id from run_record where ended_at < $1 order by ended_at limit $2)`,
    [before.toString(), most],
  );
  return rowCount ?? 0;
}

export function tookMs(from: Temporal.Instant, to: Temporal.Instant): number {
  return Math.max(0, Math.round(to.since(from).total('milliseconds')));
}
