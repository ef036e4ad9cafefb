// What tests of the workflow share: an engine that carries payouts to a bank whose journal is a table, and a clock.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { listFindings } from '../findings/store.ts';
import { inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balanceOf } from '../ledger/store.ts';
import { openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import type { BankAnswer } from './bank-port.ts';
import { applyAnswer } from './late-answer-store.ts';
import { createJournalBank, type JournalBank, makeJournal, makeMerchants, noon } from './payout.fixture.ts';
import { type Payouts, registerPayouts } from './workflow.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export let database: TestDatabase;
export let payouts: Payouts;
export let bank: JournalBank;
/** A new one for each test, with 100,000 won. */
export let merchant: string;
let durable: Durable;
/** What a test adds to the clock of everything but the engine, which is real time from noon on. */
let ahead = Temporal.Duration.from({ seconds: 0 });
const began = performance.now();
export const now = () => noon.add({ milliseconds: Math.round(performance.now() - began) }).add(ahead);
export const goAhead = (by: Temporal.DurationLike) => {
  ahead = Temporal.Duration.from(by);
};

/** Has an engine run for the tests of the calling file, with a new merchant for each. */
export function carryPayouts(): void {
  let next = 1;
  let newMerchant: () => Promise<string>;
  let settlingMs = 0;
  beforeAll(async () => {
    database = await testDatabase();
    const { pool, url } = database;
    await makeJournal(pool);
    const cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-')) });
    bank = createJournalBank(pool, { closed: { from: '23:30', to: '00:30' } });
    ({ settlingMs } = bank);
    durable = createDurable({ databaseUrl: url, pool, log });
    payouts = registerPayouts(durable, { pool, log, banks: [bank], cipher, now });
    await durable.launch();
    await payouts.dispatcher.start();
    newMerchant = async () => {
      const [made] = await makeMerchants(pool, cipher, { from: next, count: 1, balanceWon: 100_000n });
      next += 1;
      return made as string;
    };
  });
  beforeEach(async () => {
    merchant = await newMerchant();
  });
  afterEach(() => {
    bank.mood = () => ({});
    bank.inquiry = () => undefined;
    bank.settlingMs = settlingMs;
    goAhead({ seconds: 0 });
  });
  afterAll(async () => {
    await payouts.dispatcher.stop();
    await durable.shutdown(5_000);
    await database.close();
  });
}

export const request = (amountWon: bigint, key: string) =>
  payouts.request({ merchantId: merchant, amountWon, key, who: 'kim' });
export const stateOf = async (id: bigint) => {
  const { rows } = await database.pool.query<{ state: string }>('select state from payout where payout_id = $1', [id]);
  return rows[0]?.state;
};
export const becomes = (id: bigint, state: string) => eventually(async () => expect(await stateOf(id)).toBe(state));
export const trailOf = async (id: bigint) => {
  const { rows } = await database.pool.query<{ what: string; to: string }>(
    'select what, to_state as "to" from payout_event where payout_id = $1 order by event_id',
    [id],
  );
  return rows.map(({ what, to }) => `${what} → ${to}`);
};
export const moneyOf = async () => ({
  wallet: await balanceOf(database.pool, walletOf(merchant)),
  inFlight: await balanceOf(database.pool, inFlightOf(merchant)),
});
export const movedAt = async (id: bigint) => {
  const { rows } = await database.pool.query<{ sends: number; outcome: string }>(
    'select j.sends, j.outcome from payout p join bank_journal j using (message_no) where payout_id = $1',
    [id],
  );
  return rows;
};

/** As if its time had come. */
export async function hasten(id: bigint): Promise<void> {
  await database.pool.query(`update payout set next_at = requested_at where payout_id = $1`, [id]);
}

export async function callBack(id: bigint, answer: BankAnswer) {
  const { rows } = await database.pool.query<{ messageNo: string }>(
    'select message_no as "messageNo" from payout where payout_id = $1',
    [id],
  );
  const word = { bank: bank.id, messageNo: rows[0]?.messageNo ?? '', answer, source: 'callback', who: 'bank' } as const;
  return await inTransaction(database.pool, (tx) => applyAnswer(tx, word, now()));
}

export async function findingsOf(subject: string): Promise<string[]> {
  return (await listFindings(database.pool, { subject })).map(({ kind }) => kind);
}
