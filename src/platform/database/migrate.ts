import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { Problem } from '../../kernel/problem.ts';
import { repositoryRoot } from '../config.ts';
import { type Pool, query } from './pool.ts';

export const migrationFolder = join(repositoryRoot, 'migrations');

/** Any number that nothing else in this database locks: the bytes of 'jeongsan'. */
const advisoryLock = 0x6a656f6e6773616en;
const lockTimeoutMs = 10 * 60_000;
const deadlock = '40P01';
const triesMost = 10;
const otherFirstMs = 100;

type Migration = { readonly number: number; readonly name: string; readonly sha256: string; readonly sql: string };
type Applied = { readonly number: number; readonly name: string; readonly sha256: string };

/**
 * Brings the database to the schema that this code expects; each file is one transaction. Processes that start together
 * take turns. Returns the numbers of the migrations that were applied now.
 * Throws `migration_invalid` when files are misnamed, doubled, missing or changed, `migration_failed` when one fails.
 */
export async function migrate(pool: Pool, folder: string = migrationFolder): Promise<number[]> {
  const migrations = await readMigrations(folder);
  const client = await pool.connect();
  try {
    await lock(client);
    await client.query(`create table if not exists schema_migration (
      number     int primary key,
      name       text not null,
      sha256     text not null,
      applied_at timestamptz not null default now()
    )`);
    const applied = await query<Applied>(client, 'select number, name, sha256 from schema_migration order by number');
    refuse(historyFaults(migrations, applied));
    const pending = migrations.slice(applied.length);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ number }) => number);
  } finally {
    // Closes the connection, which gives up the lock and an unfinished transaction.
    client.release(true);
  }
}

/** The migrations of a folder in their order. Throws `migration_invalid`. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  const faults = files.filter((file) => !/^\d{4}_[a-z0-9_]+\.sql$/.test(file)).map((file) => `${file}: misnamed`);
  refuse(faults);
  const migrations = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(join(folder, file));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { number: Number(file.slice(0, 4)), name: file.slice(5, -4), sha256, sql: bytes.toString('utf8') };
    }),
  );
  refuse(sequenceFaults(migrations));
  return migrations;
}

function sequenceFaults(migrations: readonly Migration[]): string[] {
  const faults: string[] = [];
  let expected = 1;
  for (const { number, name } of migrations) {
    if (number < 1) faults.push(`${fileName(number, name)}: the number ${number} is below 1`);
    else if (number < expected) faults.push(`${fileName(number, name)}: the number ${number} is used twice`);
    if (number > expected) faults.push(`${fileName(number, name)}: number ${expected} is missing before it`);
    expected = number + 1;
  }
  return faults;
}

/** What was applied has to be the beginning of what is there, byte for byte. */
function historyFaults(migrations: readonly Migration[], applied: readonly Applied[]): string[] {
  const faults: string[] = [];
  for (const [i, { number, name, sha256 }] of applied.entries()) {
    const file = fileName(number, name);
    const now = migrations[i];
    if (!now) faults.push(`${file}: was applied to this database, but its file is missing`);
    else if (now.number !== number || now.name !== name) {
      faults.push(`${file}: was applied to this database, but ${fileName(now.number, now.name)} is in its place`);
    } else if (now.sha256 !== sha256) faults.push(`${file}: was changed after it was applied to this database`);
  }
  return faults;
}

/** Servers of the version before may be at work: one that waits for a migration which waits for it is let through first. */
async function apply(client: PoolClient, { number, name, sha256, sql }: Migration): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query('begin');
      await client.query(sql);
      const applied = [number, name, sha256];
      await client.query('insert into schema_migration (number, name, sha256) values ($1, $2, $3)', applied);
      await client.query('commit');
      return;
    } catch (error) {
      if (tries >= triesMost || (error as { code?: unknown }).code !== deadlock) {
        const reason = (error as Error).message;
        throw new Problem('migration_failed', { file: fileName(number, name), reason }, { cause: error });
      }
      await client.query('rollback');
      await wait(otherFirstMs * tries);
    }
  }
}

/**
 * Asks again and again instead of waiting inside PostgreSQL: a waiting statement keeps a snapshot, which would deadlock
 * with a migration that waits for all older snapshots to end.
 */
async function lock(client: PoolClient): Promise<void> {
  const deadline = performance.now() + lockTimeoutMs;
  for (;;) {
    const [row] = await query<{ locked: boolean }>(client, 'select pg_try_advisory_lock($1) as locked', [advisoryLock]);
    if (row?.locked) return;
    if (performance.now() > deadline) {
      throw new Problem('lock_timeout', { lock: 'schema_migration', seconds: lockTimeoutMs / 1000 });
    }
    await wait(50);
  }
}

function refuse(faults: readonly string[]): void {
  if (faults.length > 0) {
    throw new Problem('migration_invalid', { faults: faults.map((fault) => `  ${fault}`).join('\n') });
  }
}

function fileName(number: number, name: string): string {
  return `${String(number).padStart(4, '0')}_${name}.sql`;
}
