import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/support/processes.ts';
import { certificateIn } from '../sandbox/certificate.ts';
import { createHttpClient, type HttpPatience } from './http-client.ts';

const request = { method: 'POST', path: '/', headers: {}, body: '{"a":1}' } as const;
const patient: HttpPatience = { connectMs: 20_000, answerMs: 20_000, mostAnswerBytes: 1_000 };
/** Of those who wait for what never comes. */
const hasty = { connect: { ...patient, connectMs: 300 }, answer: { ...patient, answerMs: 300 } };

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** An HTTPS server that does as it is told; `bodies` is what reached it. */
async function serve(answer: (response: ServerResponse) => void, patience = patient) {
  const pem = certificateIn(temporaryFolder());
  const bodies: string[] = [];
  let connections = 0;
  const server = createHttpsServer({ key: pem.key, cert: pem.certificate }, async (incoming, response) => {
    bodies.push((await Array.fromAsync(incoming as AsyncIterable<Buffer>)).join(''));
    answer(response);
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  const port = await listen(server);
  const client = createHttpClient({ host: '127.0.0.1', port, caPath: pem.certificatePath, patience });
  onTestFinished(() => {
    client.close();
    server.close();
    server.closeAllConnections();
  });
  return { client, port, bodies, connections: () => connections };
}

test('an answer comes whole, over one connection that is used again', async () => {
  const { client, bodies, connections } = await serve((response) =>
    response.writeHead(201, { 'x-a': 'b' }).end('정산'),
  );
  for (let n = 0; n < 3; n += 1) {
    const got = await client.send(request);
    expect(got).toMatchObject({ kind: 'answered', status: 201, headers: { 'x-a': 'b' }, body: Buffer.from('정산') });
  }
  expect(bodies).toEqual(Array(3).fill(request.body));
  expect(connections()).toBe(1);
});

describe('after the request may have left, no failure is certain', () => {
  test.each([
    ['the connection is cut', (response: ServerResponse) => response.destroy()],
    ['the answer never comes', () => {}],
    [
      'the answer is slower than the time for it',
      (response: ServerResponse) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 20);
        response.once('close', () => clearInterval(timer));
      },
    ],
    [
      'the answer is cut in the middle',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => response.destroy());
      },
    ],
    ['the answer is too large', (response: ServerResponse) => response.end('x'.repeat(2_000))],
  ])('%s', async (what, answer) => {
    const { client, bodies } = await serve(answer, /never|slower/.test(what) ? hasty.answer : patient);
    expect(await client.send(request)).toMatchObject({ kind: 'failed', mayHaveLeft: true });
    expect(bodies).toHaveLength(1);
  });

  test('a connection that was kept is cut while idle', async () => {
    const { client } = await serve((response) => {
      response.end('ok');
      if (response.req.url === '/cut') response.once('close', () => response.socket?.destroy());
    });
    expect(await client.send(request)).toMatchObject({ kind: 'answered' });
    const second = await client.send({ ...request, path: '/cut' });
    const third = await client.send(request);
    expect([second.kind, third.kind]).toContain('answered');
    if (third.kind === 'failed') expect(third.mayHaveLeft).toBe(true);
  });
});

describe('nothing has left', () => {
  test('where nobody listens', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const client = createHttpClient({ host: '127.0.0.1', port, patience: patient });
    expect(await client.send(request)).toMatchObject({ kind: 'failed', mayHaveLeft: false });
  });

  test('where the name is not known', async () => {
    const client = createHttpClient({ host: 'bank.invalid', port: 443, patience: patient });
    expect(await client.send(request)).toMatchObject({ kind: 'failed', mayHaveLeft: false });
  });

  test('where the certificate is not the one that is pinned', async () => {
    const { port, bodies } = await serve((response) => response.end('caught'));
    const { certificatePath } = certificateIn(temporaryFolder());
    for (const caPath of [certificatePath, undefined]) {
      const client = createHttpClient({ host: '127.0.0.1', port, caPath, patience: patient });
      expect(await client.send(request)).toMatchObject({ kind: 'failed', mayHaveLeft: false });
    }
    expect(bodies).toEqual([]);
  });

  test.each([
    ['hangs up in the handshake', (server: Server) => server.on('connection', (socket) => socket.destroy())],
    ['never answers the handshake', (server: Server) => server],
    ['speaks something else', (server: Server) => server.on('connection', (socket) => socket.end('SSH-2.0-x\r\n'))],
  ])('where the server %s', async (what, behave) => {
    const server = behave(createServer());
    const port = await listen(server);
    onTestFinished(() => void server.close());
    const patience = what.startsWith('never') ? hasty.connect : patient;
    const client = createHttpClient({ host: '127.0.0.1', port, patience });
    expect(await client.send(request)).toMatchObject({ kind: 'failed', mayHaveLeft: false });
  });
});

test('a certificate that is not there is named', () => {
  expect(() => createHttpClient({ host: 'a', port: 1, caPath: '/nowhere.pem' })).toThrow(
    expect.objectContaining({ code: 'certificate_unreadable' }),
  );
});
