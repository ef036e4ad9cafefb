import { recordAct } from '../../src/audit/store.ts';
import { type Actor, permissionsOf, type Role, roles } from '../../src/kernel/permission.ts';
import type { Pool } from '../../src/platform/database/pool.ts';
import { listenHttp } from '../../src/platform/http/http-server.ts';
import type { ApiLimits } from '../../src/platform/http/limits.ts';
import { mountRoutes } from '../../src/platform/http/mount.ts';
import { withHeaders } from '../../src/platform/http/response-headers.ts';
import type { Route } from '../../src/platform/http/route.ts';
import { readListening } from '../../src/platform/listening.ts';
import { createLog, type Log } from '../../src/platform/log.ts';

/** A served API of a test's own routes. Whoever says `Bearer <role>` has that role; `Bearer <role>:<name>` is somebody. */
export type TestApi = {
  readonly url: string;
  readonly port: number;
  /** `ask('POST /things', {...})`: as an operator, with a key of its own unless one is given. */
  ask(line: string, options?: AskOptions): Promise<Response>;
  /** Begins the end, as a signal does. */
  end(): void;
  close(): Promise<void>;
};

export type AskOptions = {
  readonly as?: string | undefined;
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

export function actorOf(authorization: string | null, from: string): Actor | undefined {
  const [role, name] = (authorization ?? '').replace('Bearer ', '').split(':');
  if (!roles.includes(role as Role)) return undefined;
  return { who: `${name ?? role}@pg.example`, permissions: permissionsOf([role as Role]), from };
}

export async function serveRoutes(
  routes: readonly Route[],
  options: {
    readonly pool: Pool;
    readonly holder?: string;
    readonly limits?: Partial<ApiLimits>;
    readonly log?: Log;
    readonly origins?: string;
  },
): Promise<TestApi> {
  const log = options.log ?? createLog({ logLevel: 'silent' });
  const ending = new AbortController();
  const api = mountRoutes(routes, {
    pool: options.pool,
    log,
    authenticate: async ({ headers }, address) => actorOf(headers.get('authorization'), address),
    audit: { record: recordAct },
    holder: options.holder ?? 'test',
    language: 'en',
    signal: ending.signal,
    version: '0.0.0',
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    now: () => Temporal.Now.instant(),
  });
  const { listening } = readListening(options.origins === undefined ? {} : { JEONGSAN_ORIGINS: options.origins });
  const server = await listenHttp({
    port: 0,
    listening,
    log,
    answer: async (request, connection) =>
      withHeaders(await api.fetch(request, { connection }), request, { isSecure: false, origins: listening.origins }),
  });
  const url = `http://127.0.0.1:${server.port}`;
  let number = 0;
  return {
    url,
    port: server.port,
    async ask(line, { as = 'operator', key, body, headers = {}, signal } = {}) {
      const [method = '', path = ''] = line.split(' ');
      number += 1;
      return fetch(`${url}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${as}`,
          ...(method === 'GET' ? {} : { 'idempotency-key': key ?? `test-${number}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    },
    end: () => ending.abort(),
    close: () => server.close(0),
  };
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}
