import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { runId, step } from '../platform/durable/step.ts';
import { createLog } from '../platform/log.ts';
import { runActCommands } from './run-act-commands.ts';
import { type RunEngine, runCommands } from './run-commands.ts';

const silent = createLog({ logLevel: 'fatal' });
const id = 'reconcile:2026-11-20:1';
let database: TestDatabase;
let durable: Durable;
let broken = true;
let ranBefore = 0;

beforeAll(async () => {
  database = await testDatabase();
  const { pool, url } = database;
  durable = createDurable({ databaseUrl: url, pool, log: silent });
  const stage = durable.register('reconcile-stage', async (name: string) => {
    await step('collect', async () => {
      silent.info({ name }, 'looking');
      ranBefore += 1;
    });
    await step('load', async () => {
      silent.warn('nothing there');
      if (broken) throw new Problem('not_found', { what: 'file', id: name });
    });
    return name;
  });
  const day = durable.register('reconcile', async (names: string[]) => {
    const ends: string[] = [];
    for (const name of names) {
      const handle = await durable.start(stage, `${runId()}/${name}`, name);
      const [end] = await Promise.allSettled([handle.result()]);
      ends.push(end?.status ?? '');
    }
    await step('finish', async () => ends.length);
    if (broken) throw new Problem('not_found', { what: 'day', id: 3 });
    return ends;
  });
  await durable.launch();
  await pool.query(
    `insert into reconciliation_run (run_id, business_on, attempt, providers, stages, started_by, outcome, started_at)
     values ($1, '2026-11-20', 1, '{ksnet}', '{transaction}', 'kim', 'incomplete', now()),
            ('reconcile:2026-11-19:1', '2026-11-19', 1, '{ksnet}', '{transaction}', 'lee', null, '2026-11-19')`,
    [id],
  );
  await pool.query(
    `insert into reconciliation_run_stage (run_id, provider, stage, outcome, detail, started_at, finished_at, lines)
     values ($1, 'ksnet', 'transaction', 'failed', '{"error": "x"}', now(), now(), 12345)`,
    [id],
  );
  const handle = await durable.start(day, id, ['ksnet/transaction']);
  await handle.result().catch(() => undefined);
});
afterAll(async () => {
  await durable.shutdown(1000);
  await database.close();
});

const now = () => Temporal.Now.instant();

async function withEngine<T>(work: (engine: RunEngine) => Promise<T>): Promise<T> {
  const backfills = { start: () => Promise.reject(new Error('none here')) };
  return await work({
    pool: database.pool,
    durable,
    backfills,
    now,
    result: (run) => durable.handle(run).result(),
  });
}

const runs = (...line: string[]) =>
  runCommand(database.pool, ['runs', ...line], (program, context, output) =>
    runActCommands(runCommands(program, context, { now, output }), context, { now, withEngine, output }),
  );

test('the list: newest first, with what went wrong in words, and what never began', async () => {
  const { said } = await runs();
  expect(said).toMatch(
    /^reconcile:2026-11-20:1 +failed +INCOMPLETE +kim +[\d-]{10} [\d:]{8} +[\d.]+ s +day not found: 3$/m,
  );
  expect(said).toMatch(/^reconcile:2026-11-19:1 +never begun +lee/m);
  expect(said).not.toContain('/ksnet');
  const json = JSON.parse((await runs('list', '--json')).said);
  expect(json.map((run: { id: string }) => run.id)).toEqual([id, 'reconcile:2026-11-19:1']);
  expect(json[0]).toMatchObject({
    job: 'reconcile',
    state: 'failed',
    on: '2026-11-20',
    startedBy: 'kim',
    outcome: 'incomplete',
    error: { code: 'not_found', message: 'day not found: 3' },
  });
});

test.each([
  [['--on', '2026-11-19'], ['reconcile:2026-11-19:1']],
  [['--on', '2026-11-20'], [id]],
  [['--on', '2026-11-02'], []],
  [['--state', 'failed'], [id]],
  [['--state', 'done,running'], []],
  [['--limit', '1'], [id]],
])('runs %j', async (line, expected) => {
  const json = JSON.parse((await runs(...line, '--json')).said);
  expect(json.map((run: { id: string }) => run.id)).toEqual(expected);
});

test.each([
  [['--on', '20261120'], 'usage'],
  [['--state', 'sleeping'], 'usage'],
  [['--limit', 'all'], 'usage'],
  [['show', 'reconcile:2020-01-01:1'], 'not_found'],
  [['restart', 'reconcile:2020-01-01:1'], 'not_found'],
] as const)('runs %j is refused as %s', async (line, code) => {
  const refused = await runs(...line).catch((error: unknown) => error);
  expect(isProblem(refused, code)).toBe(true);
});

test('one run: its parts, its steps with times, how to restart it', async () => {
  const { said } = await runs('show', id);
  expect(said).toMatch(/^Error +day not found: 3$/m);
  expect(said).toMatch(/^Restart +jeongsan runs restart reconcile:2026-11-20:1$/m);
  expect(said).toMatch(/^ksnet\/transaction +failed +failed +12,345 +[\d.]+ s +file not found: ksnet\/transaction$/m);
  expect(said).toMatch(/0 +start ksnet\/transaction .*\n *1 +wait for ksnet\/transaction /);
  expect(said).toMatch(/finish +[\d-]{10} [\d:]{8} +0\.\d{3} s/);
  const part = await runs('show', `${id}/ksnet/transaction`);
  expect(part.said).toMatch(/1 +load +[\d-]{10} [\d:]{8} +[\d.]+ s +file not found: ksnet\/transaction/);
  expect(part.said).toContain('jeongsan runs restart reconcile:2026-11-20:1\n');
  const json = JSON.parse((await runs('show', id, '--json')).said);
  expect(json).toMatchObject({
    restart: `jeongsan runs restart ${id}`,
    parts: [{ id: `${id}/ksnet/transaction`, state: 'failed' }],
    stages: [{ provider: 'ksnet', stage: 'transaction', lines: 12_345 }],
  });
});

test('what was said in a run and its parts, from a level up, and what happened in it until its end', async () => {
  await eventually(async () => expect((await runs('logs', id)).said).toContain('nothing there'));
  expect((await runs('logs', id)).said).toMatch(
    /^\d\d:\d\d:\d\d info \[0 ksnet\/transaction\] looking +\w+.*\n\d\d:\d\d:\d\d warn \[1 ksnet\/transaction\] nothing there/m,
  );
  expect((await runs('logs', id, '--level', 'warn')).said).not.toContain('looking');
  await expect(runs('logs', id, '--level', 'loud')).rejects.toMatchObject({ code: 'usage' });
  const followed = await runs('follow', id);
  expect(followed.said).toMatch(/✓ 0 start ksnet\/transaction .*\n✗ 1 wait for ksnet\/transaction /);
  expect(followed.said).toMatch(/reconcile:2026-11-20:1: failed\n$/);
  expect(followed.exitCode).toBe(1);
});

test('many are acted on only where something says which; each has its outcome', async () => {
  await expect(runs('restart', '--state', 'failed')).rejects.toMatchObject({ code: 'bulk_unfiltered' });
  expect((await runs('restart', '--on', '2026-11-20', '--dry-run')).said).toMatch(/^reconcile:2026-11-20:1 +would$/m);
  expect(JSON.parse((await runs('cancel', '--on', '2026-11-20', '--json')).said)).toEqual([]);
  await expect(runs('cancel', id)).rejects.toMatchObject({ code: 'run_over' });
});

test('restarted while still broken it fails again; mended, it goes on where it failed', async () => {
  expect((await runs('restart', id)).exitCode).toBe(1);
  expect(ranBefore).toBe(1);
  broken = false;
  const mended = await runs('restart', id);
  expect(mended.said).toMatch(/^State +done$/m);
  expect(mended.said).not.toContain('Restart');
  // The run ended, and its day is incomplete.
  expect(mended.exitCode).toBe(3);
  expect(ranBefore).toBe(1);
  const again = await runs('restart', id).catch((error: unknown) => error);
  expect(isProblem(again, 'run_not_restartable')).toBe(true);
});

test('what keeps a restart from beginning is not hidden', async () => {
  const add = (...[program, context, output]: Parameters<Parameters<typeof runCommand>[2]>) =>
    runActCommands(runCommands(program, context, { now, output }), context, {
      now,
      output,
      withEngine: () => Promise.reject(new Error('no server')),
    });
  await expect(runCommand(database.pool, ['runs', 'restart', id], add)).rejects.toThrow('no server');
});
