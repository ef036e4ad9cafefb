import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type RemoteKind, remoteFolders } from '../../test/support/remote-folders.ts';
import { Problem } from '../kernel/problem.ts';
import { openArchive } from '../platform/archive.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { listRuns } from '../platform/durable/runs.ts';
import { answerOf } from './answering.fixture.ts';
import { differentialCommands } from './commands.ts';
import { type StoryClock, seoulInstant, storyClock } from './exchange.fixture.ts';
import type { DifferentialEvent } from './ports.ts';
import { type Charged, createClaimBooks, unregistered } from './selection.fixture.ts';
import { addSendCommand } from './send-commands.ts';
import { type DifferentialSettlement, registerDifferential } from './workflow.ts';

const remotes = remoteFolders();
const [ksnet, nice] = [unregistered('ksnet'), unregistered('nice')].map((provider) => ({
  ...provider,
  differential: {
    ...provider.differential,
    transport: { ...provider.differential.transport, outbox: 'in', inbox: 'out' },
  },
})) as [ReturnType<typeof unregistered>, ReturnType<typeof unregistered>];
const registry = [ksnet, nice];
const kinds: Readonly<Record<string, RemoteKind>> = { ksnet: 'https', nice: 'sftp' };
/** Fridays: their files go out on Saturday 00:30, answers are due from Monday on. */
const [friday, nextFriday] = ['2026-11-20', '2026-11-27'];

let db: TestDatabase;
let durable: Durable;
let settlement: DifferentialSettlement;
let books: ReturnType<typeof createClaimBooks>;
let home: string;
let clock: StoryClock;
/** Changes of a provider's address; `gone`: it has none. */
let addresses: Readonly<Record<string, object | 'gone'>>;
const watchers = new Set<(event: DifferentialEvent) => void>();
const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;

beforeAll(async () => {
  db = await testDatabase();
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-workflow-'));
  books = createClaimBooks(db.pool);
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log: quiet });
  settlement = registerDifferential(durable, {
    pool: db.pool,
    log: quiet,
    archive: openArchive(home),
    providers: registry,
    remote: (id) => {
      const change = addresses[id];
      if (change === 'gone') throw new Problem('differential_not_configured', { provider: id, variable: 'X' });
      return remotes.open(kinds[id] ?? 'sftp', change);
    },
    businessNo: () => '1234567891',
    clock: { now: () => clock.now(), waitUntil: (instant, label) => clock.waitUntil(instant, label) },
    watch: (event) => {
      for (const watcher of watchers) watcher(event);
    },
  });
  await durable.launch();
  await books.cards();
  for (const merchant of ['M1', 'M2']) await books.merchant(merchant, { '2026H2': 1 });
});
afterAll(async () => {
  await durable.shutdown(1_000);
  await db.close();
  await rm(home, { recursive: true });
});
beforeEach(() => {
  clock = storyClock('2026-11-20 23:00');
  addresses = {};
});
afterEach(() => watchers.clear());

const sale = (channel: string, tid: string, on: string, more: Partial<Charged> = {}): Charged => ({
  ...{ channel, tid, on, won: 10_000, fee: 230, vat: 23 },
  ...more,
});

/** The provider answers what stands in its folder and has no answer yet. */
async function answerAll(provider: typeof nice, on: string, lines?: number): Promise<void> {
  const there = await readdir(path.join(remotes.folder, 'in'));
  for (const name of there.filter((each) => each.includes(`_${provider.id}_`))) {
    const mid = /_(MID\d)_/.exec(name)?.[1];
    const request = await remotes.on(`in/${name}`);
    const answer = answerOf(provider, request, on, {
      ...(mid === undefined ? {} : { mid }),
      ...(lines === undefined ? {} : { lines }),
    });
    const when = clock.now().toString();
    await remotes.place(`out/${name.replace('_req', '_res')}`, answer, when);
  }
}

const run = (provider: string, on: string) => settlement.run({ provider, on, who: 'test' });
const rowsOf = async (sql: string): Promise<Record<string, unknown>[]> => (await db.pool.query(sql)).rows;
const openFindings = async () =>
  (await rowsOf(`select kind || ' ' || subject as text from finding where closed_at is null order by finding_id`)).map(
    ({ text }) => text,
  );

test('two providers go through the five steps side by side; one that fails harms only itself, and goes on when restarted', async () => {
  await books.sales([
    sale('ksnet', 'K1', friday),
    sale('ksnet', 'K2', friday, { mid: 'MID2', merchant: 'M2' }),
    sale('nice', 'N1', friday),
    sale('nice', 'N2', friday, { fee: 100, vat: 10 }),
  ]);
  const hostKeys = ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'];
  addresses = { nice: { hostKeys } };
  clock.at('2026-11-23 10:00', () => answerAll(ksnet, friday));
  const [good, bad] = await Promise.allSettled([run('ksnet', friday), run('nice', friday)]);
  const counts = { candidates: 2n, claims: 2n, held: 0n, notOvercharged: 0n, files: 2, lines: 2n, accepted: 2n };
  expect(good).toMatchObject({
    status: 'fulfilled',
    value: { outcome: 'answered', ...counts, differenceWon: 286n, acceptedWon: 286n },
  });
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'host_key_mismatch' } });
  expect(await openFindings()).toEqual(['differential_failed differential:nice:2026-11-20']);
  expect(await rowsOf('select provider, state from differential_batch order by 1')).toEqual([
    { provider: 'ksnet', state: 'done' },
    { provider: 'nice', state: 'failed' },
  ]);

  addresses = {};
  clock.at('2026-11-24 10:00', () => answerAll(nice, friday));
  await durable.restart('differential:nice:2026-11-20');
  const again = { outcome: 'answered', candidates: 2n, claims: 1n, notOvercharged: 1n, files: 1, accepted: 1n };
  expect(await durable.handle('differential:nice:2026-11-20').result()).toMatchObject(again);
  expect(await openFindings()).toEqual([]);
});

test('a day that was run tells what it came to, and does nothing', async () => {
  const told = await run('nice', friday);
  expect(told).toMatchObject({ outcome: 'answered', claims: 1n, acceptedWon: 143n });
  expect(await readdir(path.join(remotes.folder, 'in'))).toEqual([]);
  expect(remotes.sftp.seen.connections).toBe(0);
});

test('a day without captures has no file, and is over at once', async () => {
  expect(await run('nice', '2026-11-18')).toMatchObject({ outcome: 'empty', files: 0, claims: 0n });
  expect(clock.now().equals(seoulInstant('2026-11-20 23:00'))).toBe(true);
});

test('who is not known, or has no address, leaves no run behind', async () => {
  addresses = { nice: 'gone' };
  await expect(run('nice', '2026-11-19')).rejects.toMatchObject({ code: 'differential_not_configured' });
  await expect(run('toss', '2026-11-19')).rejects.toMatchObject({ code: 'not_found' });
  expect(await listRuns(db.pool, { idPrefix: 'differential:nice:2026-11-19' })).toEqual([]);
  expect(await listRuns(db.pool, { idPrefix: 'differential:toss' })).toEqual([]);
});

test('what nobody answers expires; the next day takes what came late', async () => {
  await books.sales([sale('nice', 'L1', nextFriday), sale('nice', 'L2', nextFriday)]);
  clock = storyClock('2026-11-28 00:00');
  clock.at('2026-11-30 10:00', () => answerAll(nice, nextFriday, 1));
  expect(await run('nice', nextFriday)).toMatchObject({
    outcome: 'expired',
    lines: 2n,
    accepted: 1n,
    acceptedWon: 143n,
  });
  expect(await rowsOf(`select provider_tid, status from claim_status where provider_tid like 'L%' order by 1`)).toEqual(
    [
      { provider_tid: 'L1', status: 'paid' },
      { provider_tid: 'L2', status: 'held' },
    ],
  );
  await answerAll(nice, nextFriday);
  expect(await run('nice', '2026-11-28')).toMatchObject({ outcome: 'empty', late: 1 });
  expect(await rowsOf(`select status from claim_status where provider_tid = 'L2'`)).toEqual([{ status: 'paid' }]);
  expect(await openFindings()).toEqual([]);
  const [owed] = await rowsOf(`select balance_won as won from ledger_account where account = 'refund_receivable:nice'`);
  expect(owed).toEqual({ won: -429n });
});

test('on the command line: a table, or JSON, each step on the way, and why one failed', async () => {
  await books.sales([sale('nice', 'C1', '2026-12-04')]);
  clock = storyClock('2026-12-05 00:00');
  clock.at('2026-12-07 10:00', () => answerAll(nice, '2026-12-04'));
  addresses = { ksnet: 'gone' };
  const steps: string[] = [];
  watchers.add(({ provider, step, state }) => steps.push(`${provider} ${step} ${state}`));
  const command = (line: readonly string[], language: 'ko' | 'en' = 'en') =>
    runCommand(
      db.pool,
      ['differential', ...line],
      (program, context, output) => {
        const engine = {
          pool: db.pool,
          differential: settlement,
          watchDifferential: (watcher: (event: DifferentialEvent) => void) => {
            watchers.add(watcher);
            return () => void watchers.delete(watcher);
          },
        };
        const ports = { output, now: () => seoulInstant('2026-12-05 08:00'), configured: ['ksnet', 'nice'] };
        differentialCommands(program, context, (work) => work(engine), ports);
      },
      { language },
    );
  const { said, exitCode } = await command([]);
  expect(said.replace(/ +/g, ' ')).toContain('nice 2026-12-04 answered 1 1 0 143 1 1 1 0 0 143');
  expect(said).toContain('differential:ksnet:2026-12-04 failed: No address is set');
  expect(exitCode).toBe(1);
  expect([...new Set(steps)]).toEqual(
    [
      'select begun',
      'select done',
      'write begun',
      'write done',
      'send waiting',
      'send begun',
      'send done',
      'receive waiting',
      'receive begun',
      'apply done',
      'receive done',
    ].map((each) => `nice ${each}`),
  );

  const json = await command(['--provider', 'nice', '--on', '2026-12-04', '--json']);
  expect(JSON.parse(json.said)).toMatchObject([
    {
      run: 'differential:nice:2026-12-04',
      provider: 'nice',
      outcome: 'answered',
      claims: 1,
      differenceWon: 143,
      acceptedWon: 143,
    },
  ]);
  expect(json.exitCode).toBe(0);
  const korean = await command(['--provider', 'nice'], 'ko');
  expect(korean.said).toContain('회신 완료');
  await expect(command(['--provider', 'toss'])).rejects.toMatchObject({ code: 'usage' });
  await expect(command(['--on', 'yesterday'])).rejects.toMatchObject({ code: 'usage' });
});

test('a person decides on the command line, and the run goes on', async () => {
  await books.sales([sale('nice', 'D1', '2026-12-11')]);
  const name = 'daff_nice_1234567891_20261211_req';
  clock = storyClock('2026-12-12 00:00');
  await remotes.place(`in/${name}`, Buffer.from('a stray file'));
  await expect(run('nice', '2026-12-11')).rejects.toMatchObject({ code: 'claim_file_differs' });
  await rm(path.join(remotes.folder, 'in', name));
  clock.at('2026-12-14 10:00', () => answerAll(nice, '2026-12-11'));
  const send = (...line: string[]) =>
    runCommand(db.pool, ['differential', 'send', name, '--reason', 'removed', ...line], (program, context, output) => {
      const engine = { pool: db.pool, durable };
      addSendCommand(program.command('differential'), context, (work) => work(engine), {
        output,
        now: () => clock.now(),
      });
    });
  await expect(send()).rejects.toMatchObject({ code: 'usage' });
  await expect(send('--again', '--sent')).rejects.toMatchObject({ code: 'usage' });
  const { said, exitCode } = await send('--again');
  expect([said.replace(/: .*/s, ''), exitCode]).toEqual([name, 0]);
  expect(await durable.handle('differential:nice:2026-12-11').result()).toMatchObject({
    outcome: 'answered',
    acceptedWon: 143n,
  });
  await expect(send('--again')).rejects.toMatchObject({ code: 'claim_file_not_failed' });
});

test('a provider that is no longer registered when its run is taken up: the run fails and people are told', async () => {
  const failing = run('nice', '2026-12-18');
  registry.splice(1);
  await expect(failing).rejects.toThrow('nice');
  registry.push(nice);
  expect(await openFindings()).toContain('differential_failed differential:nice:2026-12-18');
});

test('a day that failed and was restarted waits again, and does not count as failed any more', async () => {
  const on = '2026-12-25';
  clock = storyClock('2026-12-25 23:00');
  await books.sales([sale('nice', 'R1', on)]);
  clock.at('2026-12-26 00:15', async () => {
    addresses = { nice: { hostKeys: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'] } };
  });
  await expect(run('nice', on)).rejects.toThrow('host key');
  const standing = async () => {
    const [batch] = await rowsOf(`select state, reason from differential_batch where claimed_on = '${on}'`);
    return [batch, (await openFindings()).includes(`differential_failed differential:nice:${on}`)];
  };
  expect(await standing()).toEqual([{ state: 'failed', reason: expect.stringContaining('host key') }, true]);
  addresses = {};
  let meanwhile: unknown[] = [];
  clock.at('2026-12-28 10:00', async () => {
    meanwhile = await standing();
    await answerAll(nice, on);
  });
  await durable.restart(`differential:nice:${on}`);
  expect(await durable.handle(`differential:nice:${on}`).result()).toMatchObject({ outcome: 'answered' });
  expect(meanwhile).toEqual([{ state: 'waiting', reason: null }, false]);
});
