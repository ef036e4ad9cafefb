import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../src/platform/config.ts';
import { type CommandShell, openCommandShell } from './support/command-shell.ts';
import { createInstallation, type Installation } from './support/installation.ts';

/** What a command that cannot do its work leaves a script and a person with. */
let installation: Installation;
let shell: CommandShell;
beforeAll(async () => {
  installation = await createInstallation();
  shell = openCommandShell(installation, { LANG: 'en_US.UTF-8' }, afterAll);
});
afterAll(() => installation.close());

/** A process of its own, as who types has it. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { home, db } = installation;
  const child = spawn(process.execPath, [path.join(repositoryRoot, 'src/cli.ts'), ...args], {
    env: { PATH: process.env['PATH'], JEONGSAN_HOME: home, DATABASE_URL: db.url, LANG: 'ko_KR.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...said };
}

const nobody = ['--server', 'http://127.0.0.1:1', 'whoami', '--json'];
test.each([
  ['a refusal', ['statement', 'show', '999', '--json'], {}, 1, { code: 'not_found', status: 404 }],
  ['an option that is not there', ['breaks', 'list', '--json', '--stagee', 'x'], {}, 2, { code: 'usage', status: 400 }],
  ['a configuration that cannot be', ['whoami', '--json'], { PORT: 'x' }, 1, { code: 'config_invalid' }],
  ['a server that is not there', nobody, {}, 1, { code: 'server_unreachable' }],
] as const)('%s is one document for who asked for one, and a text', async (_, args, env, status, document) => {
  const ended = await run(args, env);
  expect(JSON.parse(ended.out)).toMatchObject(document);
  expect(ended).toMatchObject({ status, err: expect.stringMatching(/[가-힣]/) });
  expect(ended.err).not.toMatch(/\n\s+at /);
});

test('a text alone is nothing on standard output', async () => {
  expect(await run(['statement', 'show', '999'])).toMatchObject({ status: 1, out: '' });
});

test.each([
  ['people list --role nobody', 2, '--role nobody (viewer'],
  ['people list --kind robot', 2, '--kind robot (person, service)'],
  ['calendar list --from 2026-02-30', 2, '--from 2026-02-30 (YYYY-MM-DD)'],
  ['audit list --before x', 2, '--before x'],
  ['audit export --out /nowhere/audit.ndjson', 2, '--out /nowhere/audit.ndjson'],
  ['runs logs reconcile:2026-11-20:9', 1, 'reconcile:2026-11-20:9'],
  ['runs usual set reconcile --stuck-after 0 --reason x', 2, '--stuck-after 0'],
  ['runs usual set ReConcile --slack 1m --reason x', 2, '<job> ReConcile'],
  [`webhooks add ${'x'.repeat(101)} https://shop.example/ --events *`, 2, '<name>'],
  [`webhooks add shop https://shop.example/${'x'.repeat(2000)} --events *`, 2, '<url>'],
  ['tiers show 1234567890', 2, '<business-no> 1234567890'],
  // A variable that was never set, and a line that was edited twice.
  ['calendar add 2026-12-01 --name x --reason y --by=', 2, '--by <who>'],
  ['merchants show ', 2, '<id>'],
  ['breaks list --on 2026-11-20 --on 2026-11-21', 2, '--on <day>'],
])('%s is refused, and what is wrong is named', async (line, status, named) => {
  const said = await shell.run(line.split(' '));
  expect(said).toMatchObject({ status, out: '', refusal: expect.stringContaining(named) });
  expect(said.refusal).not.toMatch(/\n\s+at /);
});

test('a change of the calendar is one document for who asked for one', async () => {
  const document = async (...words: string[]) => JSON.parse((await shell.run(words)).out) as unknown;
  const added = await document('calendar', 'add', '2026-12-24', '--name', '임시', '--reason', '의결', '--json');
  expect(added).toMatchObject({ day: '2026-12-24', closed: true, name: '임시', reason: '의결' });
  const removed = await document('calendar', 'remove', '2026-12-24', '--reason', '취소', '--json');
  expect(removed).toMatchObject({ day: '2026-12-24', closed: false, reason: '취소' });
});
