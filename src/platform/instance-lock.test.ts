import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProcess, temporaryFolder } from '../../test/support/processes.ts';

const fixture = join(import.meta.dirname, 'instance.fixture.ts');
const start = (home: string, port = 4000) => runProcess(fixture, [home, String(port)]);

test('a second server of the same home is told who, since when and where', async () => {
  const home = join(temporaryFolder(), 'home');
  const first = start(home, 4711);
  expect(await first.line()).toBe('held');
  const second = start(home);
  expect(JSON.parse(await second.line())).toEqual({
    code: 'already_running',
    home,
    pid: first.pid,
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+Z$/),
    port: 4711,
  });
});

test('servers of different homes do not meet', async () => {
  const folder = temporaryFolder();
  expect(await start(join(folder, 'a')).line()).toBe('held');
  expect(await start(join(folder, 'b')).line()).toBe('held');
});

test('of five at once one holds', async () => {
  const home = join(temporaryFolder(), 'home');
  const said = await Promise.all([1, 2, 3, 4, 5].map(() => start(home).line()));
  expect(said.filter((line) => line === 'held')).toHaveLength(1);
});

test('what a killed or ended holder held is free again', async () => {
  const home = join(temporaryFolder(), 'home');
  const killed = start(home);
  await killed.line();
  killed.kill('SIGKILL');
  await killed.ended;
  const ended = start(home);
  expect(await ended.line()).toBe('held');
  ended.tell('go');
  await ended.ended;
  expect(await start(home).line()).toBe('held');
});

test('a frozen holder still holds', async () => {
  const home = join(temporaryFolder(), 'home');
  const frozen = start(home);
  await frozen.line();
  frozen.kill('SIGSTOP');
  expect(JSON.parse(await start(home).line())).toMatchObject({ code: 'already_running', pid: frozen.pid });
});
