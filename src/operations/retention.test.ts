import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createDurable, type Durable, type Workflow } from '../platform/durable/durable.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import { createSettlementBooks, today } from '../settlement/books.fixture.ts';
import { parseSlot } from '../settlement/slot.ts';
import { registerSettlement, type Settlement } from '../settlement/workflow.ts';
import type { Job } from './job.ts';
import { removeAll } from './retention.ts';
import { retentionCommands } from './retention-commands.ts';
import { ownExpiring } from './retention-store.ts';
import { registerRetention } from './retention-workflow.ts';
import { findRuns, inspectRun } from './run-store.ts';
import { watchRuns } from './run-watch-store.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;
let database: TestDatabase;
let durable: Durable;
let settlement: Settlement;
let retention: Job;
let work: Workflow<[], number>;
let whole: Workflow<[], number>;
let deep: Workflow<[], number>;
let payout: Workflow<[], number>;
const gate = Promise.withResolvers<void>();
const now = () => Temporal.Now.instant();

beforeAll(async () => {
  database = await testDatabase();
  const { pool, url } = database;
  durable = createDurable({ databaseUrl: url, pool, log: quiet });
  settlement = registerSettlement(durable, { pool, log: quiet, now, afterCredit: async () => 0 });
  const waits = durable.register('part', async () => {
    await step('wait', () => gate.promise);
    return 1;
  });
  work = durable.register('work', async () => {
    await step('a', async () => 1);
    await transaction('b', async () => 2);
    return 3;
  });
  whole = durable.register('whole', async () => {
    await durable.start(waits, `${runId()}/a`);
    return 1;
  });
  deep = durable.register('deep', async () => (await durable.start(whole, `${runId()}/b`)).result());
  payout = durable.register('payout', async () => 1);
  retention = registerRetention(durable, { pool, log: quiet, expiring: ownExpiring(pool) });
  await durable.launch();
});
afterAll(async () => {
  gate.resolve();
  await durable.shutdown(1000);
  await database.close();
});

const idsOf = async (sql: string) => (await database.pool.query<{ id: string }>(sql)).rows.map(({ id }) => id).sort();
const runs = () => idsOf('select workflow_uuid as id from dbos.workflow_status');
const run = async (workflow: Workflow<[], number>, id: string) => (await durable.start(workflow, id)).result();
const own = (kind: string) => {
  const found = ownExpiring(database.pool).find((each) => each.kind === kind);
  if (found === undefined) throw new Error(kind);
  return found;
};
/** Everything that has ended by now is old. */
const later = () => now().add({ seconds: 1 });
const noPause = async () => {};

test('ended runs go in chunks with all that the engine kept of them; what lives, or is needed, stays', async () => {
  for (const n of [1, 2, 3, 4, 5]) await run(work, `work:${n}`);
  await run(payout, 'payout:1:1');
  await run(payout, 'payout:2:1');
  // Over themselves, while a part, or a part of a part, is still at work.
  await run(whole, 'whole:1');
  await run(deep, 'deep:1');
  await database.pool.query(
    `insert into settlement_cycle (slot, run_id, state, started_by) values ('2026-01-01', 'work:2', 'running', 'test')`,
  );
  // What a process leaves that dies between its commit and the engine's record of it.
  await database.pool.query(
    `insert into dbos.transaction_completion (workflow_id, function_num, output) values ('work:1', 7, ''), ('work:2', 7, '')`,
  );
  const chunks: number[] = [];
  const { remove } = own('run');
  const removed = await removeAll(
    {
      chunk: 2,
      remove: async (before, most) => {
        const gone = await remove(before, most);
        chunks.push(gone);
        return gone;
      },
    },
    later(),
    noPause,
  );
  expect(chunks).toEqual([2, 2, 0]);
  expect(removed).toEqual({ removed: 4, chunks: 3, isLeft: false });
  expect(await runs()).toEqual([
    'deep:1',
    'deep:1/b',
    'deep:1/b/a',
    'payout:1:1',
    'payout:2:1',
    'whole:1',
    'whole:1/a',
    'work:2',
  ]);
  for (const table of ['operation_outputs', 'workflow_input', 'workflow_output']) {
    const left = await idsOf(`select distinct workflow_uuid as id from dbos.${table}`);
    expect(left.filter((id) => id !== 'work:2' && id.startsWith('work'))).toEqual([]);
  }
  expect(await idsOf('select distinct workflow_id as id from dbos.transaction_completion')).toEqual(['work:2']);
  // Payouts have an age of their own.
  await own('payout_run').remove(later(), 100);
  await database.pool.query('delete from settlement_cycle');
  gate.resolve();
  await eventually(async () => {
    await own('run').remove(later(), 100);
    expect(await runs()).toEqual([]);
  });
});

test('a slot whose run is forgotten is not settled again: its business says what it came to', async () => {
  const books = createSettlementBooks(database.pool);
  await books.merchant('M1');
  await books.sales([{ tid: 'a', won: 10_000 }]);
  const slot = parseSlot(`${today}T12:05+09:00`) as Temporal.Instant;
  const first = await settlement.settle(slot, { who: 'test' });
  const balances = await books.balances();
  await books.sales([{ tid: 'b', won: 10_000 }]);
  await own('run').remove(later(), 100);
  expect(await runs()).toEqual([]);
  expect(await settlement.settle(slot, { who: 'test' })).toEqual(first);
  expect(await runs()).toEqual([`settle:${today}T12:05+09:00`]);
  expect(await books.balances()).toEqual(balances);
  expect(await books.items()).toHaveLength(1);
});

test('what was recorded of a run outlives its record of the engine', async () => {
  await run(work, 'work:2026-11-18:1');
  await watchRuns(database.pool, now());
  await own('run').remove(later(), 100);
  const { rows } = await findRuns(database.pool, { on: '2026-11-18', now: now(), limit: 10 });
  expect(rows).toMatchObject([{ id: 'work:2026-11-18:1', job: 'work', state: 'done' }]);
  const shown = await inspectRun(database.pool, 'work:2026-11-18:1', now());
  expect(shown.run).toMatchObject({ state: 'done', steps: [] });
});

test("the clock's last slot stays, though somebody has run the schedule by hand since: nothing before it is due again", async () => {
  const { pool } = database;
  await pool.query(
    `with made as (
       insert into schedule (name, job, cron, time_zone, business_days, misfire, overlap, enabled, changed_by, reason)
       values ('yearly', 'work', '0 0 1 1 *', 'Asia/Seoul', 'every_day', 'run_all', 'skip', true, 'kim', 'test')
       returning schedule_id)
     insert into schedule_slot (schedule_id, nominal_at, kind, state, run_id, started_at, who)
     select schedule_id, at, kind, 'done', 'r', at, 'kim'
       from made, (values (timestamptz '2024-01-01', 'clock'), ('2025-01-01', 'clock'), ('2025-03-01', 'hand'),
                          ('2025-04-01', 'hand')) s (at, kind)`,
  );
  expect(await own('schedule_slot').remove(later(), 100)).toBe(1);
  expect(await idsOf(`select to_char(nominal_at, 'YYYY-MM') as id from schedule_slot`)).toEqual([
    '2025-01',
    '2025-03',
    '2025-04',
  ]);
});

test('the job removes each kind by its age, which people set', async () => {
  const { pool } = database;
  await pool.query(
    `insert into run_log (run_id, said_at, level, kind, message, detail, executor_id)
     select 'x', timestamptz '2026-11-20' - n * interval '1 day', 'info', 'line', n::text, '{}', 'e'
       from generate_series(60, 1, -1) n`,
  );
  await pool.query(
    `insert into bank_callback (bank, received_at, body_sha256, body, verdict)
     values ('b', '2026-01-01', 'x', '', 'wrong_signature'), ('b', '2026-01-01', 'x', '', 'unreadable')`,
  );
  const command = (...line: string[]) =>
    runCommand(pool, ['retention', ...line], (program, context, output) =>
      retentionCommands(program, context, { expiring: ownExpiring, output }),
    );
  expect((await command('set', 'run_log', '10', '--reason', 'too much')).said).toMatch(/run_log .* 10 +30$/m);
  await expect(command('set', 'payments', '10', '--reason', 'x')).rejects.toMatchObject({ code: 'not_found' });
  await expect(command('set', 'run_log', '0', '--reason', 'x')).rejects.toMatchObject({ code: 'usage' });
  const slot = Temporal.Instant.from('2026-11-20T00:00Z');
  const call = { schedule: 'retention', slot, on: Temporal.PlainDate.from('2026-11-20'), parameters: {}, who: 'test' };
  const id = 'retention:2026-11-20T09:00+09:00';
  const { done } = await retention.start(id, call);
  expect(await done).toMatchObject({ removed: { run_log: 50, unsigned_callback: 1 } });
  expect(await idsOf('select verdict as id from bank_callback')).toEqual(['unreadable']);
  const { rows } = await pool.query(
    `select who, act, reason, detail -> 'after' ->> 'keep_days' as days from audit_entry where subject = 'retention_rule:run_log'`,
  );
  expect(rows).toEqual([{ who: 'operator', act: 'retention_rule.added', reason: 'too much', days: '10' }]);
});
