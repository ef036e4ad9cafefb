import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { query } from '../../src/platform/database/pool.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runProcess, type TestProcess, temporaryFolder } from '../support/processes.ts';

const cli = path.join(import.meta.dirname, '../../src/cli.ts');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

function serve(home: string, env: NodeJS.ProcessEnv = {}): TestProcess {
  return runProcess(cli, ['serve', '--json'], {
    JEONGSAN_HOME: home,
    JEONGSAN_LANGUAGE: 'en',
    DATABASE_URL: database.url,
    PORT: '0',
    ...env,
  });
}

test('two servers serve one database, one link lets the first administrator in, and each ends by itself', {
  timeout: 120_000,
}, async () => {
  const home = temporaryFolder();
  const first = serve(home);
  const one = JSON.parse(await first.line());
  const second = serve(home);
  const two = JSON.parse(await second.line());
  expect(two.port).not.toBe(one.port);
  expect(one.setupLink).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth\/link\//);
  expect(two.setupLink).toBe(null);

  for (const { url } of [one, two]) {
    for (const what of ['/health', '/health/live', '/health/ready']) {
      expect((await fetch(`${url}${what}`)).status, what).toBe(200);
    }
    const stranger = await fetch(`${url}/v1/nothing`);
    expect([stranger.status, stranger.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect(await stranger.json()).toMatchObject({ code: 'route_unknown', details: { path: '/v1/nothing' } });
    expect(stranger.headers.get('content-security-policy')).toContain("default-src 'none'");
  }
  first.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  expect((await fetch(`${two.url}/health`)).status).toBe(200);
  second.kill('SIGINT');
  expect(await second.ended).toBe(0);
});

test('a server that is told to end while it starts never says where it is', async () => {
  const { pool, url, close } = await testDatabase();
  onTestFinished(close);
  // The last that a server does before it answers is to look for the first administrator's link.
  const holding = await pool.connect();
  onTestFinished(() => holding.release(true));
  await holding.query('begin');
  await holding.query('lock table sign_in_link');
  const server = serve(temporaryFolder(), { DATABASE_URL: url, LOG_LEVEL: 'info' });
  const waits = "select from pg_locks where relation = 'sign_in_link'::regclass and not granted";
  await eventually(async () => expect(await query(pool, waits)).toHaveLength(1));
  server.kill('SIGTERM');
  await eventually(() => expect(server.errors()).toContain('shutting down'));
  await holding.query('rollback');
  expect(await server.ended).toBe(0);
  await expect(server.line()).rejects.toThrow('ended without a line');
});

test('beyond the loopback it does not listen in the clear', async () => {
  const refused = serve(temporaryFolder(), { JEONGSAN_LISTEN: '0.0.0.0', JEONGSAN_PUBLIC_URL: 'https://a.example' });
  expect(await refused.ended).toBe(1);
  expect(refused.errors()).toContain('needs JEONGSAN_TLS_CERT and JEONGSAN_TLS_KEY, or JEONGSAN_PROXIES');
});
