import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runProcess, type TestProcess, temporaryFolder } from '../../../test/support/processes.ts';
import { createLog } from '../log.ts';
import { openEmbedded } from './embedded.ts';
import { findPostmaster } from './server-process.ts';

const fixture = join(import.meta.dirname, 'embedded.fixture.ts');
const bound = { timeout: 30_000, interval: 20 };

/** A home whose server is stopped when the test ends, however it ends. */
function newHome(): { home: string; data: string } {
  const folder = temporaryFolder();
  const home = join(folder, 'home of ours');
  const data = join(home, 'postgres', 'cluster', 'data');
  onTestFinished(() => {
    const left = findPostmaster(data);
    if (left) process.kill(left.pid, 'SIGQUIT');
  });
  return { home, data };
}

const use = (home: string) => runProcess(fixture, [home]);

async function leave(user: TestProcess): Promise<void> {
  user.tell('go');
  expect(await user.line()).toBe('closed');
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const starts = (...users: TestProcess[]) =>
  users.map((user) => user.errors().split('PostgreSQL started').length - 1).reduce((a, b) => a + b, 0);

describe('who starts and who stops', () => {
  test('three processes at once share one server; the last to leave stops it', async () => {
    const { home, data } = newHome();
    const users = [use(home), use(home), use(home)] as const;
    const urls = await Promise.all(users.map((user) => user.line()));
    expect(new Set(urls).size).toBe(1);
    expect(starts(...users)).toBe(1);
    const [url = ''] = urls;
    await leave(users[0]);
    await leave(users[2]);
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await leave(users[1]);
    expect(findPostmaster(data)).toBeUndefined();
    expect(existsSync(join(data, 'postmaster.pid'))).toBe(false);
  });

  test('a server whose starter was killed is used, and stopped, by the next', async () => {
    const { home, data } = newHome();
    const first = use(home);
    const url = await first.line();
    await ask(url, 'create table kept as select 7 as n');
    first.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    const orphan = findPostmaster(data);
    expect(orphan?.state).toBe('ready');
    const second = use(home);
    expect(await second.line()).toBe(url);
    expect(starts(second)).toBe(0);
    expect(await ask(url, 'select n from kept')).toEqual([{ n: 7 }]);
    await leave(second);
    expect(findPostmaster(data)).toBeUndefined();
  });

  test('a user who dies does not take the server from those who are left', async () => {
    const { home, data } = newHome();
    const [first, second] = [use(home), use(home)];
    const url = await first.line();
    await second.line();
    first.kill('SIGKILL');
    await first.ended;
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await leave(second);
    expect(findPostmaster(data)).toBeUndefined();
  });
});

describe('what is found broken is mended', () => {
  test('a killed server recovers what was committed', async () => {
    const { home, data } = newHome();
    const first = use(home);
    await ask(await first.line(), 'create table kept as select generate_series(1, 10000) as n');
    process.kill(findPostmaster(data)?.pid ?? 0, 'SIGKILL');
    const second = use(home);
    expect(await ask(await second.line(), 'select count(*)::int as rows from kept')).toEqual([{ rows: 10000 }]);
    expect(starts(second)).toBe(1);
    await leave(second);
    await leave(first);
  });

  test('an initialisation that was killed in the middle is begun anew', async () => {
    const { home } = newHome();
    const first = use(home);
    const unfinished = () =>
      existsSync(join(home, 'postgres')) && readdirSync(join(home, 'postgres')).find(isUnfinished);
    const isUnfinished = (name: string) => name.startsWith('cluster.new-');
    await expect.poll(unfinished, { ...bound, interval: 2 }).toBeTruthy();
    first.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(home, 'postgres', 'cluster'))).toBe(false);
    // What initdb, which outlives its parent for a moment, writes until then is not ours to predict; this is.
    const older = join(home, 'postgres', 'cluster.new-1-1');
    mkdirSync(join(older, 'data'), { recursive: true });
    const second = use(home);
    expect(await ask(await second.line(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(existsSync(older)).toBe(false);
    await leave(second);
  });

  test('a taken port is left to its owner', async () => {
    const { home } = newHome();
    await leave(await ready(use(home)));
    const portFile = join(home, 'postgres', 'port');
    const port = Number(readFileSync(portFile, 'utf8'));
    const squatter = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void squatter.close());
    const second = use(home);
    const url = await second.line();
    expect(new URL(url).port).not.toBe(String(port));
    expect(readFileSync(portFile, 'utf8').trim()).toBe(new URL(url).port);
    await leave(second);
  });

  test('a process id that now belongs to another program is not taken for the server', async () => {
    const { home, data } = newHome();
    await leave(await ready(use(home)));
    writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1\n5432\n\n127.0.0.1\n\nready   \n`);
    const second = use(home);
    expect(await ask(await second.line(), 'select 1 as one')).toEqual([{ one: 1 }]);
    await leave(second);
  });

  test('a moved home keeps its data', async () => {
    const { home } = newHome();
    const first = use(home);
    await ask(await first.line(), 'create table kept as select 7 as n');
    await leave(first);
    const moved = `${home}, moved`;
    renameSync(home, moved);
    const second = use(moved);
    expect(await ask(await second.line(), 'select n from kept')).toEqual([{ n: 7 }]);
    await leave(second);
  });
});

describe('what cannot be mended is named', () => {
  const log = createLog({ logLevel: 'silent' });

  test('a data folder that is gone is not replaced by an empty one', async () => {
    const { home } = newHome();
    await leave(await ready(use(home)));
    renameSync(join(home, 'postgres', 'cluster'), join(home, 'postgres', 'elsewhere'));
    await expect(openEmbedded({ home, log })).rejects.toMatchObject({ code: 'embedded_data_missing' });
    renameSync(join(home, 'postgres', 'elsewhere'), join(home, 'postgres', 'cluster'));
    await leave(await ready(use(home)));
  });

  test('a home that is a file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'home'), '');
    const opening = openEmbedded({ home: join(folder, 'home'), log });
    await expect(opening).rejects.toMatchObject({ code: 'home_unusable' });
  });

  test('a setting that the server refuses, with its own words', async () => {
    const { home } = newHome();
    const opening = openEmbedded({ home, log, settings: { shared_buffers: 'plenty' }, sync: false });
    await expect(opening).rejects.toMatchObject({
      code: 'embedded_start_failed',
      details: { reason: expect.stringContaining('shared_buffers') },
    });
  });

  test('a data folder of another PostgreSQL version', async () => {
    const { home, data } = newHome();
    await leave(await ready(use(home)));
    writeFileSync(join(data, 'PG_VERSION'), '15\n');
    await expect(openEmbedded({ home, log })).rejects.toMatchObject({
      code: 'embedded_start_failed',
      details: { reason: expect.stringContaining('version 15') },
    });
  });
});

test('the server listens on the loopback alone and asks for its password', async () => {
  const { home } = newHome();
  mkdirSync(home);
  const user = use(home);
  const url = new URL(await user.line());
  expect(url.hostname).toBe('127.0.0.1');
  expect(await ask(url.href, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  url.password = 'guessed';
  await expect(ask(url.href, 'select 1')).rejects.toThrow('password authentication failed');
  await leave(user);
});

async function ready(user: TestProcess): Promise<TestProcess> {
  await user.line();
  return user;
}
