import { setTimeout as wait } from 'node:timers/promises';
import type { PoolClient, QueryResultRow } from 'pg';
import { Pool, types } from 'pg';
import { beginning } from './acting.ts';

export type { Pool, PoolClient } from 'pg';

/** Anything that runs SQL: the pool, or the client of a transaction. */
export type Queryable = Pick<Pool, 'query'> | Pick<PoolClient, 'query'>;

type Parse = (text: string) => unknown;
const { getTypeParser } = types as { getTypeParser(oid: number, format?: 'text' | 'binary'): Parse };

/** PostgreSQL's own numbers of these types. */
const oid = { int8: 20, int8Array: 1016, date: 1082, dateArray: 1182, textArray: 1009 };

const parsers = new Map<number, Parse>([
  [oid.int8, BigInt],
  [oid.date, (text) => text],
  [oid.int8Array, (text) => (getTypeParser(oid.textArray)(text) as (string | null)[]).map(toBigInt)],
  [oid.dateArray, getTypeParser(oid.textArray)],
]);

function toBigInt(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

const columnTypes = {
  getTypeParser(type: number, format?: 'text' | 'binary') {
    const own = format === 'binary' ? undefined : parsers.get(type);
    return own ?? getTypeParser(type, format);
  },
};

/**
 * Connections to PostgreSQL. `bigint` columns come as `bigint`, `date` columns as 'YYYY-MM-DD'.
 * Timeouts are the callers': a batch may hold all connections for minutes, and who waits for one waits.
 */
export function createPool(
  url: string,
  options: {
    readonly applicationName: string;
    readonly max?: number;
    /** An idle connection was lost. It is replaced at the next use, so this is for the log. */
    readonly onLost?: (error: Error) => void;
  },
): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.max ?? 10,
    keepAlive: true,
    types: columnTypes,
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => options.onLost?.(error));
  return pool;
}

/** The rows of a query. */
export async function query<Row extends QueryResultRow>(
  db: Queryable,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return (await db.query<Row>(sql, [...values])).rows;
}

const deadlock = '40P01';
const triesMost = 5;
const otherFirstMs = 20;
const idleMs = 60_000;

/**
 * Runs `work` in one transaction: committed when it returns, rolled back when it throws. Where PostgreSQL rolls it back
 * because it and another one wait for each other, it is run again, so `work` changes nothing but rows through `tx`. A
 * process that freezes in the midst of it keeps nobody waiting for more than a minute.
 */
export async function inTransaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transact(pool, work, `; set local idle_in_transaction_session_timeout = ${idleMs}`);
    } catch (error) {
      if (tries >= triesMost || (error as { code?: unknown }).code !== deadlock) throw error;
      // Else it might be back before the other one has what it waited for.
      await wait(otherFirstMs * tries * (0.5 + Math.random()));
    }
  }
}

/** The same for `work` that cannot be run again: what it reads or writes elsewhere is used up. */
export function inTransactionOnce<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  return transact(pool, work, '');
}

async function transact<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>, settings: string): Promise<T> {
  const client = await pool.connect();
  let lost: Error | undefined;
  const onError = (error: Error) => {
    lost = error;
  };
  client.on('error', onError);
  try {
    await client.query(`${beginning()}${settings}`);
    const value = await work(client);
    await client.query('commit');
    return value;
  } catch (error) {
    // A connection that cannot roll back is closed instead of reused; the server rolls back by itself.
    await client.query('rollback').catch((reason: Error) => {
      lost ??= reason;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(lost);
  }
}
