import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Account } from './server-account.ts';

/** What a running server says of itself in `postmaster.pid`. */
export type Postmaster = { readonly pid: number; readonly port: number; readonly state: string };

/** How an attempt to start ended. `fault` is the server's own last word. */
export type StartOutcome = { readonly postmaster: Postmaster } | { readonly fault: string };

const logLimitBytes = 16 * 1024 ** 2;
const logTailBytes = 16 * 1024;

/** An environment in which no setting of the user's shell reaches the server, and its messages are in English. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** The server of this data folder, when its process is alive; what a killed one left behind is removed. */
export function findPostmaster(data: string): Postmaster | undefined {
  const file = join(data, 'postmaster.pid');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const [pid, folder, , port, , , , state] = lines;
  if (pid === undefined || folder === undefined) return undefined;
  if (isServerOf(Number(pid), data))
    return { pid: Number(pid), port: Number(port), state: state?.trim() ?? 'starting' };
  // A process id that now belongs to some other program would keep PostgreSQL from starting for ever. Should a server
  // process of the old run still be alive, the new one finds it by its shared memory and refuses.
  if (folder === data) rmSync(file, { force: true });
  return undefined;
}

function isServerOf(pid: number, data: string): boolean {
  const words = existsSync('/proc/self/cmdline')
    ? readOr(`/proc/${pid}/cmdline`, '').split('\0')
    : spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
        .stdout.trim()
        .split(' -D ');
  return basename(words[0] ?? '').startsWith('postgres') && words.some((word) => word.startsWith(data));
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

/** Starts a server that outlives us, and waits until it accepts connections; recovery after a crash may take its time. */
export async function startPostmaster(options: {
  readonly programs: string;
  readonly data: string;
  readonly port: number;
  readonly log: string;
  readonly account: Account;
  readonly timeoutMs: number;
}): Promise<StartOutcome> {
  const { programs, data, port, log, account, timeoutMs } = options;
  if (statSync(log).size > logLimitBytes) renameSync(log, `${log}.1`);
  const logFile = openSync(log, 'a', 0o600);
  const logStart = statSync(log).size;
  const child = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port)], {
    ...account,
    cwd: data,
    env: serverEnvironment(),
    // A session of its own: Ctrl-C in the terminal is ours to handle, and our death is not the server's.
    detached: true,
    stdio: ['ignore', logFile, logFile],
  });
  closeSync(logFile);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', () => {
    ended = lastFault(log, logStart);
  });
  child.unref();
  const deadline = performance.now() + timeoutMs;
  while (ended === undefined && performance.now() < deadline) {
    await wait(20);
    const found = findPostmasterOf(data, child.pid);
    if (found?.state === 'ready') return { postmaster: found };
  }
  return { fault: ended ?? `not ready after ${timeoutMs / 1000} seconds` };
}

function findPostmasterOf(data: string, pid: number | undefined): Postmaster | undefined {
  const [first, , , port, , , , state] = readOr(join(data, 'postmaster.pid'), '').split('\n');
  if (Number(first) !== pid || pid === undefined) return undefined;
  return { pid, port: Number(port), state: state?.trim() ?? 'starting' };
}

function lastFault(log: string, from: number): string {
  // Long after a good start the whole home may be gone, and with it the log.
  if (!existsSync(log)) return '';
  const written = readFileSync(log).subarray(from).subarray(-logTailBytes).toString('utf8');
  const lines = written.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => /\b(FATAL|PANIC|ERROR|WARNING|HINT|DETAIL):|could not|invalid/.test(line));
  return (telling.length > 0 ? telling : lines.slice(-3)).map((line) => line.replace(/^.*?\] +/, '')).join('; ');
}

/** "Fast": running statements are rolled back, everything committed is kept. False when it did not end in time. */
export async function stopPostmaster({ pid }: Postmaster, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  signal(pid, 'SIGINT');
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await wait(20);
  }
  return true;
}

function isAlive(pid: number): boolean {
  // A server that ended as a child of ours stays as a zombie until Node has collected it.
  const state = readOr(`/proc/${pid}/stat`, '').split(') ').at(-1)?.[0];
  return state === 'Z' ? false : signal(pid, 0);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A port of the loopback that nothing listens on at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('bug: a TCP server has a port');
  return address.port;
}
