import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { createPool, type Pool } from '../../src/platform/database/pool.ts';

/** A database of a test's own. */
export type TestDatabase = { readonly url: string; readonly pool: Pool; close(): Promise<void> };

/**
 * A migrated, empty database, cloned from this run's template in some tens of milliseconds. One per test file is usual.
 * `empty: true` gives one without any schema. Call `close()` in `afterAll`.
 */
export async function testDatabase(
  options: { readonly empty?: boolean; readonly max?: number } = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const server = createPool(inject('serverUrl'), { applicationName: 'test', max: 1 });
  const template = options.empty ? 'template1' : inject('templateName');
  await server.query(`create database ${name} template ${template}`);
  const address = new URL(inject('serverUrl'));
  address.pathname = `/${name}`;
  const pool = createPool(address.href, { applicationName: name, max: options.max ?? 10 });
  return {
    url: address.href,
    pool,
    async close() {
      await pool.end();
      // Processes that a test killed may still be connected.
      await server.query(`drop database if exists ${name} with (force)`);
      await server.end();
    },
  };
}
