import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { Problem } from '../kernel/problem.ts';
import { whileActing } from '../platform/database/acting.ts';
import { createDurable, type Durable, type Workflow } from '../platform/durable/durable.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import { createLog } from '../platform/log.ts';
import { registerBackfills } from './backfill-workflow.ts';
import { collectJobs, registerJob } from './job.ts';
import { ownExpiring } from './retention-store.ts';
import { ruleRoutes } from './rule-api.ts';
import { runRoutes } from './run-api.ts';
import { followRun } from './run-follow-store.ts';

const log = createLog({ logLevel: 'fatal' });
let database: TestDatabase;
let durable: Durable;
let api: ServedApi;
let differential: Workflow<[object], object>;
let reconcile: Workflow<[object], object>;
let gate = Promise.withResolvers<void>();
let broken = true;
const now = () => Temporal.Now.instant();

beforeAll(async () => {
  database = await testDatabase();
  const { pool, url } = database;
  durable = createDurable({ databaseUrl: url, pool, log });
  let tries = 0;
  differential = durable.register('differential', async () => {
    const selected = await transaction('select', async () => {
      log.info({ provider: 'nice' }, 'selecting');
      return { candidates: 20_000, held: 3n, batchId: 7, differenceWon: 123_456n };
    });
    await step(
      'send',
      async () => {
        tries += 1;
        if (tries < 3) throw new Error('not there yet');
        if (broken) throw new Problem('not_found', { what: 'file', id: runId() });
      },
      { retries: { attempts: 5, firstWaitMs: 1 } },
    );
    return selected;
  });
  const stage = durable.register('reconcile-stage', async () => {
    await step('wait', () => gate.promise);
    return { lines: 12n };
  });
  reconcile = durable.register('reconcile', async () =>
    (await durable.start(stage, `${runId()}/ksnet/capture`)).result(),
  );
  const payout = durable.register('payout', async () => 1);
  const job = registerJob(
    durable,
    { name: 'count', words: { ko: '세기', en: 'count' }, parameters: z.strictObject({}) },
    async ({ on }) => ({ day: on.toString() }),
  );
  const backfills = registerBackfills(durable, { pool, jobs: () => collectJobs([job]), now });
  await durable.launch();
  const engine = { pool, durable, backfills, now, result: (id: string) => durable.handle(id).result() };
  api = await serveApi(pool, [...runRoutes(engine), ...ruleRoutes({ pool, expiring: ownExpiring(pool) })]);
  const run = async (workflow: Workflow<[object], object>, id: string) =>
    durable.start(workflow, id, { who: 'lee@pg.example' }).then((handle) => handle.result().catch(() => {}));
  await run(differential, 'differential:nice:2026-11-20');
  gate.resolve();
  for (const day of [1, 2, 3, 4, 5]) await run(reconcile, `reconcile:2026-11-0${day}:1`);
  for (const n of [1, 2, 3]) await (await durable.start(payout, `payout:${n}:1`)).result();
});
afterAll(async () => {
  gate.resolve();
  await api.close();
  await durable.shutdown(1000);
  await database.close();
});

const idsOf = async (path: string) => (await api.rows(path)).map((row) => String(row['id']));
const reconciled = [5, 4, 3, 2, 1].map((day) => `reconcile:2026-11-0${day}:1`);
const nice = 'differential:nice:2026-11-20';

test.each([
  ['', [...reconciled, nice]],
  ['limit=2', [...reconciled, nice]],
  ['sort=createdAt&limit=4', [nice, ...reconciled.toReversed()]],
  ['job=payout', ['payout:3:1', 'payout:2:1', 'payout:1:1']],
  ['all=true&state=done&job=payout,reconcile&limit=1', ['payout:3:1', 'payout:2:1', 'payout:1:1', ...reconciled]],
  ['on=2026-11-03', ['reconcile:2026-11-03:1']],
  ['provider=nice', [nice]],
  ['provider=ksnet&since=2020-01-01T00:00:00Z', reconciled],
  ['provider=ksn', []],
  ['state=failed,cancelled', [nice]],
  ['text=FILE%20not%20found', [nice]],
  ['text=%EC%B0%BE%EC%9D%84%20%EC%88%98%20%EC%97%86', [nice]],
  ['text=100%25', []],
  ['atLeastMs=600000', []],
  ['atMostMs=600000&job=differential', [nice]],
  ['node=elsewhere', []],
  ['until=2020-01-01T00:00:00Z', []],
])('runs?%s', async (query, expected) => {
  expect(await idsOf(`/runs?${query}`)).toEqual(expected);
});

test('a run is shown with its steps, counts, rates, retries, who began it, and what went wrong in words', async () => {
  const { body } = await api.get(`/runs/${encodeURIComponent(nice)}`);
  expect(body).toMatchObject({
    id: nice,
    job: 'differential',
    on: '2026-11-20',
    state: 'failed',
    startedBy: 'lee@pg.example',
    retried: 2,
    error: { code: 'not_found', message: `file not found: ${nice}` },
    restart: `jeongsan runs restart ${nice}`,
    steps: [
      {
        name: 'select',
        retried: 0,
        counts: [
          { name: 'candidates', value: 20_000, kind: 'read' },
          { name: 'held', value: 3, kind: 'skipped', perSecond: null },
          { name: 'differenceWon', value: 123_456, kind: null, perSecond: null },
        ],
      },
      { name: 'send', retried: 2, error: { code: 'not_found' } },
    ],
  });
  const korean = await api.get(`/runs/${encodeURIComponent(nice)}`, { headers: { 'accept-language': 'ko' } });
  expect(korean.body['error']).toMatchObject({ message: `file을(를) 찾을 수 없습니다: ${nice}` });
  const parts = await api.get(`/runs/${encodeURIComponent('reconcile:2026-11-03:1')}`);
  expect(parts.body).toMatchObject({
    counts: [{ name: 'lines', value: 24 }],
    parts: [{ id: 'reconcile:2026-11-03:1/ksnet/capture', state: 'done', counts: [{ name: 'lines', value: 12 }] }],
  });
  expect((await api.get('/runs/none:1')).status).toBe(404);
});

test('logs and steps come by pages', async () => {
  await eventually(async () => expect(await api.rows(`/runs/${encodeURIComponent(nice)}/logs`)).toHaveLength(3));
  const logs = await api.rows(`/runs/${encodeURIComponent(nice)}/logs?limit=1`);
  expect(logs).toMatchObject([
    { step: 0, level: 'info', message: 'selecting', detail: { provider: 'nice' } },
    { step: 1, level: 'warn', kind: 'retry', message: 'not there yet' },
    { step: 1, level: 'warn', kind: 'retry' },
  ]);
  expect(await api.rows(`/runs/${encodeURIComponent(nice)}/logs?level=warn`)).toHaveLength(2);
  const steps = await api.rows(`/runs/${encodeURIComponent(nice)}/steps?limit=1`);
  expect(steps.map((each) => each['name'])).toEqual(['select', 'send']);
});

test('a run is followed live, and whoever comes back hears what came after', async () => {
  gate = Promise.withResolvers();
  const id = 'reconcile:2026-11-09:1';
  const handle = await durable.start(reconcile, id, { who: 'kim' });
  const heard: string[] = [];
  const stop = new AbortController();
  let last = '';
  for await (const happened of followRun(database.pool, id, { signal: stop.signal })) {
    heard.push(happened.event);
    last = happened.id;
    if (happened.event === 'part') break;
  }
  expect(heard).toEqual(['state', 'step', 'part']);
  const response = fetch(`${api.url}/v1/runs/${encodeURIComponent(id)}/events`, {
    headers: { 'x-who': 'kim', 'x-may': 'read', 'last-event-id': last },
  });
  gate.resolve();
  await handle.result();
  const events = [...(await (await response).text()).matchAll(/^event: (\w+)\ndata: (.*)$/gm)]
    .map(([, event, data]) => [event, JSON.parse(data as string)] as const)
    .filter(([event]) => event !== 'end');
  // The step that started the part was heard before; the wait for it was not.
  expect(events.filter(([event]) => event === 'step').map(([, data]) => data.step.name)).toEqual(['DBOS.getResult']);
  expect(events.at(-1)).toMatchObject(['state', { run: { id, state: 'done' } }]);
});

test('one run is cancelled once, a failed one restarted, and each act stands in the trail with its subject', async () => {
  gate = Promise.withResolvers();
  const id = 'reconcile:2026-11-10:1';
  await durable.start(reconcile, id, { who: 'kim' });
  const cancel = () => api.post(`/runs/${encodeURIComponent(id)}/cancel`, { reason: 'by mistake' });
  expect((await cancel()).body).toEqual({ id, state: 'cancelled', outcome: 'done' });
  expect((await cancel()).body).toEqual({ id, state: 'cancelled', outcome: 'already' });
  gate.resolve();
  const over = await api.post(`/runs/${encodeURIComponent('reconcile:2026-11-01:1')}/cancel`);
  expect([over.status, over.body['code']]).toEqual([409, 'run_over']);
  broken = false;
  const restarted = await api.post(`/runs/${encodeURIComponent(nice)}/restart`);
  expect(restarted.status).toBe(202);
  expect(await durable.handle(nice).result()).toMatchObject({ candidates: 20_000 });
  // Both acts stand in the run's own log, with who did them.
  await eventually(async () => {
    const acts = (await api.rows(`/runs/${encodeURIComponent(id)}/logs`)).filter(
      (line) => (line['kind'] as unknown) === 'act',
    );
    expect(acts).toMatchObject([{ message: 'cancelled', detail: { who: 'kim@pg.example', reason: 'by mistake' } }]);
  });
  const mayNot = await api.post(`/runs/${encodeURIComponent(nice)}/restart`, {}, { may: ['read'] });
  expect(mayNot.status).toBe(403);
  expect(api.trail).toContainEqual(
    expect.objectContaining({
      act: 'cancelRun',
      outcome: 'done',
      subject: expect.stringContaining(id),
      reason: 'by mistake',
    }),
  );
});

test('by which key somebody began a run is known', async () => {
  const by = { who: 'lee@pg.example', from: '10.0.0.1', key: 'key-7' };
  const id = 'differential:nice:2026-11-22';
  const handle = await whileActing(
    () => by,
    () => durable.start(differential, id, { who: by.who }),
  );
  await handle.result();
  const shown = async () => (await api.get(`/runs/${encodeURIComponent(id)}`)).body;
  await eventually(async () => expect(await shown()).toMatchObject({ startedBy: 'lee@pg.example', key: 'key-7' }));
});

test('many are acted on by a filter, and a backfill says what each day came to', async () => {
  const refused = await api.post('/runs/cancel', {});
  expect([refused.status, refused.body['code']]).toEqual([400, 'bulk_unfiltered']);
  const would = await api.post('/runs/restart', { filter: { job: ['reconcile'] }, dryRun: true });
  expect(would.body).toEqual({
    outcomes: [{ id: 'reconcile:2026-11-10:1', state: 'cancelled', outcome: 'would', error: null }],
  });
  const began = await api.post('/backfills', { job: 'count', from: '2026-11-01', to: '2026-11-03' });
  expect(began.status).toBe(202);
  const id = String(began.body['id']);
  await durable.handle(id).result();
  const shown = await api.get(`/backfills/${encodeURIComponent(id)}`);
  expect(shown.body).toMatchObject({ job: 'count', who: 'kim@pg.example', done: 3, failed: 0, left: 0 });
  const day = String(shown.body['days']?.[1]?.['runId']);
  expect((await api.get(`/runs/${encodeURIComponent(day)}`)).body).toMatchObject({ job: 'count', backfill: id });
});

test('what is usual and what is kept are data, changed with a reason', async () => {
  const changed = await api.send('put', '/usual-rules/count', { spreads: 3.5, reason: 'too many' });
  expect(changed.body).toMatchObject({ job: 'count', spreads: 3.5, samplesLeast: 4 });
  expect(await api.rows('/usual-rules')).toContainEqual(expect.objectContaining({ job: 'count', spreads: 3.5 }));
  expect((await api.send('put', '/retention/run_log', { keepDays: 7, reason: 'disk' })).body).toMatchObject({
    keepDays: 7,
    keepDaysDefault: 30,
  });
  expect((await api.send('put', '/retention/payment', { keepDays: 7, reason: 'disk' })).status).toBe(404);
});
