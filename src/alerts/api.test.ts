import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { bankOpen, start, testCipher } from './alerting.fixture.ts';
import { alertRoutes } from './api.ts';
import { lookAtAlerts } from './course-store.ts';

let db: TestDatabase;
let api: ServedApi;
let cipher: Awaited<ReturnType<typeof testCipher>>;
beforeAll(async () => {
  db = await testDatabase();
  cipher = await testCipher();
  const now = () => start.add({ minutes: 1 });
  api = await serveApi(db.pool, alertRoutes({ pool: db.pool, cipher, now, allowed: [], mailConfigured: false }));
});
afterAll(async () => {
  await api.close();
  cipher.close();
  await db.close();
});

const seenAs = (version: number) => ({ headers: { 'if-match': `"${version}"` } });

test('a channel is changed by the version that was seen, and never shows its secret', async () => {
  const seen = await api.get('/channels/in-charge');
  expect(seen).toMatchObject({ status: 200, body: { version: 1, recipients: [] } });
  const change = { recipients: ['kim@pg.example'] };
  const changed = await api.send('patch', '/channels/in-charge', change, seenAs(1));
  expect(changed).toMatchObject({ status: 200, body: { version: 2, recipients: ['kim@pg.example'] } });
  const stale = await api.send('patch', '/channels/in-charge', change, seenAs(1));
  expect(stale).toMatchObject({ status: 412, body: { code: 'version_differs' } });
  const hook = { channel: 'hook', kind: 'webhook', url: 'https://8.8.8.8/x?key=y', secret: 'a secret of sixteen' };
  const added = await api.post('/channels', hook);
  expect(added).toMatchObject({ status: 201, body: { host: '8.8.8.8', signed: true } });
  expect(JSON.stringify(added.body)).not.toMatch(/sixteen|key=y/);
  const inside = await api.post('/channels', { ...hook, channel: 'inside', url: 'https://10.0.0.1/' });
  expect(inside).toMatchObject({ status: 422, body: { code: 'alert_channel_invalid' } });
});

test('an alert is listed, shown and acknowledged, and its message is on its way', async () => {
  await bankOpen(db.pool);
  await lookAtAlerts(db.pool, start);
  await lookAtAlerts(db.pool, start.add({ seconds: 30 }));
  expect(await api.rows('/alerts?state=open&severity=urgent')).toMatchObject([{ id: 1, group: 'bank_circuit_open' }]);
  expect(await api.rows('/alerts?state=closed')).toEqual([]);
  expect((await api.get('/alerts/1')).body).toMatchObject({ held: [{ subject: 'bank:json-van', times: 1 }] });
  const acknowledged = await api.post('/alerts/1/acknowledge', { note: 'called' });
  expect(acknowledged).toMatchObject({ status: 200, body: { state: 'acknowledged', note: 'called' } });
  const [delivery] = await api.rows('/deliveries?alert=1');
  expect(delivery).toMatchObject({ channel: 'in-charge', purpose: 'first', state: 'waiting', attempts: 0 });
  expect((await api.get(`/deliveries/${delivery?.['id']}`)).body).toMatchObject({
    content: { type: 'alert', alert: 1 },
    tries: [],
  });
  expect((await api.get('/alerts/status')).body).toMatchObject({
    alerts: { open: 1 },
    faults: ['mail_not_configured'],
  });
  expect((await api.post('/deliveries/retry', {})).body).toEqual({ again: 0 });
  expect((await api.post('/channels/in-charge/test', {})).status).toBe(202);
});

test('rules and limits', async () => {
  const added = await api.post('/alert-rules', {
    rule: 'banks',
    position: 1,
    kinds: ['bank_*'],
    channels: ['in-charge'],
  });
  expect(added).toMatchObject({ status: 201, body: { version: 1, repeatSeconds: 14_400 } });
  const twice = await api.post('/alert-rules', { rule: 'banks' });
  expect(twice).toMatchObject({ status: 412, body: { code: 'version_differs' } });
  const changed = await api.send('patch', '/alert-rules/banks', { enabled: false }, seenAs(1));
  expect(changed).toMatchObject({ status: 200, body: { version: 2, enabled: false, kinds: ['bank_*'] } });
  expect((await api.rows('/alert-rules')).map((each) => each['rule'])).toEqual(['banks', 'urgent', 'warnings']);
  const unknown = await api.send('patch', '/alert-rules/banks', { channels: ['nobody'] }, seenAs(2));
  expect(unknown).toMatchObject({ status: 422, body: { code: 'alert_channel_unknown' } });
  expect((await api.send('delete', '/alert-rules/banks', undefined, seenAs(2))).status).toBe(200);
  const limit = await api.send('put', '/alert-limits/breaks_won', { value: 5, provider: 'ksnet' });
  expect(limit.body).toMatchObject({
    limits: expect.arrayContaining([expect.objectContaining({ provider: 'ksnet', value: 5 })]),
  });
});

test('the digest is data, and goes to whoever is to have it', async () => {
  expect((await api.get('/digest?on=2026-11-19')).body).toMatchObject({ on: '2026-11-19', outcome: 'not_run' });
  expect(await api.post('/digest', {})).toMatchObject({ status: 202, body: { on: '2026-11-19', channels: 1 } });
});
