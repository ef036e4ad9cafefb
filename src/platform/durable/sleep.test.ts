import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createDurable, type Durable, type Handle, type Workflow } from './durable.ts';
import { listSteps } from './runs.ts';
import { sleepUntil } from './sleep.ts';
import { step } from './step.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

let database: TestDatabase;
let durable: Durable;
let nap: Workflow<[string], string>;
let napInStep: Workflow<[string], string>;

beforeAll(async () => {
  database = await testDatabase({ max: 8 });
  durable = createDurable({ databaseUrl: database.url, pool: database.pool, log: silent, lookEveryMs: 10 });
  nap = durable.register('nap', async (until: string) => {
    await sleepUntil(Temporal.Instant.from(until), 'until then');
    return await step('wake', async () => until);
  });
  napInStep = durable.register('nap-in-step', async (until: string) => {
    const retries = { attempts: 7, firstWaitMs: 10 };
    return await step('look and wait', () => lookAndWait(until), { retries });
  });
  await durable.launch();
});

const looking = new Set<string>();
async function lookAndWait(until: string): Promise<string> {
  looking.add(until);
  await sleepUntil(Temporal.Instant.from(until), 'until then');
  return until;
}

afterEach(() => {
  vi.useRealTimers();
});

afterAll(async () => {
  await durable.shutdown(1_000);
  await database.close();
});

const at = (text: string) => Temporal.Instant.from(text).toString();
const isAsleep = (id: string) =>
  eventually(async () => {
    const steps = await listSteps(database.pool, id);
    expect(steps.map(({ name }) => name)).toEqual(['until then']);
  });

test('an instant that has passed is not waited for', async () => {
  const handle = await durable.start(nap, 'nap:past', at('2020-01-01T00:00Z'));
  expect(await handle.result()).toBe('2020-01-01T00:00:00Z');
  const steps = await listSteps(database.pool, 'nap:past');
  expect(steps.map(({ name }) => name)).toEqual(['until then', 'wake']);
});

test('it ends by the wall clock, not before its instant, and no sooner or later when the clock is set', async () => {
  const fakeOnly = (clock: string) => vi.useFakeTimers({ toFake: ['Date'], now: new Date(clock) });
  const waked = new Set<string>();
  const note = (handle: Handle<string>) => handle.result().then(() => waked.add(handle.id));

  fakeOnly('2026-11-21T00:30Z');
  const nine = note(await durable.start(nap, 'nap:nine', at('2026-11-21T09:00:00.0005Z')));
  await isAsleep('nap:nine');
  // An hour back, as a clock that went ahead is set right: another that sleeps less long wakes, this one does not.
  vi.setSystemTime(new Date('2026-11-20T23:30Z'));
  const midnight = note(await durable.start(nap, 'nap:midnight', at('2026-11-21T00:00Z')));
  await isAsleep('nap:midnight');
  vi.setSystemTime(new Date('2026-11-21T00:00Z'));
  await midnight;
  // The machine was suspended until right before the instant, which is half a millisecond after nine.
  vi.setSystemTime(new Date('2026-11-21T09:00Z'));
  const quick = note(await durable.start(nap, 'nap:quick', at('2026-11-21T08:00Z')));
  await quick;
  expect([...waked]).toEqual(['nap:midnight', 'nap:quick']);
  vi.setSystemTime(new Date('2026-11-21T09:00:00.001Z'));
  await nine;
  expect([...waked]).toEqual(['nap:midnight', 'nap:quick', 'nap:nine']);
});

test('a run that is cancelled while it sleeps ends', async () => {
  const handle = await durable.start(nap, 'nap:cancelled', at('2999-01-01T00:00Z'));
  await isAsleep('nap:cancelled');
  await durable.cancel('nap:cancelled');
  await expect(handle.result()).rejects.toThrow('cancelled');
  await eventually(() => expect(durable.running()).not.toContain('nap:cancelled'));
});

test('a step may wait, too: it is one step, and ends as its run does', async () => {
  const handle = await durable.start(napInStep, 'nap:step', at('2020-01-01T00:00Z'));
  expect(await handle.result()).toBe('2020-01-01T00:00:00Z');
  expect((await listSteps(database.pool, 'nap:step')).map(({ name }) => name)).toEqual(['look and wait']);

  const sleeping = await durable.start(napInStep, 'nap:step-cancelled', at('2998-01-01T00:00Z'));
  await eventually(() => expect([...looking]).toContain('2998-01-01T00:00:00Z'));
  await durable.cancel('nap:step-cancelled');
  await expect(sleeping.result()).rejects.toThrow('cancelled');
  expect(await listSteps(database.pool, 'nap:step-cancelled')).toEqual([]);
});

test('a run that was taken over while it slept leaves it to its new owner', async () => {
  await durable.start(nap, 'nap:stolen', at('2999-01-01T00:00Z'));
  await isAsleep('nap:stolen');
  await database.pool.query("update dbos.workflow_status set owner_xid = 'another' where workflow_uuid = 'nap:stolen'");
  await eventually(() => expect(durable.running()).not.toContain('nap:stolen'));
  await database.pool.query("update dbos.workflow_status set status = 'CANCELLED' where workflow_uuid = 'nap:stolen'");
});
