import type { Pool, PoolClient } from 'pg';
import { storableJson } from '../kernel/exact-json.ts';
import type { Queryable } from '../platform/database/pool.ts';
import type { Stage } from '../providers/stage.ts';

/** What a person or a schedule asks for: a business day, and which providers and stages of it. */
export type ReconcileRequest = {
  readonly on: string;
  readonly providers: readonly string[];
  readonly stages: readonly Stage[];
  readonly who: string;
};

/** What one run did for a stage of a provider. */
export type StageRun = {
  readonly provider: string;
  readonly stage: Stage;
  readonly outcome: 'reconciled' | 'unchanged' | 'missing' | 'waiting' | 'refused' | 'failed';
  readonly detail: StageRunDetail;
  readonly startedAt: string;
  readonly lines: number;
};

export type StageRunDetail = {
  readonly missing: readonly string[];
  readonly waiting: readonly string[];
  readonly refused: readonly string[];
  readonly alsoReconciled: readonly string[];
  readonly error?: string;
};

/**
 * The id of the run that serves this request: the one that is still at it, or the next attempt of the day. Attempts are
 * numbered by a constraint, so two requests at once share a run or get runs of their own, never a number.
 */
export async function openRun(db: Queryable, request: ReconcileRequest): Promise<{ runId: string; joined: boolean }> {
  for (;;) {
    const { rows } = await db.query<{ run_id: string; joined: boolean }>(
      `with running as (
         select run_id from reconciliation_run n join dbos.workflow_status w on w.workflow_uuid = n.run_id
         where n.business_on = $1 and n.providers = $2 and n.stages = $3 and n.finished_at is null
           and w.status in ('PENDING', 'ENQUEUED')
         order by attempt desc limit 1
       ), next as (
         insert into reconciliation_run (run_id, business_on, attempt, providers, stages, started_by)
         select 'reconcile:' || $1::date || ':' || n, $1::date, n, $2, $3, $4
         from (select coalesce(max(attempt), 0) + 1 as n from reconciliation_run where business_on = $1) next
         where not exists (select from running)
         on conflict (business_on, attempt) do nothing
         returning run_id
       )
       select run_id, true as joined from running union all select run_id, false from next`,
      [request.on, request.providers, request.stages, request.who],
    );
    const row = rows[0];
    if (row !== undefined) return { runId: row.run_id, joined: row.joined };
  }
}

/** Whether a run of at least that much of the day was begun since then and went through. */
export async function wasReconciled(
  db: Queryable,
  { on, providers, stages }: Omit<ReconcileRequest, 'who'>,
  since: Temporal.Instant,
): Promise<boolean> {
  const { rows } = await db.query(
    `select from reconciliation_run
      where business_on = $1 and providers @> $2 and stages @> $3 and started_at >= $4 and outcome is not null limit 1`,
    [on, providers, stages, since.toString()],
  );
  return rows.length > 0;
}

/** Ends a run that was asked for and that nobody will begin: without an outcome. One that the engine knows goes on. */
export async function abandonRun(db: Queryable, runId: string): Promise<void> {
  await db.query(
    `update reconciliation_run set finished_at = now()
      where run_id = $1 and finished_at is null
        and not exists (select from dbos.workflow_status w where w.workflow_uuid = $1)`,
    [runId],
  );
}

/** Keeps what the run did for a stage; a restarted run replaces what it had noted. */
export async function noteStageRun(tx: PoolClient, runId: string, run: StageRun): Promise<void> {
  await tx.query(
    `insert into reconciliation_run_stage (run_id, provider, stage, outcome, detail, started_at, finished_at, lines)
     values ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7)
     on conflict (run_id, provider, stage) do update set outcome = excluded.outcome, detail = excluded.detail,
       started_at = excluded.started_at, finished_at = excluded.finished_at, lines = excluded.lines`,
    [runId, run.provider, run.stage, run.outcome, storableJson(run.detail), run.startedAt, run.lines],
  );
}

/** Ends a run with its outcome. */
export async function finishRun(tx: PoolClient, runId: string, outcome: 'complete' | 'incomplete'): Promise<void> {
  await tx.query('update reconciliation_run set outcome = $2, finished_at = now() where run_id = $1', [runId, outcome]);
}

/**
 * Earlier days of a stage whose files were not all in and read when a run last looked for them, or that have had records of
 * more MIDs since; newest 14 days, oldest first.
 */
export async function daysToLookAgain(
  pool: Pool,
  provider: string,
  stage: Stage,
  on: Temporal.PlainDate,
): Promise<Temporal.PlainDate[]> {
  const { rows } = await pool.query<{ day: string }>(
    `select day::text as day from (
       select distinct on (n.business_on) n.business_on as day, g.outcome
       from reconciliation_run n join reconciliation_run_stage g using (run_id)
       where g.provider = $1 and g.stage = $2 and n.business_on between $3::date - 14 and $3::date - 1
       order by n.business_on, g.finished_at desc) last
     where outcome in ('missing', 'waiting', 'refused', 'failed')
     union
     select business_on::text from reconciled_stage
     where provider = $1 and stage = $2 and business_on between $3::date - 14 and $3::date - 1
       and inputs like '%; mids %' and inputs not like '%; mids all'
     order by day`,
    [provider, stage, on.toString()],
  );
  return rows.map((row) => Temporal.PlainDate.from(row.day));
}
