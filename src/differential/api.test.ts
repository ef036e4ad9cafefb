import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { Problem } from '../kernel/problem.ts';
import { differentialRoutes } from './batch-api.ts';
import { claimRoutes } from './claim-api.ts';
import { type PlantedClaim, plantAnswer, plantClaim, plantFile } from './claims.fixture.ts';
import { differentialReportRoutes } from './report-api.ts';

let database: TestDatabase;
let api: ServedApi;
let file: Awaited<ReturnType<typeof plantFile>>;
const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-differential-'));
const begun: string[] = [];
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  file = await plantFile(pool);
  const answerId = await plantAnswer(pool, file.fileId);
  const expired = await plantFile(pool, { provider: 'ksnet', on: '2026-11-19', state: 'expired' });
  const at = { fileId: file.fileId, batchId: file.batchId };
  const claims: readonly PlantedClaim[] = [
    { tid: 'T1', ...at, accepted: { won: 176n, answerId } },
    { tid: 'T1', seq: 1, ...at, amountWon: -10_000n, chargedWon: -220n, preferentialWon: -44n },
    { tid: 'T3', ...at, state: 'X', reason: 'welcome:10', merchantId: 'M2' },
    { tid: 'T4', ...at, state: 'R', reason: 'welcome:09', merchantId: 'M2' },
    { tid: 'T6', on: '2026-11-21', state: 'H', reason: 'card_type_unknown', cardType: null },
    { tid: 'K1', provider: 'ksnet', channel: 'ksnet', on: '2026-11-19', fileId: expired.fileId },
    { tid: 'N3', provider: 'nice', channel: 'nice' },
    ...Array.from({ length: 23 }, (_, n) => ({ tid: `P${String(n).padStart(2, '0')}`, on: '2026-11-18' })),
  ];
  for (const claim of claims) await plantClaim(pool, claim);
  await pool.query(`insert into differential_day values ($1, 'welcome-online', '2026-11-20')`, [file.batchId]);
  const begin = async ({ provider, on, who }: { provider: string; on: string; who: string }) => {
    if (provider === 'nice') throw new Problem('differential_not_configured', { provider, variable: 'X' });
    begun.push(`${provider} ${on} ${who}`);
    return { id: provider, result: () => Promise.reject(new Error('nobody waits')) };
  };
  const ports = { pool, home, now: () => Temporal.Instant.from('2026-11-24T12:00:00+09:00') };
  api = await serveApi(pool, [
    ...claimRoutes(ports),
    ...differentialReportRoutes(ports),
    ...differentialRoutes({
      ...ports,
      differential: { begin } as never,
      registrations: { begin } as never,
      durable: { restart: async () => {} },
      configured: ['ksnet', 'welcome'],
    }),
  ]);
});
afterAll(async () => {
  await api.close();
  await database.close();
  rmSync(home, { recursive: true, force: true });
});

const names = (rows: readonly { readonly [name: string]: unknown }[]) =>
  rows.map((row) => `${row['tradedOn']} ${row['channel']} ${row['providerTid']}/${row['cancelSeq']}`);

test('claims of many days and channels by pages are those of the list, in its order, forwards and backwards', async () => {
  const whole = names(await api.rows('/differential/claims?limit=1000'));
  expect(whole).toHaveLength(30);
  expect(whole).toEqual(whole.toSorted());
  expect(names(await api.rows('/differential/claims?limit=1'))).toEqual(whole);
  expect(names(await api.rows('/differential/claims?limit=4&sort=-tradedOn'))).toEqual(whole.toReversed());
  expect(whole.slice(-5)).toEqual([
    '2026-11-20 welcome-online T1/0',
    '2026-11-20 welcome-online T1/1',
    '2026-11-20 welcome-online T3/0',
    '2026-11-20 welcome-online T4/0',
    '2026-11-21 welcome-online T6/0',
  ]);
});

test('claims that are selected between two pages neither double nor hide the others', async () => {
  const before = names(await api.rows('/differential/claims?on=2026-11-18&limit=1000'));
  const rows = names(
    await api.rows('/differential/claims?to=2026-11-18&limit=5', async (pages) => {
      await plantClaim(database.pool, { tid: `P0${pages}x`, on: '2026-11-18' });
      await plantClaim(database.pool, { tid: `Q${pages}`, on: '2026-11-17' });
    }),
  );
  expect(new Set(rows).size).toBe(rows.length);
  expect(before.filter((each) => !rows.includes(each))).toEqual([]);
});

test.each([
  ['state=paid', ['T1/0']],
  ['state=rejected', ['T3/0']],
  ['reason=welcome:09', ['T4/0']],
  ['merchant=M2&limit=1', ['T3/0', 'T4/0']],
  ['provider=ksnet', ['K1/0']],
  ['provider=ksnet,nice&limit=1', ['K1/0', 'N3/0']],
  ['on=2026-11-21', ['T6/0']],
  ['tier=3', []],
  ['from=2026-11-22', []],
])('claims by %s', async (query, expected) => {
  const rows = await api.rows(`/differential/claims?${query}`);
  expect(rows.map((row) => `${row['providerTid']}/${row['cancelSeq']}`)).toEqual(expected);
});

test('claims of a batch by its number, run or file; a sum as exact as the rows', async () => {
  const rows = await api.rows(`/differential/claims?batch=${file.batchId}&limit=2`);
  expect(rows).toHaveLength(4);
  const { body } = await api.get(`/differential/claims/sum?batch=${file.batchId}`);
  const total = (name: string) => rows.reduce((sum, row) => sum + Number(row[name] ?? 0), 0);
  expect(body).toEqual({ count: 4, differenceWon: total('differenceWon'), acceptedWon: total('acceptedWon') });
  expect((await api.get('/differential/claims?batch=none')).body).toMatchObject({ status: 404, code: 'not_found' });
  const batch = (await api.get(`/differential/batches/${file.batchId}`)).body;
  expect(batch).toMatchObject({ batchId: Number(file.batchId), provider: 'welcome', files: [{ state: 'answered' }] });
  expect((await api.get('/differential/batches/none')).body).toMatchObject({ code: 'not_found' });
  const listed = await api.rows('/differential/batches?provider=welcome&limit=1');
  expect(listed.map((row) => row['batchId'])).toContain(Number(file.batchId));
});

test('a transaction’s claims with their whole way', async () => {
  const { body } = await api.get('/differential/claims/T1');
  expect(body['claims']).toMatchObject([
    { cancelSeq: 0, status: 'paid', acceptedWon: 176, amountWon: 10_000, chargedWon: 220 },
    { cancelSeq: 1, amountWon: -10_000 },
  ]);
  expect((await api.get('/differential/claims/T404')).body).toMatchObject({ code: 'not_found' });
});

test('a resend is refused with its reason, of one claim, and told one by one of many', async () => {
  const one = await api.post('/differential/claims/resend', { claim: { providerTid: 'T3' }, reason: 'asked' });
  expect(one.body).toMatchObject({ status: 409, code: 'resend_state' });
  const none = await api.post('/differential/claims/resend', { claim: { providerTid: 'T404' }, reason: 'asked' });
  expect(none.body).toMatchObject({ code: 'not_found' });
  const many = await api.post('/differential/claims/resend', { provider: 'welcome', code: '09', reason: 'registered' });
  expect(many).toMatchObject({ status: 200, body: { claims: [{ providerTid: 'T4', reason: 'welcome:09' }] } });
  expect(Number(many.body['queued']) + Number(many.body['refused'])).toBe(1);
  for (const body of [{ reason: 'x' }, { code: '09', reason: 'x' }, { provider: 'welcome', code: '09' }]) {
    expect((await api.post('/differential/claims/resend', body)).body).toMatchObject({ code: 'request_invalid' });
  }
});

test('breaks by pages, and one resolved once with what was found', async () => {
  await database.pool.query(
    `insert into claim_break (provider, kind, subject, ours_won, theirs_won, detail)
     select 'welcome', 'unknown_claim', 'S' || n, null, 100 + n, '{}' from generate_series(1, 7) n`,
  );
  const rows = await api.rows('/differential/breaks?kind=unknown_claim&limit=3');
  expect(rows.map((row) => row['theirsWon'])).toEqual([107, 106, 105, 104, 103, 102, 101]);
  const path = `/differential/breaks/${rows[0]?.['id']}/resolve`;
  const closed = await api.post(path, { reason: 'theirs' }, { who: 'lee@pg.example' });
  expect(closed.body).toMatchObject({ closedBy: 'lee@pg.example', resolution: 'theirs' });
  expect((await api.post(path, { reason: 'again' })).body).toMatchObject({ code: 'break_closed' });
  expect(await api.rows('/differential/breaks?kind=unknown_claim')).toHaveLength(6);
  expect(await api.rows('/differential/breaks?kind=unknown_claim&closed=true')).toHaveLength(7);
});

test('a day is begun for each provider that has an address, and one without harms only itself', async () => {
  const asked = await api.post('/differential/batches', { on: '2026-11-20' }, { who: 'lee@pg.example' });
  expect(asked).toMatchObject({
    status: 202,
    body: { runs: [{ run: 'differential:ksnet:2026-11-20' }, { problem: null }] },
  });
  const both = await api.post('/differential/registrations', { providers: ['nice', 'welcome'] });
  expect(both.body['runs']).toMatchObject([
    { provider: 'welcome', on: '2026-11-24', run: 'registration:welcome:2026-11-24', problem: null },
    { provider: 'nice', problem: { code: 'differential_not_configured' } },
  ]);
  const none = await api.post('/differential/batches', { providers: ['nice'] });
  expect(none.body).toMatchObject({ code: 'differential_not_configured' });
  expect(begun.slice(0, 2)).toEqual(['ksnet 2026-11-20 lee@pg.example', 'welcome 2026-11-20 lee@pg.example']);
});

test('what a person knows of a failed file lets its run go on; of one that did not fail nobody knows better', async () => {
  const failed = await plantFile(database.pool, { provider: 'welcome', on: '2026-11-16', state: 'failed' });
  const { rows } = await database.pool.query<{ name: string }>(
    'select file_name as name from claim_file where file_id = any ($1) order by file_id = $2 desc',
    [[failed.fileId, file.fileId], failed.fileId],
  );
  const [bad, good] = rows.map(({ name }) => `/differential/files/${encodeURIComponent(name)}/decide`);
  const decided = await api.post(String(bad), { decision: 'again', reason: 'they said so' });
  expect(decided).toMatchObject({ status: 202, body: { state: 'written' } });
  const fine = await api.post(String(good), { decision: 'again', reason: 'x' });
  expect(fine.body).toMatchObject({ code: 'claim_file_not_failed' });
  expect((await api.post('/differential/files/none/decide', { decision: 'sent', reason: 'x' })).status).toBe(404);
});

test('a month summed up, and its report as page and sheets', async () => {
  const { body } = await api.get('/differential/report?month=2026-11');
  expect(body).toMatchObject({ from: '2026-11-01', to: '2026-11-30', paid: { claims: 1, won: 176 } });
  for (const [format, begins] of [
    ['html', '<!doctype html>'],
    ['csv', '\ufeff'],
    ['xlsx', 'PK'],
  ] as const) {
    const { status, bytes, headers } = await api.file(`/differential/report/${format}?month=2026-11`);
    expect([format, status, bytes.toString().toLowerCase().startsWith(begins.toLowerCase())]).toEqual([
      format,
      200,
      true,
    ]);
    expect(headers.get('content-disposition')).toContain(`differential-2026-11-01-2026-11-30.${format}`);
  }
  expect((await api.get('/differential/report?from=2026-12-01&to=2026-11-01')).body).toMatchObject({ code: 'usage' });
  expect((await api.get('/differential/report?month=2026-13')).status).toBe(400);
});

test('what other facts would have claimed, and what is owed retroactively', async () => {
  const asked = {
    from: '2026-11-01',
    to: '2026-11-30',
    rates: [{ validFrom: '2026-01-01', tier: 0, cardType: 'credit', rate: '0.3%' }],
  };
  expect((await api.post('/differential/what-if', asked)).body).toMatchObject({ total: { claims: 0, changeWon: 0 } });
  const twice = { ...asked, rates: [...asked.rates, ...asked.rates] };
  expect((await api.post('/differential/what-if', twice)).body).toMatchObject({ code: 'what_if_file_refused' });
  expect((await api.post('/differential/what-if', { from: asked.from, to: asked.to })).body).toMatchObject({
    code: 'usage',
  });
  const wrong = { ...asked, rates: [{ ...asked.rates[0], rate: '3' }] };
  expect((await api.post('/differential/what-if', wrong)).body).toMatchObject({ code: 'request_invalid' });
  const owed = await api.post('/differential/retroactive-refunds', { half: '2026H1' });
  expect(owed).toMatchObject({ status: 201, body: { state: 'nothing', refundId: null, lines: [] } });
  const unknown = await api.post('/differential/retroactive-refunds', { half: '2031H1' });
  expect(unknown.body).toMatchObject({ code: 'retroactive_half_unknown' });
  expect((await api.post('/differential/retroactive-refunds/404/approve', {})).body).toMatchObject({
    code: 'not_found',
  });
  expect((await api.post('/differential/retroactive-refunds/1/approve', {}, { may: ['propose'] })).status).toBe(403);
});

test('what was booked for merchants, by day and by pages', async () => {
  await database.pool.query(
    `insert into claim_refund (event, provider, merchant_id, claims, refund_won, clawback_won, offset_won, carried_won,
                               held_won, wallet_won, booked_on)
     select 'differential:9:M' || n, 'welcome', 'M' || n, 2, 100 + n, -40, 10, 0, 0, 50 + n, date '2026-11-10' + n / 4
       from generate_series(1, 9) n`,
  );
  const rows = await api.rows('/differential/refunds?limit=2');
  expect(rows.map((row) => row['merchantId'])).toEqual(Array.from({ length: 9 }, (_, n) => `M${9 - n}`));
  for (const row of rows) {
    const [refund, clawback, offset, wallet] = ['refundWon', 'clawbackWon', 'offsetWon', 'walletWon'].map((name) =>
      Number(row[name]),
    );
    expect(Number(refund) + Number(clawback)).toBe(Number(wallet) + Number(offset));
  }
  expect(await api.rows('/differential/refunds?on=2026-11-10&provider=welcome')).toHaveLength(3);
  expect(await api.rows('/differential/refunds?merchant=M7')).toMatchObject([
    { bookedOn: '2026-11-11', walletWon: 57 },
  ]);
});

test('whether all agrees is computed again, and told with what does not', async () => {
  const { body } = await api.get('/differential/verification');
  // The planted acceptance was never booked.
  expect(body).toMatchObject({ clean: false, accepted: 1 });
  expect(body['named']).toContainEqual(expect.objectContaining({ check: 'receivable', expectedWon: '176' }));
});
