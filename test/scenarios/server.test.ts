import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runProcess, type TestProcess, temporaryFolder } from '../support/processes.ts';

const server = path.join(import.meta.dirname, '../../src/server.ts');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

function startServer(home: string, port = 0): TestProcess {
  return runProcess(server, [], {
    JEONGSAN_HOME: home,
    JEONGSAN_LANGUAGE: 'en',
    DATABASE_URL: database.url,
    PORT: String(port),
  });
}

/** The lines until one that begins so, which is the last of them. */
async function linesUntil(process: TestProcess, beginning: string): Promise<string[]> {
  const lines: string[] = [];
  while (!lines.at(-1)?.startsWith(beginning)) lines.push(await process.line());
  return lines;
}

describe('npm start', () => {
  test('reconciles three days, serves, refuses a second beside it, and ends by itself', {
    timeout: 300_000,
  }, async () => {
    const home = temporaryFolder();
    const first = startServer(home);
    const said = await linesUntil(first, 'ready: ');
    expect(said.filter((line) => line.endsWith('  COMPLETE'))).toEqual([
      '2026-11-18  COMPLETE',
      '2026-11-19  COMPLETE',
      '2026-11-20  COMPLETE',
    ]);
    const url = said.at(-1)?.replace('ready: ', '') ?? '';
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', database: true, engine: true }]);

    const second = startServer(home);
    expect(await second.ended).toBe(1);
    expect(second.errors()).toContain(`Already running for ${home}: process ${first.pid}`);

    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(first.errors()).toContain('"active":[]');
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends by itself at %s while it is still starting', async (signal) => {
    const home = temporaryFolder();
    const starting = startServer(home);
    await eventually(() => expect(existsSync(path.join(home, 'sandbox', '1'))).toBe(true));
    starting.kill(signal);
    expect(await starting.ended).toBe(0);
    expect(existsSync(path.join(home, 'sandbox', '1', 'world.json'))).toBe(false);
  });

  test('says at once that its port is taken, before it makes anything', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const home = temporaryFolder();
    const refused = startServer(home, port);
    expect(await refused.ended).toBe(1);
    expect(refused.errors()).toContain(`Port ${port} is taken by another program`);
    expect(existsSync(path.join(home, 'sandbox'))).toBe(false);
    other.close();
  });
});
