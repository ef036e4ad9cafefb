import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { pino } from 'pino';
import { type Identity, openIdentity } from '../../src/identity/identity.ts';
import { isProblem, problems } from '../../src/kernel/problem.ts';
import { type Cipher, openCipher } from '../../src/platform/cipher.ts';
import type { OidcAddress } from '../../src/platform/oidc-address.ts';
import { Secret } from '../../src/platform/secret.ts';
import { type TestDatabase, testDatabase } from './database.ts';

export type IdentityServer = {
  readonly database: TestDatabase;
  readonly url: string;
  readonly identity: Identity;
  readonly cipher: Cipher;
  /** What the server takes for the time of everything but better-auth's own. */
  clock: { now: Temporal.Instant };
  close(): Promise<void>;
};

/** Signing in over real HTTP: `/auth/…`, and `/whoami`, which says whom the server takes the caller for. */
export async function identityServer(
  oidc?: (url: string) => OidcAddress | Promise<OidcAddress>,
): Promise<IdentityServer> {
  const database = await testDatabase();
  const home = await mkdtemp(path.join(tmpdir(), 'identity-'));
  const cipher = await openCipher({ home, key: new Secret(randomBytes(32).toString('base64')) });
  const clock = { now: Temporal.Now.instant() };
  let identity: Identity | undefined;
  const server = serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const opened = identity as Identity;
      const address = request.headers.get('x-test-address') ?? '127.0.0.1';
      if (new URL(request.url).pathname.startsWith('/auth/')) return opened.handler(request, address);
      try {
        const actor = await opened.authenticate(request, address);
        return Response.json(actor === undefined ? null : { ...actor, permissions: [...actor.permissions].sort() });
      } catch (error) {
        if (!isProblem(error)) throw error;
        return Response.json({ code: error.code }, { status: problems[error.code].status });
      }
    },
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  identity = await openIdentity({
    pool: database.pool,
    cipher,
    log: pino({ level: 'silent' }),
    publicUrl: url,
    language: 'en',
    oidc: await oidc?.(url),
    now: () => clock.now,
  });
  return {
    database,
    url,
    identity,
    cipher,
    clock,
    async close() {
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      await database.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

let addresses = 0;
function nextAddress(): string {
  addresses += 1;
  return `10.0.${addresses >> 8}.${addresses & 255}`;
}

/** A browser, as far as signing in needs one: it keeps cookies, and says where its requests come from. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #url: string;
  readonly #address: string;

  /** Each browser is a machine of its own, unless it says which one. */
  constructor(url: string, address = nextAddress()) {
    this.#url = url;
    this.#address = address;
  }

  async fetch(target: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers({
      origin: this.#url,
      'x-test-address': this.#address,
      ...(init.headers as Record<string, string>),
    });
    if (this.cookies.size > 0)
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(new URL(target, this.#url), { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      if (attributes.some((each) => /^\s*max-age=0$/i.test(each))) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(name.length + 1));
    }
    return response;
  }

  async post(
    target: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const response = await this.fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
  }

  /** Whom the server takes this browser for. */
  async whoami(): Promise<{ readonly who: string; readonly permissions: readonly string[] } | null> {
    return (await (await this.fetch('/whoami')).json()) as { who: string; permissions: string[] } | null;
  }
}

export const goodPassword = 'Tram-17 under a violet sky';

/** Sets the installation up: the first administrator, signed in. */
export async function setUp(server: IdentityServer, email = 'admin@pg.example'): Promise<Browser> {
  const link = await server.identity.setupLink();
  const browser = new Browser(server.url);
  const { status } = await browser.post(String(link), { name: 'Admin', email, password: goodPassword });
  if (status !== 200) throw new Error(`set-up answered ${status}`);
  await browser.post('/auth/sign-in/email', { email, password: goodPassword });
  return browser;
}
