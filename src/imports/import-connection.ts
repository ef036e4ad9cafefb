import type { Pool, PoolClient } from 'pg';
import { holdsCardNumber } from '../kernel/card-number.ts';
import { Problem } from '../kernel/problem.ts';

/**
 * Runs an import on a connection of its own, which the signal interrupts.
 * Throws what `work` throws, and `interrupted`, `database_unreachable` and `card_number_given` (of the file's name).
 */
export async function onImportConnection<T>(
  pool: Pool,
  { fileName, signal }: { readonly fileName: string; readonly signal: AbortSignal | undefined },
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  if (holdsCardNumber(fileName)) throw new Problem('card_number_given', { field: 'file name' });
  const client = await connect(pool);
  const stopListening = cancelOnAbort(pool, client, signal);
  // A connection that breaks also fails the statement under way; without a listener it would end the process.
  client.on('error', () => {});
  try {
    return await work(client);
  } catch (error) {
    throw asProblem(error, fileName, signal);
  } finally {
    stopListening();
    // The connection carries the temporary tables and the settings of this import away with it.
    client.release(true);
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw new Problem('database_unreachable', { reason: reasonOf(error) }, { cause: error });
  }
}

/** Asks the server to give up the statement under way, which may run for a minute. Returns how to stop listening. */
function cancelOnAbort(pool: Pool, client: PoolClient, signal: AbortSignal | undefined): () => void {
  const { processID } = client as PoolClient & { readonly processID: number };
  const cancel = (): void => {
    pool.query('select pg_cancel_backend($1)', [processID]).catch(() => {});
  };
  signal?.addEventListener('abort', cancel, { once: true });
  return () => signal?.removeEventListener('abort', cancel);
}

function asProblem(error: unknown, fileName: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof Problem) return error;
  if (signal?.aborted === true) return new Problem('interrupted', { what: fileName }, { cause: error });
  if (isConnectionLost(error)) {
    return new Problem('database_unreachable', { reason: reasonOf(error) }, { cause: error });
  }
  return error;
}

/** Class 08, the three ways in which a server says that it goes away, and what the socket and `pg` say themselves. */
function isConnectionLost(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return (
    /^(08...|57P0[123]|ECONN.*|EPIPE|ETIMEDOUT)$/.test(code) || /Connection terminated|not queryable/.test(message)
  );
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return message || code || String(error);
}
