import type { Pool, PoolClient } from 'pg';
import { compactDay } from '../kernel/business-day.ts';
import { providerOf } from '../providers/registry.ts';
import { type Stage, stages } from '../providers/stage.ts';
import type { BreakKind, BreakSum, ReconciledStage, RefusedFile, StageState, StageSummary } from './outcome.ts';
import { formatStatementName } from './statement-name.ts';

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
  due: boolean;
  mids_left_out: string[];
  last_outcome: string | null;
  last_at: Date | null;
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
  return rows.map((row) => toSummary(row, on));
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
    last.detail as last_detail, last.finished_at as last_at,
    coalesce(r.inputs = 'stale' or r.load_ids <> f.load_ids or r.ours <> t.ours, false) as due, t.mids_left_out
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
      coalesce(array_agg(file_name) filter (where state = 'imported'), '{}') as imported,
      (select coalesce(array_agg(load_id order by load_id), '{}') from statement c where c.provider = w.provider
         and c.stage = w.stage and c.business_on = $1 and c.state = 'imported') as load_ids
    from (select distinct on (file_name) * from statement s where s.provider = w.provider and s.stage = w.stage
            and s.business_on = $1 order by file_name, version desc) s
  ) f
  cross join lateral (
    select coalesce(sum(records) filter (where counted), 0) as ours,
      coalesce(array_agg(distinct mid order by mid) filter (where not counted), '{}') as mids_left_out
    from (select mid, records, r.inputs like '%; mids all'
              or mid = any (string_to_array(substring(r.inputs from '; mids (.*)$'), ',')) as counted
          from (select mid, payments as records from payment_total
                where w.stage = 'transaction' and provider = w.provider and traded_on = $1
                union all
                select mid, captures from capture_total
                where w.stage in ('capture', 'settlement') and provider = w.provider and captured_on = $1) b) c
  ) t
  left join lateral (
    select g.outcome, g.detail, g.finished_at from reconciliation_run n join reconciliation_run_stage g using (run_id)
    where n.business_on = $1 and g.provider = w.provider and g.stage = w.stage
    order by g.finished_at desc limit 1
  ) last on true
  order by w.nth`;

function toSummary(row: SummaryRow, on: Temporal.PlainDate): StageSummary {
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
  const missing = stillMissing(row, on);
  const state = stateOf(row, missing);
  return {
    provider: row.provider,
    stage: row.stage,
    on: on.toString(),
    state,
    lines,
    linesWon: row.lines_won ?? 0n,
    ours: Number(row.ours ?? 0n),
    oursWon: row.ours_won ?? 0n,
    matched,
    timing,
    awaiting: Number(row.awaiting),
    held: Number(row.held),
    breaks,
    missing,
    waiting: stillOut(row, 'waiting'),
    refused: row.refused ?? [],
    reconciledAt: row.reconciled_at?.toISOString() ?? null,
    ...(row.due ? { due: true } : {}),
    ...(row.last_detail?.error === undefined || state !== 'failed' ? {} : { error: row.last_detail.error }),
  };
}

function stateOf(row: SummaryRow, missing: readonly string[]): StageState {
  if (row.stage === 'deposit') return row.reconciled_at === null ? 'waiting' : 'reconciled';
  // What the run of a later day has made up for since has not failed.
  if (row.last_outcome === 'failed' && Number(row.reconciled_at) <= Number(row.last_at)) return 'failed';
  if (row.refused !== null) return 'refused';
  if (missing.length > 0) return 'missing';
  if (stillOut(row, 'waiting').length > 0) return 'waiting';
  return row.reconciled_at === null || row.due ? 'not_run' : 'reconciled';
}

/** The files that the day's last run did not have, and those of MIDs of which records came only after it. */
function stillMissing(row: SummaryRow, on: Temporal.PlainDate): string[] {
  const out = stillOut(row, 'missing');
  if (row.stage === 'deposit' || row.mids_left_out.length === 0) return out;
  const template = providerOf(row.provider).statements[row.stage]?.fileName ?? '';
  const names = row.mids_left_out.map((mid) => formatStatementName(template, { day: compactDay(on), mid }));
  const known = new Set([...stillOut(row, 'waiting'), ...row.imported, ...(row.refused ?? []).map(({ file }) => file)]);
  return [...new Set([...out, ...names.filter((name) => !known.has(name))])];
}

/** What the day's last run did not have, less what the run of a later day has brought in since. */
function stillOut({ last_detail, imported }: SummaryRow, kind: 'missing' | 'waiting'): string[] {
  return (last_detail?.[kind] ?? []).filter((file) => !imported.includes(file));
}
