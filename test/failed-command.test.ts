import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../src/platform/config.ts';
import { type TestDatabase, testDatabase } from './support/database.ts';

/** What a failed command leaves a script and a person with, by real processes. */
let database: TestDatabase;
let home: string;
beforeAll(async () => {
  database = await testDatabase({ max: 2 });
  home = await mkdtemp(path.join(tmpdir(), 'failed-command-'));
});
afterAll(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [path.join(repositoryRoot, 'src/cli.ts'), ...args], {
    env: { PATH: process.env['PATH'], JEONGSAN_HOME: home, DATABASE_URL: database.url, LANG: 'ko_KR.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...said };
}

test.each([
  ['a refusal', ['statement', 'show', '999', '--json'], {}, 1, { code: 'not_found', status: 404 }],
  ['a wrong day', ['breaks', 'list', '--on', '2026-02-30', '--json'], {}, 2, { code: 'usage' }],
  ['an option that is not there', ['breaks', 'list', '--json', '--stagee', 'x'], {}, 2, { code: 'usage', status: 400 }],
  ['what is missing', ['calendar', 'remove', '--json'], {}, 2, { code: 'usage' }],
  ['a configuration that cannot be', ['whoami', '--json'], { PORT: 'x' }, 1, { code: 'config_invalid' }],
  [
    'a server that is not there',
    ['--server', 'http://127.0.0.1:1', 'whoami', '--json'],
    {},
    1,
    { code: 'server_unreachable' },
  ],
] as const)('%s is one document for who asked for one, and a text', async (_, args, env, status, document) => {
  const ended = await run(args, env);
  expect(JSON.parse(ended.out)).toMatchObject(document);
  expect(ended).toMatchObject({ status, err: expect.stringMatching(/[가-힣]/) });
  expect(ended.err).not.toMatch(/\n\s+at /);
});

test('a text alone is nothing on standard output', async () => {
  expect(await run(['statement', 'show', '999'])).toMatchObject({ status: 1, out: '' });
});

test('what says nothing, or says it twice, is refused and names itself', async () => {
  const blank = ['calendar', 'add', '2026-12-01', '--name', 'x', '--reason', 'y', '--by', ' '];
  expect(await run(blank)).toMatchObject({ status: 2, err: expect.stringContaining('--by') });
  expect(await run(['merchants', 'show', ''])).toMatchObject({ status: 2, err: expect.stringContaining('<id>') });
  const twice = ['breaks', 'list', '--on', '2026-11-20', '--on', '2026-11-21'];
  expect(await run(twice)).toMatchObject({ status: 2, out: '', err: expect.stringContaining('--on') });
});
