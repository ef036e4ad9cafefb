import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../../src/platform/config.ts';
import { type Receiver, signatureOf, startReceiver } from '../../src/webhooks/receiver.fixture.ts';
import type { Json } from '../support/api.ts';
import { Browser, goodPassword } from '../support/identity-server.ts';
import { bringWorld, createInstallation, type Installation } from '../support/installation.ts';
import { startServer, type TestServer, until } from '../support/servers.ts';
import { totp } from '../support/totp.ts';

/** Everybody's key, by who they are. */
const keys: Record<string, string> = {};
const ends: (() => unknown)[] = [];
let installation: Installation;
let on: string;
let server: TestServer;
let receiver: Receiver;

beforeAll(async () => {
  installation = await createInstallation();
  receiver = await startReceiver();
  const from = Temporal.Now.plainDateISO('Asia/Seoul').subtract({ days: 2 });
  const world = await bringWorld(installation, { seed: 'day', days: 2, payments: 300, breaks: 2, from });
  on = world.days.at(-1) ?? '';
  server = await startServer(installation, { JEONGSAN_PRIVATE_HOSTS: receiver.host }, (end) => void ends.push(end));
}, 120_000);
afterAll(async () => {
  for (const end of ends) end();
  await server.process.ended;
  await receiver.close();
  await installation.close();
});

/** `send('operator', 'POST /breaks/comment', {...})`. */
async function send(who: string, line: string, body?: unknown, headers: Record<string, string> = {}) {
  const [method = '', place = ''] = line.split(' ');
  return fetch(`${server.url}/v1${place}`, {
    method,
    headers: {
      authorization: `Bearer ${keys[who]}`,
      'accept-language': 'en',
      ...(method === 'GET' ? {} : { 'idempotency-key': randomUUID(), 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function ask(who: string, line: string, body?: unknown, headers?: Record<string, string>): Promise<Json> {
  const response = await send(who, line, body, headers);
  const text = await response.text();
  expect(response.ok, `${line}: ${text}`).toBe(true);
  return JSON.parse(text) as Json;
}

async function rows(who: string, line: string): Promise<Json> {
  const found: Json[] = [];
  for (let next: unknown = ''; ; ) {
    const page = await ask(who, `GET ${line}${next === '' ? '' : `${line.includes('?') ? '&' : '?'}cursor=${next}`}`);
    found.push(...(page['rows'] as Json));
    if (!page['next']) return found as unknown as Json;
    next = encodeURIComponent(String(page['next']));
  }
}

async function refused(who: string, line: string, code: string, body?: unknown): Promise<void> {
  const response = await send(who, line, body);
  expect(response.headers.get('content-type'), line).toContain('application/problem+json');
  expect(await response.json(), `${who} ${line}`).toMatchObject({ code });
}

/** What is changed is what was seen. */
async function edit(who: string, place: string, change: unknown): Promise<Json> {
  const seen = await send(who, `GET ${place}`);
  return ask(who, `PATCH ${place}`, change, { 'if-match': String(seen.headers.get('etag')) });
}

test('the first administrator comes in by the link, with a second factor, and invites the others', async () => {
  const browser = new Browser(server.url);
  const email = 'admin@pg.example';
  const join = { name: 'Kim', email, password: goodPassword };
  expect(await browser.post(server.setupLink ?? '', join)).toMatchObject({ status: 200 });
  expect(await new Browser(server.url).post(server.setupLink ?? '', join)).not.toMatchObject({ status: 200 });
  await browser.post('/auth/sign-in/email', { email, password: goodPassword });
  const { body } = await browser.post('/auth/two-factor/enable', { password: goodPassword });
  const code = totp(String(body['totpURI']), Temporal.Now.instant());
  expect(await browser.post('/auth/two-factor/verify-totp', { code })).toMatchObject({ status: 200 });
  keys['admin'] = await keyFrom(browser);
  expect(await ask('admin', 'GET /me')).toMatchObject({ who: email, secondFactor: true });
  for (const [name, roles] of Object.entries({
    operator: ['operator'],
    approver: ['approver'],
    viewer: ['viewer'],
    both: ['operator', 'approver'],
  })) {
    const wish = { email: `${name}@pg.example`, name, roles, reason: 'joined' };
    const { link } = (await ask('admin', 'POST /people', wish)) as unknown as { link: string };
    const theirs = new Browser(server.url);
    expect(await theirs.post(link, { password: goodPassword })).toMatchObject({ status: 200 });
    await theirs.post('/auth/sign-in/email', { email: wish.email, password: goodPassword });
    keys[name] = await keyFrom(theirs);
  }
  const expiresAt = inDays(7);
  keys['maker'] = String((await ask('both', 'POST /keys', { name: 'makes', scopes: ['propose'], expiresAt }))['key']);
  keys['checker'] = String(
    (await ask('both', 'POST /keys', { name: 'checks', scopes: ['approve'], expiresAt }))['key'],
  );
});

const inDays = (days: number) =>
  Temporal.Now.instant()
    .add({ hours: 24 * days })
    .toString();

async function keyFrom(browser: Browser): Promise<string> {
  const wish = { name: 'day', expiresAt: inDays(30) };
  const acting = { 'x-jeongsan-act': '1', 'idempotency-key': randomUUID() };
  const { status, body } = await browser.post('/v1/keys', wish, acting);
  expect(status, JSON.stringify(body)).toBe(201);
  return String(body['key']);
}

test('the operator sees what will run, reconciles yesterday and follows it live', async () => {
  const names = (await rows('operator', '/schedules')).map((each) => each['name']);
  expect(names).toEqual(expect.arrayContaining(['reconcile', 'settle', 'digest']));
  const { slots } = (await ask('operator', 'GET /upcoming-slots?schedule=reconcile&limit=2')) as unknown as {
    slots: Json;
  };
  expect(slots.map((each) => each['job'])).toEqual(['reconcile', 'reconcile']);
  expect(await rows('operator', '/nodes')).toEqual([expect.objectContaining({ pid: server.process.pid })]);
  const { run } = (await ask('operator', 'POST /reconciliations', { on })) as unknown as { run: string };
  const events = await send('operator', `GET /runs/${encodeURIComponent(run)}/events`, undefined, {
    accept: 'text/event-stream',
  });
  expect(await events.text()).toMatch(/event: step[\s\S]*"state":"done"[\s\S]*event: end/);
  expect(await ask('operator', `GET /runs/${run}`)).toMatchObject({ state: 'done', startedBy: 'operator@pg.example' });
  expect((await rows('operator', `/runs?job=reconcile&on=${on}`)).map((each) => each['id'])).toEqual([run]);
  expect(await ask('operator', `GET /reconciliation-days/${on}`)).toMatchObject({ outcome: 'complete' });
});

test('works off the breaks, by number and by filter, and takes them along as files', async () => {
  const open = await rows('operator', `/breaks?on=${on}&limit=50`);
  expect(await ask('operator', `GET /breaks/sum?on=${on}`)).toMatchObject({ count: open.length });
  const [first, second] = open.map((each) => each['id']);
  await ask('operator', 'POST /breaks/assign', { ids: [first, second], assignee: 'operator@pg.example' });
  await ask('operator', `POST /breaks/${first}/comment`, { reason: 'asked them' });
  const shown = await ask('operator', `GET /breaks/${first}`);
  expect(shown).toMatchObject({ assignedTo: 'operator@pg.example' });
  expect(JSON.stringify(shown['events'])).toContain('asked them');
  const filter = { on, kind: ['amount_differs'] };
  const many = { filter, as: 'written_off', reason: 'a rounding' };
  const dry = await ask('operator', 'POST /breaks/resolve', { ...many, dryRun: true });
  const done = await ask('operator', 'POST /breaks/resolve', many);
  expect(done['changed']).toBe(dry['changed']);
  const left = open.length - Number(done['changed']);
  expect(await ask('operator', `GET /breaks/sum?on=${on}`)).toMatchObject({ count: left });
  const csv = await (await send('operator', `GET /breaks?on=${on}&format=csv`)).text();
  expect(csv.trimEnd().split('\n')).toHaveLength(1 + left);
  const book = await (await send('operator', `GET /breaks?on=${on}&format=xlsx`)).arrayBuffer();
  expect(Buffer.from(book).subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
});

let merchant = '';
test('settles a slot, sees a balance, holds some of it back and gives it back', async () => {
  const { run, slot } = (await ask('operator', 'POST /settlement/cycles', {})) as unknown as {
    run: string;
    slot: string;
  };
  await until('end of the slot', async () => (await ask('operator', `GET /runs/${run}`))['state'] === 'done');
  expect(await ask('operator', `GET /settlement/cycles/${encodeURIComponent(slot)}`)).toMatchObject({
    state: 'settled',
  });
  const holders = await installation.db.pool.query<{ id: string; won: bigint }>(
    `select merchant_id as id, balance_won as won from ledger_account join bank_account on account = 'wallet:' || merchant_id
      where balance_won > 30000 order by account limit 1`,
  );
  const [holder] = holders.rows;
  merchant = holder?.id ?? '';
  const balance = await ask('operator', `GET /merchants/${merchant}/balance`);
  expect(balance).toMatchObject({ walletWon: Number(holder?.won), heldWon: 0 });
  const { hold } = (await ask('operator', 'POST /holds', {
    merchant,
    amountWon: 1000,
    reason: 'disputed',
  })) as unknown as {
    hold: { id: number };
  };
  expect(await ask('operator', `GET /merchants/${merchant}/balance`)).toMatchObject({ heldWon: 1000 });
  await ask('operator', `POST /holds/${hold.id}/release`, { reason: 'settled' });
  expect(await ask('operator', `GET /merchants/${merchant}/balance`)).toEqual(balance);
  expect(await ask('operator', 'GET /ledger/verification')).toMatchObject({ clean: true });
});

test('asks for a payout above the limit, which another person approves', async () => {
  await ask('admin', 'PATCH /banks/json-van', { approvalOverWon: 100, reason: 'two people' });
  const wish = { merchant, amountWon: 10_000, key: 'day' };
  const once = { 'idempotency-key': 'the-same' };
  const made = await ask('operator', 'POST /payouts', wish, once);
  expect(made).toMatchObject({ state: 'awaiting_approval', requestedBy: 'operator@pg.example' });
  expect(await ask('operator', 'POST /payouts', wish, once)).toEqual(made);
  const waiting = await rows('approver', '/approvals?kind=payout');
  expect(waiting).toEqual([expect.objectContaining({ subject: String(made['id']), askedBy: 'operator@pg.example' })]);
  await refused('operator', `POST /payouts/${made['id']}/approve`, 'permission_missing', {});
  const own = await ask('maker', 'POST /payouts', { merchant, amountWon: 20_000, key: 'own' });
  await refused('checker', `POST /payouts/${own['id']}/approve`, 'approval_four_eyes', {});
  await refused('both', `POST /payouts/${own['id']}/refuse`, 'approval_four_eyes', {});
  expect(await ask('approver', `POST /payouts/${own['id']}/refuse`, { reason: 'no' })).toMatchObject({
    state: 'cancelled',
  });
  expect(await ask('approver', `POST /payouts/${made['id']}/approve`, {})).toMatchObject({ state: 'created' });
});

test('another system is told by a signed word', async () => {
  const wish = { name: 'shop', url: receiver.url, events: ['break.commented'] };
  const hook = await ask('admin', 'POST /webhooks', wish);
  const [first] = await rows('operator', `/breaks?on=${on}`);
  await ask('operator', `POST /breaks/${first?.['id']}/comment`, { reason: 'again' });
  await receiver.until(1);
  const [heard] = receiver.heard;
  expect(heard?.headers['webhook-signature']).toBe(heard && signatureOf(String(hook['secret']), heard));
  await until('delivery that is kept as done', async () => {
    const [told] = await rows('viewer', `/webhooks/deliveries?webhook=${hook['id']}`);
    return told?.['state'] === 'delivered';
  });
});

test('an alert is looked after, a schedule changed and paused, everything halted and let go on', async () => {
  const alert = await until('alert', async () => (await rows('operator', '/alerts?state=open'))[0]);
  const taken = await ask('operator', `POST /alerts/${alert['id']}/acknowledge`, { note: 'mine' });
  expect(taken).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'operator@pg.example' });
  const later = await edit('admin', '/schedules/digest', { cron: '45 8 * * *', reason: 'later' });
  expect(later).toMatchObject({ cron: '45 8 * * *' });
  const stale = await send(
    'admin',
    'PATCH /schedules/digest',
    { cron: '0 8 * * *', reason: 'x' },
    { 'if-match': '"1"' },
  );
  expect(await stale.json()).toMatchObject({ code: 'version_differs' });
  const paused = await ask('admin', 'POST /schedules/digest/pause', { reason: 'the day' });
  expect(paused['pause']).toMatchObject({ who: 'admin@pg.example' });
  expect((await ask('admin', 'POST /schedules/digest/resume', { reason: 'over' }))['pause']).toBeNull();
  await ask('admin', 'PUT /maintenance', { reason: 'upgrade' });
  await refused('operator', 'POST /schedules/digest/runs', 'maintenance_on', { reason: 'x' });
  await ask('admin', 'DELETE /maintenance?reason=done');
  expect(await ask('viewer', 'GET /maintenance')).toMatchObject({ on: false });
});

test('an account is revealed for a reason, other prices are supposed, and the trail proves it all elsewhere', async () => {
  await refused('viewer', `POST /merchants/${merchant}/account/reveal`, 'permission_missing', { reason: 'curious' });
  const seen = await ask('operator', `POST /merchants/${merchant}/account/reveal`, { reason: 'the bank called' });
  expect(seen['accountNo']).toMatch(/^[\d-]{8,}$/);
  const supposed = await ask('operator', 'POST /differential/what-if', { from: on, to: on, rounding: 'half_up' });
  expect(supposed).toHaveProperty('total.changeWon');
  const trail = await rows('admin', '/audit?who=operator@pg.example&act=revealMerchantAccount');
  expect(trail).toContainEqual(expect.objectContaining({ outcome: 'done', reason: 'the bank called' }));
  const { sound, head } = (await ask('admin', 'GET /audit/verification')) as unknown as {
    sound: boolean;
    head: string;
  };
  expect(sound).toBe(true);
  const text = await (await send('admin', 'GET /audit/export')).text();
  expect(text).not.toContain(String(seen['accountNo']));
  const verify = async (exported: string) => {
    const file = path.join(installation.home, 'audit.ndjson');
    await writeFile(file, exported);
    const verifier = path.join(repositoryRoot, 'examples/independent-check/audit.mjs');
    return promisify(execFile)(process.execPath, [verifier, file, '--head', head]);
  };
  await verify(text);
  await expect(verify(text.replace('the bank called', 'nobody called.'))).rejects.toThrow();
});

test('a viewer sees, and changes nothing', async () => {
  for (const place of ['/runs', '/breaks', '/payouts', '/alerts', '/approvals', '/webhooks', '/people']) {
    await rows('viewer', place);
  }
  const document = (await (await send('viewer', 'GET /openapi.json')).json()) as {
    paths: Record<string, Record<string, { operationId: string; 'x-permission'?: string }>>;
  };
  const acts = Object.entries(document.paths).flatMap(([place, methods]) =>
    Object.entries(methods)
      .filter(([method, { 'x-permission': needs }]) => method !== 'get' && needs !== undefined && needs !== 'read')
      .map(([method, { operationId }]) => ({
        operationId,
        line: `${method.toUpperCase()} ${place.replace('/v1', '')}`,
      })),
  );
  expect(acts.length).toBeGreaterThan(50);
  for (const { line, operationId } of acts) {
    const response = await send('viewer', line.replace(/\{\w+\}/g, '1'), {});
    expect([operationId, response.status]).toEqual([operationId, 403]);
    await response.body?.cancel();
  }
  await refused('viewer', 'GET /audit', 'permission_missing');
});
