import { setTimeout as wait } from 'node:timers/promises';
import type { ClientBase, PoolClient } from 'pg';
import type { Pool } from '../database/pool.ts';

const lock = 'jeongsan.engine.table';
const lookAgainMs = 100;
const lockTimeoutMs = 10_000;

/**
 * Changes the shape of the engine's tables (an index, a trigger), one process and one change at a time: two of them at
 * once wait for each other, since who makes an index without locking waits for everybody who looks at the table.
 * Returns false, with nothing done, where another one is at it for longer than `patienceMs`. What `change` waits for a
 * lock, it waits 10 s at most; `stop` ends what it is at.
 */
export async function changeEngineTable(
  pool: Pool,
  patienceMs: number,
  change: (client: PoolClient) => Promise<void>,
  stop?: AbortSignal,
): Promise<boolean> {
  const client = await pool.connect();
  const { processID } = client as PoolClient & { readonly processID: number };
  const cancel = (): void => {
    pool.query('select pg_cancel_backend($1)', [processID]).catch(() => {});
  };
  stop?.addEventListener('abort', cancel, { once: true });
  try {
    const until = performance.now() + patienceMs;
    while (!(await mayChangeEngineTable(client))) {
      if (performance.now() >= until) return false;
      await wait(lookAgainMs);
    }
    await client.query(`set lock_timeout = ${lockTimeoutMs}`);
    stop?.throwIfAborted();
    await change(client);
    return true;
  } finally {
    stop?.removeEventListener('abort', cancel);
    // The lock goes with its connection.
    client.release(true);
  }
}

/**
 * Whether the session may change the engine's tables, from now on until it ends. Whoever may not asks again: a session that
 * waited for the lock inside a statement would itself be waited for.
 */
export async function mayChangeEngineTable(session: ClientBase): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked',
    [lock],
  );
  return rows[0]?.locked === true;
}
