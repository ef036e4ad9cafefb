import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type Permission, permissionsOf, type Role } from '../kernel/permission.ts';
import { identityRoutes } from './api.ts';
import { seeKey } from './key-store.ts';
import { consumeLink, createSetupLink } from './link-store.ts';

let database: TestDatabase;
let api: ServedApi;
const now = Temporal.Now.instant();
const admin = 'admin@pg.example';
const as = (who: string, ...held: Role[]) => ({ who, may: [...permissionsOf(held)] as Permission[] });
const asAdmin = as(admin, 'administrator');

beforeAll(async () => {
  database = await testDatabase();
  const wish = { by: 'system:setup', from: 'host', renew: false, now };
  const token = String(await createSetupLink(database.pool, wish));
  await consumeLink(database.pool, { token, name: 'A', email: admin, passwordHash: 'h', from: 'host' }, now);
  const publicUrl = 'https://settle.pg.example';
  api = await serveApi(database.pool, identityRoutes({ pool: database.pool, publicUrl, now: () => now }));
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const invite = (email: string, roles: readonly Role[]) =>
  api.post('/people', { email, name: 'P', roles, reason: 'joined' }, asAdmin);

test('people: invited, listed, given roles by version, disabled and enabled', async () => {
  const { status, body } = await invite('Kim@PG.example', ['operator']);
  expect([status, body['who']]).toEqual([201, 'kim@pg.example']);
  expect(String(body['link'])).toMatch(/^https:\/\/settle\.pg\.example\/auth\/link\/[\w-]{43}$/);
  expect((await invite('kim@pg.example', [])).body).toMatchObject({ code: 'person_exists' });
  const { headers } = await api.get('/people/kim@pg.example', asAdmin);
  const put = (etag: string | null) =>
    api.send(
      'put',
      '/people/kim@pg.example/roles',
      { roles: ['viewer'], reason: 'moved' },
      {
        ...asAdmin,
        headers: { 'if-match': String(etag) },
      },
    );
  expect(await put(headers.get('etag'))).toMatchObject({ status: 200, body: { roles: ['viewer'] } });
  expect(await put(headers.get('etag'))).toMatchObject({ status: 412 });
  for (const [word, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    const { body: person } = await api.post(`/people/kim@pg.example/${word}`, { reason: 'leave' }, asAdmin);
    expect(person['disabledAt'] !== null).toBe(disabled);
  }
  const recover = (more: object) =>
    api.post('/people/kim@pg.example/recover', { reason: 'lost', ...more }, asAdmin).then(({ status }) => status);
  expect([await recover({}), await recover({ keys: 'keep' }), await recover({ keys: 'some' })]).toEqual([
    201, 201, 400,
  ]);
  expect((await api.rows('/people?limit=1')).map((row) => row['who'])).toEqual([admin, 'kim@pg.example']);
  expect((await api.rows('/people?sort=-who')).map((row) => row['who'])).toEqual(['kim@pg.example', admin]);
  expect((await api.rows('/people?role=viewer&disabled=false')).map((row) => row['who'])).toEqual(['kim@pg.example']);
});

test.each([
  ['a role that is none', { roles: ['owner'] }],
  ['a member that is none', { roles: [], kind: 'service' }],
  ['no reason', { roles: [], reason: ' ' }],
])('an invitation with %s is refused', async (_, more) => {
  const { status } = await api.post('/people', { email: 'x@pg.example', name: 'P', reason: 'x', ...more }, asAdmin);
  expect(status).toBe(400);
});

test('who does not look after people changes nothing of them', async () => {
  for (const held of ['viewer', 'operator', 'approver'] as const) {
    const asking = as('park@pg.example', held);
    expect(
      (await api.post('/people', { email: 'x@pg.example', name: 'P', roles: [], reason: 'x' }, asking)).status,
    ).toBe(403);
    expect(
      (await api.post('/services', { id: 'x', name: 'P', responsible: admin, roles: [], reason: 'x' }, asking)).status,
    ).toBe(403);
    expect((await api.send('delete', `/people/${admin}/sessions`, {}, asking)).status).toBe(403);
  }
});

test('keys: made, shown once, listed to their owner alone, revoked', async () => {
  await invite('lee@pg.example', ['operator']);
  const lee = as('lee@pg.example', 'operator');
  const expiresAt = now.add({ hours: 24 }).toString();
  const made = await api.post('/keys', { name: 'k', scopes: ['read'], expiresAt }, lee);
  expect(made.status).toBe(201);
  const { key, id } = made.body as unknown as { key: string; id: string };
  expect(await seeKey(database.pool, key, now, 'test')).toMatchObject({ who: 'lee@pg.example' });
  const listed = await api.get('/keys', lee);
  expect(JSON.stringify(listed.body)).toContain(id);
  expect(JSON.stringify(listed.body)).not.toContain(key.slice(15));
  expect((await api.get('/keys', as('other@pg.example', 'viewer'))).body['rows']).toEqual([]);
  expect((await api.get('/keys?owner=lee@pg.example', as('other@pg.example', 'viewer'))).body['rows']).toEqual([]);
  expect((await api.get('/keys?owner=lee@pg.example&valid=true', asAdmin)).body['rows']).toHaveLength(1);
  const wide = await api.post('/keys', { name: 'k', scopes: ['administer'], expiresAt }, lee);
  expect(wide.body).toMatchObject({ code: 'key_scope_exceeds' });
  const revoke = (asking: object) => api.post(`/keys/${id}/revoke`, { reason: 'lost' }, asking);
  expect((await revoke(as('other@pg.example', 'operator'))).body).toMatchObject({ code: 'key_of_another' });
  expect((await revoke(asAdmin)).status).toBe(200);
  expect(await seeKey(database.pool, key, now, 'test')).toBeUndefined();
});

test('services act by keys that an administrator makes', async () => {
  const service = { id: 'import', name: 'Import', responsible: admin, roles: ['operator'], reason: 'nightly' };
  expect((await api.post('/services', service, asAdmin)).body).toMatchObject({
    who: 'service:import',
    kind: 'service',
  });
  expect((await api.post('/services', { ...service, id: 'b', roles: ['approver'] }, asAdmin)).body).toMatchObject({
    code: 'role_of_a_person',
  });
  const wish = { name: 'k', scopes: ['import'], expiresAt: now.add({ hours: 24 }).toString(), owner: 'service:import' };
  const { key } = (await api.post('/keys', wish, asAdmin)).body as unknown as { key: string };
  expect(await seeKey(database.pool, key, now, 'test')).toMatchObject({ who: 'service:import' });
});

test('who I am, and where I am signed in', async () => {
  expect((await api.get('/me', asAdmin)).body).toMatchObject({
    who: admin,
    roles: ['administrator'],
    permissions: ['read', 'configure', 'audit', 'administer'],
    key: null,
  });
  await database.pool.query(
    `insert into person_session (id, person_id, token, expires_at)
     select 's' || n, $1, 't' || n, now() + interval '1 hour' from generate_series(1, 3) n`,
    [admin],
  );
  const mine = await api.get('/me/sessions?limit=2', asAdmin);
  expect(mine.body['rows']).toHaveLength(2);
  expect(JSON.stringify(mine.body)).not.toMatch(/"t\d"/);
  expect((await api.send('delete', '/me/sessions/s1', {}, as('lee@pg.example', 'viewer'))).status).toBe(404);
  expect((await api.send('delete', '/me/sessions/s1', {}, asAdmin)).status).toBe(200);
  expect((await api.send('delete', `/people/${admin}/sessions`, {}, asAdmin)).body).toEqual({ ended: 2 });
});
