import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { walletOf } from '../ledger/accounts.ts';
import { balanceOf } from '../ledger/store.ts';
import { openCipher } from '../platform/cipher.ts';
import { bankRoutes } from './bank-api.ts';
import { makeMerchants, noon } from './payout.fixture.ts';
import { payoutRoutes } from './payout-api.ts';

let database: TestDatabase;
let api: ServedApi;
const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-'));
const begun: string[] = [];
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  await makeMerchants(pool, await openCipher({ home }), { count: 2, balanceWon: 1_000_000n });
  const payoutReconciliation = {
    begin: async ({ bank, on, who }: { bank: string; on: string; who: string }) => {
      begun.push(`${bank} ${on} ${who}`);
      return { id: `payout-reconcile:${bank}:${on}:1`, result: () => Promise.reject(new Error('nobody waits')) };
    },
  };
  const ports = { pool, bank: 'van', banks: [{ id: 'van' }], payoutReconciliation, now: () => noon };
  api = await serveApi(pool, [...payoutRoutes(ports), ...bankRoutes({ pool, bankIds: ['van'] })]);
});
afterAll(async () => {
  await api.close();
  await database.close();
  rmSync(home, { recursive: true, force: true });
});

const [kim, lee] = [{ who: 'kim@pg.example' }, { who: 'lee@pg.example' }];
const request = (key: string, amountWon: number, asking = kim) =>
  api.post('/payouts', { merchant: 'P00001', amountWon, key }, asking);

test('a payout above the limit waits for a second person, each act once however often it is asked', async () => {
  const set = await api.send('patch', '/banks/van', { approvalOverWon: 100_000, reason: 'test' });
  expect(set.body).toMatchObject({ bank: 'van', approvalOverWon: 100_000, waits: null });
  const asked = await request('first', 250_000);
  expect(asked).toMatchObject({ status: 201, body: { state: 'awaiting_approval', amountWon: 250_000, last4: '0001' } });
  expect((await request('first', 250_000)).body['id']).toEqual(asked.body['id']);
  expect((await request('first', 250_001)).body).toMatchObject({ code: 'payout_key_reused' });
  const one = `/payouts/${asked.body['id']}`;
  expect((await api.post(`${one}/approve`, {}, kim)).body).toMatchObject({ code: 'approval_four_eyes' });
  expect((await api.post(`${one}/approve`, { reason: 'checked' }, lee)).body).toMatchObject({ state: 'created' });
  expect((await api.post(`${one}/refuse`, {}, lee)).body).toMatchObject({ code: 'approval_decided' });
  expect((await api.post(`${one}/retry`, {}, kim)).body).toMatchObject({ state: 'created' });
  const cancelled = await api.post(`${one}/cancel`, { reason: 'mistake' }, kim);
  expect(cancelled.body).toMatchObject({ state: 'cancelled' });
  expect((await api.post(`${one}/retry`, {}, kim)).body).toMatchObject({ code: 'payout_not_retryable' });
  expect(await balanceOf(database.pool, walletOf('P00001'))).toBe(1_000_000n);
  const events = cancelled.body['events'] as unknown as { who: string; what: string }[];
  expect(events.map(({ who, what }) => `${what} ${who}`)).toEqual([
    'requested kim@pg.example',
    'approved lee@pg.example',
    'retried kim@pg.example',
    'cancelled kim@pg.example',
  ]);
});

test.each([
  [{ merchant: 'P404', amountWon: 1, key: 'k' }, 'not_found'],
  [{ merchant: 'P00001', amountWon: 0, key: 'k' }, 'payout_amount_refused'],
  [{ merchant: 'P00001', amountWon: -5, key: 'k' }, 'payout_amount_refused'],
  [{ merchant: 'P00001', amountWon: 2_000_000, key: 'k' }, 'payout_balance_short'],
  [{ merchant: 'P00001', amountWon: 1.5, key: 'k' }, 'request_invalid'],
  [{ merchant: 'P00001', amountWon: 1, key: 'direct:1' }, 'request_invalid'],
  [{ merchant: 'P00001', amountWon: 1 }, 'request_invalid'],
])('%j is refused: %s', async (body, code) => {
  expect((await api.post('/payouts', body)).body).toMatchObject({ code });
});

test('payouts are paged newest first while others are requested, by state, merchant and day', async () => {
  for (let n = 0; n < 12; n += 1) await request(`page:${n}`, 1000 + n);
  const rows = await api.rows('/payouts?state=created&limit=5', async (pages) => {
    await request(`between:${pages}`, 1);
  });
  expect(rows.map((row) => row['amountWon'])).toEqual(Array.from({ length: 12 }, (_, n) => 1011 - n));
  expect(await api.rows('/payouts?merchant=P00002')).toEqual([]);
  expect(await api.rows('/payouts?on=2026-11-19')).toEqual([]);
  expect((await api.rows('/payouts?state=cancelled,created&on=2026-11-20')).length).toBeGreaterThan(12);
  expect((await api.get('/payouts?state=gone')).status).toBe(400);
  expect((await api.get('/payouts/999999')).body).toMatchObject({ code: 'not_found' });
});

test('a limit is raised by two people; what a bank takes is changed by one, and not by whoever operates', async () => {
  const raised = await api.send(
    'patch',
    '/banks/van',
    { approvalOverWon: 500_000, paused: true, reason: 'grows' },
    kim,
  );
  expect(raised.body).toMatchObject({ paused: true, approvalOverWon: 100_000, waits: 'van:1' });
  expect((await api.post('/banks/van/limit/approve', {}, kim)).body).toMatchObject({ code: 'approval_four_eyes' });
  expect((await api.post('/banks/van/limit/approve', {}, lee)).body).toMatchObject({ approvalOverWon: 500_000 });
  expect((await api.get('/banks')).body).toMatchObject({ banks: [{ bank: 'van', changedBy: 'lee@pg.example' }] });
  expect((await api.send('patch', '/banks/van', { reason: 'x' })).body).toMatchObject({ code: 'usage' });
  expect((await api.send('patch', '/banks/no', { paused: true, reason: 'x' })).body).toMatchObject({
    code: 'not_found',
  });
  const operator = { may: ['read', 'act', 'propose', 'run'] } as const;
  expect((await api.send('patch', '/banks/van', { paused: false, reason: 'x' }, operator)).status).toBe(403);
});

test('what is not settleable is said; a day is compared with the list of every bank', async () => {
  const { body } = await request('hand', 500);
  const proposed = await api.post(`/payouts/${body['id']}/settlement`, { as: 'succeeded', reason: 'bank book' });
  expect(proposed.body).toMatchObject({ status: 409, code: 'payout_not_settleable' });
  expect((await api.post(`/payouts/${body['id']}/settlement/approve`, {}, lee)).body).toMatchObject({
    code: 'not_found',
  });
  const asked = await api.post('/payout-reconciliations', { on: '2026-11-19' }, lee);
  expect(asked).toMatchObject({
    status: 202,
    body: { runs: [{ bank: 'van', run: 'payout-reconcile:van:2026-11-19:1' }] },
  });
  expect(begun).toEqual(['van 2026-11-19 lee@pg.example']);
});

test('what differs from the bank’s list is listed and closed with what was done', async () => {
  const { rows } = await database.pool.query<{ id: bigint }>(
    `insert into payout_break (bank, listed_on, kind, message_no, ours_won, theirs_won)
     select 'van', '2026-11-19', 'missing_here', 'M' || n, null, 5000 from generate_series(1, 5) n returning break_id as id`,
  );
  const listed = await api.rows('/payout-breaks?bank=van&on=2026-11-19&limit=2');
  expect(listed.map((row) => row['messageNo'])).toEqual(['M5', 'M4', 'M3', 'M2', 'M1']);
  const closed = await api.post(`/payout-breaks/${rows[0]?.id}/close`, { reason: 'returned' }, lee);
  expect(closed.body).toMatchObject({ messageNo: 'M1', closedBy: 'lee@pg.example', note: 'returned', theirsWon: 5000 });
  expect(await api.rows('/payout-breaks')).toHaveLength(4);
  expect(await api.rows('/payout-breaks?closed=true')).toHaveLength(5);
  expect((await api.post('/payout-breaks/999999/close', { reason: 'x' })).body).toMatchObject({ code: 'not_found' });
});
