import { apiRoutes } from '../../src/api.ts';
import type { App } from '../../src/app.ts';
import { createKey } from '../../src/identity/key-store.ts';
import { consumeLink, createSetupLink, invitePerson } from '../../src/identity/link-store.ts';
import { type Permission, permissionsOf, type Role, roles } from '../../src/kernel/permission.ts';
import type { Route } from '../../src/platform/http/route.ts';
import { createLog } from '../../src/platform/log.ts';
import { createShutdown } from '../../src/platform/shutdown.ts';
import { startServing } from '../../src/serve.ts';
import { bringWorld, createInstallation, type Installation, reconcileDay } from './installation.ts';

/** The whole product served over real HTTP, with a reconciled day in it and people of every role. */
export type ServedProduct = {
  readonly url: string;
  readonly app: App;
  readonly installation: Installation;
  /** All that is served: what other folders add is tested without being named here. */
  readonly routes: readonly Route[];
  readonly document: ApiDocument;
  /** A new API key of somebody new with these roles, and these scopes only where they are given. */
  keyOf(roles: readonly Role[], scopes?: readonly Permission[]): Promise<string>;
  /** Ends the server as a signal would. */
  end(): Promise<void>;
  close(): Promise<void>;
};

export type Operation = {
  readonly operationId: string;
  readonly 'x-permission': Permission;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required: boolean;
    readonly schema: Record<string, unknown>;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Record<string, unknown> }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Record<string, unknown> }>> }>
  >;
};
export type ApiDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};

const unlimited = { burst: 1_000_000, perSecond: 1_000_000 };

export async function serveProduct(): Promise<ServedProduct> {
  const installation = await createInstallation();
  const from = Temporal.PlainDate.from('2026-11-18');
  await bringWorld(installation, { seed: 'http', days: 1, payments: 300, breaks: 1, from });
  const log = createLog({ logLevel: 'error' });
  const shutdown = createShutdown({ log });
  const config = { ...installation.config, port: 0 };
  const serving = await startServing(config, log, shutdown, {
    perAddress: unlimited,
    perActor: unlimited,
    bodyBytes: 200_000,
    eventsMs: 200,
  });
  const app = await installation.open();
  shutdown.onClose('app', () => app.close());
  await reconcileDay(app, '2026-11-18');
  await serving.open(app);
  const { url } = serving;
  const keyOf = await people(app);
  const answer = await fetch(`${url}/v1/openapi.json`);
  return {
    url,
    app,
    installation,
    routes: apiRoutes(app),
    document: (await answer.json()) as ApiDocument,
    keyOf,
    end: () => shutdown.end('test'),
    async close() {
      await shutdown.end('test');
      await installation.close();
    },
  };
}

/** The first administrator comes in by the link; everybody else is invited. */
async function people({ pool }: App): Promise<ServedProduct['keyOf']> {
  const now = Temporal.Now.instant();
  const first = 'first@pg.example';
  const token = String(await createSetupLink(pool, { by: 'system:setup', from: 'host', renew: true, now }));
  await consumeLink(pool, { token, name: 'First', email: first, passwordHash: 'h', from: 'host' }, now);
  const by = { actor: { who: first, from: 'host' }, reason: 'test' };
  let number = 0;
  return async (held, scopes) => {
    number += 1;
    const who = `person${number}@pg.example`;
    await invitePerson(pool, { name: 'Person', email: who, roles: held }, by, now);
    const permissions = permissionsOf(held);
    const wish = { owner: who, name: 'test', scopes: scopes ?? [...permissions], expiresAt: now.add({ hours: 24 }) };
    const { text } = await createKey(pool, { ...wish, reason: 'test' }, { who, permissions, from: 'host' }, now);
    return text;
  };
}

export const everyRole: readonly Role[] = roles;

/** Every operation with its method and path, in the order of the document. */
export function operationsOf({ paths }: ApiDocument) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}
