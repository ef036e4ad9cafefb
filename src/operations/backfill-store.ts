import type { PoolClient } from 'pg';
import { storableJson } from '../kernel/exact-json.ts';
import { Problem } from '../kernel/problem.ts';
import { type Pool, type Queryable, query } from '../platform/database/pool.ts';

/** 소급 실행. A job for each business day of a range. */
export type BackfillRequest = {
  readonly id: string;
  readonly job: string;
  readonly from: string;
  readonly to: string;
  /** So many days at a time. */
  readonly parallel: number;
  readonly who: string;
  readonly reason: string | null;
};

export type BackfillDayState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
export type BackfillDay = {
  readonly on: string;
  readonly state: BackfillDayState;
  readonly runId: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly problem: { readonly code?: string; readonly message: string } | null;
};

/** Keeps what was asked for, and its days, once. */
export async function openBackfill(tx: PoolClient, request: BackfillRequest): Promise<void> {
  const { rowCount } = await tx.query(
    `insert into backfill (backfill_id, job, from_on, to_on, parallel, asked_by, reason)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [request.id, request.job, request.from, request.to, request.parallel, request.who, request.reason],
  );
  if (rowCount === 0) return;
  await tx.query(
    `insert into backfill_day (backfill_id, business_on)
     select $1, day::date from generate_series($2::date, $3::date, interval '1 day') day`,
    [request.id, request.from, request.to],
  );
}

/** A day's run is known before it begins, so that whoever goes on after a death finds it and begins no second one. */
export async function beginDay(tx: PoolClient, id: string, on: string, runId: string): Promise<string> {
  await tx.query(
    `update backfill_day
        set state = 'running', run_id = $3, started_at = clock_timestamp(), ended_at = null, problem = null
      where backfill_id = $1 and business_on = $2`,
    [id, on, runId],
  );
  return runId;
}

export async function endDay(
  db: Queryable,
  id: string,
  on: string,
  end: { readonly state: 'done' | 'failed' | 'cancelled'; readonly problem: BackfillDay['problem'] },
): Promise<void> {
  await db.query(
    `update backfill_day set state = $3, problem = $4::jsonb, ended_at = clock_timestamp()
      where backfill_id = $1 and business_on = $2`,
    [id, on, end.state, end.problem === null ? null : storableJson(end.problem)],
  );
}

/**
 * What was asked for and what each day came to, in their order; a day whose run was restarted since, and went well, is done.
 * @throws Problem `not_found`
 */
export async function showBackfill(
  db: Queryable,
  id: string,
): Promise<{ readonly request: BackfillRequest; readonly days: readonly BackfillDay[] }> {
  const [request] = await query<BackfillRequest>(
    db,
    `select backfill_id as id, job, from_on as "from", to_on as "to", parallel, asked_by as who, reason
       from backfill where backfill_id = $1`,
    [id],
  );
  if (request === undefined) throw new Problem('not_found', { what: 'backfill', id });
  const days = await query<BackfillDay>(
    db,
    `select business_on as "on", run_id as "runId", started_at as "startedAt", ended_at as "endedAt",
            case when mended then 'done' else state end as state, case when not mended then problem end as problem
       from (select d.*, d.state in ('failed', 'cancelled') and w.status is not distinct from 'SUCCESS' as mended
               from backfill_day d left join dbos.workflow_status w on w.workflow_uuid = d.run_id
              where d.backfill_id = $1) day
      order by business_on`,
    [id],
  );
  return { request, days };
}

/** The runs of days that are under way. */
export async function daysUnderWay(db: Queryable, id: string): Promise<string[]> {
  const rows = await query<{ runId: string }>(
    db,
    `select run_id as "runId" from backfill_day where backfill_id = $1 and state = 'running' and run_id is not null`,
    [id],
  );
  return rows.map(({ runId }) => runId);
}

/** Days that nobody will come to any more are cancelled with their backfill. */
export async function cancelDays(pool: Pool, id: string): Promise<void> {
  await pool.query(
    `update backfill_day set state = 'cancelled', ended_at = clock_timestamp(), problem = '{"message": "cancelled"}'
      where backfill_id = $1 and state in ('waiting', 'running')`,
    [id],
  );
}

/** A day whose run goes on after its backfill was cancelled and restarted. */
export async function resumeDay(db: Queryable, id: string, on: string): Promise<void> {
  await db.query(
    `update backfill_day set state = 'running', ended_at = null, problem = null
      where backfill_id = $1 and business_on = $2 and state = 'cancelled'`,
    [id, on],
  );
}
