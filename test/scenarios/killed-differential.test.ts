import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerOf } from '../../src/differential/answering.fixture.ts';
import { type Charged, createClaimBooks } from '../../src/differential/selection.fixture.ts';
import { nice } from '../../src/providers/differential/nice.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type FaultySftpServer, startFaultySftpServer } from '../support/faulty-sftp-server.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';

const worker = path.resolve(import.meta.dirname, '../../src/differential/differential-worker.fixture.ts');

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
let home: string;
let provider: string;
let server: FaultySftpServer;

beforeEach(async () => {
  db = await testDatabase();
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-killed-'));
  provider = await mkdtemp(path.join(tmpdir(), 'jeongsan-provider-'));
  for (const folder of ['req', 'res']) await mkdir(path.join(provider, folder));
  server = await startFaultySftpServer(provider);
  books = createClaimBooks(db.pool);
  await books.cards();
  for (const merchant of ['M1', 'M2', 'M3']) await books.merchant(merchant, { '2026H2': 1 });
});
afterEach(async () => {
  await db.close();
  await server.close();
  await Promise.all([home, provider].map((folder) => rm(folder, { recursive: true, force: true })));
});

const dayOf = (n: number) => Temporal.PlainDate.from('2026-09-01').add({ days: n }).toString();

/** What is captured on day n: a sale of each merchant, and the cancel of M1's of the day before. */
function salesOf(n: number): Charged[] {
  const common = { on: dayOf(n), channel: 'nice' };
  const sales: Charged[] = ['M1', 'M2', 'M3'].map((merchant) => ({
    ...common,
    ...{ tid: `${merchant}-${n}`, merchant, won: 10_000, fee: 230, vat: 23 },
  }));
  if (n > 0) sales.push({ ...common, tid: `M1-${n - 1}`, merchant: 'M1', seq: 1, won: -10_000, fee: -230, vat: -23 });
  return sales;
}

function workerOf(days: readonly string[], env: NodeJS.ProcessEnv): TestProcess {
  const { kind, host, port, user, hostKeys } = server.address;
  const address = { ...{ kind, host, port, user, hostKeys }, folder: '/', password: 'p@ss' };
  const own = { DATABASE_URL: db.url, HOME_FOLDER: home, PROVIDER_FOLDER: provider, REMOTE: JSON.stringify(address) };
  return runProcess(worker, days, { ...own, ...env });
}

/** Each process ends the day at which the one before was killed, and is killed in the next. */
async function killedAt(deaths: readonly NodeJS.ProcessEnv[], first = 0): Promise<void> {
  for (const [no, death] of deaths.entries()) {
    const n = first + no;
    await books.sales(salesOf(n));
    const doomed = workerOf(n === 0 ? [dayOf(0)] : [dayOf(n - 1), dayOf(n)], death);
    expect(await doomed.ended, `${JSON.stringify(death)} ${doomed.errors()}`).toBe('SIGKILL');
  }
  const last = workerOf([dayOf(first + deaths.length - 1)], {});
  expect(await last.ended, last.errors()).toBe(0);
}

const rowsOf = async (sql: string): Promise<Record<string, unknown>[]> => (await db.pool.query(sql)).rows;
const count = async (sql: string) => Number((await rowsOf(`select count(*) as n from ${sql}`))[0]?.['n']);

/** Each file was put once, each answer applied once, each won booked once, and nobody has anything to decide. */
async function expectEverythingOnce(days: number): Promise<void> {
  const sent = (await readdir(path.join(provider, 'req'))).filter((name) => !name.endsWith('.part'));
  expect(sent).toHaveLength(days);
  expect(server.seen.renames).toBe(days);
  for (const { file_name, archive_path } of await rowsOf('select file_name, archive_path from claim_file')) {
    const [theirs, ours] = [path.join(provider, 'req', String(file_name)), String(archive_path)];
    expect((await readFile(theirs)).equals(await readFile(ours))).toBe(true);
  }
  expect(await rowsOf('select distinct state, count(*)::int as n from claim_file group by 1')).toEqual([
    { state: 'answered', n: days },
  ]);
  expect(await rowsOf(`select state, version, count(*)::int as n from answer_file group by 1, 2`)).toEqual([
    { state: 'applied', version: 1, n: days },
  ]);
  expect(await count(`differential_batch where state = 'done'`)).toBe(days);
  expect(await count('finding where closed_at is null')).toBe(0);
  expect(await count(`claim_status where status = 'paid'`)).toBe(3 * days);
  expect(await count(`claim_status where status = 'clawed_back'`)).toBe(days - 1);
  expect(await count('claim')).toBe(4 * days - 1);
  // 10,000 won at 1.00 %: 100 and 10 of VAT where 253 were charged. Of M1 one sale is left, all others were cancelled.
  const balances = await rowsOf(
    `select account || ' ' || balance_won as text from ledger_account where balance_won <> 0 order by account`,
  );
  expect(balances.map(({ text }) => text)).toEqual([
    `refund_receivable:nice ${-143 * (2 * days + 1)}`,
    'wallet:M1 143',
    `wallet:M2 ${143 * days}`,
    `wallet:M3 ${143 * days}`,
  ]);
}

/** How many acts a day takes, told by a process that lives through one like those that are killed. */
async function actsOfADay(): Promise<number> {
  await books.sales(salesOf(0));
  const living = workerOf([dayOf(0)], {});
  const [, outcome, claims, accepted, won, acts] = (await living.line()).split(' ');
  expect([outcome, claims, accepted, won]).toEqual(['answered', '3', '3', '429']);
  expect(await living.ended, living.errors()).toBe(0);
  return Number(acts);
}

/** Where the money is: each is a moment at which a careless program would send, write or book twice. */
const moments: NodeJS.ProcessEnv[] = [
  ['after', 'into differential_batch'],
  ['after', 'into claim_file'],
  ['after', 'update claim_file'],
  ['before', 'put'],
  ['after', 'put'],
  ['before', 'rename'],
  ['after', 'rename'],
  ['before', 'wait'],
  ['after', 'list'],
  ['after', 'into answer_file'],
  ['after', 'into answer_load'],
  ['before', 'into answer_part'],
  ['after', 'into answer_part'],
  ['before', 'update answer_file'],
  ['after', 'update answer_file'],
].map(([when, what]) => ({ [when === 'before' ? 'DIE_BEFORE' : 'DIE_AFTER']: what }));

test('killed at the moments that matter, each day is claimed, sent, answered and booked once', async () => {
  await killedAt(moments);
  await expectEverythingOnce(moments.length);
}, 300_000);

test('killed before and after acts from the first to the last of a day, each day ends as if it had not been', async () => {
  const acts = await actsOfADay();
  expect(acts).toBeGreaterThan(60);
  const deaths: NodeJS.ProcessEnv[] = [];
  for (let at = 2; at < acts - 2; at += Math.ceil(acts / 10)) {
    deaths.push({ [deaths.length % 2 === 0 ? 'DIE_BEFORE' : 'DIE_AFTER']: String(at) });
  }
  await killedAt(deaths, 1);
  await expectEverythingOnce(deaths.length + 1);
});

test('two processes that claim the same days claim each once', async () => {
  const days = [0, 1, 2].map(dayOf);
  for (const n of [0, 1, 2]) await books.sales(salesOf(n));
  const both = [workerOf(days, {}), workerOf(days, {})];
  const said = await Promise.all(both.map(async (each) => [await each.line(), await each.line(), await each.line()]));
  for (const each of both) expect(await each.ended, each.errors()).toBe(0);
  const told = said.map((lines) => lines.map((line) => line.split(' ').slice(0, 5).join(' ')));
  expect(told[0]).toEqual(told[1]);
  await expectEverythingOnce(3);
});

test('a process that is killed, or told to end, while it waits for answers: the next goes on, sends nothing and takes them', async () => {
  await books.sales(salesOf(0));
  // It is the morning after, a Wednesday; the provider is asked every second.
  const morning = Temporal.Instant.from('2026-09-02T09:00:00+09:00');
  const ahead = Math.round(morning.since(Temporal.Now.instant()).total('seconds'));
  const env = { REAL_CLOCK_AHEAD: String(ahead) };
  const waits = async (process: TestProcess): Promise<void> => {
    for (;;) if ((await process.line()) === 'waits wait for answers') return;
  };
  for (let deaths = 0; deaths < 2; deaths += 1) {
    const doomed = workerOf([dayOf(0)], env);
    await waits(doomed);
    await waits(doomed);
    doomed.kill('SIGKILL');
    await doomed.ended;
  }
  const stopped = workerOf([dayOf(0)], env);
  await waits(stopped);
  stopped.tell('end');
  expect(await stopped.ended, stopped.errors()).toBe(0);
  expect(await rowsOf('select state from differential_batch')).toEqual([{ state: 'waiting' }]);
  expect(await count('finding')).toBe(0);
  const last = workerOf([dayOf(0)], env);
  await waits(last);
  const name = 'daff_nice_1234567891_20260901';
  const request = await readFile(path.join(provider, 'req', `${name}_req`));
  await writeFile(path.join(provider, 'res', `${name}_res`), answerOf(nice, request, dayOf(0)));
  expect(await last.ended, last.errors()).toBe(0);
  await expectEverythingOnce(1);
  const steps = await rowsOf(
    `select function_name as name from dbos.operation_outputs where function_name like 'receive%'`,
  );
  expect(steps.map(({ name: step }) => step)).toEqual(['receive 1']);
});
