import { setTimeout as wait } from 'node:timers/promises';
import { getDataSourceMigrationsPG, migrateDataSourcePG } from '@dbos-inc/dbos-sdk/datasource';
import { allMigrations } from '@dbos-inc/dbos-sdk/internal/sysdb_migrations/internal/migrations';
import { ensureSystemDatabase } from '@dbos-inc/dbos-sdk/internal/system_database';
import type { DLogger } from '@dbos-inc/dbos-sdk/internal/telemetry/logs';
import { GlobalLogger } from '@dbos-inc/dbos-sdk/internal/telemetry/logs';
import { Client, Pool } from 'pg';
import { mayChangeEngineTable } from './engine-table.ts';

const waitMs = 100;
/** Ten minutes: the tables of a long history may just be getting an index. */
const waitsMost = 6_000;

/**
 * Brings the engine's tables (schema `dbos`) to what this engine version needs; costs one query where they are there.
 * The engine does not serialise its migrations between processes, so this does, and with all else that changes its tables.
 * It only ever TRIES the lock and sleeps: a session that waited for a lock would hold a snapshot, and CREATE INDEX
 * CONCURRENTLY waits for every snapshot.
 */
export async function migrateEngine(databaseUrl: string, logger: DLogger): Promise<void> {
  const session = new Client({ connectionString: databaseUrl });
  session.on('error', (error) => logger.warn(`The migrating session ended: ${error.message}`));
  await session.connect();
  try {
    for (let waits = 0; !(await isCurrent(session)); waits += 1) {
      if (await mayChangeEngineTable(session)) {
        await migrate(databaseUrl, logger);
        break;
      }
      if (waits >= waitsMost)
        throw new Error(`another process has been migrating for ${(waitMs * waitsMost) / 1000} s`);
      await wait(waitMs);
    }
  } finally {
    await session.end();
  }
}

async function isCurrent(session: Client): Promise<boolean> {
  const { rows } = await session.query<{ there: boolean }>(
    `select to_regclass('dbos.dbos_migrations') is not null
        and to_regclass('dbos.dbos_transaction_completion_migrations') is not null as there`,
  );
  if (!rows[0]?.there) return false;
  const versions = await session.query<{ engine: string | null; dataSource: string | null }>(
    `select (select max(version) from dbos.dbos_migrations) as engine,
            (select max(version) from dbos.dbos_transaction_completion_migrations) as "dataSource"`,
  );
  const engineNeeds = allMigrations('dbos', { useListenNotify: true, isCockroach: false }).length;
  const { engine, dataSource } = versions.rows[0] ?? {};
  return Number(engine ?? 0) >= engineNeeds && Number(dataSource ?? 0) >= getDataSourceMigrationsPG().length;
}

async function migrate(databaseUrl: string, logger: DLogger): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  try {
    await ensureSystemDatabase(databaseUrl, new GlobalLogger(undefined, { logger }), pool, 'dbos', true);
    const client = await pool.connect();
    try {
      await client.query('begin');
      await migrateDataSourcePG(async (sql) => (await client.query(sql)).rows);
      await client.query('commit');
    } finally {
      // Destroyed with whatever it left open where the migration failed.
      client.release(true);
    }
  } finally {
    await pool.end();
  }
}
