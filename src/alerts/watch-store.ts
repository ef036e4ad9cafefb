import { closeFinding, type Finding, listFindings, openFinding } from '../findings/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { exactJson } from '../kernel/exact-json.ts';
import { inTransaction, type Pool, type PoolClient, query } from '../platform/database/pool.ts';
import { reachesSomebody } from './channel.ts';
import { listChannels } from './channel-store.ts';
import { type Limit, limitOf } from './limit.ts';
import { listLimits } from './limit-store.ts';

/** What is watched of one kind is told of so many at most: the most serious ones. */
const most = 200;
/** Files and runs of days before these are history. */
const daysBack = 7;

/** A provider that is collected from, and the stages that it sends files of. */
export type ExpectedStatements = { readonly provider: string; readonly stages: readonly string[] };

type Stands = Pick<Finding, 'subject' | 'audience' | 'detail'>;
type Watch = { readonly tx: PoolClient; readonly now: Temporal.Instant; readonly limits: readonly Limit[] };

/**
 * 감시. Looks for what nobody else opens a finding about: a file past its time, a day INCOMPLETE, breaks above a limit,
 * payouts that stay unknown, approvals that wait, and alerts that reach nobody. What no longer stands is closed.
 */
export function watch(
  pool: Pool,
  { now, expected }: { readonly now: Temporal.Instant; readonly expected: readonly ExpectedStatements[] },
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const [lock] = await query<{ taken: boolean }>(
      tx,
      `select pg_try_advisory_xact_lock(hashtextextended('jeongsan.alerts.watch', 0)) as taken`,
    );
    if (lock?.taken !== true) return;
    const watched: Watch = { tx, now, limits: await listLimits(tx) };
    await settle(watched, 'statement_missing', await missingStatements(watched, expected));
    await settle(watched, 'day_incomplete', await incompleteDays(watched));
    await settle(watched, 'breaks_over_limit', await breaksOverLimit(watched));
    await settle(watched, 'breaks_old', await oldBreaks(watched));
    await settle(watched, 'payouts_unknown', await unknownPayouts(watched));
    await settle(watched, 'approval_waits', await waitingApprovals(watched));
    await settle(watched, 'alert_delivery_waits', await waitingDeliveries(watched));
    await settle(watched, 'alerts_unaddressed', await unaddressed(watched));
  });
}

/** Opens what stands now and is new or otherwise than before, and closes what stands no more. */
async function settle({ tx }: Watch, kind: string, stands: readonly Stands[]): Promise<void> {
  const open = new Map((await listFindings(tx, { kind, limit: 10_000 })).map((each) => [each.subject, each]));
  for (const each of stands) {
    const known = open.get(each.subject);
    open.delete(each.subject);
    if (known === undefined || exactJson(known.detail) !== exactJson(sorted(each.detail, known.detail))) {
      await openFinding(tx, { kind, ...each });
    }
  }
  for (const subject of open.keys()) await closeFinding(tx, { kind, subject, by: 'system:watch' });
}

/** In the order in which the database gives the names of the other one back. */
function sorted(detail: Finding['detail'], like: Finding['detail']): Finding['detail'] {
  const names = [...new Set([...Object.keys(like), ...Object.keys(detail)])].filter((name) => name in detail);
  return Object.fromEntries(names.map((name) => [name, detail[name]]));
}

/**
 * A stage of a day whose files have not come by 08:00 of the next day and the minutes that the provider is given. Days
 * before its first file are none of ours.
 */
async function missingStatements(
  { tx, now, limits }: Watch,
  expected: readonly ExpectedStatements[],
): Promise<readonly Stands[]> {
  const today = now.toZonedDateTimeISO(seoul).toPlainDate();
  const wanted = expected.flatMap(({ provider, stages }) => stages.map((stage) => ({ provider, stage })));
  const missing = await query<{ provider: string; stage: string; on: string }>(
    tx,
    `select w.provider, w.stage, d::date::text as "on"
       from unnest($1::text[], $2::text[]) w(provider, stage)
       cross join generate_series($3::date - ${daysBack}, $3::date - 1, interval '1 day') d
      where d::date >= coalesce((select min(business_on) from statement s where s.provider = w.provider), $3::date - 1)
        and not exists (select from statement s where s.provider = w.provider and s.stage = w.stage
                         and s.business_on = d::date and s.state <> 'refused')
      order by d desc, w.provider, w.stage limit ${most}`,
    [wanted.map(({ provider }) => provider), wanted.map(({ stage }) => stage), today.toString()],
  );
  return missing.flatMap(({ provider, stage, on }) => {
    const minutes = limitOf(limits, 'statement_late_minutes', provider);
    if (minutes === null) return [];
    const eight = Temporal.PlainDate.from(on).add({ days: 1 }).toZonedDateTime({ timeZone: seoul, plainTime: '08:00' });
    const expectedBy = eight.add({ minutes: Number(minutes) }).toInstant();
    if (Temporal.Instant.compare(now, expectedBy) < 0) return [];
    const detail = { provider, stage, on, expectedBy: expectedBy.toString() };
    return [{ subject: `${provider}:${stage}:${on}`, audience: 'in_charge' as const, detail }];
  });
}

/** A day whose latest run says INCOMPLETE. */
async function incompleteDays({ tx, now }: Watch): Promise<readonly Stands[]> {
  const today = now.toZonedDateTimeISO(seoul).toPlainDate().toString();
  const days = await query<{ on: string; run: string; stages: string | null }>(
    tx,
    `select business_on::text as "on", run_id as run,
            (select string_agg(provider || ' ' || stage || ' ' || g.outcome, ', ' order by provider, stage)
               from reconciliation_run_stage g
              where g.run_id = last.run_id and g.outcome in ('missing', 'waiting', 'refused', 'failed')) as stages
       from (select distinct on (business_on) business_on, run_id, outcome from reconciliation_run
              where outcome is not null and business_on > $1::date - ${daysBack} - 1
              order by business_on, cardinality(providers) * cardinality(stages) desc, attempt desc) last
      where outcome = 'incomplete' order by 1 desc limit ${most}`,
    [today],
  );
  return days.map(({ on, run, stages }) => ({
    subject: on,
    audience: 'in_charge',
    detail: { on, run, ...(stages === null ? {} : { stages: stages.slice(0, 500) }) },
  }));
}

/** Days of a provider with more unresolved breaks, in number or in won, than its limits allow. */
async function breaksOverLimit({ tx, limits }: Watch): Promise<readonly Stands[]> {
  const days = await query<{ provider: string; on: string; count: bigint; won: string }>(
    tx,
    `select provider, business_on::text as "on", count(*) as count, coalesce(sum(abs(difference_won)), 0)::text as won
       from break where state <> 'resolved' group by provider, business_on
      order by sum(abs(difference_won)) desc nulls last, 3 desc`,
  );
  const over = days.flatMap(({ provider, on, count, won }) => {
    const mostCount = limitOf(limits, 'breaks_count', provider);
    const mostWon = limitOf(limits, 'breaks_won', provider);
    const isOver = (mostCount !== null && count > mostCount) || (mostWon !== null && BigInt(won) > mostWon);
    if (!isOver) return [];
    const detail = { provider, on, count: Number(count), won, mostCount: textOf(mostCount), mostWon: textOf(mostWon) };
    return [{ subject: `${provider}:${on}`, audience: 'operations' as const, detail }];
  });
  return over.slice(0, most);
}

async function oldBreaks({ tx, now, limits }: Watch): Promise<readonly Stands[]> {
  const today = now.toZonedDateTimeISO(seoul).toPlainDate();
  const days = await query<{ provider: string; on: string; count: bigint; won: string }>(
    tx,
    `select provider, business_on::text as "on", count(*) as count, coalesce(sum(abs(difference_won)), 0)::text as won
       from break where state <> 'resolved' group by provider, business_on order by business_on`,
  );
  const byProvider = Map.groupBy(
    days.filter(({ provider, on }) => {
      const age = limitOf(limits, 'breaks_age_days', provider);
      return age !== null && today.since(Temporal.PlainDate.from(on)).days > age;
    }),
    ({ provider }) => provider,
  );
  return [...byProvider].map(([provider, old]) => ({
    subject: provider,
    audience: 'in_charge',
    detail: {
      provider,
      oldest: old[0]?.on,
      count: old.reduce((sum, { count }) => sum + Number(count), 0),
      won: `${old.reduce((sum, { won }) => sum + BigInt(won), 0n)}`,
    },
  }));
}

/** 미확인 지급. Of a bank, those whose outcome nobody knows for too long, whether or not somebody asks it. */
async function unknownPayouts({ tx, now, limits }: Watch): Promise<readonly Stands[]> {
  const minutes = limitOf(limits, 'payout_unknown_minutes');
  if (minutes === null) return [];
  const banks = await query<{ bank: string; count: number; won: string; since: Date }>(
    tx,
    `select bank, count(*)::int as count, sum(amount_won)::text as won, min(first_sent_at) as since from payout
      where state in ('sent', 'unknown') and first_sent_at < $1 group by bank order by 2 desc limit ${most}`,
    [now.subtract({ minutes: Number(minutes) }).toString()],
  );
  return banks.map(({ bank, since, ...sums }) => ({
    subject: `bank:${bank}`,
    audience: 'operations',
    detail: { bank, ...sums, since: since.toISOString() },
  }));
}

async function waitingApprovals({ tx, now, limits }: Watch): Promise<readonly Stands[]> {
  const minutes = limitOf(limits, 'approval_waits_minutes');
  if (minutes === null) return [];
  const found = await query<{ kind: string; subject: string; askedBy: string; askedAt: Date }>(
    tx,
    `select kind, subject, asked_by as "askedBy", asked_at as "askedAt" from approval
      where decision is null and asked_at < $1 order by asked_at limit ${most}`,
    [now.subtract({ minutes: Number(minutes) }).toString()],
  );
  return found.map(({ kind, subject, askedBy, askedAt }) => ({
    subject: `${kind}:${subject}`,
    audience: 'in_charge',
    detail: { kind, subject, askedBy, askedAt: askedAt.toISOString() },
  }));
}

/** The alerting watches itself: what should have left long ago, on a channel that nobody has switched off. */
async function waitingDeliveries({ tx, now, limits }: Watch): Promise<readonly Stands[]> {
  const minutes = limitOf(limits, 'delivery_waits_minutes');
  if (minutes === null) return [];
  const found = await query<{ channel: string; count: number; since: Date; answer: string | null }>(
    tx,
    `select channel_id as channel, count(*)::int as count, min(made_at) as since, max(answer) as answer
       from alert_delivery join alert_channel using (channel_id)
      where state = 'waiting' and enabled and made_at < $1 group by 1 order by 1 limit ${most}`,
    [now.subtract({ minutes: Number(minutes) }).toString()],
  );
  return found.map(({ channel, since, answer, count }) => ({
    subject: `channel:${channel}`,
    audience: 'operations',
    detail: {
      channel,
      count,
      since: since.toISOString(),
      ...(answer === null ? {} : { answer: answer.slice(0, 200) }),
    },
  }));
}

async function unaddressed({ tx }: Watch): Promise<readonly Stands[]> {
  if ((await listChannels(tx)).some(reachesSomebody)) return [];
  const command = 'jeongsan alerts channels set in-charge --to …';
  return [{ subject: 'alerts', audience: 'operations', detail: { command } }];
}

function textOf(limit: bigint | null): string | null {
  return limit === null ? null : String(limit);
}
