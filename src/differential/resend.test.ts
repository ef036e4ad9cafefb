import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { createAnswerBooks } from './answers.fixture.ts';
import type { PlantedClaim } from './claims.fixture.ts';
import { queueResend, type ResendWhich } from './resend-store.ts';
import { unansweredClaims } from './write-store.ts';

let database: TestDatabase;
let books: ReturnType<typeof createAnswerBooks>;
let file: Awaited<ReturnType<typeof books.file>>;
beforeEach(async () => {
  database = await testDatabase();
  books = createAnswerBooks(database.pool);
  file = await books.file();
  await books.rows(`insert into import (kind, file_name, imported_by) values ('merchants', 'x', 'test')`);
  await books.rows(`insert into merchant select 'M1', 'M1', '1234567891', max(import_id) from import`);
  await tier(0);
});
afterEach(async () => {
  books.close();
  await database.close();
});

const tier = (known: number) =>
  books.rows(
    `insert into merchant_tier (business_no, half, tier, recorded_by) values ('1234567891', '2026H2', $1, 'test')`,
    [known],
  );
const resend = (which: ResendWhich = { providerTid: 'T1', cancelSeq: 0 }, on = '2026-11-24') =>
  inTransaction(database.pool, (tx) =>
    queueResend(tx, books.provider, which, { by: 'kim', because: 'the number was registered', on }),
  );

test('a rejected claim goes again, an attempt more, with its trail', async () => {
  await books.claim(file, { tid: 'T1', state: 'R', reason: 'welcome:09' });
  expect(await resend()).toMatchObject([
    { refused: null, attempt: 2, beforeWon: 176n, afterWon: 176n, reason: 'welcome:09' },
  ]);
  expect(await books.texts(`select concat_ws(' ', state, attempt, reason) as text from claim`)).toEqual(['Q 2']);
  const [event] = await books.rows(`select by, event, reason, detail from claim_event`);
  expect(event).toMatchObject({
    by: 'kim',
    event: 'queued',
    reason: 'welcome:09',
    detail: { because: 'the number was registered', attempt: 1, fileId: Number(file.fileId), differenceWon: 176 },
  });
});

test('it is priced by the tier that is known now, as of the day of the original', async () => {
  await books.claim(file, { tid: 'T1', state: 'R', reason: 'welcome:20' });
  // 중소1: 1.00 % of 10,000 = 100 and 10 of VAT: 220 − 110 = 110.
  await tier(1);
  expect(await resend()).toMatchObject([{ refused: null, beforeWon: 176n, afterWon: 110n }]);
  expect(
    await books.texts(`select concat_ws(' ', tier, rate_ppm, preferential_won, difference_won) as text from claim`),
  ).toEqual(['1 10000 110 110']);
});

test('once for each reason, unless the facts have changed', async () => {
  await books.claim(file, { tid: 'T1', state: 'R', reason: 'welcome:09' });
  await resend();
  await books.rows(`update claim set state = 'R', reason = 'welcome:09'`);
  expect(await resend()).toMatchObject([{ refused: 'resend_same_reason' }]);
  await books.rows(`update claim set reason = 'welcome:01'`);
  expect(await resend()).toMatchObject([{ refused: null, attempt: 3 }]);
});

test('once more for the same reason where the tier has changed', async () => {
  await books.claim(file, { tid: 'T1', state: 'R', reason: 'welcome:09' });
  await resend();
  await books.rows(`update claim set state = 'R', reason = 'welcome:09'`);
  await tier(1);
  expect(await resend()).toMatchObject([{ refused: null, attempt: 3, afterWon: 110n }]);
});

const refusals: readonly [string, Partial<PlantedClaim>, string][] = [
  ['that was accepted', { accepted: { won: 176n } }, 'resend_accepted'],
  ['that is on its way', {}, 'resend_state'],
  ['whose clawback waits for its refund', { state: 'H', reason: 'original_not_paid' }, 'resend_accepted'],
  ['that the ledger refused', { state: 'H', reason: 'booking_failed' }, 'resend_accepted'],
  ['that selection holds, and lets go by itself', { state: 'H', reason: 'not_registered' }, 'resend_state'],
  ['that was rejected for good', { state: 'X', reason: 'welcome:13' }, 'resend_state'],
  ['at its last try', { state: 'X', reason: 'welcome:09', attempt: 3 }, 'resend_attempts_used'],
  [
    'of a merchant of which no tier is known',
    { state: 'R', reason: 'welcome:20', merchantId: 'M9' },
    'resend_not_eligible',
  ],
];
test.each(refusals)('refused: one %s', async (_, claim, refused) => {
  await books.claim(file, { tid: 'T1', ...claim });
  expect(await resend()).toMatchObject([{ refused }]);
  expect(await books.events()).toEqual([]);
});

test('what is too old is brought to a person', async () => {
  await books.claim(file, { tid: 'T1', state: 'R', reason: 'welcome:09' });
  // 2026-11-20 and 90 days: 2027-02-18 is the last day.
  expect(await resend(undefined, '2027-02-19')).toMatchObject([{ refused: 'resend_too_old' }]);
  expect(await listFindings(database.pool, { kind: 'differential_too_old' })).toMatchObject([
    { subject: 'welcome:T1/0', audience: 'in_charge' },
  ]);
  expect(await resend(undefined, '2027-02-18')).toMatchObject([{ refused: null }]);
});

test('all of a code at once, and what an answer held: its breaks end', async () => {
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  await books.claim(file, { tid: 'T3' });
  await books.answer(file, [
    { tid: 'T1', code: '09' },
    { tid: 'T2', code: '09' },
    { tid: 'T3', code: 'Z9' },
  ]);
  expect(await resend({ reason: 'welcome:09' })).toMatchObject([{ providerTid: 'T1' }, { providerTid: 'T2' }]);
  expect(await resend({ reason: 'unknown_code' })).toMatchObject([{ providerTid: 'T3', refused: null }]);
  expect(await books.standing()).toEqual(['T1/0 waiting', 'T2/0 waiting', 'T3/0 waiting']);
  expect(await books.breaks()).toEqual(['unknown_code welcome-online:T3/0 176 (closed)']);
  expect(await resend({ reason: 'welcome:77' })).toEqual([]);
});

test('accepted, taken back, sent again: its new file waits for an answer of its own', async () => {
  await books.claim(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1' }]);
  await books.answer(file, [{ tid: 'T1', code: '09' }]);
  expect(await resend()).toMatchObject([{ refused: null, attempt: 2 }]);
  const next = await books.file('2026-11-24');
  await books.rows(`update claim set state = 'P', file_id = $1, batch_id = $2`, [next.fileId, next.batchId]);
  await books.rows(`insert into differential_day values ($1, 'welcome-online', '2026-11-20')`, [next.batchId]);
  const left = () => inTransaction(database.pool, (tx) => unansweredClaims(tx, next.batchId, next.fileId));
  expect([await books.standing(), await left()]).toEqual([['T1/0 waiting'], 1n]);
  await books.answer(next, [{ tid: 'T1', tradedOn: '2026-11-20', won: 175n }]);
  expect([await books.standing(), await left()]).toEqual([['T1/0 paid 175'], 0n]);
  // 176 that went to the wallet and were owed; 175 repay of it.
  expect(await books.balances()).toEqual(['debt:M1 -1', 'refund_receivable:welcome -175', 'wallet:M1 176']);
});
