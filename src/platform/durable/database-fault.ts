import { setTimeout as wait } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { noteRetry, unheard } from './run-log.ts';

/** Together some five minutes: a restarted or failed-over server is waited for, a server that stays away is not. */
const attemptsMax = 40;
const backOffMs = { first: 50, most: 10_000 };

/** SQLSTATEs after which PostgreSQL has rolled back and the same transaction may well succeed. */
const passingStates = new Set([
  '40001', // serialization failure
  '40P01', // deadlock: this side was chosen to give way
  '40003', // completion unknown
  '25P03', // idle in transaction for too long
  '53300', // too many connections
  '57P01', // shutdown
  '57P02', // crash
  '57P03', // still starting up
]);

const lostConnection =
  /connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|server closed the connection/i;

/**
 * True where the database, not the work, is at fault: a conflict, a lost connection or a server that is away.
 * Whether a lost transaction committed is unknown then, so only work with a checkpoint may be repeated.
 */
export function isPassingFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isPassingFault);
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Of the connection's states 08P01, a protocol violation, is a wrong statement of ours: it would fail again for ever.
  if (code !== undefined && (passingStates.has(code) || /^08(?!P01)[0-9A-Z]{3}$/.test(code))) return true;
  return syscall === 'connect' || syscall === 'read' || syscall === 'write' || lostConnection.test(error.message);
}

/** Tries again, ever more slowly, where the database was at fault or `also` says so. */
export async function retryFaults<T>(also: (error: unknown) => boolean, attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts >= attemptsMax || !(isPassingFault(error) || also(error))) throw error;
      noteRetry(attempts, error);
      unheard(() => DBOS.logger.warn(`A transaction is tried again (${attempts}): ${(error as Error).message}`));
      const backOff = Math.min(backOffMs.most, backOffMs.first * 2 ** (attempts - 1));
      await wait(backOff * (0.5 + Math.random() / 2));
    }
  }
}
