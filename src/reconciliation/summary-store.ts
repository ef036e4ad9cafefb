import type { Pool, PoolClient } from 'pg';
import { type Stage, stages } from '../providers/stage.ts';
import type { BreakKind, BreakSum, ReconciledStage, RefusedFile, StageState, StageSummary } from './outcome.ts';

/** A provider with the stages it has statements for; what a day is expected to consist of. */
export type ExpectedProvider = { readonly id: string; readonly stages: readonly Stage[] };

type SummaryRow = {
  provider: string;
  stage: ReconciledStage;
  lines: bigint | null;
  lines_won: bigint | null;
  ours: bigint | null;
  ours_won: bigint | null;
  reconciled_at: Date | null;
  differing_lines: bigint;
  timing: bigint;
  awaiting: bigint;
  awaiting_lines: bigint;
  held: bigint;
  breaks: { kind: BreakKind; count: number; unresolved: number; won: string }[] | null;
  refused: RefusedFile[] | null;
  last_outcome: string | null;
  imported: string[];
  last_detail: { missing?: string[]; waiting?: string[]; error?: string } | null;
};

/** How each stage of the providers stands for a day, from the small tables alone: no hot table is read. */
export async function stageSummaries(
  db: Pool | PoolClient,
  on: Temporal.PlainDate,
  expected: readonly ExpectedProvider[],
): Promise<StageSummary[]> {
  const wanted = expected.flatMap((provider) => [
    ...stages.filter((stage) => provider.stages.includes(stage)).map((stage) => ({ provider: provider.id, stage })),
    ...(provider.stages.includes('settlement') ? [{ provider: provider.id, stage: 'deposit' }] : []),
  ]);
  const { rows } = await db.query<SummaryRow>(summaryQuery, [
    on.toString(),
    wanted.map((w) => w.provider),
    wanted.map((w) => w.stage),
  ]);
  return rows.map((row) => toSummary(row, on.toString()));
}

const summaryQuery = `
  with wanted as (select * from unnest($2::text[], $3::text[]) with ordinality as w (provider, stage, nth))
  select w.provider, w.stage,
    case w.stage when 'deposit' then k.deposits else r.lines end as lines,
    case w.stage when 'deposit' then k.deposited_won else r.lines_won end as lines_won,
    case w.stage when 'deposit' then 1 else r.ours end as ours,
    case w.stage when 'deposit' then k.expected_won else r.ours_won end as ours_won,
    coalesce(r.reconciled_at, k.checked_at) as reconciled_at,
    (select count(distinct (b.load_id, b.line_no)) from break b
     where b.provider = w.provider and b.stage = w.stage and b.business_on = $1 and b.gone_at is null
       and b.load_id is not null and b.kind <> 'unreadable') as differing_lines,
    (select count(*) from pairing q where q.provider = w.provider and q.stage = w.stage and q.theirs_on = $1
       and q.outcome = 'timing') as timing,
    i.awaiting, i.awaiting_lines, i.held, b.breaks, f.refused, f.imported, last.outcome as last_outcome,
    last.detail as last_detail
  from wanted w
  left join reconciled_stage r on r.provider = w.provider and r.stage = w.stage and r.business_on = $1
  left join deposit_check k on w.stage = 'deposit' and k.provider = w.provider and k.pay_in_on = $1
  cross join lateral (
    select count(*) filter (where awaits_on is not null) as awaiting,
      count(*) filter (where awaits_on is not null and side = 'theirs') as awaiting_lines,
      count(*) filter (where held) as held
    from open_item i where i.provider = w.provider and i.stage = w.stage and i.business_on = $1
  ) i
  cross join lateral (
    select jsonb_agg(jsonb_build_object('kind', kind, 'count', n, 'unresolved', unresolved, 'won', won::text)
                     order by kind) as breaks
    from (select kind, count(*) as n, count(*) filter (where state <> 'resolved') as unresolved,
            coalesce(sum(difference_won), 0) as won
          from break b where b.provider = w.provider and b.stage = w.stage and b.business_on = $1
            and b.gone_at is null group by kind) k
  ) b
  cross join lateral (
    select jsonb_agg(jsonb_build_object('file', file_name, 'code', problem ->> 'code', 'details', problem -> 'details')
                     order by file_name) filter (where state = 'refused') as refused,
      coalesce(array_agg(file_name) filter (where state = 'imported'), '{}') as imported
    from (select distinct on (file_name) * from statement s where s.provider = w.provider and s.stage = w.stage
            and s.business_on = $1 order by file_name, version desc) s
  ) f
  left join lateral (
    select g.outcome, g.detail from reconciliation_run n join reconciliation_run_stage g using (run_id)
    where n.business_on = $1 and g.provider = w.provider and g.stage = w.stage
    order by g.finished_at desc limit 1
  ) last on true
  order by w.nth`;

function toSummary(row: SummaryRow, on: string): StageSummary {
  const breaks: Partial<Record<BreakKind, BreakSum>> = {};
  for (const { kind, count, unresolved, won } of row.breaks ?? []) {
    breaks[kind] = { count, unresolved, differenceWon: BigInt(won) };
  }
  const lines = Number(row.lines ?? 0n);
  const timing = Number(row.timing);
  const matched =
    row.stage === 'deposit'
      ? Number(row.reconciled_at !== null && row.lines_won === row.ours_won)
      : lines - Number(row.differing_lines) - timing - Number(row.awaiting_lines);
  return {
    provider: row.provider,
    stage: row.stage,
    on,
    state: stateOf(row),
    lines,
    linesWon: row.lines_won ?? 0n,
    ours: Number(row.ours ?? 0n),
    oursWon: row.ours_won ?? 0n,
    matched,
    timing,
    awaiting: Number(row.awaiting),
    held: Number(row.held),
    breaks,
    missing: stillOut(row, 'missing'),
    waiting: stillOut(row, 'waiting'),
    refused: row.refused ?? [],
    reconciledAt: row.reconciled_at?.toISOString() ?? null,
    ...(row.last_detail?.error === undefined ? {} : { error: row.last_detail.error }),
  };
}

function stateOf(row: SummaryRow): StageState {
  if (row.stage === 'deposit') return row.reconciled_at === null ? 'waiting' : 'reconciled';
  if (row.last_outcome === 'failed') return 'failed';
  if (row.refused !== null) return 'refused';
  if (stillOut(row, 'missing').length > 0) return 'missing';
  if (stillOut(row, 'waiting').length > 0) return 'waiting';
  return row.reconciled_at === null ? 'not_run' : 'reconciled';
}

/** What the day's last run did not have, less what the run of a later day has brought in since. */
function stillOut({ last_detail, imported }: SummaryRow, kind: 'missing' | 'waiting'): string[] {
  return (last_detail?.[kind] ?? []).filter((file) => !imported.includes(file));
}
