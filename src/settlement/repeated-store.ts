import { escapeLiteral, type PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import { day } from './stage-store.ts';

/** Nearer days than these are compared by the import, which refuses the second of two: see docs/import.md. */
const comparedDays = 7;
/** How far back the first of two captures is looked for. */
const daysBack = 400;

/**
 * 중복 매입. Sets aside what was captured before on a day that the import does not compare: captured again, say, after the
 * card company sent it back. Asks only about captures that came so long after their trade, and so costs nothing as a rule.
 */
export async function refuseRepeated(tx: PoolClient): Promise<void> {
  await tx.query(`
    create temp table late_capture on commit drop as
    select ctid as at, provider, captured_on, provider_tid, cancel_seq,
           greatest(traded_on, captured_on - ${daysBack}) as first_day, captured_on - ${comparedDays + 1} as last_day
      from judged where reason is null and captured_on > traded_on + ${comparedDays}`);
  const days = await query<{ provider: string; days: string[] }>(
    tx,
    `select provider, array_agg(distinct on_day::date) as days
       from (select distinct provider, first_day, last_day from late_capture) l
      cross join generate_series(first_day, last_day, interval '1 day') on_day group by provider order by provider`,
  );
  if (days.length === 0) return;
  await tx.query('analyze late_capture');
  const settled = days.map(
    ({ provider, days: own }) => `
      select l.at, i.captured_on from late_capture l
       cross join (values ${own.map((each) => `(${day(each)})`).join(', ')}) d (captured_on)
        join settlement_item i on i.provider = l.provider and i.captured_on = d.captured_on
         and i.provider_tid = l.provider_tid and i.cancel_seq = l.cancel_seq
       where l.provider = ${escapeLiteral(provider)} and d.captured_on between l.first_day and l.last_day
         and i.provider = ${escapeLiteral(provider)} and i.captured_on in (${own.map(day).join(', ')})`,
  );
  await tx.query(`
    update judged j set reason = 'capture_repeated', cause = b.captured_on::text
      from (${settled.join(' union all ')}
            union all
            select l.at, o.captured_on from late_capture l
              join unsettled_capture o using (provider, provider_tid, cancel_seq) where o.captured_on < l.captured_on
            union all
            select l.at, o.captured_on from late_capture l
              join judged o using (provider, provider_tid, cancel_seq) where o.captured_on < l.captured_on) b
     where j.ctid = b.at`);
}
