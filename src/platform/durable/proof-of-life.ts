import { Client } from 'pg';
import type { Log } from './engine-log.ts';

/**
 * 생존 증명. A session of PostgreSQL that holds an advisory lock named after this process. Who can take that lock knows
 * that the process is dead: the server releases it when the connection ends, and ends the connection when the process
 * has not said anything for `frozenAfterMs` (frozen, or cut off).
 */
export type ProofOfLife = {
  /** False while the session is lost: others may take this process's work over, and only the fence protects the data. */
  isHeld(): boolean;
  /** When the lock was last taken, in ms since the epoch. */
  heldSince(): number;
  /** Runs a query on the session, taking the lock first where it was lost. Also the sign of life. */
  query<Row extends object>(sql: string, values: unknown[]): Promise<Row[]>;
  /** Gives the lock back: from now on others may take over what is left of this process's work. */
  release(): Promise<void>;
};

export type Identity = { databaseUrl: string; executorId: string; frozenAfterMs: number; log: Log };

const answerWithinMs = 10_000;

/** `values`: the executor whose lock it is. */
export const tryLockSql = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as locked';
export const unlockSql = 'select pg_advisory_unlock(hashtextextended($1, 0))';

/** The name of the lock of one executor. */
export function lockName(executorId: string): string {
  return `jeongsan.executor.${executorId}`;
}

export function createProofOfLife(identity: Identity): ProofOfLife {
  const { executorId, log } = identity;
  let session: Client | undefined;
  let heldSinceMs = 0;
  let released = false;

  const lose = (client: Client, reason: string) => {
    if (session !== client) return;
    session = undefined;
    if (!released) log.warn({ executorId, reason }, 'the proof of life is lost; taking it again');
    client.end().catch(() => {});
  };

  const take = async (): Promise<Client> => {
    const client = await openSession(identity);
    client.on('error', (error) => lose(client, error.message));
    client.on('end', () => lose(client, 'the session ended'));
    if (heldSinceMs > 0) log.info({ executorId }, 'the proof of life is taken again');
    session = client;
    heldSinceMs = Date.now();
    return client;
  };

  return {
    isHeld: () => session !== undefined,
    heldSince: () => heldSinceMs,
    async query<Row extends object>(sql: string, values: unknown[]): Promise<Row[]> {
      const client = session ?? (await take());
      try {
        return (await client.query<Row>(sql, values)).rows;
      } catch (error) {
        // Whatever it was, a session that did not answer proves nothing.
        lose(client, (error as Error).message);
        throw error;
      }
    },
    async release() {
      released = true;
      await session?.end();
      session = undefined;
    },
  };
}

/** @throws where the lock is not free yet: the server has not noticed that our last session is gone, or someone is taking over. */
async function openSession({ databaseUrl, executorId, frozenAfterMs }: Identity): Promise<Client> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `jeongsan proof of life ${executorId}`,
    keepAlive: true,
    connectionTimeoutMillis: answerWithinMs,
    query_timeout: answerWithinMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(`set idle_session_timeout = ${frozenAfterMs}`);
    const { rows } = await client.query<{ locked: boolean }>(tryLockSql, [lockName(executorId)]);
    if (!rows[0]?.locked) throw new Error(`the lock of ${executorId} is held by another session`);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
