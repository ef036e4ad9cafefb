import { type Pool, type Queryable, query } from '../platform/database/pool.ts';
import { argumentsOfRuns } from '../platform/durable/run-list.ts';

/** What a reconciliation knows of its run, besides what the engine knows. */
export type RunFacts = {
  readonly on: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly outcome: 'complete' | 'incomplete' | null;
  readonly reportPath: string | null;
  readonly providers: readonly string[];
};

/** Who or what began a run: a schedule's slot, or a person. */
export type Beginning = {
  /** As the run was told: `system:scheduler`, `kim@pg.example`. */
  readonly who: string | undefined;
  /** The schedule and its nominal time, where a slot began it. */
  readonly slot: { readonly schedule: string; readonly nominalAt: Temporal.Instant; readonly kind: string } | undefined;
  /** The backfill that it is a day of. */
  readonly backfill: string | undefined;
  /** By which API key the person acted. */
  readonly key: string | undefined;
};

/** What a run did for a stage of a provider. */
export type StageFacts = {
  readonly provider: string;
  readonly stage: string;
  readonly outcome: string;
  readonly lines: number;
  readonly detail: Readonly<Record<string, unknown>>;
};

const utc = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const selectFacts = `
  select run_id as id, business_on::text as "on", started_by as "startedBy", ${utc('started_at')} as "startedAt",
         ${utc('finished_at')} as "finishedAt", outcome, report_path as "reportPath", providers
    from reconciliation_run n`;

/** What the reconciliation noted of these runs. */
export async function factsOfRuns(db: Queryable, ids: readonly string[]): Promise<Map<string, RunFacts>> {
  const rows = await query<RunFacts & { id: string }>(db, `${selectFacts} where run_id = any ($1)`, [ids]);
  return new Map(rows.map(({ id, ...facts }) => [id, facts]));
}

/** Which reconciliations were asked for and never came to the engine; a page's worth, newest first. */
export async function lostReconciliations(
  db: Queryable,
  wanted: {
    readonly on: string | undefined;
    readonly from: Temporal.Instant | undefined;
    readonly to: Temporal.Instant | undefined;
    readonly limit: number;
  },
): Promise<(RunFacts & { readonly id: string })[]> {
  const isThere = await query<{ there: boolean }>(
    db,
    `select to_regclass('dbos.workflow_status') is not null as there`,
  );
  const known = isThere[0]?.there
    ? `and not exists (select from dbos.workflow_status w where w.workflow_uuid = n.run_id)
       and not exists (select from run_record d where d.run_id = n.run_id)`
    : '';
  return await query(
    db,
    `${selectFacts}
      where finished_at is null and ($1::date is null or business_on = $1::date) and ($2::timestamptz is null or started_at >= $2)
        and ($3::timestamptz is null or started_at < $3) ${known}
      order by started_at desc limit $4`,
    [wanted.on ?? null, wanted.from?.toString() ?? null, wanted.to?.toString() ?? null, wanted.limit],
  );
}

export async function stagesOf(db: Queryable, id: string): Promise<StageFacts[]> {
  const rows = await query<Omit<StageFacts, 'lines'> & { lines: string }>(
    db,
    `select provider, stage, outcome, lines::text as lines, detail from reconciliation_run_stage where run_id = $1
      order by started_at, provider`,
    [id],
  );
  return rows.map((row) => ({ ...row, lines: Number(row.lines) }));
}

/** Who or what began each of these runs. */
export async function beginningsOf(pool: Pool, ids: readonly string[]): Promise<Map<string, Beginning>> {
  if (ids.length === 0) return new Map();
  const inputs = await argumentsOfRuns(pool, ids);
  const slots = await query<{ id: string; schedule: string; nominalAt: Date; kind: string; who: string }>(
    pool,
    `select k.run_id as id, s.name as schedule, k.nominal_at as "nominalAt", k.kind, k.who
       from schedule_slot k join schedule s using (schedule_id) where k.run_id = any ($1)`,
    [ids],
  );
  const days = await query<{ id: string; backfill: string }>(
    pool,
    'select run_id as id, backfill_id as backfill from backfill_day where run_id = any ($1)',
    [ids],
  );
  const begun = await query<{ id: string; who: string | null; key: string | null }>(
    pool,
    `select distinct on (run_id) run_id as id, detail ->> 'who' as who, detail ->> 'key' as key from run_log
      where run_id = any ($1) and kind = 'act' and message = 'begun' order by run_id, run_log_id`,
    [ids],
  );
  return new Map(
    ids.map((id) => {
      const slot = slots.find((each) => each.id === id);
      const by = begun.find((act) => act.id === id);
      const who = inputs.get(id)?.['who'] ?? slot?.who ?? by?.who;
      return [
        id,
        {
          who: typeof who === 'string' ? who : undefined,
          slot: slot && {
            schedule: slot.schedule,
            nominalAt: Temporal.Instant.fromEpochMilliseconds(slot.nominalAt.getTime()),
            kind: slot.kind,
          },
          backfill: days.find((day) => day.id === id)?.backfill,
          key: by?.key ?? undefined,
        },
      ];
    }),
  );
}
