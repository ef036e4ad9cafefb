import type { Pool } from 'pg';
import type { Language } from '../kernel/problem.ts';
import { type PoolClient, query } from '../platform/database/pool.ts';
import type { Stage } from '../providers/stage.ts';
import { daySummary } from '../reconciliation/day-summary.ts';
import type { StageSummary } from '../reconciliation/outcome.ts';
import { expectedOf } from '../reconciliation/workflow.ts';
import type { ChannelPurpose } from './channel.ts';
import type { DigestStage, ReportContent } from './content.ts';
import { putDelivery } from './outbox-store.ts';

/** Reasons that a mail names; a day has as many as its providers have files. */
export const reasonsMost = 20;
/** Reports of runs that ended longer ago are nobody's news, as after the first start of an old installation. */
const newsHours = 24;

/** Channels that are sent this, and in which language. */
export async function channelsFor(
  db: Pool | PoolClient,
  purpose: ChannelPurpose,
): Promise<{ readonly channel: string; readonly language: Language }[]> {
  return query(
    db,
    `select channel_id as channel, language from alert_channel
      where enabled and $1 = any (purposes) and (kind <> 'smtp' or cardinality(recipients) > 0) order by 1`,
    [purpose],
  );
}

type EndedRun = {
  readonly runId: string;
  readonly on: string;
  readonly outcome: 'complete' | 'incomplete';
  readonly providers: readonly string[];
  readonly stages: readonly Stage[];
};

/**
 * 리포트 발송. Puts the report of each reconciliation that has ended into the outbox of whoever is to have it, once; a later
 * run of the day that came to the same is not sent again. Returns how many were written.
 */
export async function putReports(pool: Pool, now: Temporal.Instant): Promise<number> {
  const channels = await channelsFor(pool, 'report');
  if (channels.length === 0) return 0;
  const runs = await query<EndedRun>(
    pool,
    `select run_id as "runId", business_on::text as "on", outcome, providers, stages from reconciliation_run n
      where report_path is not null and outcome is not null and finished_at > $1::timestamptz - interval '${newsHours} hours'
        and exists (select from unnest($2::text[]) c
                     where not exists (select from alert_delivery where key = 'report.' || n.run_id || '.' || c))
      order by finished_at limit 20`,
    [now.toString(), channels.map(({ channel }) => channel)],
  );
  let written = 0;
  for (const run of runs) {
    for (const { channel, language } of channels)
      written += (await putReport(pool, run, { channel, language, now })) ? 1 : 0;
  }
  return written;
}

async function putReport(
  pool: Pool,
  run: EndedRun,
  { channel, language, now }: { readonly channel: string; readonly language: Language; readonly now: Temporal.Instant },
): Promise<boolean> {
  const content = await reportContent(pool, run, language, now);
  const key = `report.${run.runId}.${channel}`;
  const { runId: _, at: __, ...came } = content;
  const [same] = await query<{ same: boolean }>(
    pool,
    `select (content - 'runId' - 'at') = $3::jsonb as same from alert_delivery
      where purpose = 'report' and channel_id = $1 and content ->> 'on' = $2 order by delivery_id desc limit 1`,
    [channel, run.on, JSON.stringify(came)],
  );
  const about = `report.${run.on}.${channel}`;
  const delivery = { key, about, channel, purpose: 'report', alert: null, content, now } as const;
  const isNews = same?.same !== true;
  return (await putDelivery(pool, delivery, isNews ? 'waiting' : 'dropped')) && isNews;
}

async function reportContent(
  pool: Pool,
  run: EndedRun,
  language: Language,
  now: Temporal.Instant,
): Promise<ReportContent> {
  const day = await daySummary(pool, Temporal.PlainDate.from(run.on), expectedOf(run), language);
  const stages = day.stages.map(digestStage);
  return {
    type: 'report',
    runId: run.runId,
    on: run.on,
    at: now.toString(),
    outcome: day.outcome,
    reasons: day.reasons.slice(0, reasonsMost).map((reason) => reason.slice(0, 300)),
    moreReasons: Math.max(0, day.reasons.length - reasonsMost),
    stages,
    breaks: stages.reduce((sum, { breaks }) => sum + breaks, 0),
    breaksWon: String(stages.reduce((sum, { breaksWon }) => sum + BigInt(breaksWon), 0n)),
  };
}

export function digestStage(summary: StageSummary): DigestStage {
  const sums = Object.values(summary.breaks);
  return {
    provider: summary.provider,
    stage: summary.stage,
    state: summary.state,
    records: summary.ours,
    amountWon: String(summary.oursWon),
    breaks: sums.reduce((sum, { count }) => sum + count, 0),
    breaksWon: String(sums.reduce((sum, { differenceWon }) => sum + differenceWon, 0n)),
  };
}
