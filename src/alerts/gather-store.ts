import { type PoolClient, query } from '../platform/database/pool.ts';
import { severityOfKinds } from './finding-words.ts';

/** A storm is taken in by so many at a time. */
const findingsMost = 20_000;

/**
 * Open findings that no rule's alert holds yet, with the rules that speak of each: the first that fits by position, and
 * those after it while they continue. What an open alert holds is looked at again only where it was just seen again, since
 * more people may have to know, or where rules have just changed. What is still open when its rule is there again after it
 * was switched off or removed is told of anew. $1: kind → severity.
 */
const spoken = `
  with fresh as (
    select f.finding_id, f.kind, f.subject, f.audience,
           coalesce($1::jsonb ->> f.kind, case f.audience when 'operations' then 'urgent' else 'warning' end) as severity
      from finding f
     where f.closed_at is null
       and (f.seen_at > clock_timestamp() - interval '1 minute'
            or (select coalesce(max(r.changed_at) > clock_timestamp() - interval '1 minute', false) from alert_rule r)
            or not exists (select from alert_finding g join alert a using (alert_id)
                            where g.finding_id = f.finding_id and a.closed_at is null))
  ), fitting as (
    select f.finding_id, r.rule_id, coalesce(r.severity, f.severity) as severity,
           case r.group_by when 'rule' then '*' else f.kind end as group_key,
           coalesce(bool_or(not r.continues) over (partition by f.finding_id order by r.position, r.rule_id
                    rows between unbounded preceding and 1 preceding), false) as is_silent
      from fresh f join alert_rule r
        on r.enabled and alert_fits(f.kind, r.kinds) and alert_fits(f.subject, r.subjects)
           and (cardinality(r.severities) = 0 or f.severity = any (r.severities))
           and (r.audience is null or f.audience = r.audience)
  ), spoken as (
    select g.finding_id, g.rule_id, g.severity, g.group_key from fitting g
     where not g.is_silent and not exists (
             select from alert_finding h join alert a using (alert_id)
              where (h.finding_id, h.rule_id) = (g.finding_id, g.rule_id) and a.closed_at is null)
     order by g.finding_id limit ${findingsMost}
  )`;

const rank = `array_position(array['notice', 'warning', 'urgent'], severity)`;

/**
 * 모으기. Puts new findings into the alert of their rule and group, making it where none is open, and looks again at what
 * nothing is open of any more. One process at a time; returns the new findings, or null where another one is at it.
 */
export async function gatherFindings(tx: PoolClient, now: Temporal.Instant): Promise<number | null> {
  const [lock] = await query<{ taken: boolean }>(
    tx,
    `select pg_try_advisory_xact_lock(hashtextextended('jeongsan.alerts', 0)) as taken`,
  );
  if (lock?.taken !== true) return null;
  const kinds = JSON.stringify(severityOfKinds());
  await tx.query(
    `${spoken}
     insert into alert (rule_id, group_key, severity, opened_at, next_at)
     select rule_id, group_key, (array['notice', 'warning', 'urgent'])[max(${rank})], $2, $2 from spoken group by 1, 2
     on conflict (rule_id, group_key) where closed_at is null do nothing`,
    [kinds, now.toString()],
  );
  const { rowCount } = await tx.query(
    `${spoken}
     insert into alert_finding (finding_id, rule_id, alert_id)
     select s.finding_id, s.rule_id, a.alert_id from spoken s
       join alert a on a.rule_id = s.rule_id and a.group_key = s.group_key and a.closed_at is null
     on conflict (finding_id, rule_id) do update set alert_id = excluded.alert_id`,
    [kinds],
  );
  const gathered = rowCount ?? 0;
  if (gathered > 0) await count(tx, kinds, now);
  await tx.query(
    `update alert a set next_at = $1
      where closed_at is null and calm_since is null and next_at > $1
        and not exists (select from alert_finding g join finding f using (finding_id)
                         where g.alert_id = a.alert_id and f.closed_at is null)`,
    [now.toString()],
  );
  return gathered;
}

/** How many findings each open alert holds, and how urgent the most urgent of them is. */
async function count(tx: PoolClient, kinds: string, now: Temporal.Instant): Promise<void> {
  await tx.query(
    `with held as (
       select g.alert_id, count(*)::int as findings,
              max(array_position(array['notice', 'warning', 'urgent'], coalesce(r.severity, $1::jsonb ->> f.kind,
                  case f.audience when 'operations' then 'urgent' else 'warning' end))) as rank
         from alert a join alert_finding g using (alert_id) join finding f using (finding_id)
         left join alert_rule r on r.rule_id = a.rule_id
        where a.closed_at is null group by g.alert_id
     )
     update alert a set findings = h.findings, next_at = least(a.next_at, $2), calm_since = null,
            severity = (array['notice', 'warning', 'urgent'])[greatest(h.rank, ${rank})]
       from held h where h.alert_id = a.alert_id and h.findings <> a.findings`,
    [kinds, now.toString()],
  );
}
