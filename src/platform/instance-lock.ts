import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { type FileLock, tryFileLock } from './file-lock.ts';
import { ensureHome } from './home.ts';
import { writePrivately } from './private-file.ts';

/** What the holder tells those who come after it. */
type Holder = { readonly pid: number; readonly since: string; readonly port: number | null };

/** This process's hold on a role in a home, until it releases it or ends. */
export type Instance = {
  /** Says on which port it serves, once that is known. */
  announce(facts: { readonly port: number }): void;
  release(): void;
};

/**
 * Makes this process the only one in this role (`server`) for this home. The operating system holds the lock, so the
 * hold of a killed process is gone with it. Throws `already_running` with the other's process, start and port,
 * `home_unusable`.
 */
export function holdInstance(home: string, role: string, since: Temporal.Instant = Temporal.Now.instant()): Instance {
  ensureHome(home);
  const lockFile = join(home, `${role}.lock`);
  const factsFile = join(home, `${role}.json`);
  const lock = tryFileLock(lockFile, 'exclusive');
  if (!lock) throw alreadyRunning(home, factsFile);
  return hold(lock, factsFile, { pid: process.pid, since: since.toString({ smallestUnit: 'second' }), port: null });
}

function hold(lock: FileLock, factsFile: string, holder: Holder): Instance {
  const write = (facts: Holder) => {
    writePrivately(`${factsFile}.new`, `${JSON.stringify(facts)}\n`);
    renameSync(`${factsFile}.new`, factsFile);
  };
  write(holder);
  return {
    announce: (facts) => write({ ...holder, ...facts }),
    release() {
      rmSync(factsFile, { force: true });
      lock.release();
    },
  };
}

function alreadyRunning(home: string, factsFile: string): Problem {
  let holder: Partial<Holder> = {};
  try {
    holder = JSON.parse(readFileSync(factsFile, 'utf8')) as Holder;
  } catch {
    // It is just starting or just ending, and has nothing to say; it holds the lock all the same.
  }
  return new Problem('already_running', {
    home,
    pid: holder.pid ?? '?',
    since: holder.since ?? '?',
    port: holder.port ?? '?',
  });
}
