import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { createSchedulingWorld, type SchedulingWorld } from './scheduling.fixture.ts';

export type SchedulingTest = { readonly db: TestDatabase; readonly world: SchedulingWorld };

/** A time of the day on which all of it happens. */
export const at = (time: string) => `2026-11-20T${time}+09:00`;

/**
 * What each test of slots begins with: a database without schedules, and a world of its own, some minutes past noon.
 * `begin` is given them before each; `emptied` are tables besides those of schedules.
 */
export function schedulingSuite(
  begin: (test: SchedulingTest) => void,
  emptied: readonly string[] = [],
): { findings(): Promise<string[]> } {
  let db: TestDatabase;
  let world: SchedulingWorld;
  beforeAll(async () => {
    db = await testDatabase();
  });
  beforeEach(async () => {
    const tables = ['schedule', 'schedule_slot', 'pause', 'finding', ...emptied].join(', ');
    await db.pool.query(`truncate ${tables} restart identity cascade`);
    world = createSchedulingWorld(db.pool, at('12:02:10'));
    begin({ db, world });
  });
  afterEach(() => world.stop());
  afterAll(() => db.close());
  return {
    findings: async () => (await listFindings(db.pool)).map(({ kind, subject }) => `${kind} ${subject}`).sort(),
  };
}
