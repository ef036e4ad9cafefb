import { expect } from 'vitest';
import { type Pool, query } from '../../src/platform/database/pool.ts';
import { eventually } from './eventually.ts';

/** When so many sessions of the database wait for a lock of another one. */
export async function lockWaits(pool: Pool, sessions: number): Promise<void> {
  const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await eventually(async () => expect(await query(pool, waits)).toHaveLength(sessions));
}
