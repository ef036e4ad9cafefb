import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { openCipher } from '../platform/cipher.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { Secret } from '../platform/secret.ts';
import { createBankApi } from './api.ts';
import { openBanks } from './banks/registry.ts';
import { callbackPath, signatureHeaders, signatureOf } from './banks/van-signature.ts';
import { claimPayouts, markSending, releaseClaim } from './claim-store.ts';
import { changeControl, ensureControl } from './control-store.ts';
import { makeMerchants, noon } from './payout.fixture.ts';
import { requestPayout } from './request-store.ts';

const secret = 'shared secret';
const bank = 'json-van';
const route = callbackPath(bank);
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

let database: TestDatabase;
let port: number;
let url: string;
let close: () => Promise<void>;
let next = 1;
let newMerchant: () => Promise<string>;
let sent: { readonly id: bigint; readonly messageNo: string };

beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  const cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-api-')) });
  await ensureControl(pool, bank);
  await changeControl(pool, bank, { transferLimit: 1_000 }, { who: 'test', reason: 'test' });
  const address = { host: '127.0.0.1', port: 1, path: '', key: 'key', secret: new Secret(secret) };
  const { banks } = openBanks({ [bank]: address }, createHttpClient);
  const api = createBankApi({ pool, log, banks, now: () => noon }, { bodyMs: 2_000 });
  const server = serve({ fetch: api.fetch, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  url = `http://127.0.0.1:${port}`;
  close = () => new Promise((resolve) => void server.close(() => resolve()));
  newMerchant = async () => {
    const [made] = await makeMerchants(pool, cipher, { from: next, count: 1, balanceWon: 100_000n, known: bank });
    next += 1;
    return made as string;
  };
});
afterAll(async () => {
  await close();
  await database.close();
});

/** A payout whose order has left and whose answer never came. */
beforeEach(async () => {
  const { pool } = database;
  const merchantId = await newMerchant();
  const { id } = await requestPayout(
    pool,
    { merchantId, amountWon: 978n, key: merchantId, who: 'kim' },
    { bank, now: noon },
  );
  const claimed = await claimPayouts(pool, bank, noon);
  const marked = await markSending(pool, claimed, noon);
  for (const { run } of claimed) await releaseClaim(pool, run);
  sent = { id, messageNo: marked.get(id)?.messageNo ?? '' };
});

const paid = (change: object = {}) => ({
  messageNo: sent.messageNo,
  messageOn: '2026-11-20',
  amountWon: 978,
  state: 'succeeded',
  code: '0000',
  text: '정상',
  bankRef: 'R1',
  ...change,
});

function headersOf(body: string, { at = Date.now(), by = secret, key = 'key', path: signed = route } = {}) {
  const timestamp = String(at);
  return {
    [signatureHeaders.key]: key,
    [signatureHeaders.timestamp]: timestamp,
    [signatureHeaders.signature]: signatureOf(by, { kind: 'request', method: 'POST', path: signed, timestamp }, body),
  };
}

async function callBack(value: unknown, headers?: Record<string, string>, to = route) {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  const response = await fetch(url + to, { method: 'POST', body, headers: headers ?? headersOf(body) });
  return { status: response.status, said: (await response.json()) as unknown };
}

const stateOf = async () =>
  (await database.pool.query<{ state: string }>('select state from payout where payout_id = $1', [sent.id])).rows[0]
    ?.state;
const keptOf = async () =>
  (
    await database.pool.query<{ verdict: string; body: Buffer }>(
      'select verdict, body from bank_callback where payout_id = $1 order by callback_id',
      [sent.id],
    )
  ).rows;
const lastKept = async () =>
  (
    await database.pool.query<{ verdict: string; body: Buffer }>(
      'select verdict, body from bank_callback order by callback_id desc limit 1',
    )
  ).rows[0];

describe('a callback', () => {
  test('is applied once, kept as it came, and may repeat', async () => {
    const body = JSON.stringify(paid());
    expect(await callBack(body)).toEqual({ status: 200, said: { verdict: 'applied' } });
    expect(await stateOf()).toBe('succeeded');
    const again = await Promise.all([callBack(body), callBack(body), callBack(body)]);
    expect(again).toEqual(Array(3).fill({ status: 200, said: { verdict: 'repeated' } }));
    const kept = await keptOf();
    expect(kept.map(({ verdict }) => verdict)).toEqual(['applied', 'repeated', 'repeated', 'repeated']);
    expect(kept[0]?.body.toString()).toBe(body);
  });

  test('that comes several times at once is applied once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => callBack(paid())));
    expect(all.filter(({ said }) => (said as { verdict: string }).verdict === 'applied')).toHaveLength(1);
    expect(all.every(({ status }) => status === 200)).toBe(true);
  });

  test('of a rejection gives the money back; a contradicting one changes nothing', async () => {
    expect(await callBack(paid({ state: 'rejected', code: '1002' }))).toMatchObject({ said: { verdict: 'applied' } });
    expect(await callBack(paid())).toMatchObject({ status: 200, said: { verdict: 'disagrees' } });
    expect(await stateOf()).toBe('rejected');
    expect(
      await listFindings(database.pool, { kind: 'payout_contradicted', subject: `payout:${sent.id}` }),
    ).toHaveLength(1);
  });

  test('of another amount is a finding, and the payout stays', async () => {
    expect(await callBack(paid({ amountWon: 979 }))).toMatchObject({ said: { verdict: 'disagrees' } });
    expect(await stateOf()).toBe('sent');
    expect(await listFindings(database.pool, { kind: 'callback_amount_differs' })).not.toEqual([]);
  });

  test('of a number that we never used', async () => {
    expect(await callBack(paid({ messageNo: '999999999999' }))).toMatchObject({ status: 404 });
    expect(await lastKept()).toMatchObject({ verdict: 'no_such_payout' });
  });
});

describe('an attack changes nothing', () => {
  test.each([
    ['another secret', (body: string) => headersOf(body, { by: 'guess' })],
    ['a signature of another path', (body: string) => headersOf(body, { path: '/bank/other/callback' })],
    ['another key', (body: string) => headersOf(body, { key: 'other' })],
    ['a timestamp of an hour ago', (body: string) => headersOf(body, { at: Date.now() - 3_600_000 })],
    ['a timestamp of tomorrow', (body: string) => headersOf(body, { at: Date.now() + 86_400_000 })],
    [
      'a new timestamp on an old signature',
      (body: string) => ({
        ...headersOf(body, { at: Date.now() - 3_600_000 }),
        [signatureHeaders.timestamp]: String(Date.now()),
      }),
    ],
    ['a signature that is cut', (body: string) => ({ ...headersOf(body), [signatureHeaders.signature]: 'abc' })],
    ['no signature', () => ({})],
    ['a signature of another body', () => headersOf('{}')],
  ])('%s', async (_, headers) => {
    const body = JSON.stringify(paid());
    expect(await callBack(body, headers(body))).toMatchObject({ status: 401, said: { code: 'callback_signature' } });
    expect(await stateOf()).toBe('sent');
    expect(await lastKept()).toMatchObject({ verdict: 'wrong_signature', body: Buffer.from(body) });
    expect(await listFindings(database.pool, { kind: 'callback_refused', subject: `bank:${bank}` })).toHaveLength(1);
  });

  test.each([
    ['truncated JSON', () => JSON.stringify(paid()).slice(0, -5)],
    ['nothing', () => ''],
    ['bytes that are no text', () => '\u0000\ufffd'],
    ['an amount that is no whole number', () => paid({ amountWon: 978.5 })],
    ['an amount as text', () => paid({ amountWon: '978' })],
    ['an amount below zero', () => paid({ amountWon: -978 })],
    ['a state that there is not', () => paid({ state: 'done' })],
    ['a message number with SQL', () => paid({ messageNo: "1' or 1=1" })],
  ])('signed %s', async (_, body) => {
    expect(await callBack(body())).toMatchObject({ status: 400, said: { code: 'callback_unreadable' } });
    expect(await stateOf()).toBe('sent');
    expect(await lastKept()).toMatchObject({ verdict: 'unreadable' });
  });

  test('a huge body is refused unread', async () => {
    const body = JSON.stringify(paid({ text: 'x'.repeat(1_000_000) }));
    expect((await callBack(body)).status).toBe(413);
  });

  test('a body that comes too slowly is not waited for', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST ${route} HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"mess`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 408/);
    await once(socket, 'close');
  });

  test('a bank that is not ours', async () => {
    expect(await callBack(paid(), undefined, '/bank/nobody/callback')).toMatchObject({ status: 404 });
  });
});

test('of what is signed wrongly, so many an hour are kept and no more', async () => {
  await database.pool.query(
    `insert into bank_callback (bank, body_sha256, body, verdict)
     select $1, '', '', 'wrong_signature' from generate_series(1, 1000)`,
    [bank],
  );
  const count = async () =>
    (await database.pool.query<{ n: bigint }>('select count(*) as n from bank_callback')).rows[0]?.n;
  const before = await count();
  expect((await callBack(paid(), headersOf('{}'))).status).toBe(401);
  expect(await count()).toBe(before);
  expect((await callBack(paid())).status).toBe(200);
});
