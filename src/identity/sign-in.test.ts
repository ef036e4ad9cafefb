import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Browser,
  goodPassword,
  type IdentityServer,
  identityServer,
  setUp,
} from '../../test/support/identity-server.ts';
import { totp } from '../../test/support/totp.ts';
import type { permissionsOf } from '../kernel/permission.ts';
import { query } from '../platform/database/pool.ts';
import { Secret } from '../platform/secret.ts';
import { createSetupLink, invitePerson, recoverPerson } from './link-store.ts';
import { changeRoles, setDisabled } from './person-store.ts';
import { createSignIn } from './sign-in.ts';

let server: IdentityServer;
let admin: Browser;
beforeAll(async () => {
  server = await identityServer();
  admin = await setUp(server);
});
afterAll(() => server.close());

const by = { actor: { who: 'admin@pg.example', from: 'test' }, reason: 'needed' };
let invited = 0;

/** Somebody new, invited with these roles, who set their password. */
async function join(...roles: Parameters<typeof permissionsOf>[0]): Promise<string> {
  invited += 1;
  const email = `person${invited}@pg.example`;
  const token = await invitePerson(server.database.pool, { name: 'Somebody', email, roles }, by, server.clock.now);
  const { status } = await new Browser(server.url).post(`/auth/link/${token}`, { password: goodPassword });
  expect(status).toBe(200);
  return email;
}

async function signIn(email: string, password = goodPassword): Promise<Browser> {
  const browser = new Browser(server.url);
  await browser.post('/auth/sign-in/email', { email, password });
  return browser;
}

test('the first administrator comes in by the link, once', async () => {
  expect(await admin.whoami()).toMatchObject({
    who: 'admin@pg.example',
    permissions: ['administer', 'audit', 'configure', 'read'],
  });
  expect(await server.identity.setupLink()).toBeUndefined();
  const wish = { by: 'os:kim', from: 'cli@host', renew: true, now: server.clock.now };
  expect(await createSetupLink(server.database.pool, wish)).toBeUndefined();
});

test('a session is nobody once it was ended, ran out, or was too long unseen', async () => {
  const email = await join('viewer');
  const browser = await signIn(email);
  expect(await browser.whoami()).toMatchObject({ who: email, permissions: ['read'] });
  const stolen = new Map(browser.cookies);
  await browser.post('/auth/sign-out', {});
  expect(await browser.whoami()).toBeNull();
  for (const [name, value] of stolen) browser.cookies.set(name, value);
  expect(await browser.whoami()).toBeNull();

  const idle = await signIn(email);
  const start = server.clock.now;
  server.clock.now = start.add({ minutes: 59 });
  expect(await idle.whoami()).toMatchObject({ who: email });
  server.clock.now = start.add({ minutes: 118 });
  expect(await idle.whoami()).toMatchObject({ who: email });
  server.clock.now = start.add({ minutes: 179 });
  expect(await idle.whoami()).toBeNull();
  server.clock.now = start;
});

test('a session is at most 12 hours old, however busy', async () => {
  const browser = await signIn(await join('viewer'));
  const start = server.clock.now;
  for (let hour = 0; hour < 12; hour += 1) {
    server.clock.now = start.add({ minutes: 55 * (hour + 1) });
    expect(await browser.whoami()).not.toBeNull();
  }
  server.clock.now = start.add({ hours: 12, minutes: 1 });
  expect(await browser.whoami()).toBeNull();
  server.clock.now = start;
});

test('what a role allows ends with the role, in sessions that go on', async () => {
  const email = await join('operator', 'approver');
  const browser = await signIn(email);
  expect((await browser.whoami())?.permissions).toContain('approve');
  await changeRoles(server.database.pool, email, ['viewer'], by);
  expect((await browser.whoami())?.permissions).toEqual(['read']);
});

test('who is disabled is nobody at once, and comes in by no way', async () => {
  const email = await join('operator');
  const browser = await signIn(email);
  await setDisabled(server.database.pool, email, true, by);
  expect(await browser.whoami()).toBeNull();
  expect(await (await signIn(email)).whoami()).toBeNull();
  await expect(recoverPerson(server.database.pool, { who: email }, by, server.clock.now)).rejects.toMatchObject({
    code: 'person_disabled',
  });
  await setDisabled(server.database.pool, email, false, by);
  expect(await (await signIn(email)).whoami()).toMatchObject({ who: email });
});

test('a new session at every sign-in, whatever token a browser came with', async () => {
  const email = await join('viewer');
  const attacker = await signIn(email);
  const planted = new Browser(server.url);
  for (const [name, value] of attacker.cookies) planted.cookies.set(name, value);
  await attacker.post('/auth/sign-out', {});
  await planted.post('/auth/sign-in/email', { email, password: goodPassword });
  expect([...planted.cookies.values()]).not.toEqual([...attacker.cookies.values()]);
  expect(await attacker.whoami()).toBeNull();
});

test('a token out of the database is no session without our signature', async () => {
  const email = await join('administrator');
  await signIn(email);
  const [row] = await query<{ token: string }>(
    server.database.pool,
    'select token from person_session where person_id = $1',
    [email],
  );
  const thief = new Browser(server.url);
  for (const value of [row?.token, `${row?.token}.`, `${row?.token}.${encodeURIComponent('A'.repeat(43))}=`]) {
    thief.cookies.set('jeongsan.session_token', String(value));
    expect(await thief.whoami()).toBeNull();
  }
});

test.each([
  ['/auth/sign-up/email', { name: 'x', email: 'x@pg.example', password: goodPassword, roles: ['administrator'] }],
  ['/auth/update-user', { name: 'x', roles: ['administrator'], kind: 'person', email_verified: true }],
  ['/auth/change-email', { newEmail: 'x@pg.example' }],
  ['/auth/delete-user', {}],
  ['/auth/set-password', { newPassword: goodPassword }],
  ['/auth/request-password-reset', { email: 'admin@pg.example' }],
  ['/auth/link-social', { provider: 'oidc' }],
  ['/auth/unlink-account', { providerId: 'credential' }],
  ['/auth/update-session', { roles: ['administrator'] }],
  ['/auth/two-factor/send-otp', {}],
  ['/auth/two-factor/view-backup-codes', { userId: 'admin@pg.example' }],
  ['/auth/sign-in/social', { provider: 'google' }],
  ['/auth//sign-up/email', {}],
  ['/auth/sign-in/../sign-up/email', {}],
  ['/auth/__proto__', {}],
  ['/auth/constructor', {}],
])('%s is not there, even for who is signed in', async (path, body) => {
  const browser = await signIn(await join('viewer'));
  expect(await browser.post(path, body)).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

test('nothing of the answers is the token', async () => {
  const browser = new Browser(server.url);
  const { body } = await browser.post('/auth/sign-in/email', { email: 'admin@pg.example', password: goodPassword });
  const token = decodeURIComponent(browser.cookies.get('jeongsan.session_token') ?? '').split('.')[0] as string;
  expect(token.length).toBeGreaterThan(20);
  const session = await (await browser.fetch('/auth/get-session')).text();
  expect(session).toContain('admin@pg.example');
  expect(JSON.stringify(body) + session).not.toContain(token);
});

test('who the address belongs to is told by nothing: neither words nor lock differ', async () => {
  const email = await join('viewer');
  const wrong = async (address: string) => {
    const browser = new Browser(server.url, '10.1.1.1');
    const answers = [];
    for (let n = 0; n < 6; n += 1) {
      answers.push(await browser.post('/auth/sign-in/email', { email: address, password: 'not this one at all' }));
    }
    return answers.map(({ status, body }) => [status, body['code']]);
  };
  const known = await wrong(email);
  expect(known).toEqual([...Array.from({ length: 5 }, () => [401, 'sign_in_refused']), [429, 'sign_in_locked']]);
  expect(await wrong('nobody@pg.example')).toEqual(known);
});

test('who is locked stays out with the right password, in any spelling, until the time is over', async () => {
  const email = await join('viewer');
  const spellings = [email, email.toUpperCase(), ` ${email}`, email.replace('person', 'Person'), `${email} `];
  for (const spelling of spellings) {
    await new Browser(server.url, '10.1.1.2').post('/auth/sign-in/email', { email: spelling, password: 'wrong wrong' });
  }
  const { status, body } = await new Browser(server.url, '10.1.1.3').post('/auth/sign-in/email', {
    email,
    password: goodPassword,
  });
  expect([status, body['code'], body['details']]).toEqual([429, 'sign_in_locked', { seconds: 60 }]);
  const start = server.clock.now;
  server.clock.now = start.add({ seconds: 61 });
  expect(await (await signIn(email)).whoami()).toMatchObject({ who: email });
  server.clock.now = start;
});

test('of many guesses at once five are tried', async () => {
  const email = await join('viewer');
  const guesses = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      new Browser(server.url, `10.2.0.${n}`).post('/auth/sign-in/email', { email, password: `guess number ${n}` }),
    ),
  );
  expect(guesses.filter(({ status }) => status === 401)).toHaveLength(5);
  expect(guesses.filter(({ status }) => status === 429)).toHaveLength(15);
});

test.each([
  ['another site', { origin: 'https://evil.example' }],
  ['a file', { origin: 'null' }],
  ['another port', { origin: 'http://127.0.0.1:1' }],
])('an act that %s sends is refused, with the cookie', async (_, headers) => {
  const browser = await signIn('admin@pg.example');
  expect(await browser.post('/auth/sign-out', {}, headers)).toMatchObject({
    status: 403,
    body: { code: 'request_forged' },
  });
  expect(await browser.post('/whoami', {}, { ...headers, 'x-jeongsan-act': '1' })).toMatchObject({ status: 403 });
});

test('an act of the interface with a cookie needs the header that forms cannot send', async () => {
  const browser = await signIn('admin@pg.example');
  expect(await browser.post('/whoami', {})).toMatchObject({ status: 403, body: { code: 'request_forged' } });
  expect(await browser.post('/whoami', {}, { 'x-jeongsan-act': '1' })).toMatchObject({ status: 200 });
});

test('cookies are out of reach of scripts and of other sites, and secure where the server is', async () => {
  const browser = new Browser(server.url);
  const response = await browser.fetch('/auth/sign-in/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@pg.example', password: goodPassword }),
  });
  const [line = ''] = response.headers.getSetCookie();
  const log = pino({ level: 'silent' });
  const ports = { pool: server.database.pool, log, secret: new Secret('x'.repeat(43)) };
  const { authCookies } = await createSignIn({ ...ports, publicUrl: 'https://settle.pg.example' }).$context;
  expect(authCookies.sessionToken).toMatchObject({
    name: '__Secure-jeongsan.session_token',
    attributes: { secure: true, httpOnly: true, sameSite: 'lax', path: '/' },
  });
  expect(line).toMatch(/^jeongsan\.session_token=.*HttpOnly.*SameSite=Lax/i);
});

test('a second factor: asked for after the password, backup codes work once', async () => {
  const email = await join('approver');
  const browser = await signIn(email);
  const enabled = await browser.post('/auth/two-factor/enable', { password: goodPassword });
  const uri = String(enabled.body['totpURI']);
  const [first] = enabled.body['backupCodes'] as string[];
  const now = Temporal.Now.instant();
  const first30 = totp(uri, now);
  expect(await browser.post('/auth/two-factor/verify-totp', { code: first30 })).toMatchObject({ status: 200 });

  const half = await signIn(email);
  expect(await half.whoami()).toBeNull();
  expect(await half.post('/auth/two-factor/verify-totp', { code: '000000' })).toMatchObject({
    status: 401,
    body: { code: 'second_factor_refused' },
  });
  // What confirmed the second factor was seen: it is good once.
  expect(await half.post('/auth/two-factor/verify-totp', { code: first30 })).toMatchObject({ status: 401 });
  expect(await half.whoami()).toBeNull();
  const next = await signIn(email);
  const later = totp(uri, now.add({ seconds: 30 }));
  expect(await next.post('/auth/two-factor/verify-totp', { code: later })).toMatchObject({ status: 200 });
  expect(await next.whoami()).toMatchObject({ who: email });

  const lost = await signIn(email);
  expect(await lost.post('/auth/two-factor/verify-backup-code', { code: first })).toMatchObject({ status: 200 });
  expect(await lost.whoami()).toMatchObject({ who: email });
  const again = await signIn(email);
  expect(await again.post('/auth/two-factor/verify-backup-code', { code: first })).toMatchObject({ status: 401 });
  expect(await again.whoami()).toBeNull();
  const [kept] = await query<{ text: string }>(
    server.database.pool,
    'select secret || backup_codes as text from second_factor where person_id = $1',
    [email],
  );
  expect(kept?.text).not.toContain(first);
  expect(kept?.text).not.toContain(new URL(uri).searchParams.get('secret'));
});

test('a new password ends the other sessions, and has to be a good one', async () => {
  const email = await join('viewer');
  const [other, own] = [await signIn(email), await signIn(email)];
  const change = (newPassword: string) =>
    own.post('/auth/change-password', { currentPassword: goodPassword, newPassword });
  expect(await change('password1234')).toMatchObject({ status: 422, body: { code: 'password_common' } });
  expect(await change('A lamp made of old maps')).toMatchObject({ status: 200 });
  expect(await own.whoami()).toMatchObject({ who: email });
  expect(await other.whoami()).toBeNull();
  expect(await (await signIn(email)).whoami()).toBeNull();
});

test('who signed in, and who did not, stands in the trail; a mistyped name does not', async () => {
  const email = await join('viewer');
  await signIn(email);
  await signIn(email, 'not my password');
  await signIn('hunter2-typed-into-the-wrong-field');
  const rows = await query(
    server.database.pool,
    `select who, act, outcome, reason from audit_entry where act = 'signIn' order by number desc limit 3`,
  );
  expect(rows).toEqual([
    { who: 'unknown', act: 'signIn', outcome: 'refused', reason: 'sign_in_refused' },
    { who: email, act: 'signIn', outcome: 'refused', reason: 'sign_in_refused' },
    { who: email, act: 'signIn', outcome: 'done', reason: null },
  ]);
});

test('a link in a browser is a page with a form that runs nothing and says why it refuses', async () => {
  const invited = { name: '<b>Kim</b>', email: 'page@pg.example', roles: [] };
  const token = await invitePerson(server.database.pool, invited, by, server.clock.now);
  const visit = (form?: Record<string, string>, path = token) =>
    new Browser(server.url).fetch(`/auth/link/${path}`, {
      headers: { accept: 'text/html', 'accept-language': 'ko' },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
  const shown = await visit();
  const text = await shown.text();
  expect(text).toContain('page@pg.example');
  expect(text).toContain('&lt;b&gt;Kim');
  expect(text).not.toMatch(/<script|<b>Kim/);
  expect(shown.headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/);
  const weak = await visit({ name: 'Kim', password: 'password1234' });
  expect([weak.status, await weak.text()]).toEqual([422, expect.stringContaining('짐작')]);
  const done = await visit({ name: 'Kim', password: goodPassword });
  expect([done.status, await done.text()]).toEqual([200, expect.stringContaining('로그인')]);
  const again = await visit();
  expect([again.status, await again.text()]).toEqual([404, expect.stringContaining('이미 쓰였거나')]);
  expect(await (await signIn('page@pg.example')).whoami()).toMatchObject({ who: 'page@pg.example' });
});
