import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Problem } from '../kernel/problem.ts';
import { reasonOf } from './http-client.ts';
import { isPublicAddress } from './public-address.ts';
import type { Secret } from './secret.ts';

/** 웹훅 발송. One JSON message to an address that somebody typed in. */
export type Post = {
  readonly url: string;
  /** The same for every attempt at the same message: by it the receiver knows a repeated one. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** One, or two while the receiver changes over; without any the message is not signed. */
  readonly secrets: readonly Secret[];
  /** When it is sent: it is signed too, so that what was overheard cannot be sent again later. */
  readonly at: Temporal.Instant;
};

/** What an installation allows, and how long it waits. */
export type PostLimits = {
  /** `host`, `host:port` or an address, which may be reached in private networks and without TLS. */
  readonly allowed: readonly string[];
  /** A PEM file of authorities that count besides those that Node knows. */
  readonly caPath?: string | undefined;
  /** From the look-up of the name to the last byte of the answer that is read. */
  readonly wholeMs: number;
  readonly mostBodyBytes: number;
  /** What is kept of the answer, for people to read. */
  readonly mostAnswerBytes: number;
};

export const postDefaults: PostLimits = {
  allowed: [],
  wholeMs: 15_000,
  mostBodyBytes: 512 * 1024,
  mostAnswerBytes: 2_048,
};

/**
 * `answered`: by whatever status; redirects are answers like any other and are not followed. `refused`: by us, since the
 * address may not be reached; nothing was sent. `failed`: no answer, though the message may have arrived.
 */
export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly answer: string; readonly retryAfterMs?: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Posts by the Standard Webhooks form (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,…`, HMAC-SHA256 over
 * `id.timestamp.body`), over HTTPS with a verified certificate. The name is resolved once, all its addresses must be
 * public, and the connection goes to the one that was checked. Throws Problem `certificate_unreadable`.
 */
export async function sendSignedPost(post: Post, limits: PostLimits = postDefaults): Promise<PostOutcome> {
  const fault = faultOfUrl(post.url, limits.allowed);
  if (fault !== undefined) return { kind: 'refused', reason: fault };
  if (Buffer.byteLength(post.body) > limits.mostBodyBytes) {
    return { kind: 'refused', reason: `the message is larger than ${limits.mostBodyBytes} bytes` };
  }
  const deadline = AbortSignal.timeout(limits.wholeMs);
  const url = new URL(post.url);
  const ca = limits.caPath === undefined ? undefined : readCa(limits.caPath);
  try {
    const address = await resolve(url, limits, deadline);
    if (typeof address !== 'string') return { kind: 'refused', reason: address.refused };
    return await exchange(post, { url, address, ca, limits, deadline });
  } catch (error) {
    if (deadline.aborted) return { kind: 'failed', reason: `no answer within ${limits.wholeMs} ms` };
    return { kind: 'failed', reason: reasonOf(error as Error) };
  }
}

/** Why nothing may be posted to this address, whatever it resolves to; undefined where it may. For whoever types it in. */
export function faultOfUrl(text: string, allowed: readonly string[]): string | undefined {
  if (text.length > 2_000 || !URL.canParse(text)) return 'it is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isAllowed(url, allowed))) {
    return `${url.protocol}// is not allowed: https:// is`;
  }
  if (url.username !== '' || url.password !== '') return 'a URL that holds a name or password is not allowed';
  if (url.port === '0') return 'port 0 is not allowed';
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isAllowed(url, allowed) && !isPublicAddress(host)) return `${host} is not a public address`;
  return undefined;
}

/** `v1,` and the base64 of the HMAC-SHA256 over `id.timestamp.body`, one for each secret. */
export function signatures({ id, body, secrets, at }: Omit<Post, 'url'>): string {
  const signed = `${id}.${timestamp(at)}.${body}`;
  return secrets.map((secret) => `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`).join(' ');
}

/** `whsec_` and base64, as Standard Webhooks writes secrets; any other text is the key itself. */
function keyOf(secret: Secret): Buffer {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.reveal()) ?? [];
  return base64 === undefined ? Buffer.from(secret.reveal(), 'utf8') : Buffer.from(base64, 'base64');
}

function timestamp(at: Temporal.Instant): string {
  return String(Math.floor(at.epochMilliseconds / 1000));
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function isAllowed(url: URL, allowed: readonly string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return allowed.some((each) => [hostOf(url), url.hostname, `${url.hostname}:${port}`].includes(each.toLowerCase()));
}

async function resolve(
  url: URL,
  { allowed }: PostLimits,
  deadline: AbortSignal,
): Promise<string | { readonly refused: string }> {
  const host = hostOf(url);
  const found = isIP(host) === 0 ? await lookupBefore(host, deadline) : [{ address: host }];
  const [first] = found;
  if (first === undefined) return { refused: `${host} has no address` };
  // One private address among public ones is a name that changes between the check and the connection.
  const closed = isAllowed(url, allowed) ? undefined : found.find(({ address }) => !isPublicAddress(address));
  return closed === undefined ? first.address : { refused: `${host} is ${closed.address}, not a public address` };
}

/** A look-up cannot be called off, so it is not waited for. */
function lookupBefore(host: string, deadline: AbortSignal): Promise<{ readonly address: string }[]> {
  const ended = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
  });
  return Promise.race([lookup(host, { all: true }), ended]);
}

type Way = {
  readonly url: URL;
  readonly address: string;
  readonly ca: readonly string[] | undefined;
  readonly limits: PostLimits;
  readonly deadline: AbortSignal;
};

function exchange(post: Post, { url, address, ca, limits, deadline }: Way): Promise<PostOutcome> {
  const host = hostOf(url);
  const options = {
    host: address,
    port: url.port === '' ? undefined : Number(url.port),
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    agent: false,
    signal: deadline,
    headers: {
      host: url.host,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(post.body)),
      'user-agent': 'jeongsan',
      'webhook-id': post.id,
      'webhook-timestamp': timestamp(post.at),
      ...(post.secrets.length === 0 ? {} : { 'webhook-signature': signatures(post) }),
    },
  } as const;
  return new Promise((done, failed) => {
    const tls = {
      minVersion: 'TLSv1.2' as const,
      servername: isIP(host) === 0 ? host : '',
      ...(ca ? { ca: [...ca] } : {}),
    };
    const request =
      url.protocol === 'https:' ? httpsRequest({ ...options, ...tls }, answered) : httpRequest(options, answered);
    request.once('error', failed);
    request.end(post.body);
    function answered(response: IncomingMessage): void {
      // What becomes of the connection now changes nothing: the status has been said.
      request.off('error', failed).on('error', () => undefined);
      void firstBytes(response, limits.mostAnswerBytes).then((bytes) => {
        request.destroy();
        const wait = /^\d{1,6}$/.exec(response.headers['retry-after'] ?? '');
        done({
          kind: 'answered',
          status: response.statusCode ?? 0,
          answer: bytes.toString('utf8'),
          ...(wait === null ? {} : { retryAfterMs: Number(wait[0]) * 1000 }),
        });
      });
    }
  });
}

/** The status is the answer: of what follows it, as much as came before it was enough, too late or cut. */
async function firstBytes(response: IncomingMessage, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= most) break;
    }
  } catch {
    return Buffer.concat(pieces).subarray(0, most);
  }
  return Buffer.concat(pieces).subarray(0, most);
}

function readCa(file: string): readonly string[] {
  try {
    return [...getCACertificates('default'), readFileSync(file, 'utf8')];
  } catch (error) {
    throw new Problem('certificate_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
}
