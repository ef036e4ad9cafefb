import { Client } from 'pg';
import { Problem } from '../../kernel/problem.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { openEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';
import { createPool, type Pool } from './pool.ts';

/** An open database, at the schema that this code expects. */
export type Database = {
  /** Holds a password: never to be logged. */
  readonly url: string;
  readonly pool: Pool;
  readonly embedded: boolean;
  /** Ends the connections; the last user of an embedded server stops it. */
  close(): Promise<void>;
};

const connectTimeoutMs = 30_000;
const oldestVersion = 15;

/**
 * Opens DATABASE_URL, or the embedded server of the home, which is started if need be, and migrates it.
 * Throws `database_unreachable`, and what `openEmbedded` and `migrate` throw.
 */
export async function openDatabase(
  config: Pick<Config, 'home' | 'databaseUrl'>,
  log: Log,
  options: { readonly applicationName?: string; readonly max?: number } = {},
): Promise<Database> {
  const server = config.databaseUrl ? undefined : await openEmbedded({ home: config.home, log });
  const url = config.databaseUrl?.reveal() ?? server?.url ?? '';
  let closing = false;
  const pool = createPool(url, {
    applicationName: options.applicationName ?? 'jeongsan',
    max: options.max ?? 10,
    // Once we close, the server may be gone before the last connection is.
    onLost: (error) => closing || log.warn({ err: error }, 'a database connection was lost'),
  });
  const close = async () => {
    closing = true;
    await pool.end();
    await server?.close();
  };
  try {
    await probe(url);
    const applied = await migrate(pool);
    if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');
  } catch (error) {
    await close();
    throw error;
  }
  return { url, pool, embedded: server !== undefined, close };
}

/** Tells a server that cannot be reached, or is too old, from a statement that fails. */
async function probe(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
    const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    if (version < oldestVersion) {
      throw new Error(`it is PostgreSQL ${version}, and ${oldestVersion} or newer is needed`);
    }
  } catch (error) {
    throw new Problem('database_unreachable', { reason: describe(error as Error) }, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}

/** A host with several addresses fails with one error for each, and no message of its own. */
function describe(error: Error): string {
  return error instanceof AggregateError ? error.errors.map((each: Error) => each.message).join('; ') : error.message;
}
