import { expect, test } from 'vitest';
import { publicUrlOf, readListening } from './listening.ts';

const tls = { JEONGSAN_TLS_CERT: '/etc/pg/chain.pem', JEONGSAN_TLS_KEY: '/etc/pg/key.pem' };
const url = { JEONGSAN_PUBLIC_URL: 'https://settle.pg.example' };

test.each([
  ['nothing: the loopback', {}, 0],
  ['another loopback', { JEONGSAN_LISTEN: '127.0.0.2' }, 0],
  ['a name instead of an address', { JEONGSAN_LISTEN: 'settle.pg.example' }, 1],
  ['everywhere, in the clear', { JEONGSAN_LISTEN: '0.0.0.0', ...url }, 1],
  ['everywhere, with TLS', { JEONGSAN_LISTEN: '0.0.0.0', ...tls, ...url }, 0],
  ['everywhere, behind a proxy', { JEONGSAN_LISTEN: '::', JEONGSAN_PROXIES: '10.0.0.5, 10.0.0.6', ...url }, 0],
  ['everywhere, without saying where people reach it', { JEONGSAN_LISTEN: '0.0.0.0', ...tls }, 1],
  ['behind a proxy on this machine, without saying where', { JEONGSAN_PROXIES: '127.0.0.1' }, 1],
  ['a certificate without its key', { JEONGSAN_TLS_CERT: '/etc/pg/chain.pem' }, 1],
  ['a relative path', { JEONGSAN_TLS_CERT: 'chain.pem', JEONGSAN_TLS_KEY: '/etc/pg/key.pem' }, 1],
  ['a proxy by name', { JEONGSAN_PROXIES: 'proxy.pg.example', ...url }, 1],
  ['an origin with a path', { JEONGSAN_ORIGINS: 'https://console.pg.example/app' }, 1],
  ['any origin', { JEONGSAN_ORIGINS: '*' }, 1],
  ['a public URL with a slash', { JEONGSAN_PUBLIC_URL: 'https://settle.pg.example/' }, 1],
])('%s', (_, env, faults) => {
  expect(readListening(env).faults).toHaveLength(faults);
});

test.each([
  [{}, 'http://127.0.0.1:4000'],
  [{ JEONGSAN_LISTEN: '::1' }, 'http://[::1]:4000'],
  [tls, 'https://127.0.0.1:4000'],
  [url, 'https://settle.pg.example'],
])('%o is reached at %s', (env, reached) => {
  expect(publicUrlOf(readListening(env).listening, 4000)).toBe(reached);
});
