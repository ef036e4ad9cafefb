import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type EmbeddedServer, openEmbedded } from '../../src/platform/database/embedded.ts';
import { migrate } from '../../src/platform/database/migrate.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { type FileLock, tryFileLock } from '../../src/platform/file-lock.ts';
import { createLog } from '../../src/platform/log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A real server for this test run; its role may create databases. */
    serverUrl: string;
    /** A migrated database that nobody is connected to. */
    templateName: string;
  }
}

/** Each run has a folder in here, and a lock on it. */
const runsFolder = join(tmpdir(), `jeongsan-test-${userInfo().uid}`);
const log = createLog({ logLevel: 'warn' });

/**
 * For tests alone: a crash of the machine may lose this data, nothing else may. Without waiting for the disk the suite
 * takes a fraction of the time.
 */
const testSettings = { fsync: 'off', full_page_writes: 'off', shared_buffers: '512MB', max_wal_size: '2GB' };

/** One real PostgreSQL for the whole run: DATABASE_URL, or an embedded server in a folder of its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL'];
  const own = given ? undefined : await startOwn();
  const serverUrl = given || own?.server.url || '';
  const templateName = `jeongsan_template_${process.pid}`;
  await administer(serverUrl, `create database ${templateName}`);
  const pool = createPool(databaseUrl(serverUrl, templateName), { applicationName: 'test-setup', max: 2 });
  try {
    await migrate(pool);
  } finally {
    await pool.end();
  }
  project.provide('serverUrl', serverUrl);
  project.provide('templateName', templateName);
  return async () => {
    await administer(serverUrl, `drop database ${templateName}`);
    await own?.close();
  };
}

async function startOwn(): Promise<{ server: EmbeddedServer; close(): Promise<void> }> {
  mkdirSync(runsFolder, { recursive: true });
  // The server's account has to pass through when root runs the tests.
  chmodSync(runsFolder, 0o711);
  await removeDeadRuns();
  const run = `${process.pid}-${Date.now()}`;
  // Nobody may take it for a dead run's before its lock is held.
  const hidden = join(runsFolder, `.${run}`);
  mkdirSync(hidden, { mode: 0o711 });
  const lock = tryFileLock(join(hidden, 'run.lock'), 'exclusive');
  const folder = join(runsFolder, run);
  renameSync(hidden, folder);
  const server = await openEmbedded({ home: join(folder, 'home'), log, settings: testSettings, sync: false });
  return {
    server,
    async close() {
      await server.close();
      removeRun(folder, lock);
    },
  };
}

/** A run that was killed leaves its server running; opening and closing it stops it. */
async function removeDeadRuns(): Promise<void> {
  for (const run of readdirSync(runsFolder).filter((name) => !name.startsWith('.'))) {
    const folder = join(runsFolder, run);
    const lock = tryFileLock(join(folder, 'run.lock'), 'exclusive');
    if (!lock) continue;
    const home = join(folder, 'home');
    if (existsSync(home)) {
      const server = await openEmbedded({ home, log, settings: testSettings, sync: false });
      await server.close();
    }
    removeRun(folder, lock);
  }
}

/** Out of the way of other runs first, and only then without its lock: none of them meets a half-removed folder. */
function removeRun(folder: string, lock: FileLock | undefined): void {
  const removed = join(dirname(runsFolder), `${basename(runsFolder)}-removed-${basename(folder)}`);
  renameSync(folder, removed);
  lock?.release();
  rmSync(removed, { recursive: true, force: true });
}

async function administer(url: string, sql: string): Promise<void> {
  const pool = createPool(url, { applicationName: 'test-setup', max: 1 });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}

function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
