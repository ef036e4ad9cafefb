import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inFlightOf, walletOf } from '../../src/ledger/accounts.ts';
import { balanceOf } from '../../src/ledger/store.ts';
import { createBankApi } from '../../src/payout/api.ts';
import { openBanks } from '../../src/payout/banks/registry.ts';
import { makeMerchants, noon } from '../../src/payout/payout.fixture.ts';
import { type Payouts, registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { createDurable, type Durable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { type BankMoods, wireMoods } from '../../src/sandbox/bank-moods.ts';
import { type BankServer, startBankServer } from '../../src/sandbox/bank-server.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

/** Every mood at once, at a pace that a test can wait for. */
const moods: BankMoods = {
  shares: {
    reject: 0.1,
    inquiry_trouble: 0.1,
    ...Object.fromEntries(wireMoods.map((mood) => [mood, 0.05])),
    callback_early: 0.2,
    callback_late: 0.3,
    callback_twice: 0.3,
  },
  latencyMs: [0, 40],
  processingMs: [200, 1_500],
  lateMs: [50, 900],
};
const count = 60;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const began = performance.now();
const now = () => noon.add({ milliseconds: Math.round(performance.now() - began) });

let database: TestDatabase;
let durable: Durable;
let payouts: Payouts;
let server: BankServer;
let merchants: string[];
let callbackUrl: string | undefined;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  database = await testDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-bank-'));
  const cipher = await openCipher({ home: folder });
  const { pool, url } = database;
  server = await startBankServer({
    folder,
    key: 'key',
    secret: 'secret',
    seed: '7',
    moods,
    now,
    holderOf: (_, accountNo) => `홀더P${accountNo.slice(4)}`,
    callbackUrl: () => callbackUrl,
  });
  const address = { ...server.address, settlingMs: 1_000, answerMs: 300, closed: { from: '00:00', to: '00:00' } };
  const { banks, close } = openBanks({ 'json-van': address }, createHttpClient);
  durable = createDurable({ databaseUrl: url, pool, log });
  payouts = registerPayouts(durable, { pool, log, banks, cipher, now });
  const http = serve({ fetch: createBankApi({ pool, log, banks, now }).fetch, port: 0, hostname: '127.0.0.1' });
  await once(http, 'listening');
  callbackUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  await durable.launch();
  await payouts.dispatcher.start();
  merchants = await makeMerchants(pool, cipher, { count, balanceWon: 100_000n });
  closers.push(
    () => payouts.dispatcher.stop(),
    () => durable.shutdown(5_000),
    () => server.close(),
    close,
    () => new Promise<void>((resolve) => void http.close(() => resolve())),
    () => database.close(),
    () => rmSync(folder, { recursive: true, force: true }),
  );
});
afterAll(async () => {
  for (const close of closers) await close();
});

type Row = { state: string; messageNo: string; amountWon: bigint; merchantId: string; sends: number };

test('through every mood each payout comes to the end that it has at the bank, and money leaves once', async () => {
  await Promise.all(
    merchants.map((merchantId, n) =>
      payouts.request({ merchantId, amountWon: BigInt(1_000 + n), key: `mood-${n}`, who: 'test' }),
    ),
  );
  const rows = async () =>
    (
      await database.pool.query<Row>(
        `select state, message_no as "messageNo", amount_won as "amountWon", merchant_id as "merchantId", sends from payout`,
      )
    ).rows;
  await eventually(async () => {
    const left = (await rows()).filter(({ state }) => state !== 'succeeded' && state !== 'rejected');
    expect(left).toEqual([]);
  });
  const ended = await rows();
  expect(ended).toHaveLength(count);
  const truth = new Map(server.transfers().map((transfer) => [transfer.messageNo, transfer]));
  expect(truth.size).toBe(count);
  for (const { state, messageNo, amountWon, merchantId } of ended) {
    expect(truth.get(messageNo)).toMatchObject({ outcome: state, amountWon });
    const left = state === 'succeeded' ? 100_000n - amountWon : 100_000n;
    expect(await balanceOf(database.pool, walletOf(merchantId))).toBe(left);
    expect(await balanceOf(database.pool, inFlightOf(merchantId))).toBe(0n);
  }
  // Not by luck: orders were lost on their way and sent again, and both ends were met.
  expect(ended.filter(({ sends }) => sends > 1).length).toBeGreaterThan(0);
  expect(new Set(ended.map(({ state }) => state))).toEqual(new Set(['succeeded', 'rejected']));
  const { rows: verdicts } = await database.pool.query<{ verdict: string }>(
    'select distinct verdict from bank_callback',
  );
  expect(verdicts.map(({ verdict }) => verdict).sort()).toEqual(['applied', 'repeated']);
  const { rows: findings } = await database.pool.query("select kind from finding where kind = 'payout_contradicted'");
  expect(findings).toEqual([]);
});
