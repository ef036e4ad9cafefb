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
  const pool = createPool(url, {
    applicationName: options.applicationName ?? 'jeongsan',
    max: options.max ?? 10,
    onLost: (error) => log.warn({ err: error }, 'a database connection was lost'),
  });
  const close = async () => {
    await pool.end();
    await server?.close();
  };
  try {
    await probe(pool);
    const applied = await migrate(pool);
    if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');
  } catch (error) {
    await close();
    throw error;
  }
  return { url, pool, embedded: server !== undefined, close };
}

/** Tells a server that cannot be reached from a statement that fails. */
async function probe(pool: Pool): Promise<void> {
  try {
    await pool.query('select 1');
  } catch (error) {
    throw new Problem('database_unreachable', { reason: describe(error as Error) }, { cause: error });
  }
}

/** A host with several addresses fails with one error for each, and no message of its own. */
function describe(error: Error): string {
  return error instanceof AggregateError ? error.errors.map((each: Error) => each.message).join('; ') : error.message;
}
