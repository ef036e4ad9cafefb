import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { Problem } from '../../kernel/problem.ts';
import { acquireFileLock, tryFileLock } from '../file-lock.ts';
import type { Log } from '../log.ts';
import { ensureCluster, roleName, settingsFileName } from './cluster.ts';
import { findServerPlace, findServerPrograms, type ServerPlace } from './server-place.ts';
import { findFreePort, findPostmaster, type Postmaster, startPostmaster, stopPostmaster } from './server-process.ts';
import { type Machine, type ServerSettings, serverSettings, settingsFile } from './server-settings.ts';

/** A share in the server of a home. */
export type EmbeddedServer = {
  readonly url: string;
  readonly port: number;
  /** Gives the share back. The last one stops the server. */
  close(): Promise<void>;
};

const startAttemptsMax = 20;
const startTimeoutMs = 5 * 60_000;
const stopTimeoutMs = 2 * 60_000;

/**
 * Uses the PostgreSQL server of this home: the one that runs, whoever started it, or else starts it. Every user of the
 * server holds a shared lock that dies with its process; whoever closes and finds no other stops it. So a server whose
 * starter was killed is used and stopped by whoever comes next.
 * `settings` go before those for this machine; `sync: false` makes the data folder without waiting for the disk, which
 * only tests may want.
 * Throws `home_unusable`, `embedded_unavailable`, `embedded_start_failed`, `embedded_data_missing`, `disk_full`,
 * `lock_timeout`.
 */
export async function openEmbedded(options: {
  readonly home: string;
  readonly log: Log;
  readonly settings?: ServerSettings;
  readonly sync?: boolean;
}): Promise<EmbeddedServer> {
  const { log } = options;
  const place = findServerPlace(options.home);
  const data = join(place.cluster, 'data');
  const lock = await acquireFileLock(place.lock, 'exclusive');
  try {
    const programs = await findServerPrograms(place.account);
    await ensureCluster(place, programs, options.sync ?? true);
    const running = await findReady(data);
    const server = running ?? (await start(place, data, programs, options));
    log.info(
      { serverPid: server.pid, port: server.port, folder: place.folder },
      running ? 'PostgreSQL found' : 'PostgreSQL started',
    );
    const url = await ensureDatabase(place, server);
    const share = await acquireFileLock(place.users, 'shared');
    return { url, port: server.port, close: () => close(place, data, share, log) };
  } finally {
    lock.release();
  }
}

async function close(place: ServerPlace, data: string, share: { release(): void }, log: Log): Promise<void> {
  const lock = await acquireFileLock(place.lock, 'exclusive');
  try {
    share.release();
    const alone = tryFileLock(place.users, 'exclusive');
    if (!alone) return;
    alone.release();
    const server = findPostmaster(data);
    if (!server) return;
    const stopped = await stopPostmaster(server, stopTimeoutMs);
    log.info({ serverPid: server.pid, stopped }, stopped ? 'PostgreSQL stopped' : 'PostgreSQL is still stopping');
  } finally {
    lock.release();
  }
}

/** The server that runs, once it has finished starting; nothing when none runs or it has finished stopping. */
async function findReady(data: string): Promise<Postmaster | undefined> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const server = findPostmaster(data);
    if (!server || server.state === 'ready') return server;
    if (performance.now() > deadline) {
      throw new Problem('embedded_start_failed', {
        reason: `process ${server.pid} is still ${server.state}`,
        log: data,
      });
    }
    await wait(50);
  }
}

type StartOptions = { readonly log: Log; readonly settings?: ServerSettings };

/** Tries again where the reason may pass or has another way around it: a taken port, a predecessor that still ends. */
async function start(place: ServerPlace, data: string, programs: string, options: StartOptions): Promise<Postmaster> {
  const { account, log, folder } = place;
  let settings = { ...serverSettings(await thisMachine(folder)), ...options.settings };
  let port = rememberedPort(folder) ?? (await findFreePort());
  let fault = '';
  for (let attempt = 1; attempt <= startAttemptsMax; attempt += 1) {
    writeOwned(place, join(data, settingsFileName), settingsFile(settings));
    const outcome = await startPostmaster({ programs, data, port, log, account, timeoutMs: startTimeoutMs });
    if ('postmaster' in outcome) {
      writeOwned(place, portFile(folder), `${port}\n`);
      return outcome.postmaster;
    }
    fault = outcome.fault;
    options.log.warn({ attempt, port, fault }, 'PostgreSQL did not start');
    if (/No space left on device/.test(fault) && !/shared memory/.test(fault)) {
      throw new Problem('disk_full', { folder: data, reason: fault });
    }
    if (/Address already in use|could not create any TCP\/IP sockets/.test(fault)) port = await findFreePort();
    else if (/lock file .* already exists|pre-existing shared memory|still in use/.test(fault)) await wait(500);
    else if (/shared memory/.test(fault) && settings['dynamic_shared_memory_type'] !== 'mmap') {
      settings = { ...settings, dynamic_shared_memory_type: 'mmap' };
    } else break;
  }
  throw new Problem('embedded_start_failed', { reason: fault, log });
}

async function thisMachine(folder: string): Promise<Machine> {
  const free = async (path: string) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  };
  // A container's limit, where there is one, is less than the machine's memory; without one Node says 0 or 2^64.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return {
    memoryBytes: Math.min(totalmem(), limit),
    cores: availableParallelism(),
    diskFreeBytes: await free(folder),
    sharedMemoryBytes: existsSync('/dev/shm') ? await free('/dev/shm') : 0,
    platform: process.platform,
  };
}

/** The same port as last time, where it is still free, so that a bookmark or another tool keeps working. */
function rememberedPort(folder: string): number | undefined {
  const file = portFile(folder);
  const port = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined;
}

function portFile(folder: string): string {
  return join(folder, 'port');
}

function writeOwned({ account }: ServerPlace, file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  if (account) chownSync(file, account.uid, account.gid);
}

/** The database's URL. It is made where a start was interrupted before it was. */
async function ensureDatabase({ cluster, log }: ServerPlace, { port }: Postmaster): Promise<string> {
  const password = readFileSync(join(cluster, 'password'), 'utf8').trim();
  const url = (database: string) => `postgres://${roleName}:${password}@127.0.0.1:${port}/${database}`;
  const client = new Client({ connectionString: url('postgres'), connectionTimeoutMillis: 30_000 });
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [roleName]);
    if (rowCount === 0) await client.query(`create database ${roleName}`);
  } catch (error) {
    throw new Problem('embedded_start_failed', { reason: (error as Error).message, log }, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
  return url(roleName);
}
