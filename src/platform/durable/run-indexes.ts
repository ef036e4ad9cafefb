import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from '../database/pool.ts';
import type { Log } from './engine-log.ts';
import { changeEngineTable } from './engine-table.ts';
import { hiddenWorkflow } from './run-list.ts';

/**
 * Ours on the engine's table: the history of all but payouts, by time and by business day. The engine's migrations know
 * nothing of them and leave them; payouts pay nothing for them.
 */
const indexes: Readonly<Record<string, string>> = {
  jeongsan_run_listed: '(created_at, workflow_uuid)',
  jeongsan_run_day: `(substring(workflow_uuid from '\\d{4}-\\d{2}-\\d{2}'), created_at, workflow_uuid)`,
};

const againMs = 60_000;

/** Makes the indexes beside all other work, and tries again where others were in the way, until it is stopped. */
export function startRunIndexes(pool: Pool, log: Log, everyMs = againMs): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (await ensureRunIndexes(pool, signal)) return;
      } catch (error) {
        log.debug({ reason: (error as Error).message }, 'the indexes of the history are tried again');
      }
      await wait(everyMs, undefined, { signal, ref: false }).catch(() => {});
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/**
 * Makes the indexes by which the history is listed where they are missing, without keeping anybody from working; one
 * process at a time. Costs one query where they are there. Lists are right without them, only slower. False where another
 * process is at it.
 */
export async function ensureRunIndexes(pool: Pool, stop?: AbortSignal): Promise<boolean> {
  const { rows } = await pool.query<{ name: string; valid: boolean }>(
    `select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid = to_regclass('dbos.workflow_status') and c.relname = any ($1)`,
    [Object.keys(indexes)],
  );
  const valid = rows.filter((row) => row.valid).map((row) => row.name);
  const missing = Object.entries(indexes).filter(([name]) => !valid.includes(name));
  if (missing.length === 0) return true;
  const make = async (client: Pick<Pool, 'query'>): Promise<void> => {
    for (const [name, columns] of missing) {
      // What a process left that died while it made one is not used by anybody.
      await client.query(`drop index concurrently if exists dbos.${name}`);
      stop?.throwIfAborted();
      await client.query(
        `create index concurrently ${name} on dbos.workflow_status ${columns}
          where parent_workflow_id is null and name <> '${hiddenWorkflow}'`,
      );
      stop?.throwIfAborted();
    }
  };
  return await changeEngineTable(pool, 0, make, stop);
}
