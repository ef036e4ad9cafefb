import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

type Provider = { callback(): RequestListener };

// It comes without types of its own.
const packageName: string = 'oidc-provider';
const { default: Provider } = (await import(packageName)) as {
  readonly default: new (issuer: string, configuration: Readonly<Record<string, unknown>>) => Provider;
};

/** Whom the identity provider knows, by what they type into its form. */
export type OidcClaims = { readonly email: string; readonly email_verified: unknown; readonly name?: string };

export type OidcServer = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Signs somebody in at its form, consents, and gives where the browser is sent then. */
  signIn(authorizationUrl: string, login: string): Promise<string>;
  close(): Promise<void>;
};

/** A real identity provider over HTTP, for one client with one address to come back to. */
export async function oidcServer(
  redirectUri: () => string,
  accounts: Readonly<Record<string, OidcClaims>>,
  port = 0,
): Promise<OidcServer> {
  const clientId = 'jeongsan';
  const clientSecret = 'a secret between the two';
  let handle: RequestListener | undefined;
  const server = createServer((request, response) => void handle?.(request, response));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri()] };
  const provider = new Provider(issuer, {
    clients: [client],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['of the provider'] },
    findAccount: (_: unknown, login: string) => ({
      accountId: login,
      claims: () => Promise.resolve({ sub: login, ...accounts[login] }),
    }),
  });
  handle = provider.callback();
  return {
    issuer,
    clientId,
    clientSecret,
    async signIn(authorizationUrl, login) {
      const cookies = new Map<string, string>();
      let response = await visit(authorizationUrl, cookies);
      for (let step = 0; step < 12; step += 1) {
        const location = response.headers.get('location');
        if (location === null) {
          const page = await response.text();
          const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
          const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
          if (action === undefined || prompt === undefined) throw new Error(`the provider shows ${page.slice(0, 500)}`);
          response = await visit(action, cookies, new URLSearchParams({ prompt, login, password: 'x' }));
          continue;
        }
        const target = new URL(location, issuer);
        if (target.origin !== issuer) return target.href;
        response = await visit(target.href, cookies);
      }
      throw new Error('the provider sends the browser around in circles');
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

async function visit(url: string, cookies: Map<string, string>, form?: URLSearchParams): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { cookie },
    ...(form === undefined ? {} : { method: 'POST', body: form }),
  });
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';');
    cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  }
  return response;
}
