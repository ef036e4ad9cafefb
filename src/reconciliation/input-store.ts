import type { PoolClient } from 'pg';
import type { StageDay } from './stage-sql.ts';

/** What a stage of a day is computed from. Two equal `inputs` give the same outcome, so nothing needs to be done. */
export type StageInputs = {
  readonly inputs: string;
  readonly loadIds: readonly number[];
  /** Only records of these MIDs have a file; null when all have. */
  readonly mids: readonly string[] | null;
  readonly ours: bigint;
  readonly oursWon: bigint;
  readonly lines: bigint;
  readonly linesWon: bigint;
  readonly declaredWon: bigint;
};

type InputRow = {
  load_ids: number[];
  lines: bigint;
  lines_won: bigint;
  declared_won: bigint;
  imports: string;
  ours: bigint;
  ours_won: bigint;
  held: string;
};

/** The current inputs of a stage; `mids` limits our side to those whose files are in (null: all). */
export async function stageInputs(
  tx: PoolClient,
  { provider, stage, on }: StageDay,
  mids: readonly string[] | null,
): Promise<StageInputs> {
  const totals =
    stage === 'transaction'
      ? 'select mid, import_id, payments as rows, approved_won + cancelled_won as won from payment_total where provider = $1 and traded_on = $3'
      : 'select mid, import_id, captures as rows, captured_won as won from capture_total where provider = $1 and captured_on = $3';
  const { rows } = await tx.query<InputRow>(
    `with loads as (
       select l.* from statement s join statement_load l using (load_id)
       where s.provider = $1 and s.stage = $2 and s.business_on = $3 and s.state = 'imported'
     ), ours as (select * from (${totals}) t where $4::text[] is null or mid = any($4)),
     held as (
       select provider_tid || '/' || cancel_seq as key from break
       where $2 = 'settlement' and provider = $1 and stage = 'capture' and ours_on = $3 and gone_at is null
         and kind in ('capture_rejected', 'capture_held')
     )
     select (select coalesce(array_agg(load_id order by load_id), '{}') from loads) as load_ids,
            (select coalesce(sum(lines), 0)::bigint from loads) as lines,
            (select coalesce(sum(amount_won), 0)::bigint from loads) as lines_won,
            (select coalesce(sum(declared_won), 0)::bigint from loads) as declared_won,
            (select count(*) || ' up to ' || coalesce(max(import_id), 0) from ours) as imports,
            (select coalesce(sum(rows), 0)::bigint from ours) as ours,
            (select coalesce(sum(won), 0)::bigint from ours) as ours_won,
            (select coalesce(md5(string_agg(key, ' ' order by key)), 'none') from held) as held`,
    [provider, stage, on.toString(), mids],
  );
  const row = rows[0] as InputRow;
  return {
    inputs: [
      `loads ${row.load_ids.join(',')}`,
      `imports ${row.imports}, ${row.ours} records, ${row.ours_won} won`,
      `held ${row.held}`,
      `mids ${mids?.join(',') ?? 'all'}`,
    ].join('; '),
    loadIds: row.load_ids,
    mids,
    ours: row.ours,
    oursWon: row.ours_won,
    lines: row.lines,
    linesWon: row.lines_won,
    declaredWon: row.declared_won,
  };
}

/** The inputs that the stage was last reconciled from, or undefined. */
export async function reconciledInputs(tx: PoolClient, { provider, stage, on }: StageDay): Promise<string | undefined> {
  const { rows } = await tx.query<{ inputs: string }>(
    'select inputs from reconciled_stage where provider = $1 and stage = $2 and business_on = $3',
    [provider, stage, on.toString()],
  );
  return rows[0]?.inputs;
}

/** Notes that the stage has been reconciled from these inputs. */
export async function noteReconciled(tx: PoolClient, day: StageDay, inputs: StageInputs, runId: string): Promise<void> {
  await tx.query(
    `insert into reconciled_stage (provider, stage, business_on, inputs, load_ids, ours, ours_won, lines, lines_won,
       declared_won, run_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (provider, stage, business_on) do update set inputs = excluded.inputs, load_ids = excluded.load_ids,
       ours = excluded.ours, ours_won = excluded.ours_won, lines = excluded.lines, lines_won = excluded.lines_won,
       declared_won = excluded.declared_won, run_id = excluded.run_id, reconciled_at = now()`,
    [
      day.provider,
      day.stage,
      day.on.toString(),
      inputs.inputs,
      inputs.loadIds,
      inputs.ours,
      inputs.oursWon,
      inputs.lines,
      inputs.linesWon,
      inputs.declaredWon,
      runId,
    ],
  );
}

/** Forgets what earlier days were computed from, so that the next look computes them again. */
export async function markStale(
  tx: PoolClient,
  provider: string,
  stage: string,
  days: readonly string[],
): Promise<void> {
  if (days.length === 0) return;
  await tx.query(
    `update reconciled_stage set inputs = 'stale' where provider = $1 and stage = $2 and business_on = any($3::date[])`,
    [provider, stage, days],
  );
}

/**
 * The days that a query of one column gives, and `on` itself, as literals for `in (…)`. Hot tables are asked for days by
 * literals alone: the planner then leaves every other leaf out, however long the history. An empty list would not.
 */
export async function dayLiterals(tx: PoolClient, { on }: StageDay, query: string): Promise<string> {
  const { rows } = await tx.query<{ day: string }>(`select distinct day::text from (${query}) q (day) order by 1`);
  return [...new Set([on.toString(), ...rows.map(({ day }) => day)])].map((day) => `date '${day}'`).join(', ');
}
