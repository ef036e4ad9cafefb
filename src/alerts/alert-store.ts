import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { reachesSomebody } from './channel.ts';
import { listChannels } from './channel-store.ts';
import type { Severity } from './finding-words.ts';

export const alertStates = ['open', 'acknowledged', 'closed'] as const;
export type AlertState = (typeof alertStates)[number];

/** 알림. Findings that people are told of together, and how far that has come. */
export type Alert = {
  readonly id: bigint;
  readonly rule: string;
  /** The kind, or `*` where the rule groups all. */
  readonly group: string;
  readonly severity: Severity;
  readonly state: AlertState;
  readonly openedAt: Date;
  readonly findings: number;
  readonly open: number;
  /** Null: nobody has been told yet. */
  readonly firstToldAt: Date | null;
  readonly toldAt: Date | null;
  readonly toldChannels: readonly string[];
  readonly escalatedAt: Date | null;
  readonly acknowledgedAt: Date | null;
  readonly acknowledgedBy: string | null;
  readonly note: string | null;
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
};

export type AlertFilter = {
  readonly states?: readonly AlertState[] | undefined;
  readonly severities?: readonly Severity[] | undefined;
  readonly kind?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

const state = `case when closed_at is not null then 'closed' when acknowledged_at is not null then 'acknowledged' else 'open' end`;

const columns = `alert_id as id, rule_id as rule, group_key as "group", severity, ${state} as state, opened_at as "openedAt",
  findings, (select count(*)::int from alert_finding g join finding f using (finding_id)
              where g.alert_id = a.alert_id and f.closed_at is null) as open,
  first_told_at as "firstToldAt", told_at as "toldAt", told_channels as "toldChannels", escalated_at as "escalatedAt",
  acknowledged_at as "acknowledgedAt", acknowledged_by as "acknowledgedBy", note, closed_at as "closedAt",
  closed_by as "closedBy"`;

/** A page of alerts by their number. */
export function pageOfAlerts(
  db: Queryable,
  filter: AlertFilter,
  request: Pick<PageRequest<string>, 'after' | 'limit' | 'descending'>,
): Promise<Page<Alert>> {
  const { states, severities, kind, since, until } = filter;
  const values = [states ?? null, severities ?? null, kind ?? null, since ?? null, until ?? null];
  return keysetPage<Alert>(
    db,
    [{ sql: 'alert_id', type: 'bigint' }],
    request,
    values,
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from alert a
        where ($1::text[] is null or ${state} = any ($1)) and ($2::text[] is null or severity = any ($2))
          and ($3::text is null or group_key = $3) and ($4::timestamptz is null or opened_at >= $4)
          and ($5::timestamptz is null or opened_at < $5) and ${after}
        order by ${order} limit ${limit}`,
  );
}

export type AlertDetail = Alert & {
  readonly held: readonly {
    readonly id: bigint;
    readonly kind: string;
    readonly subject: string;
    readonly detail: Readonly<Record<string, unknown>>;
    readonly openedAt: Date;
    readonly times: number;
    readonly closedAt: Date | null;
    readonly closedBy: string | null;
  }[];
};

/** Findings of an alert that are shown one by one; `jeongsan findings` shows all. */
const heldMost = 100;

/** @throws Problem `not_found` */
export async function showAlert(db: Queryable, id: bigint): Promise<AlertDetail> {
  const [alert] = await query<Alert>(db, `select ${columns} from alert a where alert_id = $1`, [id]);
  if (alert === undefined) throw new Problem('not_found', { what: 'alert', id: String(id) });
  const held = await query<AlertDetail['held'][number]>(
    db,
    `select finding_id as id, kind, subject, detail, opened_at as "openedAt", times, closed_at as "closedAt",
            closed_by as "closedBy"
       from alert_finding g join finding f using (finding_id)
      where g.alert_id = $1 order by f.closed_at is not null, finding_id desc limit ${heldMost}`,
    [id],
  );
  return { ...alert, held };
}

/**
 * 확인. Says that somebody looks after it: it is neither repeated nor escalated any more. Done again, nothing changes.
 * @throws Problem `not_found`, `alert_not_open`
 */
export async function acknowledgeAlert(
  db: Queryable,
  { id, by, note, now }: { id: bigint; by: string; note: string | undefined; now: Temporal.Instant },
): Promise<AlertDetail> {
  const done = await query(
    db,
    `update alert set acknowledged_at = $2, acknowledged_by = $3, note = $4, next_at = least(next_at, $2)
      where alert_id = $1 and closed_at is null and acknowledged_at is null returning alert_id`,
    [id, now.toString(), by, note ?? null],
  );
  const alert = await showAlert(db, id);
  if (done.length === 0 && alert.state === 'closed') throw new Problem('alert_not_open', { id });
  return alert;
}

/** Whether the alerting does what it is for. */
export type AlertStatus = {
  readonly alerts: {
    readonly open: number;
    readonly urgent: number;
    readonly unacknowledged: number;
    readonly untold: number;
  };
  readonly deliveries: { readonly waiting: number; readonly failed: number; readonly oldestWaitingAt: Date | null };
  /** Channels that would reach somebody, those that would not, and those that fail. */
  readonly channels: { readonly working: string[]; readonly empty: string[]; readonly failing: string[] };
  readonly mailConfigured: boolean;
  /** What nobody would be told of: the reasons, best first; empty when all is well. */
  readonly faults: readonly AlertFault[];
};
export type AlertFault =
  | 'nobody_is_told'
  | 'mail_not_configured'
  | 'channel_failing'
  | 'deliveries_failed'
  | 'alerts_untold';

export async function alertStatus(db: Queryable, mailConfigured: boolean): Promise<AlertStatus> {
  const [alerts] = await query<AlertStatus['alerts']>(
    db,
    `select count(*)::int as open, count(*) filter (where severity = 'urgent')::int as urgent,
            count(*) filter (where acknowledged_at is null)::int as unacknowledged,
            count(*) filter (where first_told_at is null and opened_at < clock_timestamp() - interval '5 minutes')::int as untold
       from alert where closed_at is null`,
  );
  const [deliveries] = await query<AlertStatus['deliveries']>(
    db,
    `select count(*) filter (where state = 'waiting')::int as waiting,
            count(*) filter (where state = 'failed' and made_at > clock_timestamp() - interval '7 days')::int as failed,
            min(made_at) filter (where state = 'waiting') as "oldestWaitingAt" from alert_delivery
      where state in ('waiting', 'failed')`,
  );
  const channels = await listChannels(db);
  const named = (some: typeof channels) => some.map(({ channel }) => channel);
  const reach = channels.filter(reachesSomebody);
  const failing = reach.filter(({ failures }) => failures > 0);
  const usesMail = reach.some(({ kind }) => kind === 'smtp');
  const counts = alerts as AlertStatus['alerts'];
  const sent = deliveries as AlertStatus['deliveries'];
  const faults: AlertFault[] = [
    ...(reach.length === 0 ? ['nobody_is_told' as const] : []),
    ...(usesMail && !mailConfigured ? ['mail_not_configured' as const] : []),
    ...(failing.length > 0 ? ['channel_failing' as const] : []),
    ...(sent.failed > 0 ? ['deliveries_failed' as const] : []),
    ...(counts.untold > 0 ? ['alerts_untold' as const] : []),
  ];
  return {
    alerts: counts,
    deliveries: sent,
    channels: {
      working: named(reach.filter((each) => !failing.includes(each))),
      empty: named(channels.filter((each) => !reachesSomebody(each))),
      failing: named(failing),
    },
    mailConfigured,
    faults,
  };
}
