import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { textSource } from '../../test/support/import-text.ts';
import { serveRoutes, type TestApi } from '../../test/support/served-routes.ts';
import { calendarRoutes } from '../calendar/api.ts';
import { accountRoutes } from '../merchants/account-api.ts';
import { importMerchants } from '../merchants/import-merchants.ts';
import { importAccounts } from '../merchants/import-terms.ts';
import { openCipher } from '../platform/cipher.ts';
import { query } from '../platform/database/pool.ts';
import { Secret } from '../platform/secret.ts';
import { auditRoutes } from './api.ts';
import { recordAct } from './store.ts';

const number = '110123456789';
const verifier = path.join(import.meta.dirname, '../../examples/independent-check/audit.mjs');

let database: TestDatabase;
/** Holds each answer to the document; its own acts are not in the trail. */
let api: ServedApi;
/** Keeps its acts in the trail, as the product does. */
let audited: TestApi;
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  const cipher = await openCipher({ home: '/nowhere', key: new Secret(Buffer.alloc(32, 7).toString('base64')) });
  const now = () => Temporal.Instant.from('2026-11-20T12:00:00+09:00');
  const routes = [...auditRoutes({ pool }), ...accountRoutes({ pool, cipher, now }), ...calendarRoutes({ pool, now })];
  api = await serveApi(pool, routes);
  audited = await serveRoutes(routes, { pool });
  for (let n = 1; n <= 12; n += 1) {
    const outcome = n % 4 === 0 ? 'denied' : 'done';
    const actor = { who: n % 2 ? 'lee@pg.example' : 'kim@pg.example', from: '203.0.113.7' };
    await recordAct(pool, {
      actor,
      act: n > 6 ? 'bank.set' : 'bank.approve',
      subject: `bank:${n}`,
      outcome,
      detail: { n },
    });
  }
  await importMerchants(pool, textSource('merchantId,name,businessNo\nM1,서울커피,1234567891\n'), { who: 'test' });
  const accounts = `merchantId,validFrom,bankCode,accountNo,holder\nM1,2026-01-01,088,${number},홍길동\n`;
  await importAccounts(pool, cipher, textSource(accounts), { who: 'test' });
});
afterAll(async () => {
  await api.close();
  await audited.close();
  await database.close();
});

const numbers = async (filter: string) =>
  (await api.rows(`/audit?limit=3&${filter}`)).map((row) => Number(row['number']));

test('the trail by pages, newest first, by who, act, subject, outcome and time', async () => {
  expect(await numbers('subject=bank:*')).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(await numbers('who=lee@pg.example&act=bank.set')).toEqual([11, 9, 7]);
  expect(await numbers('act=bank.*&outcome=denied')).toEqual([12, 8, 4]);
  expect(await numbers('subject=bank:_')).toEqual([]);
  expect(await numbers('subject=bank:*&until=2020-01-01T00:00:00Z')).toEqual([]);
  expect(await numbers('subject=bank:1&since=2020-01-01T00:00:00Z')).toEqual([1]);
  const { body } = await api.get('/audit/3');
  expect(body).toMatchObject({ number: 3, who: 'lee@pg.example', key: null, reason: null, detail: { n: 3 } });
  expect((await api.get('/audit/999')).body).toMatchObject({ code: 'not_found' });
  expect((await api.get('/audit', { may: ['read', 'administer'] })).status).toBe(403);
});

test('it is verified and exported over the API, and the export is proved without the product', async () => {
  const { body } = await api.get('/audit/verification');
  expect(body).toMatchObject({ sound: true, unguarded: [], drafts: 0 });
  const { head } = body as unknown as { head: string };
  expect((await api.get(`/audit/verification?head=${head}`)).body).toMatchObject({ sound: true, noted: 'there' });
  const other = `5:${'0'.repeat(64)}`;
  expect((await api.get(`/audit/verification?head=${other}`)).body).toMatchObject({ sound: false, noted: 'gone' });
  expect((await api.get('/audit/verification?head=x')).status).toBe(400);
  const { bytes, headers } = await api.file('/audit/export');
  expect(headers.get('content-type')).toContain('application/x-ndjson');
  const check = spawnSync(process.execPath, [verifier, '-', '--head', head], { input: bytes, encoding: 'utf8' });
  expect([check.status, check.stdout]).toEqual([0, `sound: ${head.split(':')[0]} entries, head ${head}\n`]);
  const later = await api.file('/audit/export?from=10');
  expect(JSON.parse(later.bytes.toString().split('\n')[0] ?? '')).toMatchObject({ number: 10 });
});

test('an account is seen in full by who may, for a reason, and neither the trail nor what is kept of answers holds it', async () => {
  const reveal = (as: string, body: unknown, key = 'once') =>
    audited.ask('POST /merchants/M1/account/reveal', { as, key, body });
  expect((await reveal('viewer', { reason: 'curious' })).status).toBe(403);
  expect((await reveal('administrator', { reason: 'curious' })).status).toBe(403);
  expect((await reveal('operator', {}, 'a')).status).toBe(400);
  expect((await reveal('operator', { reason: '   ' }, 'b')).status).toBe(400);
  const seen = await reveal('operator', { reason: 'the bank asks' });
  expect([seen.status, await seen.json()]).toMatchObject([
    200,
    { accountNo: number, holder: '홍길동', bankCode: '088' },
  ]);
  expect(seen.headers.get('cache-control')).toContain('no-store');
  const again = await reveal('operator', { reason: 'the bank asks' });
  expect(await again.text()).not.toContain(number);
  const trail = await query<{ act: string; outcome: string; who: string; reason: string | null }>(
    database.pool,
    `select act, outcome, who, reason from audit_entry where act ~ '(?i)reveal' order by number`,
  );
  const operator = { who: 'operator@pg.example', reason: 'the bank asks' };
  expect(trail.slice(-3)).toMatchObject([
    { act: 'revealMerchantAccount', outcome: 'asked', ...operator },
    { act: 'bank_account.revealed', outcome: 'asked', ...operator },
    { act: 'revealMerchantAccount', outcome: 'done', ...operator },
  ]);
  expect(trail.slice(0, 2).map(({ outcome }) => outcome)).toEqual(['denied', 'denied']);
  const [kept] = await query<{ text: string }>(
    database.pool,
    `select coalesce((select string_agg(e::text, '') from audit_entry e), '')
         || coalesce((select string_agg(r::text, '') from api_request r), '') as text`,
  );
  expect(kept?.text).toContain('the bank asks');
  for (const secret of [number, '홍길동', Buffer.from(number).toString('hex')])
    expect(kept?.text).not.toContain(secret);
});

test('a change of configuration over the API says who made it, from where and why', async () => {
  const body = { day: '2026-12-24', name: '임시공휴일', reason: '국무회의 의결' };
  expect((await audited.ask('POST /calendar/holidays', { as: 'administrator', body })).status).toBeLessThan(300);
  const [entry] = await query(
    database.pool,
    `select who, origin, reason from audit_entry where act = 'calendar_override.added'`,
  );
  expect(entry).toEqual({ who: 'administrator@pg.example', origin: '127.0.0.1', reason: '국무회의 의결' });
});
