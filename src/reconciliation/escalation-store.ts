import type { PoolClient } from 'pg';
import { olderThanCutOff } from './break-age.ts';
import type { ReconciledStage } from './outcome.ts';

export type Escalation = {
  readonly provider: string;
  readonly stage: ReconciledStage;
  readonly today: Temporal.PlainDate;
  readonly businessDaysOld: number;
  readonly holidays: ReadonlySet<string>;
  readonly runId: string;
};

/**
 * 상향 보고. Marks the unresolved breaks of a provider and stage that are older than so many business days, once each,
 * and says so in their trails. Returns how many are newly marked; a second time none.
 */
export async function escalateBreaks(
  tx: PoolClient,
  { provider, stage, today, businessDaysOld, holidays, runId }: Escalation,
): Promise<number> {
  const { rowCount } = await tx.query(
    `with due as materialized (
       select b.break_id, b.state from break b
        where b.provider = $1 and b.stage = $2 and b.state <> 'resolved' and b.escalated_at is null
          and b.business_on < $3::date
        order by b.break_id for update
     ), escalated as (
       update break b set escalated_at = now() from due where b.break_id = due.break_id
       returning b.break_id, due.state
     )
     insert into break_event (break_id, who, action, from_state, to_state, note)
     select break_id, 'jeongsan', 'escalated', state, state, $4 from escalated order by break_id`,
    [
      provider,
      stage,
      olderThanCutOff(today, businessDaysOld, holidays).toString(),
      `> ${businessDaysOld} business days in ${runId}`,
    ],
  );
  return rowCount ?? 0;
}
