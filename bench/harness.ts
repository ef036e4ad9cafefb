/** What the benches share: a server of their own in a temporary home, processes of their own to measure in, the output. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEmbedded } from '../src/platform/database/embedded.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool, type Pool } from '../src/platform/database/pool.ts';
import { createLog } from '../src/platform/log.ts';

/** A migrated database, its address, and a folder for files; all of it is gone afterwards. */
export type Bench = { readonly home: string; readonly url: string; readonly pool: Pool };

/** Runs `measure` on a server that nobody else uses, with the settings that it is shipped with. */
export async function onServer<T>(connections: number, measure: (bench: Bench) => Promise<T>): Promise<T> {
  const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-bench-'));
  // When root measures, the server's account has to pass through; else the data would lie, and stay, elsewhere.
  chmodSync(home, 0o711);
  try {
    const server = await openEmbedded({ home, log: createLog({ logLevel: 'warn' }) });
    try {
      const pool = createPool(server.url, { applicationName: 'bench', max: connections });
      try {
        await migrate(pool);
        return await measure({ home, url: server.url, pool });
      } finally {
        await pool.end();
      }
    } finally {
      await server.close();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Runs a file of this folder in a process of its own, so that its memory is its own, with the request as JSON in its
 * first argument; returns the one message that it sends.
 */
export async function inProcess<T extends object>(file: string, request: object): Promise<T> {
  const child = fork(path.join(import.meta.dirname, file), [JSON.stringify(request)]);
  const ended = once(child, 'exit');
  const [said] = (await Promise.race([once(child, 'message'), ended])) as [T | number | null];
  if (typeof said !== 'object' || said === null) throw new Error(`the measured process ended with ${said}`);
  await ended;
  return said;
}

/** The one in the middle of them by its figure. */
export function median<T>(list: readonly T[], by: (each: T) => number): T {
  const sorted = [...list].sort((a, b) => by(a) - by(b));
  return sorted[Math.floor(sorted.length / 2)] as T;
}

/** How far the log of the database has been written, in bytes. */
export async function walPosition(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(`select pg_current_wal_lsn() - '0/0' as bytes`);
  return Number(rows[0]?.bytes);
}

/** One JSON document, or a line for each figure. */
export function print(figures: Readonly<Record<string, unknown>>, json: boolean): void {
  const shown = (value: unknown) =>
    typeof value === 'number' ? value.toLocaleString('en') : typeof value === 'string' ? value : JSON.stringify(value);
  const lines = Object.entries(figures).map(([name, value]) => `${name.padEnd(28)} ${shown(value)}\n`);
  process.stdout.write(json ? `${JSON.stringify(figures)}\n` : lines.join(''));
}
