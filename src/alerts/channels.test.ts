import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type MailServer, openMailServer } from '../../test/support/mail-server.ts';
import { runProcess, temporaryFolder } from '../../test/support/processes.ts';
import { listFindings } from '../findings/store.ts';
import { alertStatus } from './alert-store.ts';
import { type Alerting, alerting, bankOpen, kim, testCipher } from './alerting.fixture.ts';
import { listChannels, removeChannel, saveChannel } from './channel-store.ts';
import { pageOfDeliveries, putTest, retryDeliveries, showDelivery } from './delivery-store.ts';
import { saveRule, showRule } from './rule-store.ts';

let db: TestDatabase;
let server: MailServer;
let cipher: Awaited<ReturnType<typeof testCipher>>;
let world: Alerting;

beforeEach(async () => {
  db = await testDatabase();
  server = await openMailServer();
  cipher = await testCipher();
  world = alerting(db.pool, cipher, server.url);
  await world.channel({ channel: 'in-charge', recipients: ['kim@pg.example'] });
});
afterEach(async () => {
  await server.close();
  await db.close();
  cipher.close();
});

type Received = { readonly path: string; readonly headers: Record<string, string>; readonly body: string };

/** A system that takes posts and answers as it is told. */
async function openReceiver() {
  const received: Received[] = [];
  const state = { status: 200 };
  const receiver: Server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>)).toString();
    received.push({ path: incoming.url ?? '', headers: incoming.headers as Record<string, string>, body });
    response.writeHead(state.status).end(`status ${state.status}`);
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  onTestFinished(() => {
    receiver.close();
    receiver.closeAllConnections();
  });
  const { port } = receiver.address() as AddressInfo;
  return {
    received,
    url: `http://127.0.0.1:${port}/hooks/x?token=t`,
    answer(status: number) {
      state.status = status;
    },
  };
}

const toOnly = async (...channels: string[]) => {
  const urgent = await showRule(db.pool, 'urgent');
  await saveRule(db.pool, { ...urgent, channels, escalateSeconds: 0 }, { actor: kim });
};
const deliveries = async () =>
  (await pageOfDeliveries(db.pool, {}, { after: undefined, limit: 100, descending: false })).rows;

describe('a webhook', () => {
  test('is signed over what it says, and its address and secret are in no list, row or trail', async () => {
    const receiver = await openReceiver();
    const secret = 'a secret of sixteen or more';
    await world.channel({ channel: 'pager', kind: 'webhook', url: receiver.url, secret });
    await toOnly('pager');
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    const [got] = receiver.received;
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = got?.headers ?? {};
    expect(signature).toBe(`v1,${createHmac('sha256', secret).update(`${id}.${at}.${got?.body}`).digest('base64')}`);
    expect(JSON.parse(got?.body ?? '')).toMatchObject({
      type: 'alert.first',
      data: {
        alert: 1,
        severity: 'urgent',
        kinds: [{ kind: 'bank_circuit_open' }],
        top: [{ subject: 'bank:json-van' }],
      },
    });
    const { rows } = await db.pool.query(
      `select (select string_agg(c::text, '') from alert_channel c) || (select string_agg(e::text, '') from audit_entry e) as all`,
    );
    const seen = rows[0].all + JSON.stringify(await listChannels(db.pool));
    expect(seen).toContain('127.0.0.1');
    for (const hidden of ['sixteen', 'token=t', Buffer.from(secret).toString('hex')])
      expect(seen).not.toContain(hidden);
  });

  test.each([
    [503, 'waiting'],
    [401, 'waiting'],
    [302, 'waiting'],
    [400, 'failed'],
    [410, 'failed'],
    [204, 'sent'],
  ])('that answers %i leaves its message %s', async (status, state) => {
    const receiver = await openReceiver();
    receiver.answer(status);
    await world.channel({ channel: 'pager', kind: 'webhook', url: receiver.url, secret: 'a secret of sixteen' });
    await putTest(db.pool, { channel: 'pager', by: 'kim', now: world.now });
    await world.turn();
    expect(await deliveries()).toMatchObject([{ state, answer: expect.stringContaining(String(status)) }]);
  });

  test.each([
    [{ kind: 'webhook', url: 'https://10.0.0.1/', secret: 'a secret of sixteen' }],
    [{ kind: 'webhook', url: 'http://hooks.pg.example/', secret: 'a secret of sixteen' }],
    [{ kind: 'webhook', url: 'https://hooks.pg.example/', secret: 'short' }],
    [{ kind: 'webhook', url: 'https://hooks.pg.example/' }],
    [{ kind: 'slack' }],
    [{ kind: 'smtp', recipients: ['not an address'] }],
    [{ kind: 'smtp', recipients: ['kim@pg.example\r\nBcc: all@pg.example'] }],
    [{ kind: 'smtp', url: 'https://hooks.pg.example/' }],
    [{}],
  ] as const)('is refused as %j', async (draft) => {
    const ports = { pool: db.pool, cipher, allowed: [] };
    await expect(saveChannel(ports, { channel: 'new', ...draft }, { actor: kim })).rejects.toMatchObject({
      code: 'alert_channel_invalid',
    });
  });
});

test('Slack is told in its own form, in which nothing of ours is a command', async () => {
  const receiver = await openReceiver();
  await world.channel({ channel: 'slack', kind: 'slack', url: receiver.url, language: 'en' });
  await toOnly('slack');
  await bankOpen(db.pool, '<!channel> & co');
  await world.pass({ minutes: 1 });
  const { text, blocks } = JSON.parse(receiver.received[0]?.body ?? '{}');
  expect(text).toBe('[Urgent] Bank not reachable: payouts stopped: bank:&lt;!channel&gt; &amp; co');
  expect(blocks).toHaveLength(2);
});

describe('a channel that reaches nobody', () => {
  test('is told of through the others, tried again, and found well', async () => {
    const receiver = await openReceiver();
    await world.channel({ channel: 'slack', kind: 'slack', url: receiver.url });
    server.manner = 'refuse';
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    // The mail is lost: what it said goes elsewhere at once, and then that it was lost.
    expect(await deliveries()).toMatchObject([
      { channel: 'in-charge', state: 'failed' },
      { channel: 'slack', state: 'sent', alert: 1n },
      { channel: 'slack', state: 'sent', alert: 2n },
    ]);
    expect(receiver.received.map(({ body }) => JSON.parse(body).text)).toEqual([
      '[긴급] 은행 연결 차단: bank:json-van',
      '[긴급] 알림 채널 장애: channel:in-charge',
    ]);
    expect(await alertStatus(db.pool, true)).toMatchObject({
      faults: ['channel_failing', 'deliveries_failed'],
      channels: { failing: ['in-charge'], working: ['slack'] },
    });
    server.manner = 'accept';
    expect(await retryDeliveries(db.pool, { now: world.now })).toBe(1);
    await world.pass({ minutes: 3 });
    expect(server.mails[0]?.subject).toBe('[긴급] 은행 연결 차단: bank:json-van');
    expect(await listFindings(db.pool, { kind: 'alert_channel_failing' })).toEqual([]);
    expect(receiver.received.map(({ body }) => JSON.parse(body).text).at(-1)).toContain('해제');
    expect((await alertStatus(db.pool, true)).faults).toEqual([]);
  });

  test('is told again only what it has not heard in a later word', async () => {
    const wordsOf = async (alert: bigint) =>
      (await deliveries()).filter((each) => each.alert === alert).map(({ purpose, state }) => `${purpose} ${state}`);
    server.manner = 'refuse';
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    expect(await wordsOf(1n)).toEqual(['first failed']);
    server.manner = 'accept';
    await bankOpen(db.pool, 'other');
    await world.pass({ minutes: 6 });
    expect(await wordsOf(1n)).toEqual(['first failed', 'update sent']);
    server.manner = 'refuse';
    await bankOpen(db.pool, 'third');
    await world.pass({ minutes: 11 });
    await db.pool.query(`update finding set closed_at = now(), closed_by = 'test' where kind = 'bank_circuit_open'`);
    await world.pass({ minutes: 3 });
    expect(await wordsOf(1n)).toEqual(['first failed', 'update sent', 'escalation failed', 'all_clear failed']);
    const heard = server.mails.length;
    server.manner = 'accept';
    await retryDeliveries(db.pool, { channel: 'in-charge', now: world.now });
    await world.pass({ minutes: 3 });
    expect(await wordsOf(1n)).toEqual(['first dropped', 'update sent', 'escalation dropped', 'all_clear sent']);
    const about = server.mails.slice(heard).filter(({ subject }) => subject?.includes('은행'));
    expect(about.map(({ subject }) => subject?.includes('해제'))).toEqual([true]);
    expect((await alertStatus(db.pool, true)).faults).toEqual([]);
  });

  test('is sent again what a person names, and nothing that went through', async () => {
    server.manner = 'refuse';
    await bankOpen(db.pool);
    await world.pass({ minutes: 1 });
    server.manner = 'accept';
    await bankOpen(db.pool, 'other');
    await world.pass({ minutes: 6 });
    const ids = (await deliveries()).filter(({ alert }) => alert === 1n).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(await retryDeliveries(db.pool, { ids, now: world.now })).toBe(1);
  });

  test('is tried by one message at a time, and gives up on each in the end', async () => {
    server.manner = 'defer';
    for (let n = 0; n < 20; n += 1) {
      await putTest(db.pool, { channel: 'in-charge', by: 'kim', now: world.now.add({ milliseconds: n }) });
    }
    await world.pass({ hours: 3 });
    const rows = await deliveries();
    const tries = rows.reduce((sum, { attempts }) => sum + attempts, 0);
    // 5 s, 10 s … 15 minutes, whatever waits: not twenty messages at each of these times.
    expect(tries).toBeGreaterThan(15);
    expect(tries).toBeLessThan(30);
    world.now = world.now.add({ hours: 72 });
    await world.turn();
    expect((await deliveries()).filter(({ purpose }) => purpose === 'test').map(({ state }) => state)).toEqual(
      Array(20).fill('failed'),
    );
  });

  test('leaves an urgent alert to those who can be reached', async () => {
    await world.channel({ channel: 'operations', recipients: ['ops@pg.example'] });
    await db.pool.query(
      `insert into alert_channel_state (channel_id, failures, failing_since) values ('in-charge', 3, now())`,
    );
    await bankOpen(db.pool);
    await world.pass({ seconds: 30 });
    expect(server.mails.flatMap(({ envelopeTo }) => envelopeTo).sort()).toEqual(['kim@pg.example', 'ops@pg.example']);
  });

  test('one reader of several that is not known is a finding', async () => {
    server.manner = 'refuse-recipient';
    await world.channel({ channel: 'in-charge', recipients: ['gone@pg.example', 'kim@pg.example'] });
    await bankOpen(db.pool);
    await world.pass({ seconds: 30 });
    expect(await listFindings(db.pool, { kind: 'alert_recipient_refused' })).toMatchObject([
      { detail: { recipients: ['gone@pg.example'] } },
    ]);
  });
});

test('a channel that a rule names stays, and what waits for one that goes is dropped', async () => {
  const removal = removeChannel(db.pool, 'operations', { actor: kim });
  await expect(removal).rejects.toMatchObject({ code: 'alert_channel_used' });
  await world.channel({ channel: 'spare', kind: 'smtp', recipients: ['kim@pg.example'] });
  await putTest(db.pool, { channel: 'spare', by: 'kim', now: world.now });
  await removeChannel(db.pool, 'spare', { actor: kim, version: 1 });
  await world.turn();
  expect(await deliveries()).toMatchObject([{ state: 'dropped' }]);
});

test('killed between the sending and its note, the message comes again under its name, once', async () => {
  server.manner = 'hang';
  await putTest(db.pool, { channel: 'in-charge', by: 'kim', now: world.now });
  const begun = server.begun();
  const worker = runProcess(`${import.meta.dirname}/alert-worker.fixture.ts`, [db.url, server.url, temporaryFolder()]);
  expect(await worker.line()).toBe('sending');
  await begun;
  worker.kill('SIGKILL');
  expect(await worker.ended).toBe('SIGKILL');
  server.manner = 'accept';
  await world.pass({ minutes: 2 });
  expect(server.mails).toHaveLength(1);
  await world.pass({ minutes: 2 });
  const [killed, again] = server.mails;
  expect(server.mails).toHaveLength(2);
  expect(again?.messageId).toBe(killed?.messageId);
  const [row] = await deliveries();
  expect(await showDelivery(db.pool, row?.id ?? 0n)).toMatchObject({
    state: 'sent',
    tries: [
      { attempt: 1, outcome: null, node: 'worker' },
      { attempt: 2, outcome: 'sent', node: 'node-1' },
    ],
  });
});
