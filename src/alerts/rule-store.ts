import { actingAs } from '../audit/store.ts';
import { check } from '../kernel/check.ts';
import type { Actor } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { AlertRule } from './rule.ts';

/** Who changes a setting, why, and the version that they saw; without one whatever is there is changed. */
export type SettingAct = {
  readonly actor: Pick<Actor, 'who' | 'from' | 'key'>;
  readonly reason?: string | undefined;
  readonly version?: number | undefined;
};

export type RuleDraft = Omit<AlertRule, 'version' | 'changedBy' | 'changedAt'>;

const columns = `rule_id as rule, position, kinds, subjects, severities, audience, severity, channels, group_by as "groupBy",
  group_seconds as "groupSeconds", update_seconds as "updateSeconds", repeat_seconds as "repeatSeconds",
  escalate_seconds as "escalateSeconds", escalation_channels as "escalationChannels", calm_seconds as "calmSeconds",
  to_char(quiet_from, 'HH24:MI') as "quietFrom", to_char(quiet_to, 'HH24:MI') as "quietTo", continues, enabled, version,
  changed_by as "changedBy", changed_at as "changedAt"`;

/** All rules in the order in which they are asked. */
export function listRules(db: Queryable): Promise<AlertRule[]> {
  return query<AlertRule>(db, `select ${columns} from alert_rule order by position, rule_id`);
}

/** @throws Problem `not_found` */
export async function showRule(db: Queryable, rule: string): Promise<AlertRule> {
  const [found] = await query<AlertRule>(db, `select ${columns} from alert_rule where rule_id = $1`, [rule]);
  if (found === undefined) throw new Problem('not_found', { what: 'alert rule', id: rule });
  return found;
}

/**
 * Makes or changes a rule as a whole; what is open by it goes on by what it now says.
 * @throws Problem `version_differs`, `alert_channel_unknown`
 */
export function saveRule(pool: Pool, draft: RuleDraft, act: SettingAct): Promise<AlertRule> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, act.actor, act.reason);
    await refuseUnknownChannels(tx, [...draft.channels, ...draft.escalationChannels]);
    const row = { table: 'alert_rule', key: 'rule_id', id: draft.rule } as const;
    await refuseOtherVersion(tx, row, act.version);
    const { rowCount } = await tx.query(
      `insert into alert_rule (rule_id, position, kinds, subjects, severities, audience, severity, channels, group_by,
         group_seconds, update_seconds, repeat_seconds, escalate_seconds, escalation_channels, calm_seconds, quiet_from,
         quiet_to, continues, enabled, changed_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::time, $17::time, $18, $19, $20)
       on conflict (rule_id) do update set position = excluded.position, kinds = excluded.kinds,
         subjects = excluded.subjects, severities = excluded.severities, audience = excluded.audience,
         severity = excluded.severity, channels = excluded.channels, group_by = excluded.group_by,
         group_seconds = excluded.group_seconds, update_seconds = excluded.update_seconds,
         repeat_seconds = excluded.repeat_seconds, escalate_seconds = excluded.escalate_seconds,
         escalation_channels = excluded.escalation_channels, calm_seconds = excluded.calm_seconds,
         quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, continues = excluded.continues,
         enabled = excluded.enabled, changed_by = excluded.changed_by, changed_at = clock_timestamp(),
         version = alert_rule.version + 1
       where $21::int is null or alert_rule.version = $21`,
      [
        draft.rule,
        draft.position,
        draft.kinds,
        draft.subjects,
        draft.severities,
        draft.audience,
        draft.severity,
        draft.channels,
        draft.groupBy,
        draft.groupSeconds,
        draft.updateSeconds,
        draft.repeatSeconds,
        draft.escalateSeconds,
        draft.escalationChannels,
        draft.calmSeconds,
        draft.quietFrom,
        draft.quietTo,
        draft.continues,
        draft.enabled,
        act.actor.who,
        act.version ?? null,
      ],
    );
    // Somebody else made one of that name since we looked.
    if (rowCount === 0) await refuseOtherVersion(tx, row, act.version);
    return await showRule(tx, draft.rule);
  });
}

/**
 * Takes a rule away; what is open by it is closed without a word at the next look.
 * @throws Problem `not_found`, `version_differs`
 */
export function removeRule(pool: Pool, rule: string, act: SettingAct): Promise<{ readonly version: number }> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, act.actor, act.reason);
    const { version } = await showRule(tx, rule);
    await refuseOtherVersion(tx, { table: 'alert_rule', key: 'rule_id', id: rule }, act.version);
    await tx.query('delete from alert_rule where rule_id = $1', [rule]);
    return { version };
  });
}

/**
 * Holds the row, so that nobody changes it between this look and the change.
 * @throws Problem `version_differs`
 */
export async function refuseOtherVersion(
  tx: PoolClient,
  row: { readonly table: 'alert_rule' | 'alert_channel'; readonly key: string; readonly id: string },
  version: number | undefined,
): Promise<void> {
  const [found] = await query<{ version: number }>(
    tx,
    `select version from ${row.table} where ${row.key} = $1 for update`,
    [row.id],
  );
  const current = found?.version ?? 0;
  if (version !== undefined && version !== current) {
    throw new Problem('version_differs', { given: version, current });
  }
}

async function refuseUnknownChannels(tx: PoolClient, channels: readonly string[]): Promise<void> {
  const [row] = await query<{ unknown: string[] }>(
    tx,
    `select coalesce(array_agg(distinct c), '{}') as unknown from unnest($1::text[]) c
      where not exists (select from alert_channel where channel_id = c)`,
    [channels],
  );
  check(row, 'an aggregate returns a row');
  const [first] = row.unknown;
  if (first !== undefined) throw new Problem('alert_channel_unknown', { channel: first });
}
