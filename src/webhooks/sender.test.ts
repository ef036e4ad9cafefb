import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { closeFinding } from '../findings/store.ts';
import { isProblem } from '../kernel/problem.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { postDefaults, sendSignedPost } from '../platform/http-signed-post.ts';
import { type DeliveryState, listDeliveries, replay, showDelivery, takeDue } from './delivery-store.ts';
import { dropEndpoint, type EndpointPorts, makeEndpoint } from './endpoint-acts-store.ts';
import { listEndpoints } from './endpoint-store.ts';
import { type Receiver, signatureOf, startReceiver } from './receiver.fixture.ts';
import { type Sender, startSender } from './sender.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const actor = { who: 'kim@pg.example', from: 'test' };
const at = Temporal.Instant.from('2026-11-20T12:00:00+09:00');
let database: TestDatabase;
let home: string;
let cipher: Cipher;
let receiver: Receiver;
let senders: Sender[] = [];

beforeAll(async () => {
  database = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-webhooks-'));
  cipher = await openCipher({ home });
});
afterAll(async () => {
  await database.close();
  rmSync(home, { recursive: true });
});
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await Promise.all(senders.map((each) => each.stop()));
  senders = [];
  await database.pool.query('truncate webhook_endpoint, webhook_event, webhook_delivery, webhook_attempt cascade');
  await database.pool.query(`update finding set closed_at = now(), closed_by = 'test' where closed_at is null`);
});

const ports = (): EndpointPorts => ({ pool: database.pool, cipher, allowed: [receiver.host] });
const make = (events: readonly string[], name = 'shop', url = receiver.url) =>
  makeEndpoint({ ...ports(), allowed: [new URL(url).host] }, { name, url, events }, { actor });
const begin = (allowed = [receiver.host]) => {
  const limits = { ...postDefaults, allowed };
  const post = (message: Parameters<typeof sendSignedPost>[0]) => sendSignedPost(message, limits);
  senders.push(startSender({ pool: database.pool, log: silent, cipher, post, now: () => at, everyMs: 5 }));
};
const happen = (type: string, subject = '17', data: object = { amountWon: 12_345 }) =>
  database.pool.query('insert into webhook_event (type, subject, data) values ($1, $2, $3)', [type, subject, data]);
const states = async () =>
  (await listDeliveries(database.pool, {}, { limit: 100 })).map(({ type, state }) => `${type} ${state}`).reverse();
/** Everything that waits for a later time is due now. */
const hurry = () => database.pool.query(`update webhook_delivery set next_at = now() where state = 'pending'`);

const told = async () => {
  const { rows } = await database.pool.query<{ line: string }>(
    `select kind || ' ' || subject as line from finding where closed_at is null and kind like 'webhook%' order by 1`,
  );
  return rows.map(({ line }) => line);
};

async function reaches(state: DeliveryState, count: number): Promise<void> {
  await expect.poll(() => listDeliveries(database.pool, { states: [state] }, { limit: 100 })).toHaveLength(count);
}

test('an event arrives once, signed, and says what happened', async () => {
  const { secret } = await make(['payout.succeeded']);
  await happen('payout.rejected');
  await happen('payout.succeeded');
  begin();
  begin();
  await reaches('delivered', 1);
  expect(receiver.heard).toHaveLength(1);
  const [heard] = receiver.heard;
  if (heard === undefined) throw new Error('nothing was heard');
  expect(heard.headers['webhook-signature']).toBe(signatureOf(secret, heard));
  expect(heard.headers['webhook-timestamp']).toBe(String(at.epochMilliseconds / 1000));
  const body = JSON.parse(heard.body) as { id: string };
  expect(body).toMatchObject({ type: 'payout.succeeded', subject: '17', data: { amountWon: 12_345 } });
  expect(heard.headers['webhook-id']).toBe(body.id);
  expect(await states()).toEqual(['payout.succeeded delivered']);
});

test('what was not taken comes again later, the same bytes under the same number, and people are told', async () => {
  await make(['*']);
  receiver.answer(({ path: where }) => (where === '/hook' ? 503 : 204));
  await happen('run.failed');
  begin();
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    await receiver.until(attempt);
    await expect
      .poll(async () => (await database.pool.query('select count(*)::int as n from webhook_attempt')).rows[0].n)
      .toBe(attempt);
    await hurry();
  }
  const failing = () =>
    database.pool.query(`select kind, subject from finding where closed_at is null and kind like 'webhook%'`);
  expect((await failing()).rows).toEqual([{ kind: 'webhook_failing', subject: 'shop' }]);
  receiver.answer(200);
  await hurry();
  await reaches('delivered', 1);
  expect(new Set(receiver.heard.map(({ body }) => body)).size).toBe(1);
  expect(new Set(receiver.heard.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  const [{ id } = { id: 0n }] = await listDeliveries(database.pool, {}, { limit: 1 });
  const { tries } = await showDelivery(database.pool, id);
  expect(tries.map(({ status, fault }) => `${status} ${fault}`).slice(0, 4)).toEqual(Array(4).fill('503 HTTP 503 no'));
  expect(tries.at(-1)).toMatchObject({ status: 200, fault: null });
  expect((await failing()).rows).toEqual([]);
});

test('after the last try it is given up, told to people, and told again when a person wants it', async () => {
  await make(['break.*']);
  receiver.answer('cuts');
  await happen('break.opened', '9');
  await database.pool.query('update webhook_delivery set attempts = 12');
  begin();
  await reaches('given_up', 1);
  expect(await told()).toEqual(['webhook_given_up shop']);
  receiver.answer(204);
  const asked = await inTransaction(database.pool, (tx) => replay(tx, { filter: { states: ['given_up'] }, by: 'lee' }));
  expect(asked).toEqual({ again: 1, hurried: 0 });
  await reaches('delivered', 1);
  expect(await states()).toEqual(['break.opened given_up', 'break.opened delivered']);
  expect(await told()).toEqual([]);
  expect(receiver.heard[0]?.headers['webhook-id']).toBe(receiver.heard[1]?.headers['webhook-id']);
});

test('word of what was given up stays until all of it has arrived, or a person has closed it over it', async () => {
  await make(['*']);
  await make(['*'], 'other');
  const lose = async (...subjects: string[]) => {
    receiver.answer(503);
    await inTransaction(database.pool, async (tx) => {
      await tx.query(
        `insert into webhook_event (type, subject, data) select 'run.failed', s, '{}' from unnest($1::text[]) s`,
        [subjects],
      );
      await tx.query(`update webhook_delivery set attempts = 12 where state = 'pending'`);
    });
    await reaches('given_up', lost.push(...subjects, ...subjects));
    receiver.answer(204);
  };
  const tellAgain = async (subject: string, endpoint: bigint | undefined) => {
    const filter = { states: ['given_up' as const], subject, endpoint };
    await inTransaction(database.pool, (tx) => replay(tx, { filter, by: 'lee' }));
    await reaches('delivered', arrived.push(subject));
  };
  const lost: string[] = [];
  const arrived: string[] = [];
  begin();
  await lose('1', '2', '3');
  const [shop, other] = await listEndpoints(database.pool);
  expect(await told()).toEqual(['webhook_given_up other', 'webhook_given_up shop']);
  await tellAgain('1', shop?.id);
  await tellAgain('3', shop?.id);
  expect(await told()).toEqual(['webhook_given_up other', 'webhook_given_up shop']);
  await tellAgain('2', shop?.id);
  expect(await told()).toEqual(['webhook_given_up other']);

  await closeFinding(database.pool, { kind: 'webhook_given_up', subject: 'other', by: 'kim@pg.example' });
  await lose('4');
  expect(await told()).toEqual(['webhook_given_up other', 'webhook_given_up shop']);
  await tellAgain('4', shop?.id);
  await tellAgain('4', other?.id);
  expect(await told()).toEqual([]);
});

test('an answer of any bytes is noted as any other', async () => {
  await make(['*']);
  receiver.answer('mumbles');
  await happen('run.done');
  await database.pool.query('update webhook_delivery set attempts = 12');
  begin();
  await reaches('given_up', 1);
  const [{ id } = { id: 0n }] = await listDeliveries(database.pool, {}, { limit: 1 });
  const { tries } = await showDelivery(database.pool, id);
  expect(tries.map(({ status, fault }) => `${status} ${fault?.replace(/n+/, 'n')}`)).toEqual([
    '502 HTTP 502 n\ufffd\ufffd\ufffd',
  ]);
});

test('a secret that no key opens is a failure that people hear of', async () => {
  await make(['*']);
  await database.pool.query(`update webhook_endpoint set sealed = '\\x00'`);
  await happen('run.done');
  await database.pool.query('update webhook_delivery set attempts = 3');
  begin();
  const found = () => database.pool.query(`select kind from finding where closed_at is null and kind like 'webhook%'`);
  await expect.poll(async () => (await found()).rows).toEqual([{ kind: 'webhook_failing' }]);
  expect(receiver.heard).toEqual([]);
  const [{ endpointId, endpoint } = { endpointId: 0n, endpoint: '' }] = await listDeliveries(
    database.pool,
    {},
    { limit: 1 },
  );
  expect(endpoint).toBe('shop');
  await dropEndpoint(ports(), { id: endpointId, version: 1 }, { actor });
  expect((await found()).rows).toEqual([]);
});

test('endpoints with a backlog do not keep others from their turn', async () => {
  for (let n = 0; n < 12; n += 1) await make(['*'], `shop-${n}`);
  for (let n = 0; n < 4; n += 1) await happen('run.done', String(n));
  const reached = new Set<string>();
  // 48 are due and 32 are taken: each endpoint is among them before long.
  for (let look = 0; look < 40 && reached.size < 12; look += 1) {
    for (const { name } of await takeDue(database.pool, 32, 4)) reached.add(name);
    await database.pool.query('update webhook_delivery set held_until = null');
  }
  expect(reached.size).toBe(12);
});

test('an endpoint that hangs keeps no other waiting, and is given four at a time from all processes', async () => {
  const slow = await startReceiver();
  slow.answer('hangs');
  await make(['*'], 'slow', slow.url);
  await make(['*'], 'quick');
  for (let n = 0; n < 20; n += 1) await happen('run.done', String(n));
  const slowIds = await takeDue(database.pool, 32, 4);
  expect(slowIds.filter(({ name }) => name === 'slow')).toHaveLength(4);
  expect((await takeDue(database.pool, 32, 4)).filter(({ name }) => name === 'slow')).toHaveLength(0);
  await database.pool.query('update webhook_delivery set held_until = null');
  begin([receiver.host, slow.host]);
  await receiver.until(20);
  expect(slow.heard).toHaveLength(4);
  await slow.close();
});

test('of two processes that take at the same moment, neither sees less in hand than there is', async () => {
  await make(['*'], 'slow');
  await make(['*'], 'quick');
  for (let n = 0; n < 6; n += 1) await happen('run.done', String(n));
  // What began earlier and ended only now is due before what the first process is just taking.
  const late = `insert into webhook_delivery (event_id, endpoint_id, next_at)
    select event_id, endpoint_id, now() - interval '1 hour' from webhook_delivery order by 1 limit 2`;
  const { pool } = database;
  await pool.query(`create function wait() returns trigger language plpgsql as
                      $$ begin perform pg_advisory_xact_lock_shared(17); return new; end $$;
                    create trigger waits before update on webhook_delivery for each row execute function wait()`);
  onTestFinished(async () => void (await pool.query('drop function wait() cascade')));
  const holding = await pool.connect();
  onTestFinished(() => holding.release(true));
  await holding.query('begin');
  await holding.query('select pg_advisory_xact_lock(17)');
  const waiting = (count: number) =>
    eventually(async () => {
      const found = await pool.query(`select from pg_locks where locktype = 'advisory' and objid = 17 and not granted`);
      expect(found.rows).toHaveLength(count);
    });
  const first = takeDue(pool, 32, 4);
  await waiting(1);
  await pool.query(late);
  const second = takeDue(pool, 32, 4);
  await Promise.race([second, waiting(2)]);
  await holding.query('rollback');
  const taken = [...(await first), ...(await second)];
  for (const name of ['slow', 'quick']) expect(taken.filter((each) => each.name === name)).toHaveLength(4);
});

test.each([4, 13])('try %i that ends when its endpoint is gone is told to nobody', async (attempt) => {
  const { endpoint } = await make(['*']);
  receiver.answer('hangs');
  await happen('run.done');
  await database.pool.query('update webhook_delivery set attempts = $1', [attempt - 1]);
  begin();
  await receiver.until(1);
  await dropEndpoint(ports(), { id: endpoint.id, version: endpoint.version }, { actor });
  await receiver.close();
  const tries = () => database.pool.query('select from webhook_attempt');
  await eventually(async () => expect((await tries()).rows).toHaveLength(1));
  expect(await told()).toEqual([]);
  expect(await states()).toEqual(['run.done dropped']);
});

test('what a process that died had in hand is taken up again when its time is over', async () => {
  await make(['*']);
  await happen('run.done');
  expect(await takeDue(database.pool, 10, 4)).toHaveLength(1);
  expect(await takeDue(database.pool, 10, 4)).toHaveLength(0);
  await database.pool.query(`update webhook_delivery set held_until = now() - interval '1 second'`);
  begin();
  await reaches('delivered', 1);
  const [{ attempts } = { attempts: 0 }] = await listDeliveries(database.pool, {}, { limit: 1 });
  expect(attempts).toBe(2);
});

test.each([
  ['http://example.com/x', 'webhook_address_refused'],
  ['https://10.0.0.1/x', 'webhook_address_refused'],
  ['https://[::1]/x', 'webhook_address_refused'],
  ['https://kim:pw@example.com/', 'webhook_address_refused'],
])('%s is no address for a webhook', async (url, code) => {
  const refused = await makeEndpoint(ports(), { name: 'x', url, events: ['*'] }, { actor }).catch((e: unknown) => e);
  expect(isProblem(refused, code as 'webhook_address_refused')).toBe(true);
});

test('an event that there is not, and a name that is taken, are refused', async () => {
  const unknown = await make(['payout.payed']).catch((error: unknown) => error);
  expect(isProblem(unknown, 'webhook_event_unknown')).toBe(true);
  await make(['*']);
  const taken = await make(['*']).catch((error: unknown) => error);
  expect(isProblem(taken, 'webhook_name_taken')).toBe(true);
});

test('who made an endpoint stands in the audit trail, its secret does not', async () => {
  const { secret } = await make(['*']);
  const { rows } = await database.pool.query<{ text: string }>(
    `select to_jsonb(d)::text as text from audit_draft d where subject like 'webhook_endpoint:%'
      union all select to_jsonb(e)::text from audit_entry e where subject like 'webhook_endpoint:%'`,
  );
  expect(rows.some(({ text }) => text.includes('kim@pg.example') && text.includes('shop'))).toBe(true);
  for (const { text } of rows) expect(text).not.toContain(secret.slice(6, 30));
});
