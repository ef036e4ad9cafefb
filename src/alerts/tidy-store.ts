import type { Pool } from 'pg';
import type { Expiring } from '../operations/retention.ts';

/** 보존. Alerts that are over and what was sent, which is kept long enough to be asked about. */
export function expiringAlerts(pool: Pool): Expiring[] {
  return [
    {
      kind: 'alert_delivery',
      words: { ko: '알림 발송 기록', en: 'what was sent, and each try' },
      keepDays: 180,
      chunk: 1_000,
      async remove(before, most) {
        // What reports came to is looked up by the key of what was sent; those of a day are no news after it.
        const { rowCount } = await pool.query(
          `delete from alert_delivery where delivery_id in (
             select delivery_id from alert_delivery where made_at < $1 and state <> 'waiting' order by made_at limit $2)`,
          [before.toString(), most],
        );
        return rowCount ?? 0;
      },
    },
    {
      kind: 'alert',
      words: { ko: '종결된 알림', en: 'alerts that are over' },
      keepDays: 400,
      chunk: 200,
      async remove(before, most) {
        const { rowCount } = await pool.query(
          `with old as (
             select alert_id from alert a
              where closed_at < $1 and not exists (select from alert_delivery d where d.alert_id = a.alert_id)
                and not exists (select from alert_finding g join finding f using (finding_id)
                                 where g.alert_id = a.alert_id and f.closed_at is null)
              order by alert_id limit $2
           ), emptied as (delete from alert_finding where alert_id in (select alert_id from old))
           delete from alert where alert_id in (select alert_id from old)`,
          [before.toString(), most],
        );
        return rowCount ?? 0;
      },
    },
  ];
}
