import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { approvalRoutes } from '../approvals/api.ts';
import { askApproval, decide } from '../approvals/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { findingRoutes } from './api.ts';
import { openFinding } from './store.ts';

let database: TestDatabase;
let api: ServedApi;
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  api = await serveApi(pool, [...findingRoutes({ pool }), ...approvalRoutes({ pool })]);
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const found = (subject: string, detail = {}) =>
  openFinding(database.pool, { kind: 'payout_unknown', subject, audience: 'in_charge', detail });

test('findings by pages, newest first, with won of any size in their detail', async () => {
  for (let n = 0; n < 12; n += 1) await found(`payout:${n}`, { amountWon: 2n ** 60n });
  const rows = await api.rows('/findings?kind=payout_unknown&limit=5', async (pages) => {
    await found(`later:${pages}`);
  });
  expect(rows.map((row) => row['subject'])).toEqual(Array.from({ length: 12 }, (_, n) => `payout:${11 - n}`));
  expect(rows[0]?.['detail']).toEqual({ amountWon: String(2n ** 60n) });
  const { body } = await api.get(`/findings/${rows[0]?.['id']}`);
  expect(body).toEqual(rows[0]);
  expect((await api.get('/findings/999999')).body).toMatchObject({ code: 'not_found' });
  expect(await api.rows('/findings?audience=operations')).toEqual([]);
  expect(await api.rows('/findings?since=2999-01-01T00:00:00%2B09:00')).toEqual([]);
});

test('several are closed with an outcome for each', async () => {
  const { id } = await found('payout:closing');
  const closed = await api.post(
    '/findings/close',
    { ids: [Number(id), 999_999, Number(id)] },
    { who: 'lee@pg.example' },
  );
  expect(closed.body).toEqual({ closed: [Number(id)], left: [999_999] });
  expect((await api.get(`/findings/${id}`)).body).toMatchObject({ closedBy: 'lee@pg.example' });
  expect((await api.post('/findings/close', { ids: [] })).status).toBe(400);
  expect((await api.post('/findings/close', { ids: [1] }, { may: ['read'] })).status).toBe(403);
});

test('all that waits for a second person, with the act that decides it', async () => {
  const asked = { detail: { amountWon: 5n }, askedBy: 'kim', reason: 'why' };
  await inTransaction(database.pool, async (tx) => {
    await askApproval(tx, { ...asked, kind: 'payout', subject: '17' });
    await askApproval(tx, { ...asked, kind: 'payout_settle', subject: '18:1' });
    await askApproval(tx, { ...asked, kind: 'bank_limit', subject: 'json-van:3' });
    await askApproval(tx, { ...asked, kind: 'adjustment', subject: 'reversal:payout:1:locked' });
    await askApproval(tx, { ...asked, kind: 'retroactive_refund', subject: 'retroactive:4' });
    await askApproval(tx, { ...asked, kind: 'dismissal', subject: 'ksnet:2026-11-20:T:1:0:2' });
    await askApproval(tx, { ...asked, kind: 'payout', subject: '19' });
    await decide(tx, { kind: 'payout', subject: '19', decidedBy: 'lee', decision: 'refused' });
  });
  const waiting = await api.rows('/approvals?limit=2');
  expect(waiting.map(({ subject, approve, refuse }) => [subject, approve, refuse])).toEqual([
    [
      'ksnet:2026-11-20:T:1:0:2',
      '/v1/dismissals/ksnet%3A2026-11-20%3AT%3A1%3A0/approve',
      '/v1/dismissals/ksnet%3A2026-11-20%3AT%3A1%3A0/refuse',
    ],
    ['retroactive:4', '/v1/differential/retroactive-refunds/4/approve', null],
    [
      'reversal:payout:1:locked',
      '/v1/ledger/adjustments/reversal%3Apayout%3A1%3Alocked/approve',
      '/v1/ledger/adjustments/reversal%3Apayout%3A1%3Alocked/refuse',
    ],
    ['json-van:3', '/v1/banks/json-van/limit/approve', '/v1/banks/json-van/limit/refuse'],
    ['18:1', '/v1/payouts/18/settlement/approve', '/v1/payouts/18/settlement/refuse'],
    ['17', '/v1/payouts/17/approve', '/v1/payouts/17/refuse'],
  ]);
  const all = await api.rows('/approvals?decided=true&kind=payout');
  expect(all.map(({ subject, decision, approve }) => [subject, decision, approve])).toEqual([
    ['19', 'refused', null],
    ['17', null, '/v1/payouts/17/approve'],
  ]);
  expect((await api.get(`/approvals/${all[0]?.['id']}`)).body).toEqual(all[0]);
  expect((await api.get('/approvals/999999')).body).toMatchObject({ code: 'not_found' });
});
