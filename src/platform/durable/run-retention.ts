import { inTransaction, type Pool } from '../database/pool.ts';
import { hiddenWorkflow } from './run-list.ts';

/** Which of the engine's records go. */
export type OldRuns = {
  /** Those that ended before. */
  readonly before: Temporal.Instant;
  /** At most so many, their parts not counted. */
  readonly most: number;
  /** Those of `hiddenWorkflow`, or all others. */
  readonly hidden: boolean;
  /** Somebody still goes by these records. */
  readonly keep: readonly string[];
};

/**
 * 보존. Removes ended runs, their parts and all that the engine kept of them, the oldest first; returns how many runs. A
 * run stays while any part of it is at work, however long ago it ended itself, and one that is being restarted is let be.
 */
export async function removeRuns(pool: Pool, { before, most, hidden, keep }: OldRuns): Promise<number> {
  return await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ id: string; root: string }>(
      `with recursive old as (
         select workflow_uuid from dbos.workflow_status r
          where completed_at < $1 and status in (${overStates}) and parent_workflow_id is null
            and name ${hidden ? '=' : '<>'} '${hiddenWorkflow}' and workflow_uuid <> all ($3)
            and not exists (
              with recursive part as (
                select workflow_uuid, status from dbos.workflow_status where parent_workflow_id = r.workflow_uuid
                union all
                select c.workflow_uuid, c.status
                  from part p join dbos.workflow_status c on c.parent_workflow_id = p.workflow_uuid
              ) select from part where status not in (${overStates}))
          order by completed_at limit $2 for update skip locked
       ), tree as (
         select workflow_uuid as root, workflow_uuid as id from old
         union all
         select t.root, c.workflow_uuid from tree t join dbos.workflow_status c on c.parent_workflow_id = t.id
       )
       select id, root from tree`,
      [before.epochMilliseconds, most, keep],
    );
    const ids = rows.map(({ id }) => id);
    // The engine ties none of these to the run any more: it sweeps them itself, or leaves them to us.
    for (const table of ['operation_outputs', 'workflow_input', 'workflow_output', 'workflow_status']) {
      await tx.query(`delete from dbos.${table} where workflow_uuid = any ($1)`, [ids]);
    }
    await tx.query('delete from dbos.transaction_completion where workflow_id = any ($1)', [ids]);
    return new Set(rows.map(({ root }) => root)).size;
  });
}

const overStates = `'SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'`;
