import { type Agent, request as httpsRequest } from 'node:https';
import { VerifiedAgent } from './verified-agent.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * `answered`: a whole answer, whatever its status. `failed`: no answer; `mayHaveLeft` is false only where it is certain
 * that no byte of the request was written: the name was not resolved, the connection refused, or the server not the one
 * that was to be spoken to.
 */
export type HttpOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: Buffer;
    }
  | { readonly kind: 'failed'; readonly mayHaveLeft: boolean; readonly reason: string };

/** Requests to one server. Redirects are not followed and nothing is tried again: both are the caller's decision. */
export type HttpClient = {
  send(request: HttpRequest): Promise<HttpOutcome>;
  /** Closes the connections that are kept for later requests. */
  close(): void;
};

export type HttpClientOptions = {
  readonly host: string;
  readonly port: number;
  /** A PEM file; the server's certificate must be it or be issued by it, and no other authority counts. */
  readonly caPath?: string | undefined;
  readonly patience?: Partial<HttpPatience>;
};

export type HttpPatience = {
  /** From the look-up of the name to the end of the TLS handshake. */
  readonly connectMs: number;
  /** From the first byte that may leave to the last one of the answer. */
  readonly answerMs: number;
  readonly mostAnswerBytes: number;
};

const defaults: HttpPatience = { connectMs: 5_000, answerMs: 15_000, mostAnswerBytes: 4 * 1024 * 1024 };

/**
 * HTTPS to one server over connections that are used again. Its certificate is verified against `caPath`, or against
 * the authorities that Node knows. Throws Problem `certificate_unreadable`.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const patience = { ...defaults, ...options.patience };
  const agent = new VerifiedAgent(options, patience.connectMs);
  return {
    send: (request) => send(request, { ...options, patience, agent }),
    close: () => agent.destroy(),
  };
}

type Way = { readonly host: string; readonly port: number; readonly patience: HttpPatience; readonly agent: Agent };

function send(
  { method, path, headers, body }: HttpRequest,
  { host, port, patience, agent }: Way,
): Promise<HttpOutcome> {
  return new Promise((resolve) => {
    let mayHaveLeft = false;
    let timer: NodeJS.Timeout | undefined;
    const end = (outcome: HttpOutcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (reason: string) => end({ kind: 'failed', mayHaveLeft, reason });
    const length = method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = httpsRequest({ host, port, method, path, headers: { ...headers, ...length }, agent });
    request.once('socket', () => {
      mayHaveLeft = true;
      timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${patience.answerMs} ms`)),
        patience.answerMs,
      );
    });
    request.once('error', (error) => fail(reasonOf(error)));
    request.once('response', (response) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes <= patience.mostAnswerBytes) {
          pieces.push(piece);
          return;
        }
        // Said first: a server that was quick may have sent its end as well.
        fail(`the answer is larger than ${patience.mostAnswerBytes} bytes`);
        request.destroy();
      });
      response.once('error', (error) => fail(reasonOf(error)));
      // Also after its end, and then it says nothing new.
      response.once('close', () => fail('the answer was cut'));
      response.once('end', () => {
        end({
          kind: 'answered',
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces),
        });
      });
    });
    request.end(method === 'GET' ? undefined : body);
  });
}

/** For people; several addresses of a name that all failed are told by the first. */
export function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return first.message || (first as NodeJS.ErrnoException).code || first.name;
}
