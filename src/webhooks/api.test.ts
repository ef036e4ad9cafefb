import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { openCipher } from '../platform/cipher.ts';
import { webhookRoutes } from './api.ts';

let database: TestDatabase;
let home: string;
let api: ServedApi;

beforeAll(async () => {
  database = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-webhook-api-'));
  const cipher = await openCipher({ home });
  api = await serveApi(database.pool, webhookRoutes({ pool: database.pool, cipher, allowed: ['127.0.0.1:9'] }));
});
afterAll(async () => {
  await api.close();
  await database.close();
  rmSync(home, { recursive: true });
});

const change = async (method: 'PATCH' | 'DELETE', id: unknown, etag: string | undefined, body: object = {}) => {
  const response = await fetch(`${api.url}/v1/webhooks/${id}`, {
    method,
    headers: {
      'x-who': 'kim@pg.example',
      'x-may': 'read,configure',
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
      ...(etag === undefined ? {} : { 'if-match': etag }),
    },
    ...(method === 'PATCH' ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('an endpoint is made, seen, changed by who saw its version, and removed', async () => {
  const made = await api.post('/webhooks', {
    name: 'shop',
    url: 'https://1.1.1.1/x',
    events: ['payout.*'],
    reason: 'r',
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ name: 'shop', events: ['payout.*'], enabled: true, version: 1, pending: 0 });
  expect(String(made.body['secret'])).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const { id } = made.body as unknown as { id: string };
  const seen = await api.get(`/webhooks/${id}`);
  const etag = seen.headers.get('etag') ?? '';
  expect(JSON.stringify(seen.body)).not.toContain('whsec_');
  expect(await change('PATCH', id, undefined, { enabled: false })).toMatchObject({ status: 428 });
  expect(await change('PATCH', id, etag, { enabled: false })).toMatchObject({ status: 200, body: { version: 2 } });
  expect(await change('PATCH', id, etag, { enabled: true })).toMatchObject({
    status: 412,
    body: { code: 'version_differs', details: { given: 1, current: 2 } },
  });
  const again = await change('PATCH', id, '"2"', { newSecret: true });
  expect(again.status).toBe(200);
  expect(again.body['secret']).not.toBe(made.body['secret']);
  expect(await change('DELETE', id, '"3"')).toMatchObject({ status: 200 });
  expect(await api.get(`/webhooks/${id}`)).toMatchObject({ status: 404 });
  const kept = await database.pool.query<{ answer: string }>(
    `select convert_from(answer, 'UTF8') as answer from api_request where answer is not null`,
  );
  for (const { answer } of kept.rows) expect(answer).not.toContain('whsec_');
});

test.each([
  [{ name: 'a', url: 'http://169.254.169.254/latest', events: ['*'] }, 422, 'webhook_address_refused'],
  [{ name: 'a', url: 'https://2.2.2.2', events: ['payout.payed'] }, 422, 'webhook_event_unknown'],
  [{ name: '', url: 'https://2.2.2.2', events: ['*'] }, 400, 'request_invalid'],
  [{ name: 'a', url: 'https://2.2.2.2', events: [] }, 400, 'request_invalid'],
])('%j is refused', async (body, status, code) => {
  const refused = await api.post('/webhooks', body);
  expect([refused.status, refused.body['code']]).toEqual([status, code]);
});

test('deliveries are paged, filtered, shown with their tries, and told again', async () => {
  await api.post('/webhooks', { name: 'all', url: 'https://1.1.1.1/x', events: ['*'] });
  for (let n = 0; n < 25; n += 1) {
    await database.pool.query(`insert into webhook_event (type, subject, data) values ('run.done', $1, '{"a": 1}')`, [
      n,
    ]);
  }
  const rows = await api.rows('/webhooks/deliveries?limit=10&kind=run.done', async () => {
    await database.pool.query(`insert into webhook_event (type, subject, data) values ('run.done', 'later', '{}')`);
  });
  expect(rows.map((row) => row['subject'])).toEqual(Array.from({ length: 25 }, (_, n) => String(24 - n)));
  await database.pool.query(
    `update webhook_delivery set state = 'delivered', finished_at = now() where delivery_id = $1`,
    [rows[3]?.['id']],
  );
  const shown = await api.get(`/webhooks/deliveries/${rows[3]?.['id']}`);
  expect(shown.body).toMatchObject({ subject: '21', state: 'delivered', data: { a: 1 }, tries: [] });
  const nothing = await api.post('/webhooks/deliveries/replay', {});
  expect(nothing.status).toBe(400);
  const again = await api.post('/webhooks/deliveries/replay', { ids: [rows[3]?.['id'], rows[4]?.['id']] });
  expect(again.body).toEqual({ again: 1, hurried: 1 });
});
