import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balanceOf } from '../ledger/store.ts';
import { openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { applyAnswer } from './answer-store.ts';
import type { BankAnswer } from './bank-port.ts';
import { changeControl } from './control-store.ts';
import { createJournalBank, type JournalBank, makeJournal, makeMerchants, noon } from './payout.fixture.ts';
import { cancelPayout, retryPayout } from './request-store.ts';
import { type Payouts, registerPayouts } from './workflow.ts';

const patience = { timeout: 20_000, interval: 20 };
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

let database: TestDatabase;
let durable: Durable;
let payouts: Payouts;
let bank: JournalBank;
let merchant: string;
let next = 1;
/** The clock of everything but the engine: real time from noon on, and what a test adds. */
let ahead = Temporal.Duration.from({ seconds: 0 });
const began = performance.now();
const now = () => noon.add({ milliseconds: Math.round(performance.now() - began) }).add(ahead);

beforeAll(async () => {
  database = await testDatabase();
  const { pool, url } = database;
  await makeJournal(pool);
  const cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-')) });
  bank = createJournalBank(pool, { closed: { from: '23:30', to: '00:30' } });
  durable = createDurable({ databaseUrl: url, pool, log });
  payouts = registerPayouts(durable, { pool, log, banks: [bank], cipher, now });
  await durable.launch();
  await payouts.dispatcher.start();
  newMerchant = async (balanceWon = 100_000n) => {
    const [made] = await makeMerchants(pool, cipher, { from: next, count: 1, balanceWon });
    next += 1;
    return made as string;
  };
});

let newMerchant: (balanceWon?: bigint) => Promise<string>;

beforeEach(async () => {
  merchant = await newMerchant();
});

afterEach(() => {
  bank.mood = () => ({});
  bank.inquiry = () => undefined;
  ahead = Temporal.Duration.from({ seconds: 0 });
});

afterAll(async () => {
  await payouts.dispatcher.stop();
  await durable.shutdown(5_000);
  await database.close();
});

const request = (amountWon: bigint, key: string) =>
  payouts.request({ merchantId: merchant, amountWon, key, who: 'kim' });
const stateOf = async (id: bigint) => {
  const { rows } = await database.pool.query<{ state: string }>('select state from payout where payout_id = $1', [id]);
  return rows[0]?.state;
};
const becomes = (id: bigint, state: string) => vi.waitFor(async () => expect(await stateOf(id)).toBe(state), patience);
const trailOf = async (id: bigint) => {
  const { rows } = await database.pool.query<{ what: string; to: string }>(
    'select what, to_state as "to" from payout_event where payout_id = $1 order by event_id',
    [id],
  );
  return rows.map(({ what, to }) => `${what} → ${to}`);
};
const moneyOf = async () => ({
  wallet: await balanceOf(database.pool, walletOf(merchant)),
  inFlight: await balanceOf(database.pool, inFlightOf(merchant)),
});
const movedAt = async (id: bigint) => {
  const { rows } = await database.pool.query<{ sends: number; outcome: string }>(
    'select j.sends, j.outcome from payout p join bank_journal j using (message_no) where payout_id = $1',
    [id],
  );
  return rows;
};

test('a withdrawal goes out in seconds, and its money from wallet to bank', async () => {
  const { id } = await request(30_000n, 'plain');
  await becomes(id, 'succeeded');
  expect(await trailOf(id)).toEqual([
    'requested → created',
    'holder_checked → holder_checked',
    'sending → sent',
    'answered → succeeded',
  ]);
  expect(await moneyOf()).toEqual({ wallet: 70_000n, inFlight: 0n });
  expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
});

describe('what the bank says', () => {
  test('a read time-out whose transfer had gone through and whose callback comes later is paid once', async () => {
    bank.mood = () => ({ hears: { outcome: 'unknown', reason: 'read time-out' } });
    bank.inquiry = () => ({ outcome: 'processing', code: 'P', text: 'in process' });
    const { id } = await request(10_000n, 'time-out');
    await becomes(id, 'unknown');
    expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 10_000n });
    const late = { outcome: 'succeeded', code: '0000', text: 'paid' } as const;
    expect(await callBack(id, late)).toMatchObject({ verdict: 'applied', state: 'succeeded' });
    expect(await callBack(id, late)).toMatchObject({ verdict: 'repeated' });
    expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
    expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
  });

  test('a contradicting word is a finding and books nothing', async () => {
    const { id } = await request(10_000n, 'contradicted');
    await becomes(id, 'succeeded');
    expect(await callBack(id, { outcome: 'rejected', code: 'R1', text: 'no' })).toMatchObject({
      verdict: 'disagrees',
      state: 'succeeded',
    });
    expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
    expect(await findingsOf(`payout:${id}`)).toEqual(['payout_contradicted']);
  });

  test('a rejection gives the money back, and a retry is a new payout, once', async () => {
    bank.mood = () => ({ rejects: true });
    const { id } = await request(10_000n, 'rejected');
    await becomes(id, 'rejected');
    expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
    bank.mood = () => ({});
    const rules = { bank: bank.id, now: now() };
    const again = await retryPayout(database.pool, id, 'kim', rules);
    expect((await retryPayout(database.pool, id, 'kim', rules)).id).toBe(again.id);
    await becomes(again.id, 'succeeded');
    expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
  });

  test('what is paid by itself and rejected is a finding, slot after slot, until it is paid', async () => {
    await database.pool.query(
      `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, min_payout_won, recorded_by)
       values ($1, '2026-01-01', 'M5', 'none', 'direct', 1, 'test')`,
      [merchant],
    );
    const payAfter = async (slot: string, state: string) => {
      const of = { slot, settledOn: '2026-11-20', runId: `settle:${slot}` };
      await inTransaction(database.pool, (tx) => payouts.createDirect(tx, of));
      const { rows } = await database.pool.query<{ id: bigint }>(
        'select payout_id as id from payout where merchant_id = $1 order by payout_id desc limit 1',
        [merchant],
      );
      await becomes(rows[0]?.id ?? 0n, state);
    };
    bank.mood = () => ({ rejects: true });
    await payAfter('2026-11-20T12:05+09:00', 'rejected');
    await payAfter('2026-11-20T12:10+09:00', 'rejected');
    const found = await listFindings(database.pool, { subject: merchant });
    expect(found).toMatchObject([{ kind: 'payout_rejected', times: 2, detail: { code: 'R1', text: 'rejected' } }]);
    bank.mood = () => ({});
    await payAfter('2026-11-20T12:15+09:00', 'succeeded');
    expect(await findingsOf(merchant)).toEqual([]);
  });

  test('NOT_FOUND is no proof before the settling time; after it the same number is sent again', async () => {
    bank.mood = (_, nth) => (nth === first ? { arrives: false } : {});
    const first = bank.calls.transfer + 1;
    const { id } = await request(10_000n, 'lost');
    await becomes(id, 'unknown');
    const [{ messageNo } = { messageNo: '' }] = (
      await database.pool.query<{ messageNo: string }>(
        'select message_no as "messageNo" from payout where payout_id = $1',
        [id],
      )
    ).rows;
    await hasten(id);
    await vi.waitFor(async () => expect(await trailOf(id)).toContain('asked → unknown'), patience);
    expect(bank.calls.transfer).toBe(first);
    await vi.waitFor(async () => {
      await hasten(id);
      expect(await stateOf(id)).toBe('succeeded');
    }, patience);
    expect(bank.calls.transfer).toBe(first + 1);
    expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
    const { rows } = await database.pool.query('select message_no from payout where payout_id = $1', [id]);
    expect(rows).toEqual([{ message_no: messageNo }]);
  });

  test('what may have left is never given back for a reason of ours: the same order is sent again', async () => {
    const first = bank.calls.transfer + 1;
    bank.mood = (_, nth) => (nth === first ? { arrives: false } : {});
    const { id } = await request(10_000n, 'account changed after sending');
    await becomes(id, 'unknown');
    await database.pool.query(
      `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
       select merchant_id, valid_from, '088', sealed, key_id, fingerprint, last4, holder, 'test' from bank_account
        where merchant_id = $1`,
      [merchant],
    );
    await vi.waitFor(async () => {
      await hasten(id);
      expect(await stateOf(id)).not.toBe('unknown');
      expect(await stateOf(id)).not.toBe('holder_checked');
    }, patience);
    await becomes(id, 'succeeded');
    expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
    expect(await moneyOf()).toEqual({ wallet: 90_000n, inFlight: 0n });
  });

  test('an account number that cannot be read is not taken for sent: the payout waits', async () => {
    await database.pool.query(
      `with lost as (
         insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
         select merchant_id, valid_from, bank_code, sealed, 'lost', fingerprint, last4, holder, 'test' from bank_account
          where merchant_id = $1 returning account_id
       )
       insert into holder_check (account_id, bank, outcome) select account_id, $2, 'matches' from lost`,
      [merchant, bank.id],
    );
    const { id } = await request(10_000n, 'unreadable account');
    await vi.waitFor(async () => expect(await trailOf(id)).toContain('holder_answered → created'), patience);
    await cancelPayout(database.pool, id, { who: 'lee' }, now());
    expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
  });

  test('a wall clock that jumps ahead makes no proof of NOT_FOUND', async () => {
    const first = bank.calls.transfer + 1;
    bank.mood = (_, nth) => (nth === first ? { arrives: false } : {});
    const { id } = await request(10_000n, 'jumping clock');
    await becomes(id, 'unknown');
    ahead = Temporal.Duration.from({ hours: 24 });
    await vi.waitFor(async () => expect(await trailOf(id)).toContain('asked → unknown'), patience);
    expect(bank.calls.transfer).toBe(first);
    await vi.waitFor(async () => {
      await hasten(id);
      expect(await stateOf(id)).toBe('succeeded');
    }, patience);
    expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
  });

  test('unknown for long is a finding until the bank is definite', async () => {
    bank.mood = () => ({ hears: { outcome: 'unknown', reason: 'cut off' } });
    bank.inquiry = () => ({ outcome: 'processing', code: 'P', text: '' });
    const { id } = await request(10_000n, 'long unknown');
    await becomes(id, 'unknown');
    expect(await findingsOf(`payout:${id}`)).toEqual([]);
    ahead = Temporal.Duration.from({ minutes: 15 });
    await vi.waitFor(async () => expect(await findingsOf(`payout:${id}`)).toEqual(['payout_unknown']), patience);
    await callBack(id, { outcome: 'rejected', code: 'R1', text: 'no' });
    expect(await findingsOf(`payout:${id}`)).toEqual([]);
    expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
  });

  test('a number that the bank knows already is asked about, not sent anew', async () => {
    bank.mood = () => ({ hears: { outcome: 'duplicate', code: 'D1', text: 'known' } });
    const { id } = await request(10_000n, 'duplicate');
    await becomes(id, 'succeeded');
    expect(await trailOf(id)).toContain('asked → succeeded');
    expect(await movedAt(id)).toEqual([{ sends: 1, outcome: 'succeeded' }]);
  });

  test('an order that provably never left waits, and can still be cancelled', async () => {
    bank.mood = () => ({ arrives: false, hears: { outcome: 'not_sent', reason: 'connection refused' } });
    const { id } = await request(10_000n, 'not sent');
    await vi.waitFor(async () => expect(await trailOf(id)).toContain('answered → holder_checked'), patience);
    const cancelled = await vi.waitFor(() => cancelPayout(database.pool, id, { who: 'lee' }, now()), patience);
    expect(cancelled.state).toBe('cancelled');
    expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
    expect(await cancelPayout(database.pool, id, { who: 'lee' }, now())).toMatchObject({ state: 'cancelled' });
  });

  test('what may have left is not cancelled', async () => {
    bank.mood = () => ({ hears: { outcome: 'unknown', reason: 'cut off' } });
    bank.inquiry = () => ({ outcome: 'processing', code: 'P', text: '' });
    const { id } = await request(10_000n, 'sent');
    await becomes(id, 'unknown');
    await expect(cancelPayout(database.pool, id, { who: 'lee' }, now())).rejects.toMatchObject({
      code: 'payout_not_cancellable',
    });
  });

  test('an account of another holder is rejected before anything is sent', async () => {
    bank.holderOf = async () => ({ outcome: 'found', holder: '다른사람' });
    const { id } = await request(10_000n, 'other holder');
    await becomes(id, 'rejected');
    bank.holderOf = async ({ accountNo }) => ({ outcome: 'found', holder: `홀더P${accountNo.slice(4)}` });
    expect(await movedAt(id)).toEqual([]);
    expect(await moneyOf()).toEqual({ wallet: 100_000n, inFlight: 0n });
  });
});

describe('when nothing is sent', () => {
  test('a bank that is closed by its hours: the payout waits, and says until when', async () => {
    ahead = Temporal.Duration.from({ hours: 11, minutes: 45 });
    const { id } = await request(10_000n, 'closed');
    await vi.waitFor(async () => expect(await trailOf(id)).toContain('waits_for_opening → created'), patience);
    const { rows } = await database.pool.query('select result_reason, next_at from payout where payout_id = $1', [id]);
    expect(rows).toEqual([{ result_reason: 'bank_closed', next_at: new Date('2026-11-20T15:30:00Z') }]);
    ahead = Temporal.Duration.from({ hours: 12, minutes: 31 });
    await becomes(id, 'succeeded');
  });

  test('a paused bank: nothing new until it is resumed', async () => {
    await changeControl(database.pool, bank.id, { paused: true }, { who: 'lee', reason: 'test' });
    const { id } = await request(10_000n, 'paused');
    await payouts.dispatcher.idle();
    expect(await stateOf(id)).toBe('created');
    await changeControl(database.pool, bank.id, { paused: false }, { who: 'lee', reason: 'test' });
    await becomes(id, 'succeeded');
  });

  test('a clock that was ahead gave a far time: the payout is not kept waiting for it', async () => {
    await changeControl(database.pool, bank.id, { paused: true }, { who: 'lee', reason: 'test' });
    ahead = Temporal.Duration.from({ hours: 9_600 });
    const { id } = await request(10_000n, 'jump');
    ahead = Temporal.Duration.from({ seconds: 0 });
    await changeControl(database.pool, bank.id, { paused: false }, { who: 'lee', reason: 'test' });
    await becomes(id, 'succeeded');
  });

  test('failures in a row open the circuit, and one transfer tries it again', async () => {
    bank.mood = () => ({ arrives: false, hears: { outcome: 'not_sent', reason: 'connection refused' } });
    const ids: bigint[] = [];
    for (let n = 0; n < 12; n += 1) ids.push((await request(100n, `circuit ${n}`)).id);
    await vi.waitFor(async () => expect(await findingsOf(`bank:${bank.id}`)).toEqual(['bank_circuit_open']), patience);
    const before = bank.calls.transfer;
    await payouts.dispatcher.idle();
    expect(bank.calls.transfer).toBe(before);
    bank.mood = () => ({ latencyMs: 50 });
    const peak = bank.calls.peak;
    bank.calls.peak = 0;
    ahead = Temporal.Duration.from({ minutes: 10 });
    for (const id of ids) await becomes(id, 'succeeded');
    expect(bank.calls.peak).toBeLessThanOrEqual(Math.max(peak, 10));
    expect(await findingsOf(`bank:${bank.id}`)).toEqual([]);
  });
});

describe('the limit', () => {
  test('is never exceeded, follows a change while running, and a slow transfer blocks nobody', async () => {
    await changeControl(database.pool, bank.id, { transferLimit: 2 }, { who: 'lee', reason: 'test' });
    await payouts.dispatcher.idle();
    bank.calls.peak = 0;
    const first = bank.calls.transfer + 1;
    let letGo = () => {};
    const slow = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    bank.mood = async (_, nth) => {
      if (nth === first) await slow;
      return { latencyMs: 20 };
    };
    const ids: bigint[] = [];
    for (let n = 0; n < 10; n += 1) ids.push((await request(100n, `limit ${n}`)).id);
    await vi.waitFor(async () => {
      const states = await Promise.all(ids.map(stateOf));
      expect(states.filter((state) => state === 'succeeded')).toHaveLength(9);
    }, patience);
    expect(bank.calls.peak).toBe(2);
    await changeControl(database.pool, bank.id, { transferLimit: 6 }, { who: 'lee', reason: 'test' });
    bank.mood = async (_, nth) => {
      if (nth === first) await slow;
      return { latencyMs: 300 };
    };
    for (let n = 10; n < 30; n += 1) ids.push((await request(100n, `limit ${n}`)).id);
    await vi.waitFor(() => expect(bank.calls.peak).toBe(6), patience);
    letGo();
    for (const id of ids) await becomes(id, 'succeeded');
    expect(bank.calls.peak).toBe(6);
    await changeControl(database.pool, bank.id, { transferLimit: 10 }, { who: 'lee', reason: 'test' });
  });
});

/** As if its time had come. */
async function hasten(id: bigint): Promise<void> {
  await database.pool.query(`update payout set next_at = requested_at where payout_id = $1`, [id]);
}

async function callBack(id: bigint, answer: BankAnswer) {
  const { rows } = await database.pool.query<{ messageNo: string }>(
    'select message_no as "messageNo" from payout where payout_id = $1',
    [id],
  );
  const word = { bank: bank.id, messageNo: rows[0]?.messageNo ?? '', answer, source: 'callback', who: 'bank' } as const;
  return await inTransaction(database.pool, (tx) => applyAnswer(tx, word, now()));
}

async function findingsOf(subject: string): Promise<string[]> {
  return (await listFindings(database.pool, { subject })).map(({ kind }) => kind);
}
