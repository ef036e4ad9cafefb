import { hostname } from 'node:os';
import { type Actor, permissionsOf } from '../kernel/permission.ts';
import type { Language } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/log.ts';
import type { OidcAddress } from '../platform/oidc-address.ts';
import { checkAct } from './forgery.ts';
import { seeKey } from './key-store.ts';
import { linkUrl } from './link-page.ts';
import { createSetupLink } from './link-store.ts';
import { openAuthSecret } from './secret-store.ts';
import { seeSession } from './session-store.ts';
import { createSignIn, type SignIn } from './sign-in.ts';
import { createSignInHandler } from './sign-in-handler.ts';

/** 신원. Who asks, and how they sign in. */
export type Identity = {
  /**
   * Who asks: the owner of the key in `Authorization: Bearer …`, or whose session the cookie names; undefined where nobody
   * does, or no longer may. `address` is where the request came from, as the server saw it, never as the client says.
   * @throws Problem `request_forged` where a cookie came with an act that our own pages did not send
   */
  authenticate(request: Request, address?: string): Promise<Actor | undefined>;
  /** Answers what is below `/auth/`: signing in and out, second factors, links that work once. */
  handler(request: Request, address?: string): Promise<Response>;
  /**
   * 최초 설정 링크. The one-time link by which the first administrator comes in; undefined where there is an administrator,
   * or where a link that another process printed still works.
   */
  setupLink(): Promise<string | undefined>;
};

export type IdentityPorts = {
  readonly pool: Pool;
  readonly cipher: Cipher;
  readonly log: Log;
  /** Where people reach this server, without a slash at its end: `https://settle.pg.example`. */
  readonly publicUrl: string;
  readonly language: Language;
  readonly oidc?: OidcAddress | undefined;
  readonly now: () => Temporal.Instant;
};

const unknownAddress = 'unknown';

/**
 * Opens what signs people in and tells who they are.
 * @throws Problem `data_key_changed`, `sealed_damaged`
 */
export async function openIdentity(ports: IdentityPorts): Promise<Identity> {
  const { pool, now } = ports;
  const engine = { ...ports, oidc: ports.oidc, secret: await openAuthSecret(pool, ports.cipher) };
  const signIn = createSignIn(engine);
  const handler = createSignInHandler(engine, signIn);
  return {
    async authenticate(request, address = unknownAddress) {
      const authorization = request.headers.get('authorization');
      if (authorization !== null) return ownerOfKey(authorization, address, ports);
      return request.headers.has('cookie') ? ownerOfSession(request, address, signIn, ports) : undefined;
    },
    handler: (request, address = unknownAddress) => handler(request, address),
    async setupLink() {
      const by = { by: 'system:setup', from: hostname() };
      const token = await createSetupLink(pool, { ...by, renew: false, now: now() });
      return token === undefined ? undefined : linkUrl(ports.publicUrl, token);
    },
  };
}

/** A key that is given and does not work is nobody, whatever cookies came with it. */
async function ownerOfKey(
  authorization: string,
  address: string,
  { pool, now }: IdentityPorts,
): Promise<Actor | undefined> {
  const [, text] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
  const seen = text === undefined ? undefined : await seeKey(pool, text, now(), address);
  return seen && { who: seen.who, permissions: seen.permissions, from: address, key: seen.id };
}

async function ownerOfSession(
  request: Request,
  address: string,
  signIn: SignIn,
  { pool, publicUrl, now }: IdentityPorts,
): Promise<Actor | undefined> {
  const found = await signIn.api.getSession({ headers: new Headers({ cookie: request.headers.get('cookie') ?? '' }) });
  const seen = found === null ? undefined : await seeSession(pool, found.session.id, now());
  if (seen === undefined) return undefined;
  checkAct(request, publicUrl);
  return { who: seen.who, permissions: permissionsOf(seen.roles), from: address };
}
