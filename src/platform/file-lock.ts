import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../kernel/problem.ts';

/** A lock that is held until `release()` or until the process ends, however it ends. */
export type FileLock = { release(): void };

export type LockKind = 'exclusive' | 'shared';

const sqliteBusy = 5;

/**
 * A lock between processes on one machine, or nothing when another holds it. The file stays; it means nothing.
 * The operating system itself holds it, through SQLite's file locking, since Node has none of its own: a process that
 * is killed gives it up in the same moment, so there is no stale lock to detect and no reused process id to fear.
 */
export function tryFileLock(path: string, kind: LockKind): FileLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // No journal file beside the lock; nothing is ever written.
    database.exec('pragma journal_mode = memory');
    database.exec(kind === 'exclusive' ? 'begin exclusive' : 'begin; select count(*) from sqlite_schema');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

/** Waits for the lock. Throws `lock_timeout`. */
export async function acquireFileLock(
  path: string,
  kind: LockKind,
  { timeoutMs = 300_000, everyMs = 25 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<FileLock> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const lock = tryFileLock(path, kind);
    if (lock) return lock;
    if (performance.now() >= deadline) {
      throw new Problem('lock_timeout', { lock: path, seconds: Math.round(timeoutMs / 1000) });
    }
    await wait(everyMs);
  }
}
