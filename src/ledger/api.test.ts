import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { ledgerRoutes } from './api.ts';
import { balanceOf, post } from './store.ts';

let database: TestDatabase;
let api: ServedApi;
const book = (event: string, postedOn: string, from: string, to: string, amountWon: bigint) =>
  inTransaction(database.pool, (tx) =>
    post(tx, {
      ...{ event, kind: 'settlement', postedOn, postedBy: 'settle' },
      lines: [
        { account: from, amountWon: -amountWon },
        { account: to, amountWon },
      ],
    }),
  );
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  await pool.query(
    `with file as (insert into import (kind, file_name, imported_by) values ('merchants', 'm.csv', 'test') returning import_id)
     insert into merchant select 'M9', '새 가맹점', '1234567890', import_id from file`,
  );
  await book('settlement:0', '2026-10-31', 'receivable:ksnet', 'wallet:M1', 1000n);
  for (let n = 1; n <= 20; n += 1) {
    const on = `2026-11-${String(1 + (n % 7)).padStart(2, '0')}`;
    await book(`settlement:${n}`, on, 'receivable:ksnet', 'wallet:M1', BigInt(n * 100));
  }
  await book('payout:1:locked', '2026-11-08', 'wallet:M1', 'in_flight:M1', 700n);
  await book('settlement:later', '2026-11-20', 'receivable:ksnet', 'wallet:M1', 40n);
  api = await serveApi(pool, ledgerRoutes({ pool, now: () => Temporal.Instant.from('2026-11-15T12:00:00+09:00') }));
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const statement = '/ledger/accounts/wallet%3AM1';

test('a statement by pages has the balance after each movement, to the won, forwards and backwards', async () => {
  const rows = await api.rows(`${statement}/movements?limit=4`);
  expect(rows).toHaveLength(21);
  let balance = 1000;
  for (const row of rows) {
    balance += Number(row['amountWon']);
    expect([row['event'], row['balanceWon']]).toEqual([row['event'], balance]);
  }
  expect(rows.at(-1)).toMatchObject({ event: 'payout:1:locked', balanceWon: 21_300, counter: ['in_flight:M1'] });
  expect(await api.rows(`${statement}/movements?limit=5&sort=-postedOn`)).toEqual(rows.toReversed());
  const sum = await api.get(`${statement}/sum`);
  expect(sum.body).toEqual({
    ...{ account: 'wallet:M1', from: '2026-11-01', to: '2026-11-15', openingWon: 1000 },
    ...{ inWon: 21_000, outWon: 700, closingWon: 21_300, movementCount: 21 },
  });
  expect(Number(rows.at(-1)?.['balanceWon'])).toBe(sum.body['closingWon']);
});

test('a movement that is booked between two pages neither doubles nor moves the others', async () => {
  const rows = await api.rows(`${statement}/movements?limit=6&to=2026-12-31&from=2026-11-01`, (pages) =>
    book(`between:${pages}`, '2026-12-01', 'receivable:ksnet', 'wallet:M1', 1n).then(() => {}),
  );
  const events = rows.map((row) => String(row['event']));
  expect(new Set(events).size).toBe(events.length);
  expect(events.filter((event) => event.startsWith('settlement'))).toHaveLength(21);
  expect(rows.at(-1)?.['balanceWon']).toBe(Number(await balanceOf(database.pool, 'wallet:M1')));
});

test.each([
  ['/ledger/accounts/nothing%3AM1/movements', 422, 'ledger_account_unknown'],
  [`${statement}/movements?from=2026-12-01&to=2026-11-01`, 400, 'usage'],
  [`${statement}/movements?cursor=x`, 400, 'cursor_invalid'],
  ['/ledger/accounts?kind=cash', 400, 'request_invalid'],
])('%s is refused with %i %s', async (path, status, code) => {
  expect((await api.get(path)).body).toMatchObject({ status, code });
});

test('accounts by kind, the trial balance that sums to 0, and a ledger that is as its lines say', async () => {
  expect((await api.rows('/ledger/accounts?kind=in_flight')).map((row) => row['account'])).toEqual(['in_flight:M1']);
  const all = await api.rows('/ledger/accounts?limit=1');
  expect(all.map((row) => row['account'])).toEqual(['in_flight:M1', 'receivable:ksnet', 'wallet:M1']);
  expect(all.reduce((sum, row) => sum + Number(row['balanceWon']), 0)).toBe(0);
  expect((await api.get('/ledger/trial-balance')).body).toMatchObject({ totalWon: 0 });
  expect((await api.get('/ledger/verification')).body).toMatchObject({ clean: true, deviations: 0, named: [] });
});

test('an adjustment is proposed by one and booked by another, once', async () => {
  const lines = [
    { account: 'suspense', amountWon: -5000 },
    { account: 'wallet:M9', amountWon: 5000 },
  ];
  const [kim, lee] = [{ who: 'kim@pg.example' }, { who: 'lee@pg.example' }];
  const asked = await api.post('/ledger/adjustments', { lines, reason: 'found money' }, kim);
  expect(asked.status).toBe(201);
  const path = `/ledger/adjustments/${encodeURIComponent(String(asked.body['event']))}`;
  expect((await api.post(`${path}/approve`, {}, kim)).body).toMatchObject({ status: 403, code: 'approval_four_eyes' });
  expect(await balanceOf(database.pool, 'wallet:M9')).toBe(0n);
  expect(await api.rows('/ledger/adjustments')).toMatchObject([{ lines, askedBy: 'kim@pg.example', decision: null }]);
  expect((await api.post(`${path}/approve`, { reason: 'checked' }, lee)).status).toBe(200);
  expect(await balanceOf(database.pool, 'wallet:M9')).toBe(5000n);
  expect((await api.post(`${path}/refuse`, { reason: 'x' }, lee)).body).toMatchObject({ code: 'approval_decided' });
  const reversal = await api.post('/ledger/reversals', { event: asked.body['event'], reason: 'not ours' }, lee);
  const back = `/ledger/adjustments/${encodeURIComponent(String(reversal.body['event']))}`;
  expect((await api.post(`${back}/approve`, {}, kim)).status).toBe(200);
  expect(await balanceOf(database.pool, 'wallet:M9')).toBe(0n);
  expect(await api.rows('/ledger/adjustments')).toEqual([]);
  expect(await api.rows('/ledger/adjustments?decided=true&limit=1')).toHaveLength(2);
});

test.each([
  [[1, -2], 'adjustment_unbalanced'],
  [[0, 0], 'request_invalid'],
  [[1.5, -1.5], 'request_invalid'],
  [[1], 'request_invalid'],
])('lines of %j won are refused: %s', async (amounts, code) => {
  const lines = amounts.map((amountWon) => ({ account: 'suspense', amountWon }));
  expect((await api.post('/ledger/adjustments', { lines, reason: 'x' })).body).toMatchObject({ code });
});

test('who proposes need not be one who approves', async () => {
  const operator = { may: ['read', 'propose'] } as const;
  expect((await api.post('/ledger/adjustments/adjustment%3A1/approve', {}, operator)).status).toBe(403);
  const unknown = await api.post('/ledger/adjustments/adjustment%3A404/approve', {});
  expect(unknown.body).toMatchObject({ status: 404, code: 'not_found' });
  expect((await api.post('/ledger/reversals', { event: 'never', reason: 'x' })).body).toMatchObject({
    code: 'ledger_event_unknown',
  });
});
