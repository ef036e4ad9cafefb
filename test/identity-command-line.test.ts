import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../src/platform/config.ts';
import { query } from '../src/platform/database/pool.ts';
import { type TestDatabase, testDatabase } from './support/database.ts';
import { goodPassword } from './support/identity-server.ts';

/** A day of the command line, from an installation without people on, by real processes. */
let database: TestDatabase;
let home: string;
const keys = { admin: '', operator: '', approver: '' };

beforeAll(async () => {
  database = await testDatabase({ max: 2 });
  home = await mkdtemp(path.join(tmpdir(), 'identity-cli-'));
});
afterAll(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

type Ran = { readonly status: number | null; readonly out: string; readonly err: string };

async function run(line: string, { key = '', typed = '' }: { key?: string; typed?: string } = {}): Promise<Ran> {
  const args = line.split(' ').map((each) => each.replaceAll('%', ' '));
  const child = spawn(process.execPath, [path.join(repositoryRoot, 'src/cli.ts'), ...args], {
    env: {
      PATH: process.env['PATH'],
      JEONGSAN_HOME: home,
      DATABASE_URL: database.url,
      JEONGSAN_LANGUAGE: 'en',
      ...(key === '' ? {} : { JEONGSAN_API_KEY: key }),
    },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    err += bytes.toString();
  });
  child.stdin.end(typed);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, out: out.trim(), err: err.trim() };
}

const trail = (limit: number) =>
  query<{ line: string }>(
    database.pool,
    `select concat_ws(' ', who, act, outcome) as line from audit_entry where outcome <> 'changed' order by number desc limit $1`,
    [limit],
  ).then((rows) => rows.map(({ line }) => line));

test('without people, whoever holds the database acts, and the trail says so', async () => {
  expect(await run('findings list')).toMatchObject({ status: 0 });
  expect(await run('calendar add 2026-12-24 --name a%holiday --reason told --by lee')).toMatchObject({
    status: 0,
    err: '',
  });
  expect(await trail(5)).toEqual([
    expect.stringMatching(/^os:\S+ calendar\.add done$/),
    expect.stringMatching(/^os:\S+ calendar\.add asked$/),
  ]);
  expect((await run('whoami')).out).toMatch(/os:/);
});

test('the first administrator comes in by the link and makes a key', async () => {
  const { out: link } = await run('setup-link');
  const typed = `${goodPassword}\n`;
  const weak = await run(`people join ${link} --email admin@pg.example`, { typed: 'password1234\n' });
  expect(weak).toMatchObject({ status: 1, err: expect.stringContaining('guessed') });
  expect(await run(`people join ${link} --email Admin@PG.example --name Admin`, { typed })).toMatchObject({
    status: 0,
    out: 'admin@pg.example',
  });
  const wrong = await run('keys sign-in admin@pg.example --name x', { typed: 'wrong\n' });
  expect(wrong).toMatchObject({ status: 1, out: '' });
  const made = await run('keys sign-in admin@pg.example --name terminal --days 7', { typed });
  expect(made).toMatchObject({ status: 0, out: expect.stringMatching(/^jsk_/) });
  keys.admin = made.out;
  expect(await run('setup-link')).toMatchObject({ status: 1, err: expect.stringContaining('administrator') });
});

test('from then on nothing goes without a key, not even reading, whatever the file with it may be', async () => {
  expect(await run('findings list')).toMatchObject({ status: 1, out: '', err: expect.stringContaining('API_KEY') });
  expect(await run('findings list', { key: `${keys.admin}x` })).toMatchObject({ status: 1, out: '' });
  expect(await trail(1)).toEqual([expect.stringMatching(/^os:\S+ findings\.list denied$/)]);
  expect(await run('findings list', { key: keys.admin })).toMatchObject({ status: 0 });
  const file = path.join(home, 'key');
  await writeFile(file, `${keys.admin}\n`, { mode: 0o600 });
  expect(await run(`whoami --json --key-file ${file}`)).toMatchObject({ status: 0 });
  await chmod(file, 0o644);
  expect(await run(`whoami --key-file ${file}`)).toMatchObject({
    status: 1,
    err: expect.stringContaining('chmod 600'),
  });
});

test('an administrator brings others in, and moves no money', async () => {
  for (const role of ['operator', 'approver'] as const) {
    const invited = await run(`people invite ${role}@pg.example --name X --roles ${role} --why joined`, {
      key: keys.admin,
    });
    expect(invited).toMatchObject({ status: 0, out: expect.stringContaining('/auth/link/') });
    const typed = `${goodPassword}\n`;
    expect(await run(`people join ${invited.out}`, { typed })).toMatchObject({ status: 0 });
    keys[role] = (await run(`keys sign-in ${role}@pg.example --name terminal`, { typed })).out;
  }
  const settle = await run('settle', { key: keys.admin });
  expect(settle).toMatchObject({ status: 1, err: expect.stringContaining('permission run') });
  expect(await trail(1)).toEqual(['admin@pg.example settle denied']);
  expect(await run('people roles admin@pg.example approver --why x', { key: keys.admin })).toMatchObject({ status: 1 });
});

test('who asks is whose key it is, and another one decides', async () => {
  const propose = 'ledger adjust propose --line suspense=100 rounding=-100 --why x --by';
  expect(await run(`${propose} somebody`, { key: keys.operator })).toMatchObject({
    status: 1,
    err: expect.stringContaining('operator@pg.example'),
  });
  expect(await run('ledger adjust approve adjustment:1', { key: keys.operator })).toMatchObject({
    status: 1,
    err: expect.stringContaining('permission approve'),
  });
  const listed = await run('people list --json', { key: keys.approver });
  expect(JSON.parse(listed.out)).toHaveLength(3);
});

test('keys are listed to their owner, and end', async () => {
  const own = JSON.parse((await run('keys list --json', { key: keys.operator })).out) as {
    id: string;
    owner: string;
  }[];
  expect(own.map(({ owner }) => owner)).toEqual(['operator@pg.example']);
  const more = await run('keys create --name reader --scopes read --days 1', { key: keys.operator });
  expect(more.out).toMatch(/^jsk_/);
  // The key that asks is a little older than what a key of now would usually live.
  const usual = await run('keys create --name usual --scopes read', { key: keys.operator });
  expect(usual).toMatchObject({ status: 0, out: expect.stringMatching(/^jsk_/) });
  expect(usual.err).toMatch(new RegExp(`^valid until .*${own[0]?.id}`));
  const beyond = await run('keys create --name more --scopes approve', { key: keys.operator });
  expect(beyond).toMatchObject({ status: 1, err: expect.stringContaining('approve') });
  expect(await run(`keys revoke ${own[0]?.id} --why lost`, { key: keys.operator })).toMatchObject({ status: 0 });
  for (const key of [keys.operator, more.out])
    expect(await run('whoami', { key })).toMatchObject({ status: 1, out: '' });
  const written = JSON.stringify(
    await query(database.pool, `select concat_ws(' ', reason, detail::text, subject) as line from audit_entry`),
  );
  for (const secret of [...Object.values(keys), more.out, goodPassword]) {
    expect(written).not.toContain(secret.replace(/^jsk_.{10}_/, ''));
  }
});
