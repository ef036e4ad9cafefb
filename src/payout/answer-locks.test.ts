import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { post } from '../ledger/store.ts';
import { openCipher } from '../platform/cipher.ts';
import type { PoolClient } from '../platform/database/pool.ts';
import { noteAnswers } from './answer-store.ts';
import type { BankAnswer } from './bank-port.ts';
import { claimPayouts, forgetFarTimes, markSending, releaseClaim, waitForOpening } from './claim-store.ts';
import { keepDayList, settleByList } from './day-list-store.ts';
import { rulesOfLate } from './late-answer-store.ts';
import { makeMerchants, noon, on } from './payout.fixture.ts';
import { requestPayout } from './request-store.ts';

const bank = 'journal';
let db: TestDatabase;
let home: string;
/** Two payouts that were sent: the first is of the merchant whose accounts come last. */
let sent: { readonly id: bigint; readonly messageNo: string }[];
let noting: PoolClient;
let other: PoolClient;

beforeEach(async () => {
  db = await testDatabase();
  home = mkdtempSync(path.join(tmpdir(), 'jeongsan-locks-'));
  const cipher = await openCipher({ home });
  const merchants = await makeMerchants(db.pool, cipher, { count: 2, balanceWon: 10_000n, known: bank });
  for (const merchantId of merchants.toReversed()) {
    const wanted = { merchantId, amountWon: 1_000n, key: merchantId, who: 'kim' };
    await requestPayout(db.pool, wanted, { bank, now: noon });
  }
  const claimed = await claimPayouts(db.pool, bank, noon);
  const marked = await markSending(db.pool, claimed, noon);
  for (const { run } of claimed) await releaseClaim(db.pool, run);
  sent = [...marked].map(([id, { messageNo }]) => ({ id, messageNo })).sort((a, b) => (a.id < b.id ? -1 : 1));
  [noting, other] = [await db.pool.connect(), await db.pool.connect()];
  await noting.query('begin');
  await other.query('begin');
});
afterEach(async () => {
  noting.release(true);
  other.release(true);
  await db.close();
  rmSync(home, { recursive: true });
});

const hold = (account: string, now: 'nowait' | '' = '') =>
  other.query(`select from ledger_balance where account = $1 order by shard for update ${now}`, [account]);

test("a bank's list books in the order in which everybody else locks accounts", async () => {
  async function* listed() {
    for (const { messageNo } of sent) yield { messageNo, amountWon: 1_000n, outcome: 'succeeded' as const };
  }
  await keepDayList(db.pool, { bank, on }, listed(), noon);
  await hold('in_flight:P00001');
  const settling = settleByList(noting, { bank, on }, { who: 'test', most: 10, now: noon });
  await lockWaits(db.pool, 1);
  await hold('in_flight:P00002', 'nowait');
  await other.query('rollback');
  expect(await settling).toBe(2);
  await noting.query('commit');
});

test('who looks after a lane waits for nobody who has a payout of it in hand', async () => {
  const [held, free] = sent.map(({ id }) => id) as [bigint, bigint];
  await other.query('select from payout where payout_id = $1 for update', [held]);
  const opening = noon.add({ hours: 1 });
  expect(await waitForOpening(db.pool, bank, noon.add({ minutes: 1 }), opening)).toBe(1);
  await db.pool.query(`update payout set next_at = '2028-01-01' where payout_id = $1`, [free]);
  await forgetFarTimes(db.pool, bank, noon);
  const { rows } = await db.pool.query('select next_at from payout order by payout_id');
  expect(rows.map(({ next_at: at }) => at.toISOString())).toEqual(Array(2).fill(noon.toString().replace('Z', '.000Z')));
});

test('so do answers that came at the same moment, whichever way each went', async () => {
  const lines = [
    { account: 'bank', amountWon: 1n },
    { account: 'suspense', amountWon: -1n },
  ];
  // This connection's row of the bank's account.
  await post(noting, { event: 'first', kind: 'test', postedOn: on, postedBy: 'test', lines });
  await noting.query('commit; begin');
  await hold('bank');
  const [paid, rejected] = sent.map(({ id }) => id) as [bigint, bigint];
  const said = (payoutId: bigint, outcome: 'succeeded' | 'rejected') => {
    const answer: BankAnswer = { outcome, code: '00', text: outcome };
    return { payoutId, answer, source: 'inquiry' as const, who: 'test' };
  };
  const answers = [said(paid, 'succeeded'), said(rejected, 'rejected')];
  const noted = noteAnswers(noting, answers, rulesOfLate(bank, noon));
  await lockWaits(db.pool, 1);
  await hold('in_flight:P00001', 'nowait');
  await other.query('rollback');
  expect((await noted).map(({ state }) => state)).toEqual(['succeeded', 'rejected']);
  await noting.query('commit');
});
