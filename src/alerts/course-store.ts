import { check } from '../kernel/check.ts';
import { inTransaction, type Pool, type PoolClient, query } from '../platform/database/pool.ts';
import { type AlertChannel, channelFailing, deadAfterFailures, reachesSomebody } from './channel.ts';
import { listChannels } from './channel-store.ts';
import { type AlertContent, boundedDetail, type TopFinding } from './content.ts';
import { type Course, courseOf, type Standing, type Word } from './course.ts';
import type { Severity } from './finding-words.ts';
import { gatherFindings } from './gather-store.ts';
import { putDelivery } from './outbox-store.ts';
import type { AlertRule } from './rule.ts';
import { listRules } from './rule-store.ts';

/** Alerts looked at in one go, findings that a message names, and kinds that it counts. */
const most = { alerts: 200, top: 10, kinds: 10 } as const;
/** While nobody can be reached it is looked for again after this. */
const unreachedSeconds = 60;
const itself = 'system:alerts';

type DueAlert = {
  readonly id: bigint;
  readonly rule: string;
  readonly group: string;
  readonly severity: Severity;
  readonly findings: number;
  readonly toldFindings: number;
  readonly open: number;
  readonly updates: number;
  readonly repeats: number;
  readonly toldChannels: readonly string[];
  readonly acknowledgedBy: string | null;
} & {
  readonly [moment in
    | 'openedAt'
    | 'firstToldAt'
    | 'toldAt'
    | 'escalatedAt'
    | 'acknowledgedAt'
    | 'calmSince']: Date | null;
};

/**
 * One look of the alerting: findings become alerts, and each alert that is due gets its next word, written into the outbox
 * in the same transaction. Any number of processes may look; returns how many words were written.
 */
export function lookAtAlerts(pool: Pool, now: Temporal.Instant): Promise<number> {
  return inTransaction(pool, async (tx) => {
    if ((await gatherFindings(tx, now)) === null) return 0;
    const due = await dueAlerts(tx, now);
    if (due.length === 0) return 0;
    const rules = new Map((await listRules(tx)).map((rule) => [rule.rule, rule]));
    const channels = await listChannels(tx);
    let words = 0;
    for (const alert of due) {
      const rule = rules.get(alert.rule);
      if (rule?.enabled !== true) await closeAlert(tx, alert.id, now, 'rule');
      else if (await follow(tx, alert, { rule, channels, now })) words += 1;
    }
    return words;
  });
}

async function dueAlerts(tx: PoolClient, now: Temporal.Instant): Promise<DueAlert[]> {
  return query<DueAlert>(
    tx,
    `select a.alert_id as id, rule_id as rule, group_key as "group", severity, findings, told_findings as "toldFindings",
            (select count(*)::int from alert_finding g join finding f using (finding_id)
              where g.alert_id = a.alert_id and f.closed_at is null) as open,
            updates, repeats, told_channels as "toldChannels", opened_at as "openedAt", first_told_at as "firstToldAt",
            told_at as "toldAt", escalated_at as "escalatedAt", acknowledged_at as "acknowledgedAt",
            acknowledged_by as "acknowledgedBy", calm_since as "calmSince"
       from alert a where closed_at is null and next_at <= $1 order by next_at, alert_id limit ${most.alerts} for update`,
    [now.toString()],
  );
}

type Surroundings = {
  readonly rule: AlertRule;
  readonly channels: readonly AlertChannel[];
  readonly now: Temporal.Instant;
};

async function follow(tx: PoolClient, alert: DueAlert, { rule, channels, now }: Surroundings): Promise<boolean> {
  const course = courseOf(standingOf(alert), rule, now);
  const targets = course.say === null ? [] : targetsOf(alert, course.say, rule, channels);
  const isUnreached = course.say !== null && targets.length === 0;
  if (course.close) {
    if (course.say !== null) await say(tx, alert, course.say, targets, now);
    await closeAlert(tx, alert.id, now, 'over');
    return targets.length > 0;
  }
  if (course.say === null || isUnreached) {
    await wait(tx, alert, isUnreached ? { ...course, nextAt: now.add({ seconds: unreachedSeconds }) } : course);
    return false;
  }
  await say(tx, alert, course.say, targets, now);
  await noteSaid(tx, alert, { word: course.say, targets, now });
  return true;
}

function standingOf(alert: DueAlert): Standing {
  const at = (date: Date | null) => date?.toTemporalInstant() ?? null;
  check(alert.openedAt, 'an alert was opened');
  return {
    ...alert,
    openedAt: alert.openedAt.toTemporalInstant(),
    firstToldAt: at(alert.firstToldAt),
    toldAt: at(alert.toldAt),
    escalatedAt: at(alert.escalatedAt),
    acknowledgedAt: at(alert.acknowledgedAt),
    calmSince: at(alert.calmSince),
  };
}

/**
 * Whom a word goes to: those whom the rule names and those who were told before; where none of them can be reached now,
 * those whom it escalates to, and at last whoever can be.
 */
function targetsOf(alert: DueAlert, word: Word, rule: AlertRule, channels: readonly AlertChannel[]): readonly string[] {
  const reachable = channels.filter(reachesSomebody);
  const working = reachable.filter(({ failures }) => failures < deadAfterFailures);
  const names = (some: readonly AlertChannel[]) => some.map(({ channel }) => channel);
  if (alert.group === channelFailing) return names(reachable.filter(({ failures }) => failures === 0));
  const among = (wanted: readonly string[]) => reachable.filter(({ channel }) => wanted.includes(channel));
  const meant =
    word === 'all_clear'
      ? among(alert.toldChannels)
      : among([...rule.channels, ...alert.toldChannels, ...(word === 'escalation' ? rule.escalationChannels : [])]);
  if (word === 'all_clear' || meant.some((each) => working.includes(each))) return names(meant);
  const others = working.filter(({ channel }) => rule.escalationChannels.includes(channel));
  return names([...meant, ...(others.length > 0 ? others : working)]);
}

async function say(
  tx: PoolClient,
  alert: DueAlert,
  word: Word,
  targets: readonly string[],
  now: Temporal.Instant,
): Promise<void> {
  const content = await contentOf(tx, alert, word, now);
  check(alert.openedAt, 'an alert was opened');
  for (const channel of targets) {
    const about = `alert.${alert.id}.${alert.openedAt.getTime().toString(36)}.${channel}`;
    const number =
      { first: '', update: `.${alert.updates + 1}`, repeat: `.${alert.repeats + 1}` }[word as string] ?? '';
    const key = word === 'first' ? about : `${about}.${word}${number}`;
    await putDelivery(tx, { key, about, channel, purpose: word, alert: alert.id, content, now });
  }
}

async function noteSaid(
  tx: PoolClient,
  { id, findings }: DueAlert,
  { word, targets, now }: { readonly word: Word; readonly targets: readonly string[]; readonly now: Temporal.Instant },
): Promise<void> {
  await tx.query(
    `update alert set told_findings = $2, told_at = $3, first_told_at = coalesce(first_told_at, $3), next_at = $3,
            calm_since = null, updates = updates + ($4 = 'update')::int, repeats = repeats + ($4 = 'repeat')::int,
            escalated_at = case when $4 = 'escalation' then $3 else escalated_at end,
            told_channels = (select array_agg(distinct c order by c) from unnest(told_channels || $5::text[]) c)
      where alert_id = $1`,
    [id, findings, now.toString(), word, targets],
  );
}

async function wait(tx: PoolClient, { id }: DueAlert, { nextAt, calmSince }: Course): Promise<void> {
  await tx.query('update alert set next_at = $2, calm_since = $3 where alert_id = $1', [
    id,
    nextAt.toString(),
    calmSince?.toString() ?? null,
  ]);
}

async function closeAlert(tx: PoolClient, id: bigint, now: Temporal.Instant, because: 'over' | 'rule'): Promise<void> {
  await tx.query('update alert set closed_at = $2, closed_by = $3 where alert_id = $1 and closed_at is null', [
    id,
    now.toString(),
    because === 'over' ? itself : `${itself}:rule removed`,
  ]);
}

async function contentOf(tx: PoolClient, alert: DueAlert, word: Word, now: Temporal.Instant): Promise<AlertContent> {
  const { id, findings, toldFindings, open } = alert;
  const kinds = await query<{ kind: string; findings: number }>(
    tx,
    `select kind, count(*)::int as findings from alert_finding g join finding f using (finding_id)
      where g.alert_id = $1 group by kind order by 2 desc, 1 limit ${most.kinds}`,
    [id],
  );
  type Row = Omit<TopFinding, 'id' | 'openedAt' | 'detail'> & {
    id: bigint;
    openedAt: Date;
    detail: Record<string, unknown>;
  };
  const top = await query<Row>(
    tx,
    `select finding_id as id, kind, subject, opened_at as "openedAt", times, detail
       from alert_finding g join finding f using (finding_id)
      where g.alert_id = $1 order by f.closed_at is not null, finding_id desc limit ${most.top}`,
    [id],
  );
  return {
    type: 'alert',
    word,
    alert: Number(id),
    rule: alert.rule,
    severity: alert.severity,
    openedAt: standingOf(alert).openedAt.toString(),
    at: now.toString(),
    findings,
    fresh: findings - toldFindings,
    open,
    kinds,
    top: top.map((found) => ({
      ...found,
      id: Number(found.id),
      subject: found.subject.slice(0, 200),
      openedAt: found.openedAt.toISOString(),
      detail: boundedDetail(found.detail),
    })),
    acknowledgedBy: alert.acknowledgedBy,
  };
}
