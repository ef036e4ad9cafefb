import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { serveRoutes, type TestApi } from '../../test/support/served-routes.ts';
import { query } from '../platform/database/pool.ts';
import { type Route, route } from '../platform/http/route.ts';
import { heedMaintenance, maintenanceRoutes } from './maintenance-api.ts';
import { scheduleRoutes } from './schedule-api.ts';
import { createSchedulingWorld } from './scheduling.fixture.ts';

let db: TestDatabase;
let api: TestApi;

/** Something that a person starts, or cancels. */
const act = (id: string): Route =>
  route({
    id,
    path: `/${id}`,
    tag: 'things',
    summary: { ko: '시험', en: 'test' },
    permission: 'run',
    method: 'post',
    answer: z.object({ id: z.string() }),
    handle: async () => ({ id }),
  });

beforeAll(async () => {
  db = await testDatabase();
  const { jobs } = createSchedulingWorld(db.pool, '2026-11-20T12:02:10+09:00');
  const ports = { pool: db.pool, now: () => Temporal.Now.instant() };
  const routes = [...scheduleRoutes({ ...ports, jobs }), ...maintenanceRoutes({ ...ports, banks: ['json-van'] })];
  api = await serveRoutes(heedMaintenance([...routes, act('startThing'), act('cancelThing')], ports), {
    pool: db.pool,
  });
});
afterAll(async () => {
  await api.close();
  await db.close();
});

async function ask(line: string, options: Parameters<TestApi['ask']>[1] = {}) {
  const answer = await api.ask(line, { as: 'administrator', ...options });
  return {
    status: answer.status,
    etag: answer.headers.get('etag'),
    body: (await answer.json()) as Record<string, unknown>,
  };
}
const added = { name: 'night', job: 'count', cron: '0 3 * * *', reason: 'wanted' };

test('a schedule is added, seen, changed by who has seen it, and removed', async () => {
  const made = await ask('POST /schedules', { body: { ...added, parameters: { mark: '!' } } });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    name: 'night',
    cron: '0 3 * * *',
    timeZone: 'Asia/Seoul',
    misfire: 'run_once',
    overlap: 'skip',
    // As the job reads them.
    parameters: { mark: '!', ends: true },
    version: 1,
    changedBy: 'administrator@pg.example',
    pause: null,
    last: null,
  });
  expect((await ask('POST /schedules', { body: added })).body).toMatchObject({ code: 'schedule_exists' });
  const seen = await ask('GET /schedules/night', { as: 'viewer' });
  const edit = { body: { cron: '0 4 * * *', reason: 'later' }, headers: { 'if-match': seen.etag ?? '' } };
  expect((await ask('PATCH /schedules/night', edit)).body).toMatchObject({
    cron: '0 4 * * *',
    version: 2,
    timeZone: 'Asia/Seoul',
  });
  expect(await ask('PATCH /schedules/night', edit)).toMatchObject({ status: 412, body: { code: 'version_differs' } });
  const [entry] = await query<{ who: string; reason: string }>(
    db.pool,
    `select who, reason from audit_entry where act = 'schedule.changed' order by number desc limit 1`,
  );
  expect(entry).toEqual({ who: 'administrator@pg.example', reason: 'later' });
  const { etag } = await ask('GET /schedules/night');
  const removed = await ask('DELETE /schedules/night?reason=over', { headers: { 'if-match': etag ?? '' } });
  expect(removed.body).toEqual({ name: 'night', version: 2 });
  expect((await ask('GET /schedules/night')).status).toBe(404);
});

test.each([
  [{ cron: '0 3 * *' }, 'schedule_refused'],
  [{ cron: '0 3 30 2 *' }, 'schedule_refused'],
  [{ timeZone: 'Mars/Olympus' }, 'schedule_refused'],
  [{ job: 'nothing' }, 'not_found'],
  [{ parameters: { mark: 1 } }, 'schedule_refused'],
  [{ cron: '* * * * *', businessDays: 'roll_forward' }, 'schedule_refused'],
])('%o is refused', async (wrong, code) => {
  expect((await ask('POST /schedules', { body: { ...added, name: 'wrong', ...wrong } })).body).toMatchObject({ code });
});

test('what comes next, of one schedule and of all', async () => {
  await ask('POST /schedules', { body: { ...added, name: 'one', cron: '0 3 * * *', timeZone: 'America/New_York' } });
  await ask('POST /schedules', { body: { ...added, name: 'two', cron: '*/10 * * * *' } });
  const { body } = await ask('GET /upcoming-slots?limit=3', { as: 'viewer' });
  const slots = body['slots'] as { schedule: string; at: string }[];
  expect(slots).toHaveLength(3);
  expect(slots.map(({ at }) => at)).toEqual(slots.map(({ at }) => at).sort());
  const one = await ask('GET /upcoming-slots?schedule=one&limit=2', { as: 'viewer' });
  expect((one.body['slots'] as { schedule: string }[]).map(({ schedule }) => schedule)).toEqual(['one', 'one']);
  expect((await ask('GET /upcoming-slots?schedule=none')).status).toBe(404);
});

test('a schedule is paused until a moment, goes on, and runs now; an operator runs and does not configure', async () => {
  const until = Temporal.Now.instant().add({ hours: 1 }).toString();
  const paused = await ask('POST /schedules/two/pause', { body: { reason: 'bank', until } });
  expect(paused.body['pause']).toMatchObject({ kind: 'schedule', who: 'administrator@pg.example', reason: 'bank' });
  expect((await ask('POST /schedules/two/resume', { body: { reason: 'over' } })).body['pause']).toBeNull();
  expect((await ask('POST /schedules/two/resume', { body: { reason: 'over' } })).body).toMatchObject({
    code: 'not_paused',
  });
  const past = { body: { reason: 'bank', until: '2020-01-01T00:00:00Z' } };
  expect((await ask('POST /schedules/two/pause', past)).body).toMatchObject({ code: 'schedule_refused' });
  expect((await ask('POST /schedules/two/pause', { as: 'operator', body: { reason: 'x' } })).status).toBe(403);
  const run = await ask('POST /schedules/two/runs', {
    as: 'operator',
    body: { reason: 'now', parameters: { mark: '?' } },
  });
  expect(run).toMatchObject({ status: 202, body: { schedule: 'two' } });
  expect((await ask('POST /schedules/two/runs', { as: 'operator', body: { reason: 'now' } })).body).toMatchObject({
    code: 'schedule_busy',
  });
  const { body } = await ask('GET /slots?schedule=two&state=queued', { as: 'viewer' });
  expect(body['rows']).toMatchObject([{ kind: 'hand', state: 'queued', who: 'operator@pg.example' }]);
});

test('maintenance is begun and ended, and while it is on nobody starts anything', async () => {
  expect((await ask('PUT /maintenance', { body: { reason: 'upgrade' } })).body).toMatchObject({
    on: true,
    pause: { reason: 'upgrade', until: null },
  });
  expect(await ask('POST /schedules/one/runs', { as: 'operator', body: { reason: 'now' } })).toMatchObject({
    status: 409,
    body: { code: 'maintenance_on' },
  });
  expect((await ask('POST /startThing', { as: 'operator' })).body).toMatchObject({ code: 'maintenance_on' });
  expect((await ask('POST /cancelThing', { as: 'operator' })).status).toBe(200);
  expect((await ask('DELETE /maintenance?reason=done')).body).toMatchObject({ on: false, pause: null });
  expect((await ask('POST /startThing', { as: 'operator' })).status).toBe(200);
  expect((await ask('DELETE /maintenance?reason=done')).body).toMatchObject({ code: 'not_paused' });
});

test("a bank's queue is paused and resumed", async () => {
  expect((await ask('POST /queues/json-van/pause', { body: { reason: 'their maintenance' } })).body).toMatchObject({
    bank: 'json-van',
    paused: true,
    reason: 'their maintenance',
  });
  expect((await ask('POST /queues/json-van/resume', { body: { reason: 'over' } })).body).toMatchObject({
    paused: false,
  });
  expect((await ask('POST /queues/nobody/pause', { body: { reason: 'x' } })).status).toBe(400);
});

test('jobs say what they are asked for', async () => {
  const { body } = await ask('GET /jobs', { as: 'viewer' });
  expect(body['rows']).toMatchObject([
    { name: 'count', en: 'count', parameters: { properties: { mark: { type: 'string' } } } },
  ]);
  expect((await ask('GET /nodes', { as: 'viewer' })).status).toBe(200);
  const forget = { body: { reason: 'gone' } };
  expect((await ask('POST /nodes/away:7/forget', { ...forget, as: 'viewer' })).status).toBe(403);
  expect((await ask('POST /nodes/away:7/forget', forget)).body).toMatchObject({ code: 'not_found' });
  await query(
    db.pool,
    `insert into finding (kind, subject, audience, detail) values ('node_lost', 'away:7', 'operations', '{}')`,
  );
  expect((await ask('POST /nodes/away:7/forget', forget)).body).toEqual({ node: 'away:7', closedFindings: 1 });
});
