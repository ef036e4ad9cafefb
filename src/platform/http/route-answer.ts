import { isProblem, Problem } from '../../kernel/problem.ts';
import { type Acted, type AskedAct, readKey } from './act.ts';
import type { AskedBy, Working } from './asked.ts';
import { auditableBody } from './audit-port.ts';
import { byteStream } from './byte-stream.ts';
import { type Input, readInput } from './call-input.ts';
import { eventStream, type ServerEvent } from './event-stream.ts';
import { exportStream } from './export-stream.ts';
import { jsonText } from './json-text.ts';
import { cursorOf, exportMediaTypes, formatFor, listQuery, mostLimit, readPaging } from './list-request.ts';
import { problemAnswer } from './problem-answer.ts';
import { readWhole, streamBody } from './request-body.ts';
import type { Route } from './route.ts';

type Of<Kind extends Route['kind']> = Extract<Route, { kind: Kind }>;
/** A call as every handler takes it: its shapes were checked by the schemas that the route names. */
type AnyCall = Parameters<Of<'plain'>['handle']>[0];

/** The answer of a route to somebody who may ask. @throws Problem of the route, of its input, and of acts */
export function answerRoute(route: Route, asked: AskedBy, working: Working): Promise<Response> {
  switch (route.kind) {
    case 'plain':
      return route.method === 'get' ? answerQuestion(route, asked, working) : answerAct(route, asked, working);
    case 'list':
      return answerList(route, asked, working);
    case 'upload':
      return answerUpload(route, asked, working);
    case 'download':
      return answerDownload(route, asked, working);
    case 'events':
      return answerEvents(route, asked, working);
  }
}

async function answerQuestion(route: Of<'plain'>, asked: AskedBy, working: Working): Promise<Response> {
  const call = callOf(asked, inputOf(route, asked), undefined, working);
  const { body, headers, status } = plainAnswer(route, await route.handle(call));
  const known = asked.request.headers.get('if-none-match');
  if (known !== null && headers['etag'] !== undefined && known.includes(headers['etag'])) {
    return new Response(null, { status: 304, headers: { etag: headers['etag'] } });
  }
  return new Response(body, { status, headers });
}

async function answerAct(route: Of<'plain'>, asked: AskedBy, working: Working): Promise<Response> {
  const key = readKey(asked.request.headers);
  const { bodyBytes, bodyMs } = working.limits;
  const body = await readWhole(asked.request, { mostBytes: bodyBytes, withinMs: bodyMs });
  const input = inputOf(route, asked, body);
  const version = route.edits === true ? readVersion(asked.request.headers) : undefined;
  const call = callOf(asked, input, version, working);
  const act: AskedAct = {
    ...actOf(route, asked, key, version),
    entry: entryOf(route, asked, route.subject?.(call), input),
    secret: route.secret === true || route.permission === 'reveal',
    body,
  };
  return perform(act, asked, working, {
    work: async () => plainAnswer(route, await route.handle(call)),
    read: () => ({ sha256: Buffer.alloc(32), bytes: 0 }),
  });
}

async function answerUpload(route: Of<'upload'>, asked: AskedBy, working: Working): Promise<Response> {
  const { limits, streams } = working;
  const key = readKey(asked.request.headers);
  const mediaType = mediaTypeOf(asked.request.headers);
  if (!route.accepts.includes(mediaType)) {
    throw new Problem('media_type_unsupported', { given: mediaType, taken: route.accepts.join(', ') });
  }
  const input = inputOf(route, asked);
  const release = streams.begin(asked.actor.who);
  try {
    const { stream, facts } = streamBody(asked.request, {
      mostBytes: limits.uploadBytes,
      withinMs: limits.uploadIdleMs,
    });
    const call = { ...callOf(asked, input, undefined, working), stream, mediaType };
    const act = { ...actOf(route, asked, key), entry: entryOf(route, asked, undefined, input), secret: false };
    return await perform({ ...act, body: undefined }, asked, working, {
      work: async () => {
        try {
          return jsonAnswer(200, await route.handle(call as never));
        } finally {
          stream.destroy();
        }
      },
      read: facts,
    });
  } finally {
    release();
  }
}

async function perform(
  act: AskedAct,
  asked: AskedBy,
  { acts, limits }: Working,
  how: {
    readonly work: () => Promise<Acted>;
    readonly read: () => { readonly sha256: Buffer; readonly bytes: number };
  },
): Promise<Response> {
  const { answer, replayed } = await acts.perform(act, {
    ...how,
    refused: async (problem) => {
      const response = problemAnswer(problem, asked);
      const headers = Object.fromEntries(response.headers);
      return { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) };
    },
    again: asked.request,
    againMs: limits.uploadIdleMs,
  });
  const headers = { ...answer.headers, ...(replayed ? { 'idempotency-replayed': 'true' } : {}) };
  return new Response(new Uint8Array(answer.body), { status: answer.status, headers });
}

async function answerList(route: Of<'list'>, asked: AskedBy, working: Working): Promise<Response> {
  const input = inputOf({ params: route.params, query: listQuery(route) }, asked);
  const { filter, format: named, order, request } = readPaging(route, input.query as Record<string, unknown>);
  const call = callOf(asked, { ...input, query: filter }, undefined, working);
  const format = formatFor(named, asked.request.headers.get('accept'));
  if (format !== undefined) {
    const page = (after: string | undefined) => route.page(call as never, { ...request, after, limit: mostLimit });
    // What the first page is refused for is still said as a refusal.
    const stream = exportStream(route, format, await page(request.after), page);
    return streamed(stream, asked, working, {
      'content-type': `${exportMediaTypes[format]}${format === 'xlsx' ? '' : '; charset=utf-8'}`,
      'content-disposition': disposition(`${route.tag}.${format}`),
    });
  }
  const { rows, next } = await route.page(call as never, request);
  const cursor = next === undefined ? null : cursorOf(next, order);
  return toResponse(
    jsonAnswer(200, { rows, next: cursor }, cursor === null ? {} : { link: nextLink(asked.url, cursor) }),
  );
}

async function answerDownload(route: Of<'download'>, asked: AskedBy, working: Working): Promise<Response> {
  const call = callOf(asked, inputOf(route, asked), undefined, working);
  const { stream, mediaType, fileName, bytes } = await route.handle(call as never);
  return streamed(stream, asked, working, {
    'content-type': mediaType,
    'content-disposition': disposition(fileName),
    ...(bytes === undefined ? {} : { 'content-length': String(bytes) }),
  });
}

async function answerEvents(route: Of<'events'>, asked: AskedBy, working: Working): Promise<Response> {
  const { limits, log } = working;
  const call = callOf(asked, inputOf(route, asked), undefined, working);
  const lastId = asked.request.headers.get('last-event-id') ?? undefined;
  const source = route.handle({ ...call, lastId: lastId?.slice(0, 200) } as never) as AsyncIterable<ServerEvent>;
  const stream = eventStream(source, {
    heartbeatMs: limits.heartbeatMs,
    longestMs: limits.eventsMs,
    signal: call.signal,
    language: asked.language,
    requestId: asked.requestId,
    failed: (error) => {
      if (!isProblem(error)) log.error({ err: error, requestId: asked.requestId, route: route.id }, 'events broke off');
    },
  });
  return streamed(stream, asked, working, {
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
  });
}

function streamed(
  source: AsyncIterable<Uint8Array>,
  asked: AskedBy,
  { limits, log, streams }: Working,
  headers: Record<string, string>,
): Response {
  const release = streams.begin(asked.actor.who);
  const body = byteStream(source, {
    idleMs: limits.takeIdleMs,
    cut: () => asked.connection.cut(),
    ended: ({ error }) => {
      release();
      if (error !== undefined)
        log.error({ err: error, requestId: asked.requestId }, 'a file could not be made to its end');
    },
  });
  return new Response(body, { headers });
}

function inputOf(
  route: Pick<Of<'plain'>, 'params' | 'query' | 'body'>,
  { request, url, params, language }: AskedBy,
  body?: Buffer,
): Input {
  const raw = { params, query: url.searchParams, body: route.body === undefined ? undefined : readJson(request, body) };
  return readInput(raw, route, language);
}

/** @throws Problem `media_type_unsupported`, `request_unreadable` */
function readJson({ headers }: Request, body: Buffer | undefined): unknown {
  if (body === undefined || body.length === 0) return undefined;
  const mediaType = mediaTypeOf(headers);
  if (mediaType !== 'application/json') {
    throw new Problem('media_type_unsupported', { given: mediaType, taken: 'application/json' });
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (error) {
    throw new Problem('request_unreadable', { reason: (error as Error).message.slice(0, 200) }, { cause: error });
  }
}

function mediaTypeOf(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase().slice(0, 100) || '?';
}

function callOf(
  { actor, language, connection }: AskedBy,
  input: Input,
  version: number | undefined,
  { signal }: Working,
): AnyCall {
  return { actor, language, ...input, version, signal: AbortSignal.any([connection.closed, signal]) } as AnyCall;
}

/** The version that `If-Match` names: one, not any. @throws Problem `version_missing` */
function readVersion(headers: Headers): number {
  const version = /^"(\d{1,15})"$/.exec(headers.get('if-match')?.trim() ?? '')?.[1];
  if (version === undefined) throw new Problem('version_missing');
  return Number(version);
}

function actOf(route: Route, { actor, request, url }: AskedBy, key: string, version?: number) {
  const asked = `${request.method} ${url.pathname}${url.search}${version === undefined ? '' : ` "${version}"`}`;
  return { actor, key, request: asked.slice(0, 8000), act: route.id };
}

function entryOf(route: Of<'plain'> | Of<'upload'>, asked: AskedBy, subject: string | undefined, input: Input) {
  const { reason } = (input.body ?? {}) as { readonly reason?: unknown };
  const body = auditableBody(input.body);
  const query = auditableBody(input.query);
  return {
    act: route.id,
    subject: subject ?? [route.tag, ...Object.values(asked.params)].join(':'),
    ...(typeof reason === 'string' ? { reason } : {}),
    detail: {
      request: asked.requestId,
      ...(body === undefined ? {} : { body }),
      ...(query === undefined ? {} : { query }),
    },
  };
}

/** The answer of a plain route; one that has a version says it as its ETag. */
function plainAnswer(route: Of<'plain'>, value: unknown): Acted {
  const { version } = (value ?? {}) as { readonly version?: unknown };
  const hasVersion = route.edits === true && (typeof version === 'number' || typeof version === 'bigint');
  return jsonAnswer(route.status ?? 200, value, hasVersion ? { etag: `"${version}"` } : {});
}

function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Acted {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(jsonText(value ?? {})),
  };
}

function toResponse({ status, headers, body }: Acted): Response {
  return new Response(new Uint8Array(body), { status, headers });
}

function nextLink(url: URL, cursor: string): string {
  const next = new URL(url);
  next.searchParams.set('cursor', cursor);
  return `<${next.pathname}${next.search}>; rel="next"`;
}

/** A name for the file on the caller's side, in its own letters and in plain ones (RFC 6266). */
function disposition(fileName: string): string {
  const plain = fileName.replace(/[^\w.-]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(fileName.toWellFormed()).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`;
}
