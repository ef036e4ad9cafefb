import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { calendarRoutes } from './api.ts';

let database: TestDatabase;
let api: ServedApi;
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  api = await serveApi(pool, calendarRoutes({ pool, now: () => Temporal.Instant.from('2026-11-20T12:00:00+09:00') }));
});
afterAll(async () => {
  await api.close();
  await database.close();
});

test('the gazette of this year, a page at a time, and what an operator knows better', async () => {
  const published = await api.rows('/calendar?limit=4');
  const days = published.map((row) => String(row['day']));
  expect(days).toContain('2026-12-25');
  expect(days).toEqual([...new Set(days)].toSorted());
  const added = await api.post('/calendar/holidays', {
    day: '2026-12-24',
    name: '임시공휴일',
    reason: '국무회의 의결',
  });
  expect(added).toMatchObject({ status: 201, body: { day: '2026-12-24', closed: true, recordedBy: 'kim@pg.example' } });
  const again = { day: '2026-12-24', name: '임시공휴일', reason: 'x' };
  expect((await api.post('/calendar/holidays', again)).body).toMatchObject({ status: 409, code: 'calendar_unchanged' });
  const opened = await api.post('/calendar/business-days', { day: '2026-12-25', reason: '정상 근무' });
  expect(opened.body).toMatchObject({ day: '2026-12-25', closed: false, reason: '정상 근무' });
  const december = await api.rows('/calendar?from=2026-12-01&to=2026-12-31');
  expect(december.map(({ day, closed }) => [day, closed])).toEqual([
    ['2026-12-24', true],
    ['2026-12-25', false],
  ]);
  expect(api.trail.filter(({ outcome }) => outcome === 'done')).toMatchObject([
    { act: 'addHoliday', subject: '2026-12-24', reason: '국무회의 의결' },
    { act: 'removeHoliday', subject: '2026-12-25', reason: '정상 근무' },
  ]);
});

test.each([
  [{ day: '2026-02-30', name: 'x', reason: 'x' }],
  [{ day: '0000-01-01', name: 'x', reason: 'x' }],
  [{ day: '2026-12-30', name: 'x', reason: '  ' }],
  [{ day: '2026-12-30', reason: 'x' }],
  [{ day: '2026-12-30', name: 'x', reason: 'x', closed: true }],
])('%j is no holiday', async (body) => {
  expect((await api.post('/calendar/holidays', body)).body).toMatchObject({ status: 400, code: 'request_invalid' });
});

test('operators read the calendar and do not change it', async () => {
  const asking = { may: ['read', 'act'] } as const;
  expect((await api.get('/calendar', asking)).status).toBe(200);
  expect((await api.post('/calendar/holidays', { day: '2026-12-30', name: 'x', reason: 'x' }, asking)).status).toBe(
    403,
  );
});
