import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/support/processes.ts';
import { certificateIn } from '../sandbox/certificate.ts';
import { faultOfUrl, type Post, postDefaults, sendSignedPost } from './http-signed-post.ts';
import { isPublicAddress } from './public-address.ts';
import { Secret } from './secret.ts';

const at = Temporal.Instant.fromEpochMilliseconds(1_795_000_000_000);
const secrets = [new Secret('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'), new Secret('another secret of ours')];
const post: Omit<Post, 'url'> = { id: 'msg_1', body: '{"정산":1}', secrets, at };

type Seen = { readonly headers: IncomingMessage['headers']; readonly body: string };

async function serve(answer: (response: ServerResponse) => void, pem?: { key: string; certificate: string }) {
  const seen: Seen[] = [];
  const listener = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>)).toString();
    seen.push({ headers: incoming.headers, body });
    answer(response);
  };
  const server =
    pem === undefined ? createServer(listener) : createHttpsServer({ key: pem.key, cert: pem.certificate }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

const limits = { ...postDefaults, allowed: ['127.0.0.1', 'localhost'], wholeMs: 20_000 };
/** Of those who wait for what never comes. */
const hasty = { ...limits, wholeMs: 1_500 };

test('a message comes whole, signed as Standard Webhooks say, by each secret', async () => {
  const { port, seen } = await serve((response) => response.writeHead(202).end('taken'));
  const outcome = await sendSignedPost({ ...post, url: `http://127.0.0.1:${port}/hook?a=1` }, limits);
  expect(outcome).toEqual({ kind: 'answered', status: 202, answer: 'taken' });
  const signed = `msg_1.1795000000.${post.body}`;
  const keys = [Buffer.from('C2FVsBQIhrscChlQIMV+b5sSYspob7oD', 'base64'), Buffer.from('another secret of ours')];
  expect(seen[0]).toMatchObject({
    body: post.body,
    headers: {
      host: `127.0.0.1:${port}`,
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1795000000',
      'webhook-signature': keys
        .map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
        .join(' '),
    },
  });
});

// The example of the specification, https://www.standardwebhooks.com.
test('the known signature of a known message', async () => {
  const { port, seen } = await serve((response) => response.end());
  await sendSignedPost(
    {
      url: `http://127.0.0.1:${port}`,
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      body: '{"test": 2432232314}',
      secrets: [new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
      at: Temporal.Instant.fromEpochMilliseconds(1_614_265_330_000),
    },
    limits,
  );
  expect(seen[0]?.headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

describe('what is not followed, waited for or read for ever', () => {
  test.each<readonly [string, (response: ServerResponse) => void, object]>([
    [
      'a redirect',
      (r) => r.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      { kind: 'answered', status: 307 },
    ],
    [
      'a server that is busy',
      (r) => r.writeHead(429, { 'retry-after': '30' }).end(),
      { status: 429, retryAfterMs: 30_000 },
    ],
    ['a server that never answers', () => undefined, { kind: 'failed', reason: 'no answer within 1500 ms' }],
    ['a server that hangs up', (r) => r.destroy(), { kind: 'failed' }],
    [
      'an answer without end',
      (r) => void setInterval(() => r.write('x'.repeat(500)), 1).unref(),
      { kind: 'answered', status: 200 },
    ],
    ['an answer that drips', (r) => r.write('x'), { kind: 'answered', status: 200, answer: 'x' }],
  ])('%s', async (what, answer, expected) => {
    const { port, seen } = await serve(answer);
    const patience = /never|drips/.test(what) ? hasty : limits;
    const outcome = await sendSignedPost({ ...post, url: `http://127.0.0.1:${port}` }, patience);
    expect(outcome).toMatchObject(expected);
    expect('answer' in outcome ? outcome.answer.length : 0).toBeLessThanOrEqual(limits.mostAnswerBytes);
    expect(seen).toHaveLength(1);
  });

  test('a message that is too large', async () => {
    const url = 'https://hooks.pg.example/';
    expect(await sendSignedPost({ ...post, url, body: 'x'.repeat(600 * 1024) }, limits)).toMatchObject({
      kind: 'refused',
    });
  });
});

describe('TLS', () => {
  test('a certificate is checked, against the name too', async () => {
    const pem = certificateIn(temporaryFolder());
    const { port, seen } = await serve((response) => response.end('ok'), pem);
    const send = (url: string, caPath?: string) => sendSignedPost({ ...post, url }, { ...limits, caPath });
    expect(await send(`https://127.0.0.1:${port}`)).toMatchObject({ kind: 'failed' });
    expect(await send(`https://127.0.0.1:${port}`, pem.certificatePath)).toMatchObject({
      kind: 'answered',
      answer: 'ok',
    });
    expect(await send(`https://localhost:${port}`, pem.certificatePath)).toMatchObject({
      kind: 'answered',
      answer: 'ok',
    });
    expect(seen).toHaveLength(2);
  });
});

describe('nothing is posted into our own networks', () => {
  test.each([
    'http://hooks.pg.example/',
    'ftp://hooks.pg.example/',
    'https://kim:secret@hooks.pg.example/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.1.2.3/',
    'https://hooks.pg.example:0/',
    'hooks',
  ])('%s', async (url) => {
    expect(faultOfUrl(url, [])).toEqual(expect.any(String));
    expect(await sendSignedPost({ ...post, url })).toMatchObject({ kind: 'refused' });
  });

  test('a name that leads there', async () => {
    const { port, seen } = await serve((response) => response.end());
    expect(await sendSignedPost({ ...post, url: `https://localhost:${port}/` })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('not a public address'),
    });
    expect(seen).toEqual([]);
  });

  test('what is allowed is so by host, or by host and port alone', () => {
    expect(faultOfUrl('http://mattermost:8065/hooks/x', ['mattermost:8065'])).toBeUndefined();
    expect(faultOfUrl('http://mattermost:8066/hooks/x', ['mattermost:8065'])).toBeDefined();
    expect(faultOfUrl('https://10.0.0.7/x', ['10.0.0.7'])).toBeUndefined();
  });
});

test.each([
  ['8.8.8.8', true],
  ['172.15.255.255', true],
  ['2606:4700::1111', true],
  ['0.0.0.0', false],
  ['10.255.0.1', false],
  ['100.64.0.1', false],
  ['127.8.8.8', false],
  ['169.254.169.254', false],
  ['172.16.0.1', false],
  ['192.168.1.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::a00:1', false],
  ['2002:a00:1::', false],
  ['2001:0:1::', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fd00:ec2::254', false],
  ['ff02::1', false],
  ['not an address', false],
])('%s is public: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});
