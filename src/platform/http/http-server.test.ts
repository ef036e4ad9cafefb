import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificateIn } from '../../sandbox/certificate.ts';
import { readListening } from '../listening.ts';
import { createLog } from '../log.ts';
import type { Connection } from './asked.ts';
import { type HttpServer, listenHttp } from './http-server.ts';
import { preflightAnswer, withHeaders } from './response-headers.ts';

const log = createLog({ logLevel: 'silent' });
const open: HttpServer[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'http-server-'));
});
afterAll(async () => {
  for (const server of open) await server.close(0);
  await rm(folder, { recursive: true, force: true });
});

async function listen(
  env: Record<string, string>,
  answer: (request: Request, connection: Connection) => Promise<Response>,
): Promise<HttpServer> {
  const server = await listenHttp({ port: 0, listening: readListening(env).listening, log, answer });
  open.push(server);
  return server;
}

describe('whence a request came', () => {
  const seenBy = async (env: Record<string, string>, forwarded: string) => {
    const server = await listen(env, async (_, { address }) => new Response(address));
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { 'x-forwarded-for': forwarded } });
    return answer.text();
  };

  test.each([
    ['without a proxy only the connection counts', {}, '203.0.113.9', '127.0.0.1'],
    ['what another proxy says does not count', { JEONGSAN_PROXIES: '10.0.0.5' }, '203.0.113.9', '127.0.0.1'],
    ['our proxy is believed', { JEONGSAN_PROXIES: '127.0.0.1' }, '203.0.113.9', '203.0.113.9'],
    ['but not what a client put in front', { JEONGSAN_PROXIES: '127.0.0.1' }, '1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['over several of ours', { JEONGSAN_PROXIES: '127.0.0.1,10.0.0.5' }, '203.0.113.9, 10.0.0.5', '203.0.113.9'],
    ['nor where it says nothing', { JEONGSAN_PROXIES: '127.0.0.1' }, '', '127.0.0.1'],
  ])('%s', async (_, env, forwarded, address) => {
    expect(await seenBy(env as Record<string, string>, forwarded)).toBe(address);
  });
});

describe('what is not HTTP', () => {
  test.each([
    ['nonsense', 'nonsense\r\n\r\n', 400, 'request_unreadable'],
    [
      'too many headers',
      `GET / HTTP/1.1\r\nHost: a\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(20)}\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'request_unreadable',
    ],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'request_unreadable'],
  ])('%s is refused as a problem', async (_, text, status, code) => {
    const server = await listen({}, async () => new Response('ok'));
    const heard = await new Promise<string>((resolve) => {
      let all = '';
      const socket = connect(server.port, '127.0.0.1', () => socket.end(text));
      socket.on('data', (piece: Buffer) => {
        all += piece.toString();
      });
      socket.on('close', () => resolve(all));
    });
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(heard).toContain('content-type: application/problem+json');
    expect(heard).toContain(`"code":"${code}"`);
  });
});

describe('with a certificate', () => {
  test('it speaks TLS, and nothing else', async () => {
    const { certificate, certificatePath, key } = certificateIn(folder);
    const keyPath = path.join(folder, 'key.pem');
    await writeFile(keyPath, key);
    const env = { JEONGSAN_TLS_CERT: certificatePath, JEONGSAN_TLS_KEY: keyPath };
    const server = await listen(env, async (request) => new Response(new URL(request.url).protocol));
    const said = await new Promise<string>((resolve, reject) => {
      const asking = httpsRequest({ host: '127.0.0.1', port: server.port, path: '/', ca: certificate }, (answer) =>
        answer.on('data', (piece: Buffer) => resolve(piece.toString())),
      );
      asking.on('error', reject);
      asking.end();
    });
    expect(said).toBe('https:');
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
  });

  test.each([
    ['is not there', 'none.pem', undefined],
    ['is no certificate', 'bad.pem', 'not a certificate'],
  ])('that %s it does not start', async (_, name, text) => {
    const file = path.join(folder, name);
    if (text !== undefined) await writeFile(file, text);
    await expect(
      listen({ JEONGSAN_TLS_CERT: file, JEONGSAN_TLS_KEY: file }, async () => new Response('')),
    ).rejects.toMatchObject({ code: 'certificate_unreadable' });
  });
});

test('a port that is taken is said', async () => {
  const server = await listen({}, async () => new Response(''));
  const { listening } = readListening({});
  await expect(
    listenHttp({ port: server.port, listening, log, answer: async () => new Response('') }),
  ).rejects.toMatchObject({ code: 'port_taken' });
});

describe('another site', () => {
  const rules = { isSecure: true, origins: ['https://console.pg.example'] };
  const asked = (origin: string, method = 'OPTIONS') =>
    new Request('https://settle.pg.example/v1/breaks', {
      method,
      headers: { origin, 'access-control-request-method': 'POST' },
    });

  test('that is named may call us with a key, and never with cookies', () => {
    const request = asked('https://console.pg.example');
    const answer = withHeaders(preflightAnswer(request, rules) as Response, request, rules);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://console.pg.example');
    expect(answer.headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
    expect(answer.headers.get('access-control-allow-credentials')).toBe(null);
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=31536000');
  });

  test('that is not named may not', () => {
    const request = asked('https://evil.example');
    const answer = withHeaders(preflightAnswer(request, rules) as Response, request, rules);
    expect(answer.headers.get('access-control-allow-origin')).toBe(null);
    expect(answer.headers.get('access-control-allow-methods')).toBe(null);
    expect(preflightAnswer(asked('https://console.pg.example', 'POST'), rules)).toBe(undefined);
  });
});
