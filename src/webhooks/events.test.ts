import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { givenBreak } from '../../test/support/breaks.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { makeMerchants, noon } from '../payout/payout.fixture.ts';
import { cancelPayout, requestPayout } from '../payout/request-store.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { actOnBreaks } from '../reconciliation/break-act-store.ts';
import { createSettlementBooks } from '../settlement/books.fixture.ts';
import { forgetEvents, listDeliveries, tellOfRuns } from './delivery-store.ts';
import { dropEndpoint, editEndpoint, makeEndpoint } from './endpoint-acts-store.ts';
import { eventTypes } from './event-types.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const actor = { who: 'kim@pg.example', from: 'test' };
let database: TestDatabase;
let home: string;
let cipher: Cipher;
let durable: Durable;

beforeAll(async () => {
  database = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-events-'));
  cipher = await openCipher({ home });
  durable = createDurable({ databaseUrl: database.url, pool: database.pool, log: silent, attach: tellOfRuns });
});
afterAll(async () => {
  await durable.shutdown(1000);
  await database.close();
  rmSync(home, { recursive: true });
});
beforeEach(() =>
  database.pool.query('truncate webhook_endpoint, webhook_event, webhook_delivery, webhook_attempt cascade'),
);

const make = (...events: string[]) =>
  makeEndpoint(
    { pool: database.pool, cipher, allowed: [] },
    { name: 'shop', url: 'https://1.1.1.1/', events },
    { actor },
  );
const told = async () =>
  (await database.pool.query('select type, subject, data from webhook_event order by event_id')).rows as {
    type: string;
    subject: string;
    data: Record<string, unknown>;
  }[];

test('a payout is told of at each state, by amount and merchant, without its account', async () => {
  const [merchant] = await makeMerchants(database.pool, cipher, { count: 1, balanceWon: 100_000n });
  await make('payout.*');
  const wanted = { merchantId: merchant as string, amountWon: 70_000n, key: 'k1', who: 'kim' };
  const { id } = await requestPayout(database.pool, wanted, { bank: 'json-van', now: noon });
  await cancelPayout(database.pool, id, { who: 'kim', why: '변심' }, noon);
  const rows = await told();
  expect(rows.map(({ type, subject }) => `${type} ${subject}`)).toEqual([
    `payout.created ${id}`,
    `payout.cancelled ${id}`,
  ]);
  expect(rows[1]?.data).toMatchObject({
    merchant,
    amountWon: 70_000,
    state: 'cancelled',
    before: 'created',
    key: 'k1',
  });
  expect(JSON.stringify(rows)).not.toContain('100-');
});

test('a break is told of with what was done to it', async () => {
  await make('break.investigating', 'break.resolved');
  const id = await givenBreak(database.pool, { differenceWon: -1_234n });
  const by = { who: 'lee', why: 'x' };
  await actOnBreaks(database.pool, { ids: [id] }, { action: 'comment' }, by);
  await actOnBreaks(database.pool, { ids: [id] }, { action: 'investigate' }, by);
  const rows = await told();
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    type: 'break.investigating',
    subject: String(id),
    data: { provider: 'ksnet', differenceWon: -1234, who: 'lee', before: 'open', state: 'investigating' },
  });
});

test('a slot and each merchant that it credits are told of, and nothing of what is rolled back', async () => {
  const books = createSettlementBooks(database.pool);
  await books.merchant('M1');
  await books.merchant('M2');
  await books.sales([{ tid: 'Z', won: 5_000 }]);
  await make('settlement.*');
  await expect(
    books.settle('12:00', {
      look: () => {
        throw new Error('cut');
      },
    }),
  ).rejects.toThrow('cut');
  expect((await told()).filter(({ type }) => type === 'settlement.credited')).toEqual([]);
  await database.pool.query('delete from settlement_cycle');
  await books.sales([
    { tid: 'A', won: 10_000 },
    { tid: 'B', won: 20_000, merchant: 'M2' },
  ]);
  await books.settle('12:05');
  const rows = await told();
  // 1.15 % of 10,000 and 20,000 won, and a tenth of that as VAT, by hand: 115 + 11, 230 + 23.
  expect(rows.filter(({ type }) => type === 'settlement.credited').map(({ data }) => data)).toMatchObject([
    { merchant: 'M1', grossWon: 10_000, feeWon: 115, vatWon: 11, walletWon: 9_874 },
    { merchant: 'M2', grossWon: 20_000, feeWon: 230, vatWon: 23, walletWon: 19_747 },
  ]);
  expect(rows.at(-1)).toMatchObject({ type: 'settlement.settled', data: { items: 2, creditedWon: 29_621 } });
});

test('runs are told of when they end, their parts and payouts are not', async () => {
  const part = durable.register('part', async () => 1);
  const whole = durable.register('whole', async () => {
    await (await durable.start(part, 'whole:1/part')).result();
    return 1;
  });
  const bad = durable.register('bad', async () => {
    throw new Error('broken');
  });
  await durable.launch();
  await tellOfRuns(database.pool);
  await make('run.*');
  await (await durable.start(whole, 'whole:1')).result();
  await (await durable.start(bad, 'bad:1')).result().catch(() => undefined);
  expect((await told()).map(({ type, subject }) => `${type} ${subject}`)).toEqual([
    'run.done whole:1',
    'run.failed bad:1',
  ]);
});

test('nothing is kept that nobody hears, and what waits for a removed endpoint is dropped', async () => {
  await givenBreak(database.pool);
  const { endpoint } = await make('run.done');
  const happen = (type: string) =>
    database.pool.query(`insert into webhook_event (type, subject, data) values ($1, 'x', '{}')`, [type]);
  await happen('run.done');
  await dropEndpoint({ pool: database.pool }, { id: endpoint.id, version: endpoint.version }, { actor });
  await happen('run.done');
  expect((await listDeliveries(database.pool, {}, { limit: 10 })).map(({ state }) => state)).toEqual(['dropped']);
});

test('an endpoint is changed while somebody writes down what it is to hear, and removed when that is done', async () => {
  const { endpoint } = await make('run.*');
  const { pool } = database;
  const writing = await pool.connect();
  const happen = `insert into webhook_event (type, subject, at, data) values ('run.done', 'x', '2026-01-01T00:00Z', '{}')`;
  await writing.query('begin');
  await writing.query(happen);
  const change = { url: 'https://1.1.1.1/new' };
  const wanted = { id: endpoint.id, version: endpoint.version, change };
  const changed = await editEndpoint({ pool, cipher, allowed: [] }, wanted, { actor });
  const removing = dropEndpoint({ pool }, { id: endpoint.id, version: changed.endpoint.version }, { actor });
  await lockWaits(pool, 1);
  await writing.query('commit; begin');
  await removing;
  // As one that had looked who is to hear of it before that.
  await pool.query(`update webhook_delivery set state = 'pending', finished_at = null`);
  await writing.query('rollback');
  writing.release();
  const until = Temporal.Instant.from('2026-06-01T00:00:00Z');
  expect(await inTransaction(pool, (tx) => forgetEvents(tx, until, 10))).toBe(1);
});

test('old events go with their deliveries, and those that still wait stay', async () => {
  await make('run.*');
  for (const type of ['run.done', 'run.failed']) {
    await database.pool.query(
      `insert into webhook_event (type, subject, at, data) values ($1, 'x', '2026-01-01T00:00:00Z', '{}')`,
      [type],
    );
  }
  await database.pool.query(
    `update webhook_delivery d set state = 'delivered', finished_at = now() from webhook_event v
      where v.event_id = d.event_id and v.type = 'run.done'`,
  );
  const until = Temporal.Instant.from('2026-06-01T00:00:00Z');
  expect(await inTransaction(database.pool, (tx) => forgetEvents(tx, until, 10))).toBe(1);
  expect(await inTransaction(database.pool, (tx) => forgetEvents(tx, until, 10))).toBe(0);
  expect((await told()).map(({ type }) => type)).toEqual(['run.failed']);
});

test('every event that is offered is one that the database writes', async () => {
  const { rows } = await database.pool.query<{ source: string }>(
    `select string_agg(prosrc, ' ') as source from pg_proc where proname like 'webhook_of_%'`,
  );
  const { rows: states } = await database.pool.query<{ found: string }>(
    `select string_agg(pg_get_constraintdef(oid), ' ') as found from pg_constraint
      where conrelid in ('payout'::regclass, 'break_event'::regclass, 'settlement_cycle'::regclass) and contype = 'c'`,
  );
  const source = `${rows[0]?.source} ${states[0]?.found}`;
  for (const { type } of eventTypes) {
    const [kind, word] = type.split('.') as [string, string];
    expect(source.includes(`'${type}'`) || (source.includes(`'${kind}.'`) && source.includes(`'${word}'`))).toBe(true);
  }
});
