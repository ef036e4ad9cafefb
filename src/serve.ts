import { Hono } from 'hono';
import { apiRoutes } from './api.ts';
import { type App, openApp } from './app.ts';
import { recordAct } from './audit/store.ts';
import { startAutomaticWork } from './automatic-work.ts';
import { type Identity, openIdentity } from './identity/identity.ts';
import { mayDo } from './kernel/permission.ts';
import { isProblem, Problem } from './kernel/problem.ts';
import type { Ready } from './operations/serve-commands.ts';
import { createBankApi } from './payout/api.ts';
import type { Config } from './platform/config.ts';
import type { ApiEnv, Connection } from './platform/http/asked.ts';
import { healthAnswer } from './platform/http/health.ts';
import { listenHttp } from './platform/http/http-server.ts';
import { languageFor } from './platform/http/language.ts';
import { type ApiLimits, usualLimits } from './platform/http/limits.ts';
import { mountRoutes } from './platform/http/mount.ts';
import { problemAnswer } from './platform/http/problem-answer.ts';
import { createRateLimiter } from './platform/http/rate-limit.ts';
import { createRequestObserver } from './platform/http/request-observer.ts';
import { preflightAnswer, withHeaders } from './platform/http/response-headers.ts';
import { publicUrlOf } from './platform/listening.ts';
import type { Log } from './platform/log.ts';
import { productVersion } from './platform/product-version.ts';
import type { Shutdown } from './platform/shutdown.ts';

/** A server that listens and, until it is given the product, says that it is starting. */
export type Serving = {
  readonly port: number;
  /** Where people reach it. */
  readonly url: string;
  /** From now on it answers; returns the one-time link by which the first administrator comes in, if there is none. */
  open(app: App): Promise<string | undefined>;
};

/** How long answers that are being given may take when the process ends. */
const closeMs = 10_000;
/** Signing in has limits of its own for each person; this one is for each address. */
const signInRate = { burst: 60, perSecond: 2 };

type Opened = { readonly app: App; readonly api: Hono<ApiEnv>; readonly bankApi: Hono; readonly identity: Identity };

/**
 * Listens at once, so that a port that is taken is said before anything is made.
 * @throws Problem `port_taken`, `certificate_unreadable`
 */
export async function startServing(
  config: Config,
  log: Log,
  shutdown: Shutdown,
  limits: Partial<ApiLimits> = {},
): Promise<Serving> {
  const { signal } = shutdown;
  const { listening, language } = config;
  let opened: Opened | undefined;
  const signIns = createRateLimiter(signInRate, () => performance.now());
  const site = new Hono<ApiEnv>();
  const health = (path: string) =>
    healthAnswer(path, {
      opened: () =>
        opened && {
          databaseAnswers: () => (opened as Opened).app.pool.query('select 1'),
          engineIsHealthy: () => (opened as Opened).app.durable.isHealthy(),
        },
      signal,
    });
  const now = () => Temporal.Now.instant();
  const whenOpen = (answer: (ready: Opened) => Response | Promise<Response>) => {
    if (opened === undefined || signal.aborted) throw new Problem('unavailable');
    return answer(opened);
  };
  site.get('/', (context) => context.redirect('/v1/docs'));
  site.get('/health', ({ req }) => health(req.path));
  site.get('/health/:what{live|ready}', ({ req }) => health(req.path));
  site.all('/bank/*', ({ req }) => whenOpen(({ bankApi }) => bankApi.fetch(req.raw)));
  site.all('/auth/*', ({ req, env }) =>
    whenOpen(({ identity }) => {
      const seconds = signIns.take(env.connection.address);
      if (seconds !== undefined) throw new Problem('rate_limited', { seconds });
      return identity.handler(req.raw, env.connection.address);
    }),
  );
  site.get('/metrics', ({ req, env }) =>
    whenOpen(async ({ app, identity }) => {
      const actor = await identity.authenticate(req.raw, env.connection.address);
      if (actor === undefined) throw new Problem('sign_in_needed');
      if (!mayDo(actor, 'read')) throw new Problem('permission_missing', { permission: 'read' });
      const { mediaType, body } = await app.metrics.text();
      return new Response(body, { headers: { 'content-type': mediaType } });
    }),
  );
  site.all('/v1/*', ({ req, env }) => whenOpen(({ api }) => api.fetch(req.raw, env)));
  site.notFound(({ req }) => {
    throw new Problem('route_unknown', { path: req.path });
  });
  site.onError((error, { req }) => {
    const requestId = crypto.randomUUID();
    if (!isProblem(error)) log.error({ err: error, requestId, path: shownPath(req.path) }, 'a request failed');
    const problem = isProblem(error) ? error : new Problem('internal', { request: requestId });
    return problemAnswer(problem, {
      language: languageFor(req.header('accept-language') ?? null, language),
      requestId,
    });
  });

  const rules = {
    isSecure: listening.tls !== undefined || listening.publicUrl?.startsWith('https:') === true,
    origins: listening.origins,
  };
  const server = await listenHttp({
    port: config.port,
    listening,
    log,
    async answer(request: Request, connection: Connection) {
      // The end waits for what is being answered, before the database is closed.
      const answering = shutdown.active.begin(`${request.method} ${shownPath(new URL(request.url).pathname)}`);
      try {
        const answer = preflightAnswer(request, rules) ?? (await site.fetch(request, { connection }));
        return withHeaders(answer, request, rules);
      } finally {
        answering.end();
      }
    },
  });
  shutdown.onClose('http', () => server.close(closeMs));
  const url = publicUrlOf(listening, server.port);
  return {
    port: server.port,
    url,
    async open(app) {
      const { pool, banks, cipher, durable } = app;
      const identity = await openIdentity({ pool, cipher, log, publicUrl: url, language, oidc: config.oidc, now });
      const api = mountRoutes(apiRoutes(app, url), {
        pool,
        log,
        authenticate: (request, address) => identity.authenticate(request, address),
        audit: { record: recordAct },
        holder: durable.executorId,
        language,
        signal,
        version: productVersion(),
        observe: createRequestObserver(app.metrics),
        limits: { ...usualLimits, ...limits },
        now,
      });
      opened = { app, api, identity, bankApi: createBankApi({ pool, log, banks, now }) };
      return identity.setupLink();
    },
  };
}

/**
 * 서버. The interface and all that a server does by itself, until a signal ends it. Undefined where it was ended before it
 * could answer.
 */
export async function runServer(config: Config, log: Log, shutdown: Shutdown): Promise<Ready | undefined> {
  // The end waits for active work before it closes: so nothing that is being opened here can be left open.
  const starting = shutdown.active.begin('start');
  try {
    const serving = await startServing(config, log, shutdown);
    const app = await openApp(config, log);
    shutdown.onClose('app', () => app.close());
    shutdown.signal.throwIfAborted();
    const work = await startAutomaticWork(app, log);
    shutdown.onClose('automatic work', () => work.stop());
    const setupLink = await serving.open(app);
    shutdown.signal.throwIfAborted();
    shutdown.started();
    return { url: serving.url, port: serving.port, setupLink: setupLink ?? null };
  } catch (error) {
    const wasTold = shutdown.signal.aborted;
    starting.end();
    await shutdown.end('failed');
    if (!wasTold) throw error;
    log.debug({ err: error }, 'stopped while starting');
    return undefined;
  } finally {
    starting.end();
  }
}

/** A path as the log may show it: who holds a link that works once comes in by it. */
function shownPath(path: string): string {
  return path.replace(/^(\/auth\/link\/).+/, '$1…');
}
