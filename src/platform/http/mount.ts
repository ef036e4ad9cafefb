import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { check } from '../../kernel/check.ts';
import { type Actor, mayDo } from '../../kernel/permission.ts';
import { isProblem, type Language, Problem, type ProblemCode, problems } from '../../kernel/problem.ts';
import type { Log } from '../log.ts';
import { createActs } from './act.ts';
import type { ApiEnv, Asked, MountPorts } from './asked.ts';
import { languageFor } from './language.ts';
import { usualLimits } from './limits.ts';
import { createOpenStreams } from './open-streams.ts';
import { openApiDocument } from './openapi-document.ts';
import { problemAnswer } from './problem-answer.ts';
import { createRateLimiter } from './rate-limit.ts';
import { referencePage, referencePolicy } from './reference-page.ts';
import type { Route } from './route.ts';
import { answerRoute } from './route-answer.ts';

/** Everything below `/v1`: the routes, what describes them, and the refusals that there are. */
export function mountRoutes(routes: readonly Route[], ports: MountPorts): Hono<ApiEnv> {
  const { log, signal } = ports;
  const limits = { ...usualLimits, ...ports.limits };
  const perAddress = createRateLimiter(limits.perAddress, () => performance.now());
  const perActor = createRateLimiter(limits.perActor, () => performance.now());
  const working = { ...ports, limits, acts: createActs(ports), streams: createOpenStreams(limits.streams) };
  const api = new Hono<ApiEnv>();
  let atOnce = 0;

  const identify = async ({ request, connection }: Asked): Promise<Actor> => {
    take(perAddress, connection.address);
    const actor = await ports.authenticate(request, connection.address);
    if (actor === undefined) {
      take(perAddress, connection.address, limits.strangerCost - 1);
      throw new Problem('sign_in_needed');
    }
    take(perActor, actor.who);
    return actor;
  };

  const answer = async (context: Context<ApiEnv>, work: (asked: Asked) => Promise<Response>): Promise<Response> => {
    const asked = askedOf(context, ports.language);
    if (atOnce >= limits.atOnce || signal.aborted)
      return finished(problemAnswer(new Problem('unavailable'), asked), asked);
    atOnce += 1;
    try {
      const response = finished(await work(asked), asked);
      if (asked.request.method !== 'HEAD') return response;
      // Nobody will take the body of it: what makes it has to end.
      await response.body?.cancel();
      return new Response(null, response);
    } catch (error) {
      return finished(problemAnswer(problemOf(error, asked, log), asked), asked);
    } finally {
      atOnce -= 1;
    }
  };

  const observed = (context: Context<ApiEnv>, route: Route, work: (asked: Asked) => Promise<Response>) => {
    const asked = { request: context.req.raw, method: methodOf(route).toUpperCase(), route: `/v1${route.path}` };
    const answered = () => answer(context, work);
    return ports.observe === undefined ? answered() : ports.observe(asked, answered);
  };

  const places = routes.map((route) => `${methodOf(route)} ${route.path.replace(/\{\w+\}/g, '{}')}`);
  check(new Set(places).size === routes.length, 'no two routes are asked in the same way');
  check(new Set(routes.map(({ id }) => id)).size === routes.length, 'no two routes have one name');
  for (const route of routes) {
    check(route.permission !== 'reveal' || methodOf(route) !== 'get', `${route.id}: to reveal is an act, and no GET`);
  }
  const document = openApiDocument(routes, { version: ports.version });
  const documentText = JSON.stringify(document);
  const documentGzip = gzipSync(documentText);
  api.get('/v1/openapi.json', (context) =>
    answer(context, async ({ connection, request }) => {
      take(perAddress, connection.address);
      const headers = { 'content-type': 'application/json', vary: 'Accept-Encoding' };
      // A client that says what it asks by the document reads it each time: a twentieth of its size is enough.
      const isPacked = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '');
      if (!isPacked) return new Response(documentText, { headers });
      return new Response(documentGzip, { headers: { ...headers, 'content-encoding': 'gzip' } });
    }),
  );
  const pages = { ko: referencePage(document, 'ko'), en: referencePage(document, 'en') };
  api.get('/v1/docs', (context) =>
    answer(context, async ({ connection, language }) => {
      take(perAddress, connection.address);
      return new Response(pages[language], {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-language': language,
          'content-security-policy': referencePolicy,
        },
      });
    }),
  );
  api.get('/v1/problems/:code', (context) =>
    answer(context, async ({ connection, url }) => {
      take(perAddress, connection.address);
      const code = context.req.param('code');
      if (!Object.hasOwn(problems, code)) throw new Problem('route_unknown', { path: url.pathname });
      return Response.json({ code, ...problems[code as ProblemCode] });
    }),
  );
  for (const route of routes.toSorted((a, b) => compareText(pathRank(a.path), pathRank(b.path)))) {
    const method = methodOf(route);
    api.on(method.toUpperCase(), honoPath(route.path), (context) =>
      observed(context, route, async (asked) => {
        const actor = await identify(asked);
        if (!mayDo(actor, route.permission)) {
          const denied = {
            actor,
            act: route.id,
            subject: asked.url.pathname.slice(0, 200),
            outcome: 'denied',
          } as const;
          await ports.audit.record(ports.pool, { ...denied, detail: { permission: route.permission } });
          throw new Problem('permission_missing', { permission: route.permission });
        }
        return answerRoute(route, { ...asked, actor, params: context.req.param() }, working);
      }),
    );
  }
  const allowed = methodsByPath(routes);
  for (const [path, methods] of [...allowed].sort(([a], [b]) => compareText(pathRank(a), pathRank(b)))) {
    api.all(honoPath(path), (context) =>
      answer(context, async (asked) => {
        const details = { path: asked.url.pathname, method: context.req.method, allowed: methods.join(', ') };
        return problemAnswer(new Problem('method_unknown', details), asked, { allow: methods.join(', ') });
      }),
    );
  }
  api.all('/v1/*', (context) =>
    answer(context, ({ url }) => Promise.reject(new Problem('route_unknown', { path: url.pathname }))),
  );
  return api;
}

export function methodOf(route: Route): 'get' | 'post' | 'put' | 'patch' | 'delete' {
  return 'method' in route ? route.method : 'get';
}

/** `/breaks/{id}` → `/v1/breaks/:id` */
function honoPath(path: string): string {
  return `/v1${path.replace(/\{(\w+)\}/g, ':$1')}`;
}

/** `/breaks/sums` is asked before `/breaks/{id}`, whatever the order in which they are listed. */
function pathRank(path: string): string {
  return path
    .split('/')
    .map((part) => (part.startsWith('{') ? '~' : part))
    .join('/');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const route of routes) {
    const methods = found.get(route.path) ?? [];
    methods.push(methodOf(route).toUpperCase());
    found.set(route.path, methods);
  }
  return found;
}

function take(limiter: ReturnType<typeof createRateLimiter>, name: string, cost = 1): void {
  const seconds = limiter.take(name, cost);
  if (seconds !== undefined) throw new Problem('rate_limited', { seconds });
}

function askedOf(context: Context<ApiEnv>, usual: Language): Asked {
  const request = context.req.raw;
  return {
    request,
    url: new URL(request.url),
    connection: context.env.connection,
    language: languageFor(request.headers.get('accept-language'), usual),
    requestId: randomUUID(),
  };
}

/** What nobody foresaw is told by a number that the log knows, and by nothing else. */
function problemOf(error: unknown, { requestId, request, url }: Asked, log: Log): Problem {
  if (isProblem(error)) return error;
  if (isDatabaseAway(error)) {
    log.warn({ err: error, requestId }, 'a request met no database');
    return new Problem('unavailable', {}, { cause: error });
  }
  log.error({ err: error, requestId, method: request.method, path: url.pathname }, 'a request failed');
  return new Problem('internal', { request: requestId }, { cause: error });
}

/** Lost, refused or shut down; not a statement that failed. */
function isDatabaseAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(08|57P0|53)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code);
}

/** Nothing of it is kept by whoever stands between, and none of it is a page. */
function finished(response: Response, { requestId }: Asked): Response {
  const { headers } = response;
  headers.set('x-request-id', requestId);
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  headers.append('vary', 'Accept, Accept-Language, Authorization, Cookie, Origin');
  return response;
}
