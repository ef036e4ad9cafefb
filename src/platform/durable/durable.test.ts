import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import type { Pool } from '../database/pool.ts';
import type { Durable, Handle } from './durable.ts';
import { createDurable } from './durable.ts';
import { listRuns, showRun } from './runs.ts';
import { runId, step, transaction } from './step.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

let durable: Durable;
let database: TestDatabase;
let pool: Pool;
/** What ran, in order; a replayed step is not in it. */
const ran: string[] = [];
const broken = new Set<string>();
/** What waits to be let go. */
const held = new Map<string, Promise<void>>();
const warned: string[] = [];
/** Whether the engine called itself healthy when it warned. */
const healthyThen = new Map<string, boolean>();

function failWhileBroken(what: string) {
  ran.push(what);
  if (broken.has(what)) throw new Problem('not_found', { what, id: 7n });
}

function workflows(engine: Durable) {
  const threeSteps = engine.register('three-steps', async (label: string) => {
    await step('one', async () => ran.push(`${label} one`));
    await transaction('two', async (tx) => {
      await tx.query('insert into effect (run_id, label) values ($1, $2)', [runId(), label]);
      failWhileBroken(`${label} two`);
    });
    return await step('three', async () => ({ label, amountWon: 2n ** 60n, nothing: undefined }));
  });
  const child = engine.register('child', async (label: string) => {
    await step('before', async () => ran.push(`${label} before`));
    await step('work', async () => {
      failWhileBroken(`${label} work`);
      await held.get(`${label} work`);
    });
    return label;
  });
  const parent = engine.register('parent', async (labels: string[]) => {
    await step('prepare', async () => ran.push('prepare'));
    const handles: Handle<string>[] = [];
    for (const label of labels) handles.push(await engine.start(child, `${runId()}/${label}`, label));
    const ends = await Promise.allSettled(handles.map((handle) => handle.result()));
    const done = ends.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
    await step('conclude', async () => ran.push(`conclude ${done.join(' ')}`));
    if (done.length < labels.length) throw new Problem('usage', { reason: 'a child failed' });
    return done;
  });
  const stages = engine.register('stages', async (first: string, second: string) => {
    const ends: string[] = [];
    for (const label of [first, second]) {
      const handle = await engine.start(child, `${runId()}/${label}`, label);
      const [end] = await Promise.allSettled([handle.result()]);
      ends.push(end?.status ?? 'none');
    }
    return ends;
  });
  const tolerant = engine.register('tolerant', async (label: string) => {
    const handle = await engine.start(child, `${runId()}/${label}`, label);
    const [end] = await Promise.allSettled([handle.result()]);
    return end?.status ?? 'none';
  });
  const large = engine.register('large', async (how: 'step' | 'transaction' | 'result', bytes: number) => {
    const value = 'x'.repeat(bytes);
    if (how === 'step') return (await step('fill', async () => value)).length;
    if (how === 'result') return value;
    const filled = await transaction('fill', async (tx) => {
      await tx.query("insert into effect (run_id, label) values ($1, 'large')", [runId()]);
      return value;
    });
    return filled.length;
  });
  const catching = engine.register('catching', async () => {
    const caught: unknown[] = [];
    for (const attempt of [
      () => step('refuse', async () => failWhileBroken('refusal')),
      () => transaction('refuse', async () => failWhileBroken('refusal')),
    ]) {
      await attempt().catch((error: Error) => caught.push(isProblem(error, 'not_found') && error.details));
    }
    await step('end', async () => failWhileBroken('the end'));
    return caught;
  });
  const patient = engine.register('patient', async (failures: number) => {
    let attempts = 0;
    return await step(
      'flaky',
      async () => {
        attempts += 1;
        if (attempts <= failures) throw Object.assign(new Error('not yet'), { code: 'EAGAIN' });
        return attempts;
      },
      { retries: { attempts: 3, firstWaitMs: 1 } },
    );
  });
  const endless = engine.register('endless', async () => {
    for (let turn = 0; turn < 10_000; turn += 1) await step(`turn ${turn}`, async () => turn);
  });
  return { threeSteps, child, parent, stages, tolerant, large, catching, patient, endless };
}

let w: ReturnType<typeof workflows>;

beforeAll(async () => {
  database = await testDatabase({ empty: true });
  pool = database.pool;
  await pool.query('create table effect (run_id text, label text)');
  const log = {
    ...silent,
    warn: (_data: object, message: string) => {
      warned.push(message);
      healthyThen.set(message, durable.isHealthy());
    },
  };
  durable = createDurable({ databaseUrl: database.url, pool, log });
  w = workflows(durable);
  await durable.launch();
});

afterAll(async () => {
  await durable.shutdown(5_000);
  await database.close();
});

async function effects(id: string): Promise<number> {
  const { rows } = await pool.query('select 1 from effect where run_id = $1', [id]);
  return rows.length;
}

const newId = () => `test:${randomUUID()}`;
const failure = (result: Promise<unknown>) =>
  result.then(
    () => undefined,
    (error: Error) => error,
  );

describe('a run', () => {
  test('gives back what its steps returned, bigint and all', async () => {
    const id = newId();
    const run = await durable.start(w.threeSteps, id, id);
    expect(await run.result()).toEqual({ label: id, amountWon: 2n ** 60n, nothing: undefined });
    expect(await durable.handle(id).result()).toEqual({ label: id, amountWon: 2n ** 60n, nothing: undefined });
  });

  test('started again under its id is the same run with the first result', async () => {
    const id = newId();
    expect(await (await durable.start(w.child, id, 'first')).result()).toBe('first');
    expect(await (await durable.start(w.child, id, 'second')).result()).toBe('first');
  });

  test('is in the history with its steps, times, sizes and error', async () => {
    const id = newId();
    broken.add(`${id} two`);
    await failure((await durable.start(w.threeSteps, id, id)).result());
    const run = await showRun(pool, id);
    expect(run).toMatchObject({ workflow: 'three-steps', state: 'failed', arguments: [id], attempts: 1 });
    expect(run.executorId).toBe(durable.executorId);
    expect(run.error).toMatchObject({ name: 'Problem', code: 'not_found', details: { what: `${id} two`, id: 7n } });
    expect(run.steps.map(({ name, error }) => [name, error?.code])).toEqual([
      ['one', undefined],
      ['two', 'not_found'],
    ]);
    expect(run.steps[0]?.outputBytes).toBeGreaterThan(0);
    expect(Temporal.Instant.compare(run.createdAt, run.completedAt ?? run.createdAt)).toBeLessThanOrEqual(0);
    const [listed] = await listRuns(pool, { idPrefix: id, states: ['failed'] });
    expect(listed?.id).toBe(id);
    expect(await listRuns(pool, { idPrefix: id, states: ['done', 'running'] })).toEqual([]);
  });

  test('cancelled ends before its next step', async () => {
    const run = await durable.start(w.endless, newId());
    expect(durable.running()).toContain(run.id);
    await durable.cancel(run.id);
    expect((await failure(run.result()))?.message).toMatch(/cancelled/);
    expect((await showRun(pool, run.id)).state).toBe('cancelled');
  });
});

describe('restart', () => {
  test('repeats the failed step and not the steps before it; the failed transaction left no row', async () => {
    const id = newId();
    broken.add(`${id} two`);
    expect(isProblem(await failure((await durable.start(w.threeSteps, id, id)).result()), 'not_found')).toBe(true);
    expect(await effects(id)).toBe(0);
    broken.delete(`${id} two`);
    await durable.restart(id);
    expect(await durable.handle<{ label: string }>(id).result()).toMatchObject({ label: id });
    expect(await effects(id)).toBe(1);
    expect(ran.filter((what) => what.startsWith(id))).toEqual([`${id} one`, `${id} two`, `${id} two`]);
  });

  test('repeats failed children before the parent that waits for them', async () => {
    const id = newId();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `${id}-${name}`) as [string, string, string];
    broken.add(`${b} work`);
    await failure((await durable.start(w.parent, id, [a, b, c])).result());
    expect((await showRun(pool, id)).children.map(({ state }) => state)).toEqual(['done', 'failed', 'done']);
    broken.delete(`${b} work`);
    ran.length = 0;
    await durable.restart(id);
    expect(await durable.handle(id).result()).toEqual([a, b, c]);
    expect(ran).toEqual([`${b} work`, `conclude ${a} ${b} ${c}`]);
  });

  test('goes into a run that ended well although a child failed', async () => {
    const id = newId();
    broken.add(`${id} work`);
    expect(await (await durable.start(w.tolerant, id, id)).result()).toBe('rejected');
    broken.delete(`${id} work`);
    await durable.restart(id);
    expect(await durable.handle(id).result()).toBe('fulfilled');
  });

  test('keeps the order of children that the parent starts one after the other', async () => {
    const id = newId();
    const [first, second] = [`${id}-first`, `${id}-second`];
    broken.add(`${first} work`).add(`${second} work`);
    const run = await durable.start(w.stages, id, first, second);
    expect(await run.result()).toEqual(['rejected', 'rejected']);
    broken.clear();
    ran.length = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    held.set(`${first} work`, promise);
    await durable.restart(id);
    await eventually(() => expect(ran).toContain(`${first} work`));
    expect((await showRun(pool, `${id}/${second}`)).state).toBe('waiting');
    resolve();
    expect(await durable.handle(id).result()).toEqual(['fulfilled', 'fulfilled']);
    expect(ran).toEqual([`${first} work`, `${second} work`]);
  });

  test('is refused where nothing failed, and for a run that does not exist', async () => {
    const id = newId();
    await (await durable.start(w.child, id, id)).result();
    expect(isProblem(await failure(durable.restart(id)), 'run_not_restartable')).toBe(true);
    expect(isProblem(await failure(durable.restart(newId())), 'not_found')).toBe(true);
  });
});

describe('a checkpoint', () => {
  test.each(['step', 'transaction', 'result'] as const)('over 1 MB is refused: %s', async (how) => {
    const id = newId();
    const error = await failure((await durable.start(w.large, id, how, 1024 * 1024)).result());
    expect(isProblem(error, 'checkpoint_too_large')).toBe(true);
    expect(await effects(id)).toBe(0);
  });

  test('over 50 KB is warned about, with the step that made it', async () => {
    const id = newId();
    expect(await (await durable.start(w.large, id, 'step', 60_000)).result()).toBe(60_000);
    expect(warned.filter((message) => message.includes(id) && message.includes('fill'))).toHaveLength(1);
  });
});

describe('an error', () => {
  test('keeps name, code and details when its step is replayed', async () => {
    const id = newId();
    broken.add('refusal').add('the end');
    await failure((await durable.start(w.catching, id)).result());
    broken.clear();
    ran.length = 0;
    await durable.restart(id);
    const details = { what: 'refusal', id: 7n };
    expect(await durable.handle(id).result()).toEqual([details, details]);
    expect(ran).toEqual(['the end']);
  });

  test('of a retried step is the one of its last try', async () => {
    expect(await (await durable.start(w.patient, newId(), 2)).result()).toBe(3);
    const error = await failure((await durable.start(w.patient, newId(), 3)).result());
    expect(error).toMatchObject({ message: 'not yet', code: 'EAGAIN' });
  });
});

test('a lost proof of life shows and is taken again', async () => {
  const lost = 'the proof of life is lost; taking it again';
  expect(durable.isHealthy()).toBe(true);
  await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
                     where datname = current_database() and application_name like 'jeongsan proof of life%'`);
  await eventually(() => {
    expect(healthyThen.get(lost)).toBe(false);
    expect(durable.isHealthy()).toBe(true);
  });
});

test('before the first launch there has been no run', async () => {
  const empty = await testDatabase({ empty: true });
  expect(await listRuns(empty.pool)).toEqual([]);
  expect(isProblem(await failure(showRun(empty.pool, 'any')), 'not_found')).toBe(true);
  await empty.close();
});

test('a second engine in the same process is a bug', () => {
  expect(() => createDurable({ databaseUrl: '', pool, log: silent })).toThrow('already');
});
