import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { givenBreak, givenStatement } from '../../test/support/breaks.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { breakRoutes } from './break-api.ts';

const day = '2026-11-20';
let database: TestDatabase;
let api: ServedApi;
let first: number;
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  api = await serveApi(pool, breakRoutes({ pool, now: () => Temporal.Instant.from(`${day}T10:00:00+09:00`) }));
  const loadId = await givenStatement(pool);
  first = await givenBreak(pool, { loadId, line: 7, tid: 'KS001', differenceWon: -1_234_567n });
});
afterAll(async () => {
  await api.close();
  await database.close();
});

test('a break with its facts, its age and its trail, won exact', async () => {
  const { status, body } = await api.get(`/breaks/${first}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    id: first,
    on: day,
    kind: 'amount_differs',
    differenceWon: -1_234_567,
    ageBusinessDays: 0,
    statement: { file: 'KSNET_TRX_M1_20261120.csv' },
    events: [],
  });
  expect((await api.get('/breaks/999999')).body).toMatchObject({ status: 404, code: 'not_found' });
  expect((await api.get('/breaks/one')).body).toMatchObject({ status: 400, code: 'request_invalid' });
});

test.each(['on', '-on', 'amount', '-amount', 'id', '-id'])(
  'pages sorted by %s hold every break once while others come',
  async (sort) => {
    const { pool } = database;
    const on = '2026-10-0';
    await pool.query("delete from break where business_on between '2026-10-01' and '2026-10-09'");
    const there: number[] = [];
    for (let n = 0; n < 25; n += 1) {
      const differenceWon = n % 5 === 0 ? null : BigInt((n % 4) * 100 - 150);
      there.push(await givenBreak(pool, { on: `${on}${1 + (n % 3)}`, differenceWon }));
    }
    const rows = await api.rows(`/breaks?from=2026-10-01&to=2026-10-09&limit=4&sort=${sort}`, async (pages) => {
      await givenBreak(pool, { on: `${on}${1 + (pages % 3)}`, differenceWon: BigInt(pages) });
    });
    const ids = rows.map((row) => Number(row['id']));
    expect(new Set(ids).size).toBe(ids.length);
    expect(there.filter((id) => !ids.includes(id))).toEqual([]);
    const name = sort.replace('-', '');
    const values = rows.map((row) => {
      if (name === 'amount') return row['differenceWon'] === null ? -1 : Math.abs(Number(row['differenceWon']));
      return name === 'id' ? Number(row['id']) : Date.parse(String(row['on']));
    });
    const sorted = values.toSorted((a, b) => (sort.startsWith('-') ? b - a : a - b));
    expect(values).toEqual(sorted);
  },
);

test('filters are those of the command line; what is misspelt is refused', async () => {
  const { pool } = database;
  const on = '2026-09-01';
  const mine = await givenBreak(pool, { on, assignedTo: 'lee', differenceWon: 700n });
  const resolved = await givenBreak(pool, { on, state: 'resolved', provider: 'welcome-online' });
  const escalated = await givenBreak(pool, { on, escalated: true, kind: 'missing_here', differenceWon: -900n });
  const ids = async (query: string) => (await api.rows(`/breaks?on=${on}&${query}`)).map((row) => row['id']);
  expect(await ids('')).toEqual([escalated, mine]);
  expect(await ids('state=all&sort=id')).toEqual([mine, resolved, escalated]);
  expect(await ids('state=resolved')).toEqual([resolved]);
  expect(await ids('state=all&provider=welcome-online,welcome-offline')).toEqual([resolved]);
  expect(await ids('assigned=lee')).toEqual([mine]);
  expect(await ids('unassigned=true')).toEqual([escalated]);
  expect(await ids('escalated=true&kind=missing_here')).toEqual([escalated]);
  expect(await ids('minWon=701')).toEqual([escalated]);
  expect(await ids('olderThan=60')).toEqual([]);
  expect(await ids('olderThan=40')).toEqual([escalated, mine]);
  expect((await api.get(`/breaks/sum?on=${on}`)).body).toEqual({ count: 2, differenceWon: -200, absoluteWon: 1600 });
  for (const query of ['kind=wrong', 'on=2026-02-31', 'minwon=1', 'sort=kind', 'cursor=x', 'assigned=']) {
    expect([query, (await api.get(`/breaks?${query}`)).status]).toEqual([query, 400]);
  }
});

test('one break is assigned, commented on, investigated and resolved, by whoever asks, with the reason in its trail', async () => {
  const id = await givenBreak(database.pool, { on: '2026-08-03' });
  const asking = { who: 'lee@pg.example' };
  const assigned = await api.post(`/breaks/${id}/assign`, { assignee: 'park@pg.example' }, asking);
  expect(assigned).toMatchObject({ status: 200, body: { assignedTo: 'park@pg.example', state: 'open' } });
  await api.post(`/breaks/${id}/comment`, { reason: 'asked them' }, asking);
  await api.post(`/breaks/${id}/investigate`, {}, asking);
  const done = await api.post(`/breaks/${id}/resolve`, { as: 'written_off', reason: 'too small' }, asking);
  expect(done.body).toMatchObject({ state: 'resolved', resolution: 'written_off' });
  const trail = done.body['events'] as unknown as { who: string; action: string; note: string | null }[];
  expect(trail.map(({ who, action, note }) => [who, action, note])).toEqual([
    ['lee@pg.example', 'assigned', '→ park@pg.example'],
    ['lee@pg.example', 'commented', 'asked them'],
    ['lee@pg.example', 'investigating', null],
    ['lee@pg.example', 'resolved', 'written_off: too small'],
  ]);
  const again = await api.post(`/breaks/${id}/resolve`, { as: 'written_off', reason: 'again' });
  expect(again.body).toMatchObject({ status: 409, code: 'break_not_so', details: { by: 'lee@pg.example' } });
  expect((await api.post('/breaks/999999/comment', { reason: 'x' })).body).toMatchObject({ code: 'not_found' });
  expect((await api.post(`/breaks/${id}/resolve`, { as: 'gone', reason: 'x' })).status).toBe(400);
  expect((await api.post(`/breaks/${id}/resolve`, { as: 'written_off' })).status).toBe(400);
});

test('many at once: named ones with an outcome for each, or all that a filter takes in', async () => {
  const { pool } = database;
  const on = '2026-08-10';
  const open = [await givenBreak(pool, { on, differenceWon: 30n }), await givenBreak(pool, { on, differenceWon: -5n })];
  const over = await givenBreak(pool, { on, state: 'resolved' });
  const reason = { as: 'corrected_by_us', reason: 'booked' };
  const dry = await api.post('/breaks/resolve', { ids: [...open, over], dryRun: true, ...reason });
  expect(dry.body).toMatchObject({ dryRun: true, changed: 2, differenceWon: 25, changedIds: open });
  const done = await api.post('/breaks/resolve', { ids: [...open, over], ...reason });
  expect(done).toMatchObject({ status: 200, body: { changed: 2, refused: [{ id: over, state: 'resolved' }] } });
  const one = await givenBreak(pool, { on, provider: 'welcome-offline' });
  const filtered = await api.post('/breaks/investigate', { filter: { on, provider: ['welcome-offline'] } });
  expect(filtered.body).toEqual({
    action: 'investigate',
    dryRun: false,
    changed: 1,
    differenceWon: 1000,
    changedIds: [one],
    refused: [],
  });
  expect((await api.post('/breaks/comment', { filter: {}, reason: 'x' })).body).toMatchObject({
    code: 'breaks_too_wide',
  });
  expect((await api.post('/breaks/comment', { reason: 'x' })).body).toMatchObject({ code: 'breaks_too_wide' });
  expect((await api.post('/breaks/comment', { ids: [one], all: true, reason: 'x' })).body).toMatchObject({
    code: 'breaks_too_wide',
  });
  expect((await api.post('/breaks/comment', { ids: [one, 999_999], reason: 'x' })).body).toMatchObject({
    code: 'not_found',
  });
  expect((await api.post('/breaks/comment', { all: true, dryRun: true, reason: 'x' })).body['changed']).toBeGreaterThan(
    0,
  );
});

test('reading is for readers, and acts for those who may act', async () => {
  expect((await api.get('/breaks', { may: ['act'] })).body).toMatchObject({ status: 403, code: 'permission_missing' });
  expect((await api.post(`/breaks/${first}/comment`, { reason: 'x' }, { may: ['read'] })).status).toBe(403);
  expect((await api.get('/breaks', { who: '' })).status).toBe(401);
});

test('the whole list as a file, however it is asked for', async () => {
  const { bytes } = await api.file('/breaks?state=all&format=ndjson&sort=id');
  const lines = bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual(await api.rows('/breaks?state=all&sort=id&limit=1000'));
});
