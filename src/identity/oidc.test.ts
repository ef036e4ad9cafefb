import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  Browser,
  goodPassword,
  type IdentityServer,
  identityServer,
  setUp,
} from '../../test/support/identity-server.ts';
import { type OidcServer, oidcServer } from '../../test/support/oidc-server.ts';
import { query } from '../platform/database/pool.ts';
import { Secret } from '../platform/secret.ts';
import { invitePerson } from './link-store.ts';
import { setDisabled } from './person-store.ts';

let provider: OidcServer;
let server: IdentityServer;
const by = { actor: { who: 'admin@pg.example', from: 'test' }, reason: 'test' };
const accounts = {
  kim: { email: 'Kim@pg.example', email_verified: true, name: 'Kim' },
  liar: { email: 'kim@pg.example', email_verified: false },
  text: { email: 'kim@pg.example', email_verified: 'false' },
  admin: { email: 'admin@pg.example', email_verified: false },
  stranger: { email: 'stranger@pg.example', email_verified: true },
  lee: { email: 'lee@pg.example', email_verified: true },
};
let publicUrl = '';

beforeAll(async () => {
  server = await identityServer(async (url) => {
    publicUrl = url;
    provider = await oidcServer(() => `${publicUrl}/auth/callback/oidc`, accounts);
    const { issuer, clientId, clientSecret } = provider;
    return { issuer, clientId, clientSecret: new Secret(clientSecret) };
  });
  await setUp(server);
  for (const email of ['kim@pg.example', 'lee@pg.example']) {
    await invitePerson(server.database.pool, { name: 'x', email, roles: ['viewer'] }, by, server.clock.now);
  }
});
afterAll(async () => {
  await server.close();
  await provider.close();
});

/** Goes to the provider, signs in there, and comes back. */
async function signIn(login: string, browser = new Browser(server.url)): Promise<Browser> {
  const { body } = await browser.post('/auth/sign-in/social', {
    callbackURL: '/health',
    provider: 'other',
    idToken: {},
  });
  await browser.fetch(await provider.signIn(String(body['url']), login));
  return browser;
}

test('who was invited comes in by the provider that verified their address, again and again', async () => {
  expect(await (await signIn('kim')).whoami()).toMatchObject({ who: 'kim@pg.example', permissions: ['read'] });
  expect(await (await signIn('kim')).whoami()).toMatchObject({ who: 'kim@pg.example' });
  const kept = await query(
    server.database.pool,
    `select account_id, access_token, refresh_token, id_token, password from credential where person_id = 'kim@pg.example'`,
  );
  expect(kept).toEqual([
    { account_id: 'kim', access_token: null, refresh_token: null, id_token: null, password: null },
  ]);
});

test('a link leads to the provider and back', async () => {
  const browser = new Browser(server.url);
  const away = await browser.fetch('/auth/oidc');
  expect(away.status).toBe(302);
  const back = await browser.fetch(await provider.signIn(String(away.headers.get('location')), 'kim'));
  expect(back.headers.get('location')).toBe('/');
  expect(await browser.whoami()).toMatchObject({ who: 'kim@pg.example' });
});

test.each(['stranger', 'liar', 'text', 'admin'])('%s does not come in, and nobody is made of them', async (login) => {
  expect(await (await signIn(login)).whoami()).toBeNull();
  const people = await query<{ id: string }>(server.database.pool, 'select id from person order by id');
  expect(people.map(({ id }) => id)).toEqual(['admin@pg.example', 'kim@pg.example', 'lee@pg.example']);
});

test('who is disabled does not come in there either', async () => {
  await setDisabled(server.database.pool, 'lee@pg.example', true, by);
  expect(await (await signIn('lee')).whoami()).toBeNull();
});

test('an answer that another browser asked for, or that is used twice, signs nobody in', async () => {
  const [mine, theirs] = [new Browser(server.url), new Browser(server.url)];
  const { body } = await mine.post('/auth/sign-in/social', { callbackURL: '/health' });
  const answer = await provider.signIn(String(body['url']), 'kim');
  await theirs.fetch(answer);
  expect(await theirs.whoami()).toBeNull();
  const { body: second } = await mine.post('/auth/sign-in/social', { callbackURL: '/health' });
  const again = await provider.signIn(String(second['url']), 'kim');
  await mine.fetch(again);
  expect(await mine.whoami()).toMatchObject({ who: 'kim@pg.example' });
  await theirs.fetch(again);
  expect(await theirs.whoami()).toBeNull();
});

test.each(['https://evil.example/x', '//evil.example', 'javascript:alert(1)'])(
  'nobody is sent on to %s',
  async (callbackURL) => {
    const { status } = await new Browser(server.url).post('/auth/sign-in/social', { callbackURL });
    expect(status).toBe(400);
  },
);

test('a refusal by the provider is said in words of ours', async () => {
  const browser = new Browser(server.url);
  const response = await browser.fetch('/auth/callback/oidc?error=access_denied&error_description=<script>&state=x');
  const location = new URL(response.headers.get('location') ?? '', server.url);
  expect(location.origin + location.pathname).toBe(`${server.url}/auth/failed`);
  const said = await browser.fetch(`${location.pathname}${location.search}`);
  expect(said.status).toBe(400);
  expect(await said.text()).not.toContain('<script>');
});

test('where the provider is away, people still come in by password, and by it once it is back', async () => {
  const away = await oidcServer(() => `${publicUrl}/auth/callback/oidc`, accounts);
  await away.close();
  const other = await identityServer(() => ({ ...away, clientSecret: new Secret(away.clientSecret) }));
  try {
    await setUp(other);
    const browser = new Browser(other.url);
    expect(await browser.post('/auth/sign-in/social', { callbackURL: '/health' })).toMatchObject({
      status: 503,
      body: { code: 'identity_provider_unavailable' },
    });
    await browser.post('/auth/sign-in/email', { email: 'admin@pg.example', password: goodPassword });
    expect(await browser.whoami()).toMatchObject({ who: 'admin@pg.example' });
    const back = await oidcServer(() => `${publicUrl}/auth/callback/oidc`, accounts, Number(new URL(away.issuer).port));
    onTestFinished(() => back.close());
    expect(await browser.post('/auth/sign-in/social', { callbackURL: '/health' })).toMatchObject({ status: 200 });
  } finally {
    await other.close();
  }
});
