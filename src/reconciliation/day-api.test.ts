import { createHash } from 'node:crypto';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { bringWorld, createInstallation, type Installation } from '../../test/support/installation.ts';
import { type App, archiveFolder } from '../app.ts';
import { openArchive } from '../platform/archive.ts';
import { dayRoutes } from './day-api.ts';
import { depositRoutes } from './deposit-api.ts';
import { paymentStandingRoutes } from './payment-api.ts';
import { reportRoutes } from './report-api.ts';
import { statementRoutes } from './statement-api.ts';

let installation: Installation;
let app: App;
let api: ServedApi;
let on: string;
let run: string;
beforeAll(async () => {
  installation = await createInstallation();
  const from = Temporal.PlainDate.from('2026-11-16');
  const world = await bringWorld(installation, { seed: 'api', days: 2, payments: 400, breaks: 0.02, from });
  on = world.days[0] as string;
  app = await installation.open(
    Object.fromEntries(
      ['ksnet', 'welcome-online', 'welcome-offline'].map((id) => [
        id,
        { kind: 'folder', folder: path.join(installation.home, 'inbox', id) } as const,
      ]),
    ),
  );
  const { pool, config, reconciliation } = app;
  const now = () => Temporal.Now.instant();
  api = await serveApi(pool, [
    ...dayRoutes({ pool, reconciliation, now }),
    ...statementRoutes({ pool, archive: openArchive(archiveFolder(config)) }),
    ...reportRoutes({ pool, home: config.home }),
    ...depositRoutes({ pool }),
    ...paymentStandingRoutes({ pool }),
  ]);
  const asked = await api.post('/reconciliations', { on }, { who: 'lee@pg.example' });
  expect(asked).toMatchObject({ status: 202, body: { on, joined: false, run: `reconcile:${on}:1` } });
  run = String(asked.body['run']);
  await app.durable.handle(run).result();
}, 120_000);
afterAll(async () => {
  await api.close();
  await app.close();
  await installation.close();
});

test('a day that was begun over the API stands with its stages and an equation whose residual is 0', async () => {
  const { body } = await api.get(`/reconciliation-days/${on}`);
  expect(body['on']).toBe(on);
  const equations = body['equations'] as unknown as { transactions: Record<string, number> | null }[];
  const known = equations.flatMap(({ transactions }) => (transactions === null ? [] : [transactions]));
  expect(known.length).toBeGreaterThan(0);
  for (const { statedWon, capturedWon, notCapturedWon, breaksWon, timingWon, residualWon } of known as never as Record<
    string,
    number
  >[]) {
    expect(residualWon).toBe(0);
    expect(statedWon).toBe((capturedWon ?? 0) + (notCapturedWon ?? 0) + (breaksWon ?? 0) + (timingWon ?? 0));
  }
  expect(await api.rows('/reconciliation-days?limit=1')).toMatchObject([
    { on, run, attempts: 1, startedBy: 'lee@pg.example', outcome: body['outcome'] },
  ]);
  const korean = await api.get('/reconciliation-days/2020-01-01?provider=ksnet', {
    headers: { 'accept-language': 'ko' },
  });
  expect(korean.body).toMatchObject({ outcome: 'incomplete' });
  expect(String(korean.body['reasons']?.[0])).toMatch(/\p{Script=Hangul}/u);
});

test.each([[{ on: '2026-02-30' }], [{ providers: ['nobody'] }], [{ stages: [] }], [{ on: '2026-11-16', who: 'else' }]])(
  '%j begins nothing',
  async (body) => {
    expect((await api.post('/reconciliations', body)).body).toMatchObject({ code: 'request_invalid' });
  },
);

test('whoever may only read begins nothing', async () => {
  expect((await api.post('/reconciliations', { on }, { may: ['read', 'act'] })).status).toBe(403);
});

test('every original comes back byte by byte, under its own hash', async () => {
  const listed = await api.rows(`/statements?on=${on}&limit=2`);
  expect(listed.length).toBeGreaterThan(2);
  expect(new Set(listed.map((row) => row['id'])).size).toBe(listed.length);
  for (const row of listed) {
    const { status, bytes, headers } = await api.file(`/statements/${row['id']}/original`);
    expect([status, bytes.length]).toEqual([200, row['bytes']]);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(row['sha256']);
    expect(headers.get('content-disposition')).toContain(String(row['fileName']));
  }
  expect((await api.get(`/statements/${listed[0]?.['id']}`)).body).toEqual(listed[0]);
  expect((await api.get('/statements/999999')).body).toMatchObject({ code: 'not_found' });
  expect((await api.file('/statements/999999/original')).status).toBe(404);
});

test('a file that a person brings is the next version of its name, and the same bytes are none', async () => {
  const [known] = await api.rows(`/statements?provider=welcome-online&stage=transaction&on=${on}`);
  const name = String(known?.['fileName']);
  const query = new URLSearchParams({
    provider: 'welcome-online',
    stage: 'transaction',
    on,
    fileName: name,
    reason: 'by mail',
  });
  const original = await api.file(`/statements/${known?.['id']}/original`);
  const same = await api.upload(`/statements?${query}`, new Uint8Array(original.bytes), 'application/octet-stream');
  expect(same.body).toMatchObject({ id: known?.['id'], isNew: false, fileName: name });
  const other = Buffer.concat([original.bytes, Buffer.from('more')]);
  const added = await api.upload(`/statements?${query}`, new Uint8Array(other), 'application/octet-stream', {
    who: 'park@pg.example',
  });
  expect(added.body).toMatchObject({ isNew: true, version: 2, fileName: name });
  expect((await api.get(`/statements/${added.body['id']}`)).body).toMatchObject({
    ...{ receivedBy: 'park@pg.example', reason: 'by mail', source: 'hand', state: 'archived', bytes: other.length },
  });
  query.delete('reason');
  expect((await api.upload(`/statements?${query}`, 'x', 'text/plain')).body).toMatchObject({ code: 'request_invalid' });
  const wrong = new URLSearchParams({
    provider: 'ksnet',
    stage: 'transaction',
    on,
    fileName: '../../etc/passwd',
    reason: 'x',
  });
  expect((await api.upload(`/statements?${wrong}`, 'x', 'text/plain')).body).toMatchObject({
    code: 'statement_file_name',
  });
});

test('the report of a run as a page and as sheets, made again where it is gone', async () => {
  expect((await api.get(`/reports?on=${on}`)).body).toMatchObject({ run, on });
  const path = `/reports/${encodeURIComponent(run)}`;
  const page = await api.file(`${path}/html`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.bytes.toString()).toContain(on);
  const csv = await api.file(`${path}/csv?fresh=true`);
  expect(csv.bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
  const xlsx = await api.file(`${path}/xlsx`);
  expect(Object.keys(unzipSync(new Uint8Array(xlsx.bytes)))).toContain('xl/workbook.xml');
  expect((await api.file(`${path}/pdf`)).status).toBe(400);
  expect((await api.file('/reports/none/html')).status).toBe(404);
  expect((await api.get('/reports?on=2020-01-01')).body).toMatchObject({ code: 'not_found' });
});

test('what every stage says of a payment, and what was paid in', async () => {
  const { rows } = await app.pool.query<{ tid: string }>('select provider_tid as tid from payment order by 1 limit 1');
  const { body } = await api.get(`/payments/${encodeURIComponent(rows[0]?.tid ?? '')}`);
  expect(body['payments']?.[0]).toMatchObject({ providerTid: rows[0]?.tid, cancelSeq: 0 });
  expect((await api.get('/payments/none')).body).toMatchObject({ code: 'not_found' });
  const csv = [
    'provider,depositedOn,bankRef,amountWon',
    'ksnet,2031-01-02,B1,48900',
    'ksnet,2031-01-02,B2,-100',
    '',
  ].join('\n');
  expect((await api.upload('/deposits/imports', csv, 'text/csv')).body).toMatchObject({ added: 2 });
  const deposits = await api.rows('/deposits?on=2031-01-02&limit=1');
  expect(deposits.map((row) => row['amountWon'])).toEqual([-100, 48_900]);
  const checks = await api.rows('/deposit-checks?limit=1');
  for (const row of checks) expect(row['differenceWon']).toBe(Number(row['depositedWon']) - Number(row['expectedWon']));
});
