import { randomUUID } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Actor, type Permission, permissions } from '../../src/kernel/permission.ts';
import type { Pool } from '../../src/platform/database/pool.ts';
import { listenHttp } from '../../src/platform/http/http-server.ts';
import { mountRoutes } from '../../src/platform/http/mount.ts';
import { openApiDocument } from '../../src/platform/http/openapi-document.ts';
import type { Route } from '../../src/platform/http/route.ts';
import { createLog } from '../../src/platform/log.ts';

/** Who asks and how; a person who may do everything, in English, unless said. */
export type Asking = {
  readonly who?: string;
  readonly may?: readonly Permission[];
  readonly headers?: Readonly<Record<string, string>>;
};
/** Whatever JSON says, for tests to look into. */
export type Json = { readonly [name: string]: Json } & readonly Json[] & (string | number | boolean | null);
export type Answered = { readonly status: number; readonly headers: Headers; readonly body: Json };
export type AnsweredFile = { readonly status: number; readonly headers: Headers; readonly bytes: Buffer };
export type TrailEntry = {
  readonly act: string;
  readonly subject: string;
  readonly outcome: string;
  readonly who: string;
  readonly reason?: string;
};

/** Routes served over real HTTP on a test's database. Every answer of JSON is held to the routes' own document. */
export type ServedApi = {
  readonly url: string;
  readonly trail: TrailEntry[];
  get(path: string, asking?: Asking): Promise<Answered>;
  post(path: string, body?: unknown, asking?: Asking): Promise<Answered>;
  /** Any other act: `put`, `patch`, `delete`. */
  send(method: 'put' | 'patch' | 'delete', path: string, body?: unknown, asking?: Asking): Promise<Answered>;
  upload(path: string, bytes: RequestInit['body'], mediaType: string, asking?: Asking): Promise<Answered>;
  file(path: string, asking?: Asking): Promise<AnsweredFile>;
  /** All rows of a list, a page after the other; `between` runs before each next one. */
  rows(path: string, between?: (pages: number) => Promise<void>): Promise<readonly Json[]>;
  close(): Promise<void>;
};

const pagesMost = 1000;

export async function serveApi(pool: Pool, routes: readonly Route[]): Promise<ServedApi> {
  const trail: TrailEntry[] = [];
  const ending = new AbortController();
  const log = createLog({ logLevel: 'error' });
  const api = mountRoutes(routes, {
    pool,
    log,
    authenticate: async ({ headers }) => actorOf(headers),
    audit: {
      async record(_, { actor, act, subject, outcome, reason }) {
        trail.push({ act, subject, outcome, who: actor.who, ...(reason === undefined ? {} : { reason }) });
      },
    },
    holder: 'test',
    language: 'en',
    signal: ending.signal,
    version: 'test',
    limits: { perAddress: { burst: 1e6, perSecond: 1e6 }, perActor: { burst: 1e6, perSecond: 1e6 } },
    now: () => Temporal.Now.instant(),
  });
  const server = await listenHttp({
    port: 0,
    listening: { host: '127.0.0.1', tls: undefined, proxies: [], origins: [], publicUrl: undefined },
    log,
    answer: async (request, connection) => api.fetch(request, { connection }),
  });
  const url = `http://127.0.0.1:${server.port}`;
  const contract = contractOf(routes);
  const ask = (method: string, path: string, asking: Asking, more: RequestInit = {}) =>
    fetch(`${url}/v1${path}`, { ...more, method, headers: { ...headersOf(asking), ...(more.headers as object) } });
  const answered = async (method: string, path: string, response: Response): Promise<Answered> => {
    const body = (await response.json()) as Json;
    contract(method, path, response, body);
    return { status: response.status, headers: response.headers, body };
  };
  const get: ServedApi['get'] = async (path, asking = {}) => answered('get', path, await ask('GET', path, asking));
  const act = async (
    method: string,
    path: string,
    asking: Asking,
    { body, mediaType }: { readonly body: RequestInit['body']; readonly mediaType: string },
  ) => {
    const headers = { 'content-type': mediaType, 'idempotency-key': randomUUID(), ...asking.headers };
    const init = { body, headers, duplex: 'half' } as RequestInit;
    return answered(method, path, await ask(method.toUpperCase(), path, asking, init));
  };
  const json = (body: unknown) => ({ body: JSON.stringify(body), mediaType: 'application/json' });
  return {
    url,
    trail,
    get,
    post: (path, body = {}, asking = {}) => act('post', path, asking, json(body)),
    send: (method, path, body = {}, asking = {}) => act(method, path, asking, json(body)),
    upload: (path, body, mediaType, asking = {}) => act('post', path, asking, { body, mediaType }),
    async file(path, asking = {}) {
      const response = await ask('GET', path, asking);
      return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
    },
    async rows(path, between = async () => {}) {
      const found: Json[] = [];
      let cursor = '';
      for (let pages = 1; pages <= pagesMost; pages += 1) {
        const { status, body } = await get(`${path}${path.includes('?') ? '&' : '?'}${cursor}`);
        if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
        found.push(...(body['rows'] as unknown as Json[]));
        if ((body['next'] as unknown) === null) return found;
        cursor = `cursor=${encodeURIComponent(String(body['next']))}`;
        await between(pages);
      }
      throw new Error(`${path} has no end`);
    },
    async close() {
      ending.abort();
      await server.close(1000);
    },
  };
}

function headersOf({ who = 'kim@pg.example', may = permissions, headers = {} }: Asking): Record<string, string> {
  return { 'accept-language': 'en', 'x-who': who, 'x-may': may.join(','), ...headers };
}

function actorOf(headers: Headers): Actor | undefined {
  const who = headers.get('x-who') ?? '';
  if (who === '') return undefined;
  const may = new Set((headers.get('x-may') ?? '').split(',') as Permission[]);
  return { who, permissions: may, from: '127.0.0.1' };
}

/** Throws where an answer of JSON is none that the document promises. */
function contractOf(routes: readonly Route[]) {
  const document = openApiDocument(routes, { version: 'test' }) as unknown as {
    readonly paths: Record<string, Record<string, { responses: Record<string, { content: Record<string, Json> }> }>>;
    readonly components: Json;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  return (method: string, asked: string, response: Response, body: unknown): void => {
    const [path] = asked.split('?');
    const operation = Object.keys(document.paths).find(
      (each) => document.paths[each]?.[method] && matches(each, `/v1${path}`),
    );
    if (operation === undefined) return;
    const answer = document.paths[operation]?.[method]?.responses[String(response.status)];
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const schema = answer?.content[type]?.['schema'];
    if (schema === undefined) throw new Error(`${method} ${asked}: ${response.status} ${type} ${JSON.stringify(body)}`);
    const check = ajv.compile({ ...(schema as object), components: document.components });
    if (!check(body)) throw new Error(`${method} ${asked}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(body)}`);
  };
}

/** Whether a path of the document, `{…}` for anything, is the one that was asked; the most literal comes first. */
function matches(path: string, asked: string): boolean {
  const pattern = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(asked);
}
