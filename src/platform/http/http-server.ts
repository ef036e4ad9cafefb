import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Problem, type ProblemCode } from '../../kernel/problem.ts';
import type { Listening } from '../listening.ts';
import type { Log } from '../log.ts';
import type { Connection } from './asked.ts';
import { problemAnswer, problemBody, problemMediaType } from './problem-answer.ts';

/** A server that listens. */
export type HttpServer = {
  readonly port: number;
  /** Takes no more connections, lets running answers end for `withinMs`, then cuts what is left. */
  close(withinMs: number): Promise<void>;
};

export type HttpServerOptions = {
  readonly port: number;
  readonly listening: Listening;
  readonly log: Log;
  /** Answers a request; it never throws. */
  readonly answer: (request: Request, connection: Connection) => Promise<Response>;
};

export const mostHeaderBytes = 16 * 1024;
const headersMs = 10_000;
const keepAliveMs = 65_000;
const mostConnections = 2_000;
const requestsPerConnection = 10_000;

/**
 * Listens, with TLS where there is a certificate. Throws Problem `port_taken`, `certificate_unreadable`.
 */
export async function listenHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { listening, log } = options;
  const server = await createHttpServer(listening);
  server.maxConnections = mostConnections;
  server.maxRequestsPerSocket = requestsPerConnection;
  server.on('request', createListener(options));
  server.on('clientError', refuseClient);
  server.on('tlsClientError', (error: Error) => log.debug({ err: error }, 'a TLS handshake failed'));
  server.listen({ port: options.port, host: listening.host });
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? new Problem('port_taken', { port: options.port }) : error;
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(withinMs) {
      const closed = once(server, 'close');
      server.close();
      const cut = setTimeout(() => server.closeAllConnections(), withinMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Headers have a limit in size and time here; bodies have theirs where they are read, since a file may take its time. */
async function createHttpServer({ tls }: Listening): Promise<Server> {
  const limits: ServerOptions = {
    maxHeaderSize: mostHeaderBytes,
    headersTimeout: headersMs,
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: 2_000,
    noDelay: true,
  };
  if (tls === undefined) return createServer(limits);
  const [cert, key] = await Promise.all([readPem(tls.certFile), readPem(tls.keyFile)]);
  try {
    return createTlsServer({ ...limits, cert, key, minVersion: 'TLSv1.2', honorCipherOrder: true });
  } catch (error) {
    const reason = (error as Error).message;
    throw new Problem('certificate_unreadable', { file: tls.certFile, reason }, { cause: error });
  }
}

async function readPem(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Problem('certificate_unreadable', { file, reason: error.code ?? error.message }, { cause: error });
  });
}

function createListener({ answer, listening, log }: HttpServerOptions) {
  const proxies = new Set(listening.proxies);
  return getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as unknown as {
        incoming: IncomingMessage;
        outgoing: ServerResponse;
      };
      const closed = new AbortController();
      outgoing.once('close', () => closed.abort());
      const response = await answer(request, {
        address: addressOf(incoming, proxies),
        closed: closed.signal,
        cut: () => outgoing.destroy(),
      });
      // What is left of a body that nobody reads would be taken for the next request.
      if (!incoming.complete) outgoing.setHeader('connection', 'close');
      return response;
    },
    {
      overrideGlobalObjects: false,
      errorHandler(error) {
        log.debug({ err: error }, 'a request could not be read');
        return problemAnswer(new Problem('request_unreadable', { reason: 'URL, Host' }), unnamed);
      },
    },
  );
}

const unnamed = { language: 'en', requestId: '00000000-0000-0000-0000-000000000000' } as const;

/** Whence a request came: of what proxies add to `X-Forwarded-For`, the last one that is no proxy of ours. */
function addressOf({ socket, headers }: IncomingMessage, proxies: ReadonlySet<string>): string {
  const peer = plainAddress(socket.remoteAddress ?? '?');
  if (!proxies.has(peer)) return peer;
  const said = [headers['x-forwarded-for'] ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((each) => plainAddress(each.trim()));
  return said.findLast((each) => each !== '' && !proxies.has(each))?.slice(0, 64) ?? peer;
}

function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, '');
}

/** What is no HTTP, or takes too long to be, is told so and let go. */
function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error.code);
  const body = problemBody(problem, unnamed.language, unnamed.requestId);
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${body.status} ${body.title}\r\ncontent-type: ${problemMediaType}\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

function problemOf(code: string | undefined): Problem {
  const known: Readonly<Record<string, readonly [ProblemCode, Record<string, number>]>> = {
    HPE_HEADER_OVERFLOW: ['headers_too_large', { limitBytes: mostHeaderBytes }],
    ERR_HTTP_REQUEST_TIMEOUT: ['request_too_slow', { seconds: headersMs / 1000 }],
  };
  const [problem, details] = known[code ?? ''] ?? ['request_unreadable', { reason: 'HTTP' }];
  return new Problem(problem, details);
}
