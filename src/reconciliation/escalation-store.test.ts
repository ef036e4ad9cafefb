import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenBreak } from '../../test/support/breaks.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { showBreak } from './break-store.ts';
import { escalateBreaks } from './escalation-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test('unresolved breaks older than so many business days are escalated, once', async () => {
  const given = {
    // Friday 2026-11-20 is today; the Wednesday before is a holiday.
    fourOld: { on: '2026-11-13' },
    threeOld: { on: '2026-11-16' },
    fresh: { on: '2026-11-20' },
    resolved: { on: '2026-11-02', state: 'resolved' },
    gone: { on: '2026-11-02', gone: true },
    investigating: { on: '2026-11-02', state: 'investigating' },
    otherStage: { on: '2026-11-02', stage: 'capture' },
    otherProvider: { on: '2026-11-02', provider: 'welcome-online' },
  } as const;
  const ids = new Map<string, number>();
  for (const [name, fields] of Object.entries(given)) ids.set(name, await givenBreak(database.pool, fields));
  const escalate = () =>
    inTransaction(database.pool, (tx) =>
      escalateBreaks(tx, {
        provider: 'ksnet',
        stage: 'transaction',
        today: Temporal.PlainDate.from('2026-11-20'),
        businessDaysOld: 3,
        holidays: new Set(['2026-11-18']),
        runId: 'reconcile:2026-11-20:1',
      }),
    );
  expect(await escalate()).toBe(2);
  expect(await escalate()).toBe(0);
  const escalated: string[] = [];
  for (const [name, id] of ids) {
    const found = await showBreak(database.pool, id);
    if (found.escalatedAt !== null) escalated.push(name);
    expect(found.events.map((event) => event.action)).toEqual(found.escalatedAt === null ? [] : ['escalated']);
  }
  expect(escalated).toEqual(['fourOld', 'investigating']);
});
