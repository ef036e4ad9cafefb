import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balanceOf } from '../ledger/store.ts';
import { openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { calm } from '../sandbox/bank-moods.ts';
import { type BankServer, startBankServer } from '../sandbox/bank-server.ts';
import type { Bank, BankAnswer } from './bank-port.ts';
import { openBanks } from './banks/registry.ts';
import { claimPayouts, markSending, releaseClaim } from './claim-store.ts';
import { applyAnswer } from './late-answer-store.ts';
import { makeMerchants } from './payout.fixture.ts';
import { payoutReconcileCommands } from './reconcile-commands.ts';
import {
  type PayoutReconciled,
  type PayoutReconciliation,
  registerPayoutReconciliation,
} from './reconcile-workflow.ts';
import { requestPayout } from './request-store.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const bankId = 'json-van';

let database: TestDatabase;
let durable: Durable;
let reconciliation: PayoutReconciliation;
let server: BankServer;
let bank: Bank;
let newMerchant: () => Promise<string>;
let next = 1;
const closers: (() => unknown)[] = [];
/** Each test has a day of its own. */
let day = Temporal.PlainDate.from('2026-11-20');
let clock = noonOf(day);
const on = () => day.toString();

function noonOf(of: Temporal.PlainDate): Temporal.Instant {
  return of.toZonedDateTime({ timeZone: 'Asia/Seoul', plainTime: '12:00' }).toInstant();
}

beforeAll(async () => {
  database = await testDatabase();
  const { pool, url } = database;
  const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-list-'));
  const cipher = await openCipher({ home: folder });
  const how = { folder, key: 'key', secret: 'secret', seed: '1', moods: calm, now: () => clock };
  server = await startBankServer({ ...how, holderOf: (_, accountNo) => (accountNo === '0' ? undefined : '홀더') });
  const opened = openBanks({ [bankId]: server.address }, createHttpClient);
  bank = opened.banks[0] as Bank;
  durable = createDurable({ databaseUrl: url, pool, log });
  reconciliation = registerPayoutReconciliation(durable, { pool, banks: opened.banks, now: () => clock });
  await durable.launch();
  newMerchant = async () => {
    const [made] = await makeMerchants(pool, cipher, { from: next, count: 1, balanceWon: 100_000n, known: bankId });
    next += 1;
    return made as string;
  };
  closers.push(
    () => durable.shutdown(5_000),
    () => server.close(),
    () => opened.close(),
    () => database.close(),
    () => rmSync(folder, { recursive: true, force: true }),
  );
});
afterAll(async () => {
  for (const close of closers) await close();
});
beforeEach(() => {
  day = day.add({ days: 1 });
  clock = noonOf(day);
});

type Sent = { readonly id: bigint; readonly merchantId: string; readonly messageNo: string };

/** A payout whose order left us without an answer; `theirs`: what the bank got of it, if anything. */
async function sendOff(theirs?: { readonly amountWon?: bigint; readonly accountNo?: string }): Promise<Sent> {
  const { pool } = database;
  const merchantId = await newMerchant();
  const wanted = { merchantId, amountWon: 1_000n, key: merchantId, who: 'kim' };
  const { id } = await requestPayout(pool, wanted, { bank: bankId, now: clock });
  await pool.query('update payout set next_at = $2 where payout_id <> $1', [
    id,
    clock.add({ hours: 9_000 }).toString(),
  ]);
  const claimed = await claimPayouts(pool, bankId, clock);
  const marked = await markSending(pool, claimed, clock);
  for (const { run } of claimed) await releaseClaim(pool, run);
  const messageNo = marked.get(id)?.messageNo ?? '';
  if (theirs !== undefined) await arrive(messageNo, theirs);
  return { id, merchantId, messageNo };
}

const arrive = (messageNo: string, { amountWon = 1_000n, accountNo = '100' } = {}) =>
  bank.transfer({ messageNo, messageOn: on(), bankCode: '004', accountNo, holder: '홀더', amountWon });

const hear = (messageNo: string, outcome: 'succeeded' | 'rejected') => {
  const answer: BankAnswer = { outcome, code: 'X', text: 'heard' };
  return inTransaction(database.pool, (tx) =>
    applyAnswer(tx, { bank: bankId, messageNo, answer, source: 'callback', who: 'test' }, clock),
  );
};

const reconcile = () => reconciliation.reconcile({ bank: bankId, on: on(), who: 'test' });
const stateOf = async ({ id }: Sent) =>
  (await database.pool.query<{ state: string }>('select state from payout where payout_id = $1', [id])).rows[0]?.state;
const moneyOf = async ({ merchantId }: Sent) => [
  await balanceOf(database.pool, walletOf(merchantId)),
  await balanceOf(database.pool, inFlightOf(merchantId)),
];
const findings = async () =>
  (await listFindings(database.pool, { kind: 'payout_list_differs', subject: `payout-list:${bankId}:${on()}` })).map(
    ({ detail }) => detail,
  );
const command = (...line: string[]) =>
  runCommand(database.pool, ['payout', ...line], (program, context, output) =>
    payoutReconcileCommands(program, context, (work) => work({ ...reconciliation, bankIds: [bankId] }), output),
  );

test('what is unknown is settled by the list, and again changes nothing', async () => {
  const [paid, refused, lost] = [await sendOff({}), await sendOff({ accountNo: '0' }), await sendOff()];
  expect(await reconcile()).toMatchObject({ listed: 2, settled: 2, unknown: 1, opened: 0, standing: 0 });
  expect([await stateOf(paid), await stateOf(refused), await stateOf(lost)]).toEqual(['succeeded', 'rejected', 'sent']);
  expect(await moneyOf(paid)).toEqual([99_000n, 0n]);
  expect(await moneyOf(refused)).toEqual([100_000n, 0n]);
  expect(await moneyOf(lost)).toEqual([99_000n, 1_000n]);
  expect(await reconcile()).toMatchObject({ listed: 2, settled: 0, unknown: 1, opened: 0, standing: 0 });
  expect(await findings()).toEqual([]);
});

describe('a difference is a break and a finding, and closes by itself when a later list agrees', () => {
  test('succeeded here and not listed: only of what ended before the list was asked for', async () => {
    const sent = await sendOff();
    await hear(sent.messageNo, 'succeeded');
    expect(await reconcile()).toMatchObject({ opened: 1, standing: 1 });
    expect(await reconcile()).toMatchObject({ opened: 0, closed: 0, standing: 1 });
    expect(await findings()).toMatchObject([{ missing_at_bank: 1 }]);
    await arrive(sent.messageNo);
    expect(await reconcile()).toMatchObject({ opened: 0, closed: 1, standing: 0 });
    expect(await findings()).toEqual([]);
    const young = await sendOff();
    clock = clock.add({ hours: 1 });
    await hear(young.messageNo, 'succeeded');
    clock = clock.subtract({ minutes: 30 });
    expect(await reconcile()).toMatchObject({ opened: 0, standing: 0 });
  });

  test('unknown and not listed when the day is over', async () => {
    const sent = await sendOff();
    expect(await reconcile()).toMatchObject({ standing: 0, unknown: 1 });
    clock = clock.add({ hours: 24 });
    expect(await reconcile()).toMatchObject({ standing: 1, unknown: 1 });
    expect(await findings()).toMatchObject([{ missing_at_bank: 1 }]);
    expect(await moneyOf(sent)).toEqual([99_000n, 1_000n]);
    await arrive(sent.messageNo);
    expect(await reconcile()).toMatchObject({ settled: 1, closed: 1, standing: 0, unknown: 0 });
    expect(await stateOf(sent)).toBe('succeeded');
  });

  test('listed and not ours', async () => {
    await arrive('990000000001');
    expect(await reconcile()).toMatchObject({ listed: 1, standing: 1 });
    expect(await findings()).toMatchObject([{ missing_here: 1 }]);
  });

  test('another amount: the payout stays as it is', async () => {
    const sent = await sendOff({ amountWon: 900n });
    expect(await reconcile()).toMatchObject({ settled: 0, standing: 1, unknown: 1 });
    expect(await stateOf(sent)).toBe('sent');
    expect(await findings()).toMatchObject([{ amount_differs: 1 }]);
  });

  test.each(['succeeded', 'rejected'] as const)('%s here, and the other way at the bank', async (ours) => {
    const sent = await sendOff(ours === 'succeeded' ? { accountNo: '0' } : {});
    await hear(sent.messageNo, ours);
    const before = await moneyOf(sent);
    expect(await reconcile()).toMatchObject({ settled: 0, standing: 1 });
    expect(await findings()).toMatchObject([{ status_differs: 1 }]);
    expect([await stateOf(sent), await moneyOf(sent)]).toEqual([ours, before]);
  });
});

test('two at the same time come to the same', async () => {
  const sent = await sendOff({});
  await arrive('990000000002');
  const both = await Promise.all([reconcile(), reconcile()]);
  expect(both.reduce((sum, { opened }) => sum + opened, 0)).toBe(1);
  expect(both.map(({ standing }) => standing)).toEqual([1, 1]);
  expect(await moneyOf(sent)).toEqual([99_000n, 0n]);
});

test('a list that cannot be had is said, and the one before stays', async () => {
  await sendOff({});
  await reconcile();
  const count = async () =>
    (await database.pool.query<{ n: bigint }>('select count(*) as n from payout_list where listed_on = $1', [on()]))
      .rows;
  const away = registeredAway();
  const before = await count();
  await expect(Array.fromAsync(away.transfers(day))).rejects.toMatchObject({ code: 'bank_list_unavailable' });
  expect(await count()).toEqual(before);
  await expect(reconciliation.reconcile({ bank: 'none', on: on(), who: 'test' })).rejects.toMatchObject({
    code: 'not_found',
  });
});

/** The same bank where nobody listens. */
function registeredAway(): Bank {
  const { banks } = openBanks({ [bankId]: { ...server.address, port: 1 } }, createHttpClient);
  return banks[0] as Bank;
}

describe('jeongsan payout', () => {
  test('reconcile, breaks list and breaks close, which holds while nothing changes', async () => {
    const sent = await sendOff();
    await hear(sent.messageNo, 'succeeded');
    await arrive('990000000003', { amountWon: 5n });
    const first = await command('reconcile', '--on', on(), '--json');
    expect(first.exitCode).toBe(3);
    expect(JSON.parse(first.said) as PayoutReconciled[]).toMatchObject([{ listed: 1, opened: 2, standing: 2 }]);
    const found = JSON.parse((await command('breaks', 'list', '--on', on(), '--json')).said) as {
      id: number;
      kind: string;
      theirsWon: number | null;
    }[];
    expect(found.map(({ kind, theirsWon }) => [kind, theirsWon]).sort()).toEqual([
      ['missing_at_bank', null],
      ['missing_here', 5],
    ]);
    for (const { id } of found) {
      const closed = await command('breaks', 'close', String(id), '--note', 'asked the bank', '--by', 'lee');
      expect(closed.said).toContain('lee asked the bank');
    }
    expect(await findings()).toEqual([]);
    expect((await command('reconcile', '--on', on())).exitCode).toBe(0);
    expect(await findings()).toEqual([]);
    const all = await command('breaks', 'list', '--on', on(), '--all');
    expect(all.said).toMatch(/missing_here.*990000000003.*lee: asked the bank/);
  });

  test.each([
    ['reconcile', '--on', '2026-13-01'],
    ['breaks', 'close', 'x', '--note', 'y'],
    ['breaks', 'close', '1', '--note', ' '],
  ])('%s %s %s … is refused', async (...line) => {
    await expect(command(...line)).rejects.toMatchObject({ code: 'usage' });
  });
  test('a break that there is not', async () => {
    await expect(command('breaks', 'close', '999999', '--note', 'x')).rejects.toMatchObject({ code: 'not_found' });
  });
});
