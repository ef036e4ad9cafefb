import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { settlementRoutes } from './api.ts';
import { createSettlementBooks } from './books.fixture.ts';
import { holdRoutes } from './hold-api.ts';
import { waitingRoutes } from './waiting-api.ts';

const slot = '2026-11-20T12:05+09:00';
let database: TestDatabase;
let books: ReturnType<typeof createSettlementBooks>;
let api: ServedApi;
const begun: string[] = [];
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  books = createSettlementBooks(pool);
  await books.merchant('M1', { ppm: 10_000, vat: 'added' });
  await books.merchant('M2', null);
  await books.merchant('M3', { ppm: 0, vat: 'none' });
  await books.sales(Array.from({ length: 25 }, (_, n) => ({ tid: `A${n}`, won: 10_000 + n, merchant: 'M1' })));
  await books.sales(Array.from({ length: 9 }, (_, n) => ({ tid: `B${n}`, won: 500, merchant: 'M2' })));
  await books.sales([{ tid: 'C', won: 7_000, merchant: 'M3' }]);
  await books.settle('12:05');
  const ports = { pool, now: () => Temporal.Instant.from('2026-11-20T12:06:00+09:00') };
  const settlement = {
    begin: async (at: Temporal.Instant, { who }: { who: string }) => {
      begun.push(`${at} ${who}`);
      return { id: 'settle', result: () => Promise.reject(new Error('nobody waits')) };
    },
  };
  api = await serveApi(pool, [
    ...settlementRoutes({ ...ports, settlement }),
    ...holdRoutes(ports),
    ...waitingRoutes(ports),
  ]);
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const at = encodeURIComponent(slot);

test('a slot, what it did for each merchant, and each item with its working, to the won', async () => {
  const { body } = await api.get(`/settlement/cycles/${at}`);
  expect(body).toMatchObject({ slot, state: 'settled', items: 26, merchants: 2, setAside: 9, grossWon: 257_300 });
  expect(await api.rows('/settlement/cycles?from=2026-11-20&to=2026-11-20&state=settled')).toEqual([body]);
  const settled = await api.rows(`/settlement/settlements?slot=${at}&limit=1`);
  expect(settled.map((row) => row['merchantId'])).toEqual(['M3', 'M1']);
  const mine = (await api.get(`/settlement/cycles/${at}/merchants/M1`)).body;
  expect(mine).toEqual(settled[1]);
  expect(Number(mine['grossWon']) - Number(mine['feeWon']) - Number(mine['vatWon'])).toBe(mine['netWon']);
  const items = await api.rows(`/settlement/cycles/${at}/merchants/M1/items?limit=7`);
  expect(new Set(items.map((row) => row['providerTid'])).size).toBe(25);
  const sum = (name: string) => items.reduce((total, row) => total + Number(row[name]), 0);
  expect([sum('amountWon'), sum('feeWon'), sum('vatWon')]).toEqual([mine['grossWon'], mine['feeWon'], mine['vatWon']]);
  expect(String(items[0]?.['working'])).toContain('1%');
});

test('what waits, page by page while more comes, and by reason', async () => {
  const rows = await api.rows('/settlement/unsettled?setAside=true&limit=2');
  expect(rows.map((row) => row['providerTid'])).toEqual(Array.from({ length: 9 }, (_, n) => `B${n}`));
  expect(rows[0]).toMatchObject({ reason: 'contract_missing', amountWon: 500, merchantId: 'M2' });
  expect(String(rows[0]?.['text'])).not.toBe('null');
  expect(await api.rows('/settlement/unsettled?reason=terms_missing')).toEqual([]);
  expect((await api.get('/settlement/unsettled/sum?merchant=M2')).body).toMatchObject({
    reasons: [{ reason: 'contract_missing', captures: 9, amountWon: 4500 }],
  });
  const balance = (await api.get('/merchants/M1/balance')).body;
  expect(balance).toMatchObject({ merchantId: 'M1', owedWon: 0, nextSlot: '2026-11-20T12:10+09:00', holds: [] });
  const settled = (await api.get(`/settlement/cycles/${at}/merchants/M1`)).body;
  expect(balance['walletWon']).toBe(settled['walletWon']);
});

test('a slot is begun by whoever asks, and not one that is none', async () => {
  const asked = await api.post('/settlement/cycles', { slot: '2026-11-20T12:00+09:00' }, { who: 'lee@pg.example' });
  expect(asked).toMatchObject({ status: 202, body: { run: 'settle:2026-11-20T12:00+09:00' } });
  const latest = await api.post('/settlement/cycles', {}, { who: 'lee@pg.example' });
  expect(latest.body).toEqual({ slot, run: `settle:${slot}` });
  expect(begun).toEqual(['2026-11-20T03:00:00Z lee@pg.example', '2026-11-20T03:05:00Z lee@pg.example']);
  expect((await api.post('/settlement/cycles', { slot: '2026-11-20T12:03+09:00' })).status).toBe(400);
  expect((await api.post('/settlement/cycles', {}, { may: ['read'] })).status).toBe(403);
  expect((await api.get(`/settlement/cycles/${encodeURIComponent('2026-11-20T11:00+09:00')}`)).status).toBe(404);
  expect((await api.get(`/settlement/cycles/${at}/merchants/M404`)).body).toMatchObject({ code: 'not_found' });
  expect((await api.get('/merchants/M404/balance')).body).toMatchObject({ code: 'not_found' });
});

test('money is held and given back, and what is held twice is refused', async () => {
  const placed = await api.post('/holds', { merchant: 'M3', amountWon: 3000, reason: 'dispute' });
  expect(placed).toMatchObject({ status: 201, body: { heldWon: 3000, walletWon: -3000, hold: { merchantId: 'M3' } } });
  const short = await api.post('/holds', { merchant: 'M3', amountWon: 5000, reason: 'more' });
  expect(short.body).toMatchObject({ code: 'ledger_insufficient' });
  const all = await api.post('/holds', { merchant: 'M3', reason: 'all' });
  expect(all.body).toMatchObject({ heldWon: 4000, hold: { amountWon: null } });
  expect((await api.post('/holds', { merchant: 'M3', reason: 'again' })).body).toMatchObject({ code: 'hold_stands' });
  expect((await api.rows('/holds?merchant=M3&limit=1')).map((row) => row['amountWon'])).toEqual([null, 3000]);
  for (const row of await api.rows('/holds?merchant=M3')) {
    expect((await api.post(`/holds/${row['id']}/release`, { reason: 'over' })).status).toBe(200);
  }
  const [first] = await api.rows('/holds?released=true');
  const twice = await api.post(`/holds/${first?.['id']}/release`, { reason: 'over' });
  expect(twice.body).toMatchObject({ status: 409, code: 'hold_released' });
  expect((await api.get('/merchants/M3/balance')).body).toMatchObject({ walletWon: 7000, heldWon: 0 });
  expect((await api.post('/holds', { merchant: 'M404', reason: 'x' })).body).toMatchObject({ code: 'not_found' });
  expect((await api.post('/holds', { merchant: 'M3', amountWon: 0, reason: 'x' })).status).toBe(400);
});

test('a capture that is set aside is dismissed by two people, named as its approval names it', async () => {
  const [kim, lee] = [{ who: 'kim@pg.example' }, { who: 'lee@pg.example' }];
  const capture = { provider: 'ksnet', providerTid: 'B0' };
  const asked = await api.post('/dismissals', { ...capture, reason: 'a test' }, kim);
  expect(asked).toMatchObject({ status: 201, body: { providerTid: 'B0', amountWon: 500, capturedOn: '2026-11-20' } });
  const path = `/dismissals/${encodeURIComponent('ksnet:2026-11-20:B0:0')}`;
  expect((await api.post(`${path}/approve`, {}, kim)).body).toMatchObject({ code: 'approval_four_eyes' });
  expect((await api.post(`${path}/refuse`, { reason: 'not yet' }, lee)).status).toBe(200);
  await api.post('/dismissals', { ...capture, reason: 'a test' }, kim);
  expect((await api.post(`${path}/approve`, {}, lee)).status).toBe(200);
  expect(await api.rows('/dismissals?merchant=M2')).toMatchObject([{ providerTid: 'B0', reason: 'contract_missing' }]);
  expect((await api.post(`${path}/approve`, {}, lee)).body).toMatchObject({ code: 'not_found' });
  expect((await api.post('/dismissals/ksnet%3A2026-02-31%3AB1%3A0/approve', {}, lee)).status).toBe(400);
  const settled = await api.post('/dismissals', { provider: 'ksnet', providerTid: 'A0', reason: 'x' }, kim);
  expect(settled.body).toMatchObject({ code: 'not_found' });
});
