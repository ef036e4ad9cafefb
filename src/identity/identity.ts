import type { Actor } from '../kernel/permission.ts';
import type { Language } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/log.ts';
import type { Secret } from '../platform/secret.ts';

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

/** The identity provider at which people may sign in, by OpenID Connect. */
export type OidcAddress = {
  /** `https://login.pg.example/realms/pg`: its discovery document is below it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
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

/** Opens what signs people in. */
export async function openIdentity(_ports: IdentityPorts): Promise<Identity> {
  return {
    authenticate: () => Promise.resolve(undefined),
    handler: () => Promise.resolve(new Response(null, { status: 404 })),
    setupLink: () => Promise.resolve(undefined),
  };
}
