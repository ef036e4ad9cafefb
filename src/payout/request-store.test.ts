import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listApprovals } from '../approvals/store.ts';
import { listFindings, openFinding } from '../findings/store.ts';
import { debtOf, inFlightOf, walletOf } from '../ledger/accounts.ts';
import { balanceOf, post } from '../ledger/store.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { placeHold, releaseHold } from '../settlement/hold-store.ts';
import { changeControl, ensureControl } from './control-store.ts';
import { createDirectPayouts } from './direct-store.ts';
import { listPayouts, showPayout } from './list-store.ts';
import { makeMerchants, noon } from './payout.fixture.ts';
import { cancelPayout, decidePayout, mostWon, requestPayout } from './request-store.ts';

let database: TestDatabase;
let cipher: Cipher;
let merchant: string;
let next = 1;
const rules = { bank: 'journal', now: noon };

beforeAll(async () => {
  database = await testDatabase();
  cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-')) });
});

beforeEach(async () => {
  [merchant = ''] = await makeMerchants(database.pool, cipher, { from: next, count: 1, balanceWon: 100_000n });
  next += 1;
});

afterAll(async () => {
  await database.close();
});

const request = (amountWon: bigint, key: string, merchantId = merchant, bank = rules.bank) =>
  requestPayout(database.pool, { merchantId, amountWon, key: `${merchant} ${key}`, who: 'kim' }, { ...rules, bank });
const moneyOf = async (id = merchant) => [
  await balanceOf(database.pool, walletOf(id)),
  await balanceOf(database.pool, inFlightOf(id)),
];

async function setTerms(
  merchantId: string,
  payout: 'direct' | 'scheduled' | 'on_request',
  minimumWon: bigint,
  at?: string,
) {
  await database.pool.query(
    `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, payout_time, min_payout_won, recorded_by)
     values ($1, '2026-01-01', 'M5', 'none', $2, $3, $4, 'test')`,
    [merchantId, payout, at ?? null, minimumWon],
  );
}

test('the same key and content is the same payout; other content is refused', async () => {
  const first = await request(10_000n, 'k');
  expect((await request(10_000n, 'k')).id).toBe(first.id);
  await expect(request(10_001n, 'k')).rejects.toMatchObject({ code: 'payout_key_reused' });
  expect(await moneyOf()).toEqual([90_000n, 10_000n]);
});

test('the same key at the same moment from ten sides is one payout', async () => {
  const made = await Promise.all(Array.from({ length: 10 }, () => request(10_000n, 'at once')));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await moneyOf()).toEqual([90_000n, 10_000n]);
});

test('withdrawals at once cannot spend the same won', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => request(30_000n, `race ${n}`)));
  const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(refused.map(({ code }) => code)).toEqual(Array(5).fill('payout_balance_short'));
  expect(refused[0]).toMatchObject({ details: { amountWon: 30_000n } });
  expect(await moneyOf()).toEqual([10_000n, 90_000n]);
});

test.each([
  [0n, 'payout_amount_refused'],
  [-1n, 'payout_amount_refused'],
  [mostWon + 1n, 'payout_amount_refused'],
  [mostWon, 'payout_balance_short'],
  [999n, 'payout_below_minimum'],
  [100_001n, 'payout_balance_short'],
])('%s won: %s, and the money stays where it was', async (amountWon, code) => {
  await setTerms(merchant, 'on_request', 1_000n);
  await expect(request(amountWon, 'bad')).rejects.toMatchObject({ code });
  expect(await moneyOf()).toEqual([100_000n, 0n]);
  expect(await listPayouts(database.pool, { merchantId: merchant })).toEqual([]);
});

test('an unknown merchant, and one without a bank account', async () => {
  await expect(request(1_000n, 'nobody', 'NOBODY')).rejects.toMatchObject({ code: 'not_found' });
  await database.pool.query(
    `insert into merchant select $1, name, business_no, import_id from merchant where merchant_id = $2`,
    [`${merchant}X`, merchant],
  );
  await expect(request(1_000n, 'no account', `${merchant}X`)).rejects.toMatchObject({ code: 'payout_account_missing' });
});

test('above the limit a second person decides; meanwhile the money is locked', async () => {
  await request(1_000n, 'small');
  await ensureControl(database.pool, 'strict');
  await changeControl(database.pool, 'strict', { approvalOverWon: 50_000n }, { who: 'lee', reason: 'test' });
  const big = await request(50_001n, 'big', merchant, 'strict');
  expect([big.state, ...(await moneyOf())]).toEqual(['awaiting_approval', 48_999n, 51_001n]);
  const approve = (who: string) => decidePayout(database.pool, big.id, { who, decision: 'approved' }, noon);
  await expect(approve('kim')).rejects.toMatchObject({ code: 'approval_four_eyes' });
  expect((await approve('lee')).state).toBe('created');
  expect((await approve('lee')).state).toBe('created');
  const refuse = decidePayout(database.pool, big.id, { who: 'park', decision: 'refused' }, noon);
  await expect(refuse).rejects.toMatchObject({ code: 'approval_decided' });
});

test('refused by the second person, and cancelled by anybody: the money is back', async () => {
  await ensureControl(database.pool, 'strict');
  await changeControl(database.pool, 'strict', { approvalOverWon: 0n }, { who: 'lee', reason: 'test' });
  const refused = await request(10_000n, 'refused', merchant, 'strict');
  await decidePayout(database.pool, refused.id, { who: 'lee', decision: 'refused' }, noon);
  const cancelled = await request(20_000n, 'cancelled', merchant, 'strict');
  await cancelPayout(database.pool, cancelled.id, { who: 'kim', why: 'mistake' }, noon);
  const subject = String(cancelled.id);
  expect(await listApprovals(database.pool, { kind: 'payout', subject })).toEqual([]);
  const late = decidePayout(database.pool, cancelled.id, { who: 'lee', decision: 'approved' }, noon);
  await expect(late).rejects.toMatchObject({ code: 'approval_decided' });
  expect(await moneyOf()).toEqual([100_000n, 0n]);
  const { state, events } = await showPayout(database.pool, cancelled.id);
  expect([state, events.map(({ what }) => what)]).toEqual(['cancelled', ['requested', 'cancelled']]);
});

test('after a slot: direct merchants wholly, scheduled ones at their time once a day, others not', async () => {
  const [scheduled = '', poor = '', homeless = ''] = await makeMerchants(database.pool, cipher, {
    from: next,
    count: 3,
    balanceWon: 5_000n,
  });
  next += 3;
  await setTerms(merchant, 'direct', 1_000n);
  await setTerms(scheduled, 'scheduled', 1n, '12:05');
  await setTerms(poor, 'direct', 5_001n);
  await database.pool.query('alter table bank_account disable trigger all');
  await database.pool.query('delete from bank_account where merchant_id = $1', [homeless]);
  await setTerms(homeless, 'direct', 1n);
  const pay = (slot: string) =>
    inTransaction(database.pool, (tx) =>
      createDirectPayouts(tx, { slot, settledOn: '2026-11-20', runId: `settle:${slot}` }, rules),
    );
  expect(await pay('2026-11-20T12:00+09:00')).toBe(1);
  expect(await pay('2026-11-20T12:00+09:00')).toBe(0);
  expect(await pay('2026-11-20T12:05+09:00')).toBe(1);
  expect(await pay('2026-11-20T12:10+09:00')).toBe(0);
  expect([await moneyOf(), await moneyOf(scheduled), await moneyOf(poor), await moneyOf(homeless)]).toEqual([
    [0n, 100_000n],
    [0n, 5_000n],
    [5_000n, 0n],
    [5_000n, 0n],
  ]);
  const [made] = await listPayouts(database.pool, { merchantId: scheduled });
  expect(made).toMatchObject({ kind: 'scheduled', key: `scheduled:2026-11-20:${scheduled}`, amountWon: 5_000n });
  expect(await listFindings(database.pool, { kind: 'payout_account_missing' })).toMatchObject([
    { subject: homeless, times: 4 },
  ]);
  await database.pool.query(
    `insert into bank_account (merchant_id, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, recorded_by)
     select $1, valid_from, bank_code, sealed, key_id, fingerprint, last4, holder, 'test' from bank_account
      where merchant_id = $2`,
    [homeless, scheduled],
  );
  expect(await pay('2026-11-20T12:15+09:00')).toBe(1);
  expect(await listFindings(database.pool, { kind: 'payout_account_missing' })).toEqual([]);
});

test('the finding of a missing account ends with an account, also where nothing is to be paid any more', async () => {
  const detail = { merchantId: merchant };
  const finding = { kind: 'payout_account_missing', subject: merchant, audience: 'in_charge', detail } as const;
  await openFinding(database.pool, finding);
  await openFinding(database.pool, { ...finding, subject: 'NOBODY' });
  const slot = '2026-11-20T12:20+09:00';
  await inTransaction(database.pool, (tx) =>
    createDirectPayouts(tx, { slot, settledOn: '2026-11-20', runId: `settle:${slot}` }, rules),
  );
  const standing = await listFindings(database.pool, { kind: 'payout_account_missing' });
  expect(standing.map(({ subject }) => subject)).toEqual(['NOBODY']);
});

test('what comes back to the wallet while all is held is paid out to nobody until the release', async () => {
  const payout = await request(60_000n, 'before');
  const act = { by: 'kim', reason: 'complaint', on: '2026-11-20' };
  const { hold } = await inTransaction(database.pool, (tx) => placeHold(tx, { merchantId: merchant, ...act }));
  await cancelPayout(database.pool, payout.id, { who: 'kim' }, noon);
  expect(await moneyOf()).toEqual([60_000n, 0n]);
  await expect(request(1_000n, 'while')).rejects.toMatchObject({ code: 'hold_stands' });
  await setTerms(merchant, 'direct', 1n);
  const direct = (time: string) =>
    inTransaction(database.pool, (tx) =>
      createDirectPayouts(
        tx,
        { slot: `2026-11-20T${time}+09:00`, settledOn: '2026-11-20', runId: `test ${time}` },
        rules,
      ),
    );
  await direct('12:05');
  expect(await moneyOf()).toEqual([60_000n, 0n]);
  await inTransaction(database.pool, (tx) => releaseHold(tx, hold.id, act));
  await direct('12:10');
  expect(await moneyOf()).toEqual([0n, 100_000n]);
});

test('what comes back to a wallet pays for the debt that arose meanwhile: as much as is owed leaves by no way', async () => {
  const payout = await request(100_000n, 'all');
  const lines = [
    { account: debtOf(merchant), amountWon: -30_000n },
    { account: 'suspense', amountWon: 30_000n },
  ];
  const clawback = { event: `owed ${merchant}`, kind: 'test', postedOn: '2026-11-20', postedBy: 'test', lines };
  await inTransaction(database.pool, (tx) => post(tx, clawback));
  await cancelPayout(database.pool, payout.id, { who: 'kim' }, noon);
  expect(await moneyOf()).toEqual([100_000n, 0n]);
  await expect(request(70_001n, 'too much')).rejects.toMatchObject({
    code: 'payout_balance_short',
    details: { payableWon: 70_000n },
  });
  await request(20_000n, 'what may leave');
  await setTerms(merchant, 'direct', 1n);
  const slot = { slot: '2026-11-20T13:00+09:00', settledOn: '2026-11-20', runId: 'settle' };
  expect(await inTransaction(database.pool, (tx) => createDirectPayouts(tx, slot, rules))).toBe(1);
  expect(await moneyOf()).toEqual([30_000n, 70_000n]);
});
