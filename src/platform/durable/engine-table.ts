import { setTimeout as wait } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Pool } from '../database/pool.ts';

const lock = 'jeongsan.engine.table';
const lookAgainMs = 100;
const lockTimeoutMs = 10_000;

/**
 * Changes the shape of the engine's tables (an index, a trigger), one process and one change at a time: two of them at
 * once wait for each other, since who makes an index without locking waits for everybody who looks at the table.
 * Returns false, with nothing done, where another one is at it for longer than `patienceMs`. What `change` waits for a
 * lock, it waits 10 s at most.
 */
export async function changeEngineTable(
  pool: Pool,
  patienceMs: number,
  change: (client: PoolClient) => Promise<void>,
): Promise<boolean> {
  const client = await pool.connect();
  try {
    if (!(await take(client, patienceMs))) return false;
    await client.query(`set lock_timeout = ${lockTimeoutMs}`);
    await change(client);
    return true;
  } finally {
    // The lock goes with its connection.
    client.release(true);
  }
}

/** Asks again and again: a session that waits for the lock inside a statement would itself be waited for. */
async function take(client: PoolClient, patienceMs: number): Promise<boolean> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked',
      [lock],
    );
    if (rows[0]?.locked) return true;
    if (performance.now() >= until) return false;
    await wait(lookAgainMs);
  }
}
