import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { closeFinding, listFindings } from '../findings/store.ts';
import { latenessDefaults } from './lateness.ts';
import { watchLateness } from './lateness-store.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.close());

const at = (time: string) => Temporal.Instant.from(`2026-11-20T${time}+09:00`);

/** A cycle that judged so many captures; without `credited` it is still running. */
async function cycle(slot: string, credited?: string, captures = 1_000, items = captures): Promise<void> {
  await db.pool.query(
    `insert into settlement_cycle (slot, run_id, state, started_by, started_at, credited_at, captures, items)
     values ($1::text::timestamptz, $1, $2, 'test', $1::text::timestamptz, $3, $4, $5)`,
    [
      at(slot).toString(),
      credited === undefined ? 'running' : 'settled',
      credited === undefined ? null : at(credited).toString(),
      captures,
      items,
    ],
  );
}
const found = async () =>
  (await listFindings(db.pool, { closed: true })).map(
    ({ kind, subject, audience, times, closedAt }) =>
      `${kind} ${subject.slice(11, 16)} ${audience} ${times}${closedAt === null ? '' : ' closed'}`,
  );
const watch = (time: string) => watchLateness(db.pool, at(time), latenessDefaults);

test('the person in charge hears once of a slot credited after four minutes, operations after ten', async () => {
  await cycle('11:50', '11:50:03');
  await cycle('12:00', '12:04:01');
  await cycle('12:10', '12:20:01');
  await watch('12:21');
  await watch('12:22');
  expect(await found()).toEqual(['settlement_late 12:10 operations 1', 'settlement_late 12:00 in_charge 1']);
});

test('a slot that is still running is late before it ends, and operations hear when it becomes worse', async () => {
  await cycle('11:50', '11:50:03');
  await cycle('12:00');
  await watch('12:03');
  expect(await found()).toEqual([]);
  await watch('12:04:30');
  expect(await found()).toEqual(['settlement_late 12:00 in_charge 1']);
  await watch('12:10:30');
  await watch('12:10:45');
  expect(await found()).toEqual(['settlement_late 12:00 operations 2']);
});

test('a finding that a person closed does not come again', async () => {
  await cycle('11:50', '11:50:03');
  await cycle('12:00', '12:04:30');
  await watch('12:05');
  await closeFinding(db.pool, { kind: 'settlement_late', subject: '2026-11-20T12:00+09:00', by: 'kim' });
  await watch('12:06');
  expect(await found()).toEqual(['settlement_late 12:00 in_charge 1 closed']);
});

test('the first slot ever is late for nobody', async () => {
  await cycle('12:00', '12:04:30');
  await db.pool.query(`update settlement_cycle set started_at = slot + interval '4 minutes'`);
  await watch('12:05');
  expect(await found()).toEqual([]);
});

test('a backlog that will not be settled in time is foretold, and closed when it is over', async () => {
  await cycle('11:55', '11:55:10', 1_000);
  await watch('12:01');
  expect(await found()).toEqual([]);
  await db.pool.query(`insert into capture_arrival values (1, 'ksnet', '2026-11-20', 24001)`);
  await watch('12:02');
  expect(await found()).toEqual(['settlement_forecast 12:05 in_charge 1']);
  const [finding] = await listFindings(db.pool);
  expect(finding?.detail).toEqual({ expected: 'late', expectedSeconds: 241, waiting: 24_001, stillRunning: 0 });
  await db.pool.query(`update capture_arrival set taken_by = 'run'`);
  await watch('12:05:01');
  expect(await found()).toEqual(['settlement_forecast 12:05 in_charge 1 closed']);
});

test('a cycle that will still be running at the next slot is foretold', async () => {
  await cycle('11:55', '11:55:10', 1_000);
  await cycle('12:00', undefined, 40_000, 10_000);
  await watch('12:01');
  const [finding] = await listFindings(db.pool, { kind: 'settlement_forecast' });
  expect(finding?.detail).toMatchObject({ expected: 'skipped', expectedSeconds: 60, stillRunning: 30_000 });
});
