// A real HTTP server that hears webhooks and answers as it is told to.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Heard = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string };
export type Mood = number | 'hangs' | 'cuts' | 'mumbles';

export type Receiver = {
  readonly url: string;
  readonly host: string;
  readonly heard: readonly Heard[];
  /** How it answers from here on. */
  answer(mood: Mood | ((heard: Heard) => Mood)): void;
  /** When it has heard so many in all. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
};

export async function startReceiver(): Promise<Receiver> {
  const heard: Heard[] = [];
  let mood: Mood | ((one: Heard) => Mood) = 204;
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(pieces).toString(), path: request.url ?? '' };
      const answer = typeof mood === 'function' ? mood(one) : mood;
      heard.push(one);
      for (const each of waiting) if (heard.length >= each.count) each.resolve();
      waiting = waiting.filter(({ count }) => heard.length < count);
      if (answer === 'cuts') request.socket.destroy();
      else if (answer === 'mumbles') response.writeHead(502).end(`${'n'.repeat(488)}\0\0😀`);
      else if (answer !== 'hangs') response.writeHead(answer).end(answer >= 400 ? 'no' : '');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    host: `127.0.0.1:${port}`,
    heard,
    answer(given) {
      mood = given;
    },
    until: (count) =>
      heard.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The signature as the Standard Webhooks document says, computed here once more. */
export function signatureOf(secret: string, { headers, body }: Heard): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}
