import { AsyncLocalStorage } from 'node:async_hooks';
import { DBOS } from '@dbos-inc/dbos-sdk';
import type { DataSourceTransactionHandler } from '@dbos-inc/dbos-sdk/datasource';
import { DBOSWorkflowConflictError, isPGKeyConflictError } from '@dbos-inc/dbos-sdk/datasource';
import { currentOwnerXid } from '@dbos-inc/dbos-sdk/internal/context';
import { check } from '../../kernel/check.ts';
import { inTransactionOnce, type Pool, type PoolClient } from '../database/pool.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { retryFaults } from './database-fault.ts';

export const dataSourceName = 'jeongsan';

/**
 * How long a transaction may sit idle before the server ends it: a frozen process keeps its row locks no longer than
 * this from whoever took its work over. Waiting for a file inside COPY is not idle.
 */
const idleInTransactionMs = 60_000;

const current = new AsyncLocalStorage<PoolClient>();

/** The client of the transaction that is running here. */
export function currentTransaction(): PoolClient {
  const client = current.getStore();
  check(client, 'no transaction is running');
  return client;
}

/** Which step of which run a transaction belongs to, and who owned the run when this execution began. */
type Place = { runId: string; step: number; ownerXid: string };

/**
 * The engine's transactional data source on our own pool. Published ones do not run with this engine version.
 * The step's rows, its checkpoint and the proof that this execution still owns the run are one transaction.
 */
export function createDataSource(pool: Pool): DataSourceTransactionHandler {
  return {
    name: dataSourceName,
    initialize: async () => {},
    destroy: async () => {},

    async invokeTransactionFunction(name, target, body, ...args) {
      const place = currentPlace();
      const run = (client: PoolClient) => current.run(client, () => body.call(target, ...args));
      if (!place) return await inOwnTransaction(pool, run);
      // A commit whose answer was lost is not repeated: the checkpoint that committed with it is found first. So is one
      // that another execution of the same step wrote meanwhile.
      return await retryFaults(isCheckpointConflict, async () => {
        const recorded = await findCheckpoint(pool, place);
        if (recorded) return decodeCheckpoint(recorded.output);
        return await inOwnTransaction(pool, async (client) => {
          const value = await run(client);
          await saveCheckpoint(client, place, encodeCheckpoint(String(name), value));
          await assertStillOwner(client, place);
          return value;
        });
      });
    },

    async deleteCheckpoints(runId, firstStep, beforeCommit) {
      await inTransactionOnce(pool, async (client) => {
        await client.query('delete from dbos.transaction_completion where workflow_id = $1 and function_num >= $2', [
          runId,
          firstStep,
        ]);
        await beforeCommit?.();
      });
    },
  };
}

function currentPlace(): Place | undefined {
  const runId = DBOS.workflowID;
  if (runId === undefined) return undefined;
  const step = DBOS.stepID;
  const ownerXid = currentOwnerXid(runId);
  check(step !== undefined && ownerXid !== undefined, `a transaction of ${runId} has no step or no owner`);
  return { runId, step, ownerXid };
}

async function findCheckpoint(pool: Pool, { runId, step }: Place): Promise<{ output: string | null } | undefined> {
  const { rows } = await pool.query<{ output: string | null }>(
    'select output from dbos.transaction_completion where workflow_id = $1 and function_num = $2',
    [runId, step],
  );
  return rows[0];
}

async function saveCheckpoint(client: PoolClient, { runId, step }: Place, output: string): Promise<void> {
  await client.query(
    'insert into dbos.transaction_completion (workflow_id, function_num, output) values ($1, $2, $3)',
    [runId, step, output],
  );
}

/**
 * The fence against a zombie: an execution whose run was taken over while it was frozen rolls back here.
 * It comes after the checkpoint's insert, and that order closes the gap between looking and committing: whoever takes
 * the run over later waits at the same primary key for this commit, and then finds the checkpoint instead of running.
 */
async function assertStillOwner(client: PoolClient, { runId, ownerXid }: Place): Promise<void> {
  const { rows } = await client.query<{ owner_xid: string | null }>(
    'select owner_xid from dbos.workflow_status where workflow_uuid = $1',
    [runId],
  );
  if (rows[0]?.owner_xid !== ownerXid) throw new DBOSWorkflowConflictError(runId);
}

/** READ COMMITTED, always: the fence has to see what others committed after this transaction began. */
const settings = `set transaction isolation level read committed;
  set local idle_in_transaction_session_timeout = ${idleInTransactionMs}`;

async function inOwnTransaction<T>(pool: Pool, body: (tx: PoolClient) => Promise<T>): Promise<T> {
  return await inTransactionOnce(pool, async (tx) => {
    await tx.query(settings);
    return await body(tx);
  });
}

function isCheckpointConflict(error: unknown): boolean {
  return isPGKeyConflictError(error) && (error as { table?: string }).table === 'transaction_completion';
}
