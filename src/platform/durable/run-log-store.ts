import { type Queryable, query } from '../database/pool.ts';

/**
 * What a kept line is: `retry`: a step was tried again; `act`: somebody began, cancelled or restarted the run; `cut`: what
 * followed was too much to be kept.
 */
export type RunLogKind = 'line' | 'retry' | 'act' | 'cut';
export type RunLogLevel = 'info' | 'warn' | 'error' | 'fatal';

/** 실행 기록. A line of the process's log, as it was said in a run. */
export type RunLogLine = {
  readonly runId: string;
  /** The step that was running; null between steps. */
  readonly step: number | null;
  readonly saidAt: Date;
  readonly level: RunLogLevel;
  readonly kind: RunLogKind;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly executorId: string;
};

export type KeptRunLogLine = RunLogLine & { readonly id: bigint };

/** Keeps lines, in their order. */
export async function keepRunLog(db: Queryable, lines: readonly RunLogLine[]): Promise<void> {
  await db.query(
    `insert into run_log (run_id, step, said_at, level, kind, message, detail, executor_id)
     select run_id, step, said_at, level, kind, message, detail, executor_id
       from unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::text[])
            with ordinality as line (run_id, step, said_at, level, kind, message, detail, executor_id, n) order by n`,
    [
      lines.map((line) => line.runId),
      lines.map((line) => line.step),
      lines.map((line) => line.saidAt.toISOString()),
      lines.map((line) => line.level),
      lines.map((line) => line.kind),
      lines.map((line) => line.message),
      lines.map((line) => JSON.stringify(line.detail)),
      lines.map((line) => line.executorId),
    ],
  );
}

export type RunLogQuery = {
  readonly runId: string;
  /** What its parts said, too. */
  readonly parts?: boolean;
  readonly levels?: readonly RunLogLevel[];
  /** Lines after this one, or before it where the newest come first. */
  readonly after?: bigint;
  readonly newestFirst?: boolean;
  readonly limit: number;
};

/** The lines of a run, the oldest first unless asked otherwise. The ids of its parts begin with its own and a slash. */
export async function listRunLog(db: Queryable, wanted: RunLogQuery): Promise<KeptRunLogLine[]> {
  const { runId, parts = false, levels, after, newestFirst = false, limit } = wanted;
  return await query<KeptRunLogLine>(
    db,
    `select run_log_id as id, run_id as "runId", step, said_at as "saidAt", level, kind, message, detail,
            executor_id as "executorId"
       from run_log
      where (run_id = $1 or $2 and run_id >= $1 || '/' and run_id < $1 || '0')
        and ($3::bigint is null or run_log_id ${newestFirst ? '<' : '>'} $3::bigint)
        and ($4::text[] is null or level = any ($4))
      order by run_log_id ${newestFirst ? 'desc' : 'asc'} limit $5`,
    [runId, parts, after === undefined ? null : String(after), levels ?? null, limit],
  );
}

/** How often each step of a run was tried again, so far. */
export async function countRetries(db: Queryable, runId: string): Promise<Map<number, number>> {
  const rows = await query<{ step: number | null; times: number }>(
    db,
    `select step, count(*)::int as times from run_log where run_id = $1 and kind = 'retry' group by step`,
    [runId],
  );
  return new Map(rows.map(({ step, times }) => [step ?? -1, times]));
}

/** 보존. Removes the oldest lines from before `before`, at most `most`; returns how many. Their ids grow with time. */
export async function removeRunLog(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from run_log where run_log_id in (
       select run_log_id from (select run_log_id, said_at from run_log order by run_log_id limit $2) oldest
        where said_at < $1)`,
    [before.toString(), most],
  );
  return rowCount ?? 0;
}
