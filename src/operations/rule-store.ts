import type { PoolClient } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { UsualRule } from './usual.ts';

/** 평소 기준. The rule of a job; `*` is every job that has none of its own. */
export type NamedUsualRule = UsualRule & { readonly job: string };

type Row = Omit<NamedUsualRule, 'slackMs' | 'stuckMs' | 'spreads' | 'stuckTimes'> & {
  readonly slackMs: bigint;
  readonly stuckMs: bigint;
  readonly spreads: string;
  readonly stuckTimes: string;
};

/** All rules, by job. */
export async function listUsualRules(db: Queryable): Promise<NamedUsualRule[]> {
  const rows = await query<Row>(
    db,
    `select job, same_hour as "sameHour", samples_least as "samplesLeast", samples_most as "samplesMost", spreads,
            slack_percent as "slackPercent", slack_ms as "slackMs", stuck_times as "stuckTimes", stuck_ms as "stuckMs"
       from run_usual order by job`,
  );
  return rows.map((row) => ({
    ...row,
    spreads: Number(row.spreads),
    stuckTimes: Number(row.stuckTimes),
    slackMs: Number(row.slackMs),
    stuckMs: Number(row.stuckMs),
  }));
}

/** What is changed of a rule; what is left out stays, or is as of `*` where the job had no rule. */
export type UsualChange = { readonly [Name in keyof UsualRule]?: UsualRule[Name] | undefined };

/** @throws Problem `usage` where there is no rule `*` to begin with */
export async function changeUsualRule(tx: PoolClient, job: string, change: UsualChange): Promise<NamedUsualRule> {
  const rules = await listUsualRules(tx);
  const before = rules.find((rule) => rule.job === job) ?? rules.find((rule) => rule.job === '*');
  if (before === undefined) throw new Problem('usage', { reason: `run_usual *` });
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const rule: NamedUsualRule = { ...before, ...given, job };
  if (rule.samplesMost < rule.samplesLeast) throw new Problem('usage', { reason: 'samplesMost < samplesLeast' });
  await tx.query(
    `insert into run_usual (job, same_hour, samples_least, samples_most, spreads, slack_percent, slack_ms, stuck_times, stuck_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (job) do update
        set same_hour = excluded.same_hour, samples_least = excluded.samples_least, samples_most = excluded.samples_most,
            spreads = excluded.spreads, slack_percent = excluded.slack_percent, slack_ms = excluded.slack_ms,
            stuck_times = excluded.stuck_times, stuck_ms = excluded.stuck_ms`,
    [
      job,
      rule.sameHour,
      rule.samplesLeast,
      rule.samplesMost,
      rule.spreads,
      rule.slackPercent,
      rule.slackMs,
      rule.stuckTimes,
      rule.stuckMs,
    ],
  );
  return rule;
}
