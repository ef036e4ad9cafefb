import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { query } from '../platform/database/pool.ts';
import { heedMaintenance, maintenanceCommands } from './maintenance-commands.ts';
import { nodeCommands } from './node-commands.ts';
import { watchNodes } from './node-store.ts';
import { scheduleChangeCommands } from './schedule-change-commands.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { createSchedulingWorld, type SchedulingWorld } from './scheduling.fixture.ts';

let db: TestDatabase;
let world: SchedulingWorld;

beforeAll(async () => {
  db = await testDatabase();
  world = createSchedulingWorld(db.pool, '2026-11-20T12:02:10+09:00');
});
afterAll(async () => {
  await world.stop();
  await db.close();
});

async function say(line: string, language: 'ko' | 'en' = 'en'): Promise<string> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const { said } = await runCommand(
    db.pool,
    words,
    (program, context, output) => {
      const { now } = world;
      const withJobs = <T>(work: (engine: { pool: typeof db.pool; jobs: typeof world.jobs }) => Promise<T>) =>
        work({ pool: db.pool, jobs: world.jobs });
      const noun = scheduleCommands(program, context, { output, now });
      scheduleChangeCommands(noun, context, { output, now, withJobs });
      maintenanceCommands(program, context, { banks: ['json-van'], output, now });
      nodeCommands(program, context, { output });
    },
    { language },
  );
  return said;
}

test('a schedule from its making to its end', async () => {
  const made = await say(
    'schedule add nightly --job count --cron "0 3 * * *" --days business-days --misfire run-all:3 --overlap queue-one --late-after 30 --long-after never --why wanted --json',
  );
  expect(JSON.parse(made)).toMatchObject({
    name: 'nightly',
    businessDays: 'business_days',
    misfire: 'run_all',
    misfireMost: 3,
    overlap: 'queue_one',
    lateAfterSeconds: 30,
    longAfterSeconds: null,
    changedBy: 'operator',
    // Friday noon: the next open day is Monday.
    nextAt: '2026-11-22T18:00:00Z',
  });
  expect(await say('schedule list')).toMatch(/nightly +count +0 3 \* \* \* +Asia\/Seoul +2026-11-23 03:00:00/);
  expect(await say('schedule next nightly --count 2')).toMatch(/2026-11-23 03:00:00 .*\n2026-11-24 03:00:00/);
  await say('schedule edit nightly --cron "30 3 * * *" --seen 1 --why later --by kim');
  expect(await say('schedule show nightly', 'ko')).toMatch(/변경 +2026-.* kim: later/);
  await expect(say('schedule edit nightly --disable --seen 1 --why off')).rejects.toMatchObject({
    code: 'version_differs',
  });
  await say('schedule edit nightly --disable --why off');
  expect(await say('schedule list')).toMatch(/nightly .* off/);
  expect(await say('schedule remove nightly --why over')).toBe('nightly: removed\n');
  expect(await say('schedule next')).not.toContain('nightly');
});

test('what did not run is shown with why', async () => {
  await say('schedule add five --job count --cron "*/5 * * * *" --misfire skip --why wanted');
  world.jump('2026-11-20T12:12:10+09:00');
  world.node();
  await world.idle();
  expect(await say('schedule slots --schedule five --state missed')).toMatch(
    /2026-11-20 12:10:00 +five +missed \(no node was there\)/,
  );
  expect(await say('schedule slots --schedule five --until 2026-11-20T12:10', 'ko')).toMatch(
    /누락 \(실행할 노드가 없었음\)/,
  );
  const [slot] = JSON.parse(await say('schedule slots --schedule five --limit 1 --json')) as object[];
  expect(slot).toMatchObject({
    schedule: 'five',
    state: 'missed',
    reason: 'stopped',
    nominalAt: '2026-11-20T03:10:00.000Z',
  });
});

test('a person pauses, resumes, and runs now', async () => {
  expect(await say('schedule pause five --until 2026-11-20T13:00 --why bank')).toMatch(
    /paused \(until 2026-11-20 13:00:00\)/,
  );
  await say('schedule resume five --why over');
  expect(await say('schedule run-now five --why now')).toMatch(/^five .*: queued\n$/);
  await world.advance('2026-11-20T12:12:20+09:00');
  expect(world.started.some((text) => text.startsWith('12:12'))).toBe(true);
});

test('maintenance of everything, and of one queue', async () => {
  expect(await say('maintenance')).toBe('no maintenance\n');
  expect(await say('maintenance on --until 2026-11-20T14:00 --why upgrade')).toMatch(
    /^maintenance is on \(0 runs[^*]*\n\* +maintenance \(until 2026-11-20 14:00:00\) .* operator +upgrade/,
  );
  await expect(say('schedule run-now five --why now')).rejects.toMatchObject({ code: 'maintenance_on' });
  const heed = (path: string) => heedMaintenance(path, { pool: async () => db.pool, now: world.now });
  for (const path of ['reconcile', 'runs restart', 'settle']) {
    await expect(heed(path)).rejects.toMatchObject({ code: 'maintenance_on', details: { reason: 'upgrade' } });
  }
  for (const path of ['runs cancel', 'breaks resolve', 'maintenance off']) await heed(path);
  expect(await say('maintenance off --why done', 'ko')).toBe('점검 중이 아닙니다\n');
  expect(await say('maintenance on --queue json-van --why theirs')).toMatch(/json-van +paused/);
  expect(await query(db.pool, `select paused from bank_control where bank = 'json-van'`)).toEqual([{ paused: true }]);
  await say('maintenance off --queue json-van --why over');
});

test.each([
  'schedule add x --job count --why wanted',
  'schedule add x --job count --cron "* * * * *"',
  'schedule edit five --why nothing',
  'schedule edit five --misfire often --why wrong',
  'schedule edit five --misfire skip:3 --why wrong',
  'schedule edit five --enable --disable --why both',
  'schedule edit five --late-after soon --why wrong',
  'schedule edit five --parameters [1] --why wrong',
  'schedule next --count 0',
  'schedule slots --state lost',
  'schedule pause five --until tomorrow --why wrong',
  'maintenance on',
  'maintenance on --queue nobody --why wrong',
])('%s is refused as wrong usage', async (line) => {
  await expect(say(line)).rejects.toMatchObject({ code: 'usage' });
});

test('a node that is lost is forgotten by a person who says why', async () => {
  await query(
    db.pool,
    `insert into node (executor_id, host, pid, version, started_at, seen_at, clock_ahead_ms, disk_free_bytes,
                       disk_all_bytes, loop_delay_ms, memory_bytes)
     select 'away:7:x', 'away', 7, '1', now() - interval '1 h', now() - interval '1 min', 0, 1, 1, 0, 1`,
  );
  await watchNodes(db.pool);
  await expect(say('nodes forget away:7')).rejects.toMatchObject({ code: 'usage' });
  expect(await say('nodes forget away:7 --why gone', 'ko')).toBe(
    '노드 away:7을(를) 더 찾지 않습니다 (종결한 발견 1건)\n',
  );
  expect(JSON.parse(await say('nodes forget away:7 --why again --json'))).toEqual({
    node: 'away:7',
    closedFindings: 0,
  });
});
