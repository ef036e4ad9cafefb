import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Language } from '../../src/kernel/problem.ts';
import { openRemoteFolder } from '../../src/platform/open-remote-folder.ts';
import { openSource } from '../../src/platform/open-source.ts';
import { differentialVariable, parseRemoteAddress } from '../../src/platform/remote-address.ts';
import { parseSource } from '../../src/platform/source-address.ts';
import { sandboxCommands } from '../../src/sandbox/commands.ts';
import type { WorldSummary } from '../../src/sandbox/generate.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

let database: TestDatabase;
let home: string;
const written = { out: '', err: '' };

beforeAll(async () => {
  database = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-sandbox-'));
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await database.close();
});
beforeEach(() => {
  vi.stubEnv('JEONGSAN_HOME', home);
  written.out = '';
  written.err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

/** Runs a command as the command line would; returns its exit status. */
async function run(words: string[], options: { language?: Language; signal?: AbortSignal } = {}): Promise<number> {
  process.exitCode = undefined;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  const context = {
    withDatabase: <T>(work: (pool: TestDatabase['pool']) => Promise<T>) => work(database.pool),
    language: options.language ?? 'en',
    who: 'tester',
    signal: options.signal ?? new AbortController().signal,
  };
  sandboxCommands(program, context, { withProduct: () => Promise.reject(new Error('nothing is simulated here')) });
  await program.parseAsync(['sandbox', ...words], { from: 'user' });
  return Number(process.exitCode ?? 0);
}

const small = ['--seed', '3', '--days', '2', '--payments', '600', '--breaks', '1'];

describe('sandbox generate', () => {
  test('writes a world and says what is in it, to people and as JSON', async () => {
    const into = path.join(home, 'said');
    expect(await run(['generate', ...small, '--into', into, '--json'])).toBe(0);
    const summary = JSON.parse(written.out) as WorldSummary;
    expect(summary).toEqual(JSON.parse(readFileSync(path.join(into, 'world.json'), 'utf8')));
    expect(summary).toMatchObject({ seed: '3', days: ['2026-11-18', '2026-11-19'], paymentsPerDay: 600, breaks: 1 });
    expect(readdirSync(into).sort()).toEqual([
      'accounts.csv',
      'bank-accounts.csv',
      'card-bins.csv',
      'contracts.csv',
      'deposits.csv',
      'ksnet',
      'merchants.csv',
      'payments.csv',
      'sub-merchants.csv',
      'terms.csv',
      'tiers.csv',
      'truth.json',
      'welcome-offline',
      'welcome-online',
      'world.json',
    ]);
    written.out = '';
    expect(await run(['generate', ...small, '--into', into], { language: 'ko' })).toBe(0);
    expect(written.out).toMatch(/^날짜 +원천사 +승인/);
    expect(written.out).toMatch(/2026-11-19 {2}welcome-offline +150 /);
  });

  test.each([
    [['--days', '0']],
    [['--days', '1.5']],
    [['--payments', 'many']],
    [['--from', '2026-02-30']],
    [['--breaks', '1.5']],
    [['--breaks', '-1']],
    [['--breaks', '50']],
  ])('refuses %j and writes nothing', async (wrong) => {
    const into = path.join(home, 'refused');
    await expect(run(['generate', ...small, ...wrong, '--into', into])).rejects.toThrow(/invalid|Wrong usage/);
    expect(existsSync(into)).toBe(false);
  });
});

describe('sandbox load', () => {
  test('imports our side and puts the statements where they are collected; again changes nothing', async () => {
    const into = path.join(home, 'world');
    await run(['generate', ...small, '--into', into]);
    const { records } = JSON.parse(readFileSync(path.join(into, 'world.json'), 'utf8')) as WorldSummary;
    const ours = Object.values(records).flatMap((days) => Object.values(days));
    const count = ours.reduce((sum, { approvals, cancels, captures }) => sum + approvals + cancels + captures, 0);
    written.out = '';
    expect(await run(['load', into, '--json'])).toBe(0);
    expect(JSON.parse(written.out)).toMatchObject({
      merchants: { refused: 0 },
      payments: { added: count, same: 0, refused: 0 },
      deposits: { refused: 0 },
      statements: 2 * (4 * 3 + 2 + 2),
    });
    for (const provider of ['ksnet', 'welcome-online', 'welcome-offline']) {
      const inbox = path.join(home, 'inbox', provider);
      expect(readdirSync(inbox).sort()).toEqual(readdirSync(path.join(into, provider)).sort());
      for (const name of readdirSync(inbox)) {
        expect(readFileSync(path.join(inbox, name)).equals(readFileSync(path.join(into, provider, name)))).toBe(true);
      }
    }
    written.out = '';
    expect(await run(['load', into, '--json'])).toBe(0);
    expect(JSON.parse(written.out)).toMatchObject({ payments: { added: 0, same: count, refused: 0 } });
  });

  test('says where there is no world', async () => {
    await expect(run(['load', home])).rejects.toThrow(/no sandbox world/);
  });

  test('does not put files where nobody collects them', async () => {
    const key = 'uNiVztksCsDhcc0u9e8BgrJXVGDt+7gLxkc/hTfwO1A';
    vi.stubEnv('JEONGSAN_SOURCE_KSNET', `sftp://pg:pw@127.0.0.1/out?hostKey=SHA256:${key}`);
    await expect(run(['load', path.join(home, 'world')])).rejects.toThrow(/ksnet is collected from sftp:\/\/pg@127/);
  });
});

describe('sandbox', () => {
  test('serves a world until it is stopped, at addresses that the product can collect from', async () => {
    const stopped = new AbortController();
    const running = run([...small, '--json'], { signal: stopped.signal });
    await eventually(() => expect(written.out).toContain('\n'));
    const { folder, sources } = JSON.parse(written.out) as { folder: string; sources: Record<string, string> };
    expect(folder).toBe(path.join(home, 'sandbox', '3'));
    for (const [provider, url] of [
      ['ksnet', sources['JEONGSAN_SOURCE_KSNET']],
      ['welcome-online', sources['JEONGSAN_SOURCE_WELCOME_ONLINE']],
      ['welcome-offline', sources['JEONGSAN_SOURCE_WELCOME_OFFLINE']],
    ] as const) {
      const address = parseSource(url ?? '');
      if ('faults' in address) throw new Error(address.faults.join());
      const source = openSource(address);
      const files = await source.list();
      await source.close();
      expect(files.map(({ name }) => name).sort()).toEqual(readdirSync(path.join(folder, provider)).sort());
    }
    stopped.abort();
    expect(await running).toBe(0);
  });

  test('serves the providers of differential settlement, at addresses that the product reaches', async () => {
    const into = path.join(home, 'differential');
    expect(await run(['generate', ...small, '--breaks', '0', '--differential', '--into', into])).toBe(0);
    written.out = '';
    const stopped = new AbortController();
    const running = run(['differential', 'serve', into, '--json'], { signal: stopped.signal });
    await eventually(() => expect(written.out).toContain('\n'));
    const { variables } = JSON.parse(written.out) as { variables: Record<string, string> };
    expect(variables['JEONGSAN_BUSINESS_NO']).toMatch(/^\d{10}$/);
    for (const provider of ['ksnet', 'welcome', 'nice']) {
      const address = parseRemoteAddress(variables[differentialVariable(provider)] ?? '');
      if ('faults' in address) throw new Error(address.faults.join());
      const remote = openRemoteFolder(address);
      expect(await remote.list('res')).toEqual([]);
      await remote.close();
    }
    stopped.abort();
    expect(await running).toBe(0);
    await expect(run(['differential', 'serve', path.join(home, 'nowhere')])).rejects.toMatchObject({
      code: 'world_missing',
    });
  });

  test('keeps its world, its host key and its password', async () => {
    const options = { folder: path.join(home, 'kept'), seed: '../x', days: 1, payments: 100 };
    const first = await openSandbox(options);
    await first.close();
    const second = await openSandbox(options);
    await second.close();
    const facts = ({ world, sources }: typeof first): unknown[] => [
      world,
      sources['ksnet']?.hostKeys,
      sources['ksnet']?.password?.reveal(),
    ];
    expect(facts(second)).toEqual(facts(first));
    expect(readdirSync(options.folder).sort()).toEqual(['..%2Fx', 'host_key', 'password']);
  });

  test('says in a line that it was interrupted', async () => {
    const stop = AbortSignal.abort(new Error('SIGINT'));
    const into = path.join(home, 'stopped');
    await expect(run(['generate', ...small, '--into', into], { signal: stop })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(existsSync(path.join(into, 'world.json'))).toBe(false);
  });

  test('an interrupted generator leaves nothing that passes for a world, and the next one is whole', async () => {
    const into = path.join(home, 'interrupted');
    const script = path.join(import.meta.dirname, '../../src/cli.ts');
    const words = ['sandbox', 'generate', '--payments', '40000', '--days', '2', '--into', into];
    const child = spawn(process.execPath, [script, ...words], { stdio: 'ignore', env: { ...process.env } });
    await eventually(() => expect(readdirSync(into)).toContain('ksnet'));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(readdirSync(into)).not.toContain('world.json');
    expect(await run(['generate', ...small, '--into', into])).toBe(0);
    expect(readdirSync(into).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
