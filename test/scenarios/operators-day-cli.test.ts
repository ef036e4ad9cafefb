import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../../src/platform/config.ts';
import { type Receiver, startReceiver } from '../../src/webhooks/receiver.fixture.ts';
import type { Json } from '../support/api.ts';
import { type CommandShell, openCommandShell, type Said } from '../support/command-shell.ts';
import { goodPassword } from '../support/identity-server.ts';
import { bringWorld, createInstallation, type Installation } from '../support/installation.ts';
import { startServer, type TestServer, until } from '../support/servers.ts';

/** Everybody's key, by who they are; `both` is operator and approver, with a key for each. */
const keys: Record<string, string> = {};
const ends: (() => unknown)[] = [];
const atEnd = (end: () => unknown) => void ends.push(end);
let installation: Installation;
let days: readonly string[];
let server: TestServer;
let receiver: Receiver;
let shell: CommandShell;

beforeAll(async () => {
  installation = await createInstallation();
  receiver = await startReceiver();
  const from = Temporal.Now.plainDateISO('Asia/Seoul').subtract({ days: 2 });
  ({ days } = await bringWorld(installation, { seed: 'day', days: 2, payments: 300, breaks: 2, from }));
  const env = { JEONGSAN_PRIVATE_HOSTS: receiver.host, JEONGSAN_LANGUAGE: 'en' };
  server = await startServer(installation, env, atEnd);
  shell = openCommandShell(installation, env, atEnd);
}, 120_000);
afterAll(async () => {
  for (const end of ends) end();
  await server.process.ended;
  await receiver.close();
  await installation.close();
});

/** How an XLSX file begins. */
const zip = 'PK\u0003\u0004';
/** `a "b c" d` → three words. */
const wordsOf = (line: string) => [...line.matchAll(/"([^"]*)"|\S+/g)].map(([whole, quoted]) => quoted ?? whole);

test('the first administrator comes in by the link, invites the others, and everybody has a key', async () => {
  const say = async (line: string, given: { key?: string; typed?: string } = {}) => {
    const said = await shell.run(wordsOf(line), given);
    expect(said, line).toMatchObject({ status: 0 });
    return said.out.trim();
  };
  const typed = `${goodPassword}\n`;
  await say(`people join ${server.setupLink} --email admin@pg.example --name Kim`, { typed });
  const key = await say('keys sign-in admin@pg.example --name terminal', { typed });
  keys['admin'] = key;
  for (const [name, roles] of Object.entries({
    operator: 'operator',
    approver: 'approver',
    viewer: 'viewer',
    both: 'operator approver',
  })) {
    const invited = await say(`people invite ${name}@pg.example --name ${name} --roles ${roles} --why joined`, { key });
    await say(`people join ${invited}`, { typed });
    keys[name] = await say(`keys sign-in ${name}@pg.example --name terminal`, { typed });
  }
  keys['maker'] = await say('keys create --name makes --scopes read,propose --days 7', { key: keys['both'] ?? '' });
  keys['checker'] = await say('keys create --name checks --scopes read,approve --days 7', { key: keys['both'] ?? '' });
});

/** The same day twice, each with a day, merchant, slot and schedule of its own. */
describe.each([
  ['beside the database', 0, { schedule: 'retention', alert: 'alerts_unaddressed' }],
  ['through a server', 1, { schedule: 'digest', alert: 'settlement_skipped' }],
] as const)('%s', (_, n, { schedule, alert }) => {
  const on = () => days[n] ?? '';
  const say = (who: string, line: string): Promise<Said> =>
    shell.run(wordsOf(line), { key: keys[who] ?? '', server: n === 0 ? undefined : server.url });
  const ask = async (who: string, line: string): Promise<Json> => {
    const said = await say(who, `${line} --json`);
    expect(said, line).toMatchObject({ status: 0 });
    return JSON.parse(said.out) as Json;
  };
  const refused = async (who: string, line: string, why: RegExp) => {
    const said = await say(who, line);
    expect(said, line).toMatchObject({ status: 1, out: '', refusal: expect.stringMatching(why) });
  };
  const table = async (who: string, line: string) => {
    const said = await say(who, line);
    expect(said, line).toMatchObject({ status: 0 });
    return said.out;
  };
  const rows = async <Row>(sql: string, values: unknown[] = []) =>
    (await installation.db.pool.query(sql, values)).rows as Row[];

  test('the operator sees who they are, and what runs, ran and will run', async () => {
    expect(await ask('operator', 'whoami')).toMatchObject({ who: 'operator@pg.example', roles: ['operator'] });
    const schedules = await ask('operator', 'schedule list');
    expect(schedules.map((each) => each['name'])).toEqual(expect.arrayContaining(['reconcile', 'settle', 'digest']));
    expect(await table('operator', 'schedule next settle --count 3')).toMatch(/settle.*\n.*settle.*\n.*settle/);
    expect(await ask('operator', 'nodes')).toEqual([expect.objectContaining({ pid: server.process.pid })]);
    expect(await table('operator', 'runs list')).toBeDefined();
    expect(await ask('viewer', 'daily-close list')).toEqual([]);
    await refused('viewer', `daily-close show ${on()}`, /daily close/);
  });

  test('reconciles a day and follows the run to its end', async () => {
    const run = `reconcile:${on()}:1`;
    expect(await ask('operator', `reconcile --on ${on()}`)).toMatchObject({ run, on: on(), outcome: 'complete' });
    const [newest] = await ask('operator', `runs list --job reconcile --on ${on()}`);
    expect(newest).toMatchObject({ id: run, state: 'done', startedBy: 'operator@pg.example' });
    expect(await ask('operator', `runs show ${run}`)).toMatchObject({ id: run, job: 'reconcile', on: on() });
    const followed = (await say('operator', `runs follow ${run} --json`)).out.split('\n');
    expect(JSON.parse(followed.at(-1) ?? '')).toMatchObject({ event: 'state', run: { state: 'done' } });
  });

  test('works off the breaks and takes them along as files', async () => {
    const open = await ask('operator', `breaks list --on ${on()} --all`);
    const planted = await rows<{ n: bigint }>(
      `select count(*) as n from break where business_on = $1 and state = 'open' and gone_at is null`,
      [on()],
    );
    expect(open).toHaveLength(Number(planted[0]?.n));
    const [first, second] = open.map((each) => each['id']);
    await ask('operator', `breaks assign ${first} ${second} --assignee operator@pg.example --why mine`);
    await ask('operator', `breaks comment ${first} --why "asked them"`);
    expect(await say('operator', `breaks resolve 999999 --as written_off --why x`)).toMatchObject({ status: 1 });
    const shown = await ask('operator', `breaks show ${first}`);
    expect(shown).toMatchObject({ id: first, assignedTo: 'operator@pg.example', state: 'open' });
    expect(JSON.stringify(shown)).toContain('asked them');
    const narrow = `--on ${on()} --kind amount_differs`;
    const meant = await ask('operator', `breaks list ${narrow}`);
    expect(meant.length).toBeGreaterThan(0);
    await ask('operator', `breaks resolve ${narrow} --as written_off --why "a rounding"`);
    expect(await ask('operator', `breaks list ${narrow}`)).toEqual([]);
    expect(await ask('operator', `breaks list ${narrow} --state resolved`)).toHaveLength(meant.length);
    const csv = await table('operator', `breaks list --on ${on()} --all --csv`);
    expect(csv.split('\n')).toHaveLength(1 + open.length - meant.length);
    const book = path.join(installation.home, `breaks-${n}.xlsx`);
    await table('operator', `report --on ${on()} --into ${book}`);
    expect((await readFile(book)).subarray(0, 4).toString('latin1')).toBe(zip);
    expect(await say('operator', `report --on ${on()} --into ${book}`)).toMatchObject({ status: 2 });
  });

  test('settles, and sees what a merchant was given', async () => {
    // Some captures have no contract: they are set aside, and the command says so by its exit status.
    const settle = await say('operator', 'settle --json');
    expect(settle).toMatchObject({ status: 3, refusal: '' });
    expect(JSON.parse(settle.out)).toMatchObject({ state: 'settled' });
    const settled = await ask('operator', 'settlement list');
    const merchant = String(settled[n]?.['merchantId']);
    const balance = await ask('operator', `merchants balance ${merchant}`);
    const [wallet] = await rows<{ won: bigint }>('select balance_won as won from ledger_account where account = $1', [
      `wallet:${merchant}`,
    ]);
    expect(balance).toMatchObject({ merchantId: merchant, walletWon: Number(wallet?.won) });
    expect(await ask('operator', 'ledger verify')).toMatchObject({ clean: true });
    const sheet = path.join(installation.home, `wallet-${n}.xlsx`);
    await table('operator', `ledger statement wallet:${merchant} --xlsx ${sheet}`);
    expect((await readFile(sheet)).subarray(0, 4).toString('latin1')).toBe(zip);
    const held = await ask('operator', `hold place ${merchant} --amount 1,000 --reason disputed`);
    expect(await ask('operator', `merchants balance ${merchant}`)).toMatchObject({ heldWon: 1000 });
    await ask('operator', `hold release ${(held['hold'] ?? held)['id']} --reason settled`);
    expect(await ask('operator', `merchants balance ${merchant}`)).toMatchObject(balance);
  });

  test('asks for a payout above the limit, which another person approves', async () => {
    await say('admin', 'bank set json-van --approval-over 100 --why "two people"');
    const [{ merchant } = { merchant: '' }] = await rows<{ merchant: string }>(
      `select merchant_id as merchant from ledger_account join bank_account on account = 'wallet:' || merchant_id
        where balance_won > 30000 order by account offset $1 limit 1`,
      [n],
    );
    const made = await ask('operator', `payout request ${merchant} 10,000 --key day-${n}`);
    expect(made).toMatchObject({ state: 'awaiting_approval', amountWon: 10_000, requestedBy: 'operator@pg.example' });
    expect(await ask('approver', 'approvals list')).toEqual([
      expect.objectContaining({ kind: 'payout', subject: String(made['id']), askedBy: 'operator@pg.example' }),
    ]);
    await refused('operator', `payout approve ${made['id']}`, /permission approve/);
    await refused('viewer', `payout approve ${made['id']}`, /permission approve/);
    const own = await ask('maker', `payout request ${merchant} 20000 --key own-${n}`);
    await refused('checker', `payout approve ${own['id']}`, /Who asked for .* cannot decide/);
    await ask('approver', `payout refuse ${own['id']} --why "not theirs"`);
    await ask('approver', `payout approve ${made['id']}`);
    expect(await ask('operator', `payout show ${made['id']}`)).toMatchObject({ state: 'created' });
    expect(await ask('operator', `payout show ${own['id']}`)).toMatchObject({ state: 'cancelled' });
  });

  test('the administrator has another system told, and the word arrives', async () => {
    const before = receiver.heard.length;
    const hook = await ask('admin', `webhooks add shop-${n} ${receiver.url} --events break.commented --reason day`);
    const [first] = await ask('operator', `breaks list --on ${on()} --limit 1`);
    await ask('operator', `breaks comment ${first?.['id']} --why again`);
    await receiver.until(before + 1);
    expect(JSON.parse(receiver.heard[before]?.body ?? '')).toMatchObject({ type: 'break.commented' });
    await until('delivery that is kept as done', async () => {
      const told = await ask('viewer', `webhooks deliveries --state delivered --webhook ${hook['id']}`);
      return told.length === 1;
    });
    await ask('admin', `webhooks remove ${hook['id']} --reason day`);
  });

  test('an alert is looked after, a schedule paused, everything halted and let go on', async () => {
    await say('operator', `settle --slot ${days[0]}T0${n}:00+09:00`);
    const found = await until(alert, async () => {
      const open = await ask('operator', 'alerts list --state open');
      return open.find((each) => JSON.stringify(each).includes(alert));
    });
    const again = await table('both', 'keys create --name more --scopes read');
    expect(again.trim()).toMatch(/^jsk_\S+$/);
    const maker = (keys['both'] ?? '').split('_')[1];
    expect(await ask('both', 'keys create --name most --scopes read')).toMatchObject({ endsWith: maker });
    await ask('operator', `alerts ack ${found['id']}`);
    expect(await ask('operator', `alerts show ${found['id']}`)).toMatchObject({
      acknowledgedBy: 'operator@pg.example',
    });
    await refused('operator', `schedule pause ${schedule} --why x`, /permission configure/);
    await ask('admin', `schedule pause ${schedule} --why "the day"`);
    const paused = await ask('viewer', `schedule show ${schedule}`);
    expect(paused['pause']).toMatchObject({ who: 'admin@pg.example' });
    await ask('admin', `schedule resume ${schedule} --why over`);
    expect((await ask('viewer', `schedule show ${schedule}`))['pause']).toBeNull();
    await ask('admin', 'maintenance on --why upgrade');
    await refused('operator', `schedule run-now ${schedule} --why x`, /[Mm]aintenance/);
    await ask('admin', 'maintenance off --why done');
    expect(await ask('viewer', 'maintenance show')).toMatchObject({ on: false });
  });

  test('an account is revealed for a reason, other prices are supposed, and the trail proves it all', async () => {
    const [{ merchant } = { merchant: '' }] = await rows<{ merchant: string }>(
      'select merchant_id as merchant from bank_account order by merchant_id limit 1',
    );
    await refused('viewer', `merchants account reveal ${merchant} --reason curious`, /permission reveal/);
    const seen = await ask('operator', `merchants account reveal ${merchant} --reason "the bank called"`);
    expect(seen['accountNo']).toMatch(/^[\d-]{8,}$/);
    const month = `--from ${days[0]} --to ${days[1]}`;
    const supposed = await ask('operator', `differential what-if ${month} --rounding half_up`);
    expect(supposed).toHaveProperty('total');
    const trail = await ask('admin', 'audit list --who operator@pg.example --limit 10');
    expect(trail).toContainEqual(expect.objectContaining({ outcome: 'done', reason: 'the bank called' }));
    expect(await ask('admin', 'audit verify')).toMatchObject({ sound: true });
    const file = path.join(installation.home, `audit-${n}.ndjson`);
    expect(await say('admin', `audit export --out ${file}`)).toMatchObject({ status: 0 });
    const verifier = path.join(repositoryRoot, 'examples/independent-check/audit.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [verifier, file]);
    expect(stdout).toMatch(/\d+/);
    expect((await readFile(file, 'utf8')).includes(String(seen['accountNo']))).toBe(false);
  });

  test('a viewer sees, and changes nothing', async () => {
    for (const line of ['runs list', 'breaks list', 'payout list', 'alerts list', 'approvals list', 'ledger verify']) {
      expect(await say('viewer', line), line).toMatchObject({ status: 0 });
    }
    for (const line of [
      'settle',
      `reconcile --on ${on()}`,
      'breaks comment 1 --why x',
      'payout request M1 1000 --key x',
      'payout approve 1',
      'hold place M1 --reason x',
      'alerts ack 1',
      'calendar add 2026-12-24 --name x --reason x',
      'schedule resume settle --why x',
      'people disable operator@pg.example --why x',
      'audit verify',
    ]) {
      await refused('viewer', line, /permission/);
    }
  });
});

test.each([
  'schedule list',
  'schedule next settle --count 3',
  'runs list --job reconcile',
  'breaks list --min-won 10,000 --limit 1000',
  'settlement cycles',
  'settlement list',
  'hold list --all',
  'payout list',
  'bank show',
  'ledger accounts',
  'ledger adjust list',
  'findings list',
  'alerts list --all',
  'alerts rules list',
  'alerts limits list',
  'webhooks events',
  'people list',
  'calendar list',
  'differential what-if --from 2026-11-01 --to 2026-11-30 --rounding half_up',
])('%s is answered alike beside the database and through a server', async (line) => {
  const words = [...line.split(' '), '--json'];
  const beside = await shell.run(words, { key: keys['operator'] ?? '' });
  const through = await shell.run(words, { key: keys['operator'] ?? '', server: server.url });
  expect(through.status).toBe(beside.status);
  expect(shapeOf(JSON.parse(through.out))).toEqual(shapeOf(JSON.parse(beside.out)));
});

/** Names and values, in whatever order, without moments: they are written to the millisecond or the microsecond. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(shapeOf(each))).sort();
  if (typeof value !== 'object' || value === null) return /T\d\d:/.test(String(value)) ? 'moment' : value;
  const names = Object.keys(value).sort() as (keyof typeof value)[];
  return Object.fromEntries(names.map((name) => [name, shapeOf(value[name])]));
}
