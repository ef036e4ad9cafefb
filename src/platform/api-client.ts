import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { type Language, Problem, type ProblemCode, type ProblemDetails, problems } from '../kernel/problem.ts';
import type { Secret } from './secret.ts';

/** A request to a server of ours; `body` is JSON, `file` a file of this machine, read as it is sent. */
export type ClientRequest = {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly file?: { readonly name: string; readonly mediaType: string } | undefined;
  /** The version that is edited, as its ETag. */
  readonly ifMatch?: string | undefined;
  readonly accept?: string;
};

/** Another server's API, asked by a key. */
export type ApiClient = {
  /** The answer; what the server refused is thrown as its Problem. Throws `server_unreachable`, `server_answer_unreadable`. */
  send(request: ClientRequest): Promise<Response>;
};

const tries = 4;
const firstWaitMs = 250;

/**
 * A client for `https://host[:port]`; `http://` only to this machine, since the key is sent along. An act carries an
 * idempotency key, so that it can be asked again where the connection broke: the server answers what it answered before.
 * Throws Problem `usage` for any other address.
 */
export function createApiClient(options: {
  readonly server: string;
  readonly key: Secret | undefined;
  readonly language: Language;
  readonly signal?: AbortSignal;
}): ApiClient {
  const base = baseOf(options.server);
  return {
    async send({ method, path, body, file, ifMatch, accept = 'application/json' }) {
      const headers: Record<string, string> = {
        accept,
        'accept-language': options.language,
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key.reveal()}` }),
        ...(method === 'GET' ? {} : { 'idempotency-key': randomUUID() }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...(file === undefined
          ? body === undefined
            ? {}
            : { 'content-type': 'application/json' }
          : { 'content-type': file.mediaType }),
      };
      const ask = (): Promise<Response> =>
        fetch(`${base}${path}`, {
          method,
          headers,
          redirect: 'error',
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          ...(file === undefined
            ? body === undefined
              ? {}
              : { body: JSON.stringify(body) }
            : { body: Readable.toWeb(createReadStream(file.name)) as ReadableStream, duplex: 'half' }),
        });
      const response = await askAgain(ask, base, options.signal);
      if (!response.ok) throw await refusalOf(response);
      return response;
    },
  };
}

function baseOf(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  const isHere = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isHere))) {
    throw new Problem('usage', { reason: '--server https://HOST[:PORT]' });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** A connection that broke, again with the same idempotency key; what was answered, whatever it is, stands. */
async function askAgain(
  ask: () => Promise<Response>,
  server: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (signal?.aborted) throw error;
      const cause = (error as { cause?: Error }).cause ?? (error as Error);
      if (attempt === tries)
        throw new Problem('server_unreachable', { server, reason: cause.message }, { cause: error });
      await wait(firstWaitMs * 2 ** (attempt - 1));
    }
  }
}

/** What a server of ours refused, as the Problem that it is here. */
async function refusalOf(response: Response): Promise<Problem> {
  return problemOf(await response.text(), response.status);
}

/** The refusal that a server of ours said. */
export function problemOf(text: string, status: number): Problem {
  try {
    const { code, details } = JSON.parse(text) as { code?: string; details?: ProblemDetails };
    if (code !== undefined && code in problems) return new Problem(code as ProblemCode, details ?? {});
  } catch {
    // Not a refusal of ours: something between us and the server spoke.
  }
  return new Problem('server_answer_unreadable', { status, text: text.slice(0, 200) });
}
