import { actingAs } from '../audit/store.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';
import { type Limit, limitNames, limits } from './limit.ts';
import type { SettingAct } from './rule-store.ts';

const columns = `name, provider, value, version, changed_by as "changedBy", changed_at as "changedAt"`;

export function listLimits(db: Queryable): Promise<Limit[]> {
  return query<Limit>(db, `select ${columns} from alert_limit where name = any ($1) order by name, provider`, [
    limitNames,
  ]);
}

/**
 * Sets a limit, or watches no more (`value` null).
 * @throws Problem `usage`
 */
export function saveLimit(
  pool: Pool,
  { name, provider, value }: Pick<Limit, 'name' | 'provider' | 'value'>,
  act: SettingAct,
): Promise<Limit[]> {
  if (provider !== '' && !limits[name].byProvider) throw new Problem('usage', { reason: `${name} --provider` });
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, act.actor, act.reason);
    await tx.query(
      `insert into alert_limit (name, provider, value, changed_by) values ($1, $2, $3, $4)
       on conflict (name, provider) do update set value = excluded.value, changed_by = excluded.changed_by,
         changed_at = clock_timestamp(), version = alert_limit.version + 1`,
      [name, provider, value, act.actor.who],
    );
    return await listLimits(tx);
  });
}
