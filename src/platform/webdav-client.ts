import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isProblem, Problem } from '../kernel/problem.ts';
import { reasonOf } from './http-client.ts';
import { type Patience, usualPatience } from './patience.ts';
import type { HttpsAddress } from './remote-address.ts';
import { VerifiedAgent } from './verified-agent.ts';

export type WebdavMethod = 'HEAD' | 'GET' | 'PUT' | 'MOVE' | 'PROPFIND';

export type WebdavRequest = {
  readonly method: WebdavMethod;
  /** Of the server, not encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes: number; readonly chunks: () => AsyncIterable<Uint8Array> };
};

/** The answer did not come, not whole, or says that another try may succeed. Whether the request was done is not known. */
export class RequestLost extends Error {
  override name = 'RequestLost';
  /** The server wants nobody to come back sooner. */
  leastMs = 0;
}

/** A head, or a listing, is there whole within so many times what one wait for bytes may take. */
const wholeTimes = 4;
/** More than any listing or error page of use. */
const mostTextBytes = 16 * 1024 * 1024;

/**
 * Sends single requests of WebDAV over connections that are used again, and tries nothing again. Redirects are refused:
 * they would take the token elsewhere.
 */
export class WebdavClient {
  readonly name: string;
  readonly patience: Patience;
  private readonly address: HttpsAddress;
  private agent: VerifiedAgent | undefined;

  constructor(address: HttpsAddress, impatience: Partial<Patience> = {}) {
    this.address = address;
    this.name = formatHttps(address);
    this.patience = { ...usualPatience, ...impatience };
  }

  /**
   * The answer, its body still to be read, also where it says no.
   * @throws RequestLost; Problem `source_refused` (redirect), `token_refused`, `token_unreadable`, `certificate_mismatch`,
   * `certificate_unreadable`
   */
  async send({ method, path, headers, body }: WebdavRequest): Promise<IncomingMessage> {
    const { host, port, tokenPath } = this.address;
    const authorization = `Bearer ${await readToken(tokenPath)}`;
    this.agent ??= new VerifiedAgent(this.address, this.patience.connectMs);
    const request = httpsRequest({
      host,
      port,
      method,
      path: encodePath(path),
      agent: this.agent,
      headers: {
        'accept-encoding': 'identity',
        ...headers,
        authorization,
        ...(body === undefined ? {} : { 'content-length': String(body.bytes) }),
      },
    });
    // Of both directions: a long transfer takes as long as it takes while anything moves.
    request.setTimeout(this.patience.answerMs, () => {
      request.destroy(new Error(`nothing moved for ${this.patience.answerMs} ms`));
    });
    // A server that drips keeps every single wait short; only a whole file takes as long as it takes, until it has gone.
    const headMs = this.patience.answerMs * wholeTimes;
    const late = () => request.destroy(new Error(`no whole answer within ${headMs} ms`));
    let timer: NodeJS.Timeout | undefined;
    const arm = () => {
      timer = setTimeout(late, headMs);
    };
    if (method === 'PUT') request.once('finish', arm);
    else arm();
    const response = await answerTo(request, body).finally(() => {
      request.off('finish', arm);
      clearTimeout(timer);
    });
    const status = response.statusCode ?? 0;
    if (status < 300 || (status >= 400 && status !== 401 && status !== 403 && !isPassing(status))) return response;
    response.resume();
    if (isPassing(status)) throw lostBy(status, response.headers['retry-after']);
    if (status >= 400) throw new Problem('token_refused', { source: this.name, status });
    throw new Problem('source_refused', { source: this.name, reason: `a redirect (${status}) is not followed` });
  }

  /** The URL of a path, as a MOVE names its destination. */
  urlOf(path: string): string {
    const { host, port } = this.address;
    return `https://${host.includes(':') ? `[${host}]` : host}${port === 443 ? '' : `:${port}`}${encodePath(path)}`;
  }

  close(): void {
    this.agent?.destroy();
    this.agent = undefined;
  }
}

/** The address for people. */
function formatHttps({ host, port, folder }: HttpsAddress): string {
  return `https://${host}:${port}${folder}`;
}

/** The whole of a body that is text, or undefined where it is longer than any of use. Throws RequestLost. */
export async function readText(response: IncomingMessage, { answerMs }: Patience): Promise<string | undefined> {
  const mostMs = answerMs * wholeTimes;
  const timer = setTimeout(() => response.destroy(new Error(`no whole answer within ${mostMs} ms`)), mostMs);
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of readBody(response)) {
      bytes += piece.length;
      if (bytes > mostTextBytes) return undefined;
      pieces.push(piece);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The body as it comes. Throws RequestLost where it is cut. */
export async function* readBody(response: IncomingMessage): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const piece of response) yield piece as Buffer;
  } catch (error) {
    throw new RequestLost(reasonOf(error as Error), { cause: error });
  }
}

/** A server, or what stands before it, that is busy or away: not a word about the request itself. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}

/** With what it says of when to come back (RFC 9110, 10.2.3): seconds, or a time; whatever else it says is nothing. */
function lostBy(status: number, retryAfter: string = ''): RequestLost {
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  const leastMs = Math.max(0, ms || 0);
  const later = leastMs > 0 ? `, to be asked again in ${Math.ceil(leastMs / 1000)} s` : '';
  return Object.assign(new RequestLost(`it answered ${status}${later}`), { leastMs });
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Problem('token_unreadable', { file, reason: error.message }, { cause: error });
  });
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Problem('token_unreadable', { file, reason: 'it does not hold one line of printable ASCII' });
}

/** Sends the body and waits for the head of the answer, which may come before the body has gone. */
async function answerTo(request: ClientRequest, body: WebdavRequest['body']): Promise<IncomingMessage> {
  const over = new AbortController();
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('close', () => reject(new RequestLost('the connection was closed')));
    request.on('error', (error) =>
      reject(isProblem(error) ? error : new RequestLost(reasonOf(error), { cause: error })),
    );
  }).finally(() => over.abort());
  answered.catch(() => {}); // Thrown below, once the body has stopped.
  if (body === undefined) request.end();
  else await sendBody(request, body.chunks(), over.signal);
  const response = await answered;
  // Answered before it was asked to the end, which mostly is a no: nothing else can be asked over this connection.
  if (!request.writableEnded) response.once('close', () => request.destroy());
  return response;
}

/** Sends the chunks as fast as they are taken, until the last or until it is `over`. */
async function sendBody(request: ClientRequest, chunks: AsyncIterable<Uint8Array>, over: AbortSignal): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (over.aborted) return;
      // A copy: the chunk is overwritten by the next one while it may still wait to be sent.
      if (!request.write(Buffer.from(chunk))) await once(request, 'drain', { signal: over }).catch(() => {});
    }
    request.end();
  } catch (error) {
    request.destroy();
    throw error;
  }
}
