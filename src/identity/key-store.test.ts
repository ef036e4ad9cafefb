import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type Actor, type Permission, permissionsOf, type Role } from '../kernel/permission.ts';
import { query } from '../platform/database/pool.ts';
import { createKey, listKeys, revokeKey, seeKey } from './key-store.ts';
import { addService, consumeLink, createSetupLink, invitePerson, recoverPerson } from './link-store.ts';
import { changeRoles, setDisabled } from './person-store.ts';

let database: TestDatabase;
const now = Temporal.Instant.from('2026-11-21T08:00:00Z');
const inDays = (days: number) => now.add({ hours: 24 * days });
const admin = actorOf('admin@pg.example', ['administrator']);
const by = { actor: admin, reason: 'test' };

function actorOf(who: string, held: readonly Role[], key?: { id: string; scopes: readonly Permission[] }): Actor {
  const from = '10.0.0.9';
  return key === undefined
    ? { who, from, permissions: permissionsOf(held) }
    : { who, from, permissions: new Set(key.scopes), key: key.id };
}

beforeAll(async () => {
  database = await testDatabase();
  const wish = { by: 'system:setup', from: 'host', renew: false, now };
  const token = String(await createSetupLink(database.pool, wish));
  await consumeLink(database.pool, { token, name: 'A', email: admin.who, passwordHash: 'h', from: 'host' }, now);
});
afterAll(() => database.close());

let number = 0;
async function join(...roles: Role[]): Promise<Actor> {
  number += 1;
  const email = `p${number}@pg.example`;
  await invitePerson(database.pool, { name: 'P', email, roles }, by, now);
  return actorOf(email, roles);
}

const make = (actor: Actor, scopes: readonly Permission[], expiresAt = inDays(30), owner = actor.who) =>
  createKey(database.pool, { owner, name: 'test', scopes, expiresAt, reason: 'test' }, actor, now);
const see = (text: string, at = now) => seeKey(database.pool, text, at, '10.0.0.9');

test('a key is its owner with its scopes, is shown once and kept as a hash', async () => {
  const kim = await join('operator');
  const { key, text } = await make(kim, ['read', 'run']);
  expect(text).toMatch(/^jsk_[a-z0-9]{10}_[A-Za-z0-9_-]{43}$/);
  expect(await see(text)).toEqual({ id: key.id, who: kim.who, permissions: new Set(['read', 'run']) });
  const secret = text.split('_').slice(2).join('_');
  const kept = await query(database.pool, `select k::text as row, encode(hash, 'escape') as hash from api_key k`);
  const trail = await query(database.pool, 'select detail::text from audit_entry');
  expect(JSON.stringify([kept, trail])).not.toContain(secret);
  expect(JSON.stringify(trail)).not.toContain(
    (await query<{ hex: string }>(database.pool, `select encode(hash, 'hex') as hex from api_key`))[0]?.hex,
  );
  const [listed] = await listKeys(database.pool, { owner: kim.who, limit: 10 });
  expect(listed).toMatchObject({ id: key.id, scopes: ['read', 'run'], lastUsedFrom: '10.0.0.9' });
});

test.each([
  ['cut', (text: string) => text.slice(0, -1)],
  ['of another secret', (text: string) => `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`],
  ['of another key', (text: string) => text.replace(/^jsk_./, text.startsWith('jsk_0') ? 'jsk_1' : 'jsk_0')],
  ['in capitals', (text: string) => text.toUpperCase()],
  ['with a quote', (text: string) => `${text}'`],
  ['empty', () => ''],
])('a key that is %s is nobody', async (_, alter) => {
  const { text } = await make(await join('viewer'), ['read']);
  expect(await see(alter(text))).toBeUndefined();
});

test('a key ends with its day, its revocation, its owner, and is no more than its owner is', async () => {
  const kim = await join('operator', 'approver');
  const { key, text } = await make(kim, ['read', 'approve', 'propose']);
  expect(await see(text, inDays(30))).toBeUndefined();
  await changeRoles(database.pool, kim.who, ['approver'], by);
  expect((await see(text))?.permissions).toEqual(new Set(['read', 'approve']));
  await setDisabled(database.pool, kim.who, true, by);
  expect(await see(text)).toBeUndefined();
  await setDisabled(database.pool, kim.who, false, by);
  expect(await see(text)).toBeDefined();
  await revokeKey(database.pool, key.id, kim, 'lost');
  expect(await see(text)).toBeUndefined();
  await revokeKey(database.pool, key.id, kim, 'again');
});

test('what somebody may not, their key may not, nor what the key that makes it may not', async () => {
  const kim = await join('operator');
  await expect(make(kim, ['read', 'approve'])).rejects.toMatchObject({
    code: 'key_scope_exceeds',
    details: { scopes: 'approve' },
  });
  await expect(make(kim, [])).rejects.toMatchObject({ code: 'key_scope_exceeds' });
  const { key } = await make(kim, ['read']);
  const withKey = actorOf(kim.who, [], { id: key.id, scopes: ['read'] });
  await expect(make(withKey, ['read', 'run'])).rejects.toMatchObject({ code: 'key_scope_exceeds' });
  await expect(make(withKey, ['read'], inDays(31))).rejects.toMatchObject({ code: 'key_expiry_exceeds' });
  await expect(make(kim, ['read'], inDays(367))).rejects.toMatchObject({ code: 'key_expiry_exceeds' });
  await expect(make(kim, ['read'], now)).rejects.toMatchObject({ code: 'key_expiry_exceeds' });
});

test('a key of which nobody says until when works for 30 days, and no longer than the key that makes it', async () => {
  const wish = { name: 'test', scopes: ['read'], reason: 'test' } as const;
  const kim = await join('operator');
  const { key: short } = await make(kim, ['read'], inDays(7));
  const withShort = actorOf(kim.who, [], { id: short.id, scopes: ['read'] });
  const { key: long } = await make(kim, ['read'], inDays(90));
  const withLong = actorOf(kim.who, [], { id: long.id, scopes: ['read'] });
  const admin = actorOf('admin@pg.example', ['administrator'], { id: short.id, scopes: ['administer'] });
  await addService(database.pool, { id: 'usual', name: 'S', responsible: kim.who, roles: ['viewer'] }, by);
  const ends = async (actor: Actor, owner = actor.who, expiresAt?: Temporal.Instant) => {
    const made = await createKey(database.pool, { ...wish, owner, expiresAt }, actor, now);
    return [made.key.expiresAt.toTemporalInstant().toString(), made.endsWith];
  };
  expect({
    signedIn: await ends(kim),
    byShort: await ends(withShort),
    byLong: await ends(withLong),
    said: await ends(withShort, kim.who, inDays(1)),
    service: await ends(admin, 'service:usual'),
  }).toEqual({
    signedIn: [`${inDays(30)}`, null],
    byShort: [`${inDays(7)}`, short.id],
    byLong: [`${inDays(30)}`, null],
    said: [`${inDays(1)}`, null],
    service: [`${inDays(30)}`, null],
  });
});

test('with a key go all that it made', async () => {
  const kim = await join('operator');
  const first = await make(kim, ['read', 'run']);
  const second = await make(actorOf(kim.who, [], { id: first.key.id, scopes: ['read', 'run'] }), ['read']);
  const third = await make(actorOf(kim.who, [], { id: second.key.id, scopes: ['read'] }), ['read']);
  const beside = await make(kim, ['read']);
  await revokeKey(database.pool, first.key.id, kim, 'stolen');
  const alive = await Promise.all(
    [first, second, third, beside].map(async ({ text }) => (await see(text)) !== undefined),
  );
  expect(alive).toEqual([false, false, false, true]);
  await expect(
    make(actorOf(kim.who, [], { id: first.key.id, scopes: ['read', 'run'] }), ['read']),
  ).rejects.toMatchObject({ code: 'key_scope_exceeds' });
});

test.each([
  ['ends', undefined, [true, false, false, false]],
  ['ends', 'end' as const, [true, false, false, false]],
  ['keeps', 'keep' as const, [true, true, true, true]],
])(
  'whoever is recovered %s their keys, those too that are made before the link is used: %s',
  async (_, keys, alive) => {
    const kim = await join('operator');
    const lee = await join('operator');
    const use = { passwordHash: 'p', from: 'test' };
    const first = await recoverPerson(database.pool, { who: kim.who }, by, now);
    await consumeLink(database.pool, { ...use, token: first.token }, now);
    const of = { others: await make(lee, ['read']), before: await make(kim, ['read']) };
    await make(actorOf(kim.who, [], { id: of.before.key.id, scopes: ['read'] }), ['read']);
    const { token, endedKeys } = await recoverPerson(database.pool, { who: kim.who, keys }, by, now);
    expect(endedKeys).toBe(keys === 'keep' ? 0 : 2);
    expect(await see(of.before.text)).toEqual(keys === 'keep' ? expect.anything() : undefined);
    // Whoever holds a session of before may make one until the link ends that.
    const meanwhile = await make(kim, ['read']);
    expect(await see(meanwhile.text)).toBeDefined();
    await consumeLink(database.pool, { ...use, token }, now);
    const listed = await listKeys(database.pool, { owner: kim.who, limit: 10 });
    expect([(await see(of.others.text)) !== undefined, ...listed.map(({ revokedAt }) => revokedAt === null)]).toEqual(
      alive,
    );
    const revoked = await query<{ line: string }>(
      database.pool,
      `select concat_ws(' ', who, reason, detail -> 'after' ->> 'revoked_by') as line from audit_entry
      where subject in (select 'api_key:' || key_id from api_key where person_id = $1)
        and detail -> 'after' ->> 'revoked_at' is not null order by number`,
      [kim.who],
    );
    const recovered = ['admin@pg.example test admin@pg.example', 'admin@pg.example test admin@pg.example'];
    expect(revoked.map(({ line }) => line)).toEqual(
      keys === 'keep' ? [] : [...recovered, `${kim.who} recover admin@pg.example`],
    );
  },
);

test('keys that are being made when their maker is revoked do not survive it', async () => {
  const kim = await join('operator');
  const { key } = await make(kim, ['read']);
  const withKey = actorOf(kim.who, [], { id: key.id, scopes: ['read'] });
  const [, ...made] = await Promise.allSettled([
    revokeKey(database.pool, key.id, kim, 'stolen'),
    ...Array.from({ length: 8 }, () => make(withKey, ['read'])),
  ]);
  const alive = await Promise.all(made.map((each) => (each.status === 'fulfilled' ? see(each.value.text) : undefined)));
  expect(alive.filter((each) => each !== undefined)).toEqual([]);
});

test('nobody makes or revokes the key of another person; who administers, those of services and what has to end', async () => {
  const [kim, lee] = [await join('operator'), await join('operator')];
  await expect(make(kim, ['read'], inDays(1), lee.who)).rejects.toMatchObject({ code: 'key_of_another' });
  await expect(make(admin, ['read'], inDays(1), lee.who)).rejects.toMatchObject({ code: 'key_of_another' });
  const added = { id: `svc${number}`, name: 'S', responsible: kim.who, roles: ['operator'] as const };
  const { who } = await addService(database.pool, added, by);
  await expect(make(kim, ['read'], inDays(1), who)).rejects.toMatchObject({ code: 'key_of_another' });
  await expect(make(admin, ['approve'], inDays(1), who)).rejects.toMatchObject({ code: 'key_scope_exceeds' });
  const { key, text } = await make(admin, ['propose'], inDays(1), who);
  expect(await see(text)).toMatchObject({ who });
  await expect(revokeKey(database.pool, key.id, lee, 'x')).rejects.toMatchObject({ code: 'key_of_another' });
  expect(await revokeKey(database.pool, key.id, kim, 'answers for it')).toMatchObject({ revokedBy: kim.who });
});

test('of many keys at once no more are made than somebody may have', async () => {
  const kim = await join('viewer');
  const made = await Promise.allSettled(Array.from({ length: 55 }, () => make(kim, ['read'])));
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
  expect(made.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'key_limit' } });
});

test.each([
  ['more scopes', `update api_key set scopes = array['approve']`],
  ['a later end', `update api_key set expires_at = expires_at + interval '1 y'`],
  ['another owner', `update api_key set person_id = 'admin@pg.example'`],
  ['another secret', `update api_key set hash = sha256('x')`],
  ['given back', `update api_key set revoked_at = null, revoked_by = null where revoked_at is not null`],
  ['deleted', 'delete from api_key'],
  ['emptied', 'truncate api_key cascade'],
])('a key is never given %s, whoever writes SQL by hand', async (_, sql) => {
  const kim = await join('viewer');
  const { key } = await make(kim, ['read']);
  await revokeKey(database.pool, key.id, kim, 'x');
  await expect(database.pool.query(sql)).rejects.toThrow(/nothing else of it changes|never changed/);
});
