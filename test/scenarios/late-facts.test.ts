import { appendFile, mkdir, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { openArchive } from '../../src/platform/archive.ts';
import { inTransaction } from '../../src/platform/database/pool.ts';
import { parseSource, type SourceAddress } from '../../src/platform/source-address.ts';
import type { StatementRow } from '../../src/providers/layout/layout.ts';
import { providerOf } from '../../src/providers/registry.ts';
import { daySummary } from '../../src/reconciliation/day-summary.ts';
import type { DaySummary } from '../../src/reconciliation/outcome.ts';
import { createStatementPort } from '../../src/reconciliation/statement-port.ts';
import { writeStatementFile } from '../../src/sandbox/statement-file.ts';
import { breaksAsJson, createInstallation, type Installation, reconcileDay } from '../support/installation.ts';
import { lockWaits } from '../support/lock-waits.ts';
import { approval, paymentsCsv } from '../support/payment-lines.ts';
import { row } from '../support/sample-statement.ts';

const [d1, d2] = ['2026-11-18', '2026-11-19'] as const;
type Trade = { readonly tid: string; readonly mid?: string; readonly time?: string };

let installation: Installation;
let app: App;

beforeEach(async () => {
  installation = await createInstallation();
  app = await installation.open();
});
afterEach(async () => {
  await app.close();
  await installation.close();
});

async function payments(provider: string, on: string, trades: readonly Trade[]): Promise<void> {
  const lines = trades.map(({ tid, mid = 'A', time = '12:00:00' }) =>
    approval({ provider, providerTid: tid, mid, orderNo: tid, approvalNo: tid, tradedAt: `${on}T${time}+09:00` }),
  );
  const source = { name: 'payments.csv', bytes: Readable.from([Buffer.from(paymentsCsv(lines))]) };
  const { added } = await importPayments(app.pool, source, { who: 'test', providers: [provider] });
  expect(added).toBe(trades.length);
}

/** The file of a day as the provider delivers it; returns where it lies. */
async function statement(provider: string, on: string, trades: readonly Trade[], mid?: string): Promise<string> {
  const spec = providerOf(provider).statements.transaction;
  if (spec === undefined) throw new Error(`no transactions of ${provider}`);
  const day = on.replaceAll('-', '');
  const file = path.join(
    installation.home,
    'inbox',
    provider,
    spec.fileName.replace('{day}', day).replace('{mid}', mid ?? ''),
  );
  const rows = trades.map(
    ({ tid, mid: own = 'A', time = '12:00:00' }): StatementRow<'transaction'> =>
      row({
        providerTid: tid,
        mid: own,
        orderNo: tid,
        approvalNo: tid,
        tradedOn: on,
        tradedTime: time,
        amountWon: 50_000n,
      }),
  );
  await mkdir(path.dirname(file), { recursive: true });
  const head = { on: Temporal.PlainDate.from(on), ...(mid === undefined ? {} : { mid }) };
  await writeStatementFile(file, spec, head, () => rows);
  return file;
}

const reconcile = (provider: string, on: string) =>
  reconcileDay(app, on, { providers: [provider], stages: ['transaction'] });

function standing(provider: string, on: string): Promise<DaySummary> {
  return daySummary(app.pool, Temporal.PlainDate.from(on), [{ id: provider, stages: ['transaction'] }], 'en');
}

test('payments of a MID that came after their day was reconciled wait for its file, and the day is not complete', async () => {
  await payments('ksnet', d1, [{ tid: 'T1' }]);
  await statement('ksnet', d1, [{ tid: 'T1' }], 'A');
  expect((await reconcile('ksnet', d1)).outcome).toBe('complete');
  await payments('ksnet', d1, [{ tid: 'T2', mid: 'B' }]);
  expect(await standing('ksnet', d1)).toMatchObject({ outcome: 'incomplete' });
  await payments('ksnet', d2, [{ tid: 'T3' }]);
  await statement('ksnet', d2, [{ tid: 'T3' }], 'A');
  expect((await reconcile('ksnet', d2)).outcome).toBe('complete');
  expect((await standing('ksnet', d1)).reasons).toEqual(['ksnet transaction: no file KSNET_TRX_B_20261118.csv']);
  await statement('ksnet', d1, [{ tid: 'T2', mid: 'B' }], 'B');
  expect((await reconcile('ksnet', d2)).outcome).toBe('complete');
  expect((await standing('ksnet', d1)).reasons).toEqual([]);
  expect(await breaksAsJson(app)).toEqual([]);
});

test('a day whose provider could not be reached is made up for by the run of a later day', async () => {
  await app.close();
  const nobody = parseSource(`sftp://someone:secret@127.0.0.1:1/out?hostKey=SHA256:${'A'.repeat(43)}`) as SourceAddress;
  app = await installation.open({ 'welcome-online': nobody });
  for (const [on, tid] of [
    [d1, 'T1'],
    [d2, 'T2'],
  ] as const) {
    await payments('welcome-online', on, [{ tid }]);
    await statement('welcome-online', on, [{ tid }]);
  }
  expect((await reconcile('welcome-online', d1)).reasons).toEqual([expect.stringContaining('ECONNREFUSED')]);
  await app.close();
  app = await installation.open();
  expect((await reconcile('welcome-online', d2)).outcome).toBe('complete');
  expect((await standing('welcome-online', d1)).reasons).toEqual([]);
});

test('a day whose file was refused takes its correction with the run of a later day', async () => {
  await payments('welcome-online', d1, [{ tid: 'T1' }]);
  const file = await statement('welcome-online', d1, [{ tid: 'T1' }]);
  await appendFile(file, 'and more');
  await utimes(file, new Date(0), new Date(0));
  expect((await reconcile('welcome-online', d1)).reasons).toEqual([expect.stringContaining('was refused')]);
  await rm(file);
  await statement('welcome-online', d1, [{ tid: 'T1' }]);
  await statement('welcome-online', d2, []);
  expect((await reconcile('welcome-online', d2)).outcome).toBe('complete');
  expect((await standing('welcome-online', d1)).reasons).toEqual([]);
});

function statementPort() {
  const { home, config } = installation;
  const archive = openArchive(path.join(home, 'archive'));
  return createStatementPort({ pool: app.pool, archive, sources: config.sources, who: 'test' });
}

/** What a run does up to matching, where it dies. */
async function loadOnly(provider: string, on: string): Promise<void> {
  const port = statementPort();
  const { statements } = await port.collect(providerOf(provider), 'transaction', Temporal.PlainDate.from(on));
  expect(statements).toHaveLength(1);
  const loaded = await port.load(statements[0] as number, () => undefined);
  await inTransaction(app.pool, (tx) => port.finish(tx, loaded));
}

test('a correction whose run died before matching is matched by the next, and so is the day that it takes a line from', async () => {
  const late = { tid: 'T1', time: '00:00:03' };
  await payments('welcome-online', d1, [{ tid: 'T0' }]);
  await payments('welcome-online', d2, [late, { tid: 'T2' }]);
  await statement('welcome-online', d1, [{ tid: 'T0' }, { ...late, time: '23:59:59' }]);
  await statement('welcome-online', d2, [{ tid: 'T2' }]);
  for (const on of [d1, d2]) expect((await reconcile('welcome-online', on)).outcome).toBe('complete');
  expect(await breaksAsJson(app)).toEqual([]);

  await statement('welcome-online', d1, [{ tid: 'T0' }]);
  await loadOnly('welcome-online', d1);
  expect((await standing('welcome-online', d1)).reasons).toEqual([
    'welcome-online transaction: records or lines have come in since it was reconciled',
  ]);
  const after = await reconcile('welcome-online', d2);
  expect((await breaksAsJson(app)).map(({ kind, on, providerTid }) => [kind, on, providerTid])).toEqual([
    ['missing_at_provider', d2, 'T1'],
  ]);
  expect(after.reasons).toEqual([]);
  expect(after.equations[0]?.transactions).toMatchObject({ breaksWon: -50_000n, residualWon: 0n });
});

test('a first statement whose run died before matching is matched by the run of a later day', async () => {
  await payments('welcome-online', d1, [{ tid: 'T1' }]);
  await statement('welcome-online', d1, []);
  await loadOnly('welcome-online', d1);
  await statement('welcome-online', d2, []);
  expect((await reconcile('welcome-online', d2)).outcome).toBe('complete');
  expect((await breaksAsJson(app)).map(({ kind, on, providerTid }) => [kind, on, providerTid])).toEqual([
    ['missing_at_provider', d1, 'T1'],
  ]);
  expect((await standing('welcome-online', d1)).reasons).toEqual([]);
});

test('the file of a MID that another run loads while one waits to match is matched with its records', async () => {
  await payments('ksnet', d1, [{ tid: 'T1' }, { tid: 'T2', mid: 'B' }]);
  await statement('ksnet', d1, [{ tid: 'T1' }], 'A');
  const gate = await app.pool.connect();
  await gate.query(`select pg_advisory_lock(hashtextextended('match ksnet transaction', 0))`);
  const running = reconcile('ksnet', d1);
  await lockWaits(app.pool, 1);
  await statement('ksnet', d1, [{ tid: 'T2', mid: 'B' }], 'B');
  await loadOnly('ksnet', d1);
  await gate.query('select pg_advisory_unlock_all()');
  gate.release();
  expect(await running).toMatchObject({ outcome: 'complete' });
  const { rows } = await app.pool.query('select kind from break');
  expect(rows).toEqual([]);
});

test('of two runs that load the same statement at once, neither fails', async () => {
  await payments('welcome-online', d1, [{ tid: 'T1' }]);
  await statement('welcome-online', d1, [{ tid: 'T1' }]);
  const port = statementPort();
  await port.collect(providerOf('welcome-online'), 'transaction', Temporal.PlainDate.from(d1));
  // Both have loaded it, the second after removing what the first had, before either may say that it counts.
  const gate = await app.pool.connect();
  await gate.query('begin; select from statement for no key update');
  const first = reconcile('welcome-online', d1);
  await lockWaits(app.pool, 1);
  const second = reconcileDay(app, d1, { providers: ['welcome-online'], stages: ['transaction', 'settlement'] });
  await lockWaits(app.pool, 2);
  await gate.query('commit');
  gate.release();
  await Promise.all([first, second]);
  expect((await standing('welcome-online', d1)).reasons).toEqual([]);
  const { rows } = await app.pool.query(
    `select g.outcome, g.detail ->> 'error' as error from reconciliation_run_stage g where stage = 'transaction' order by 1`,
  );
  expect(rows).toEqual([
    { outcome: 'reconciled', error: null },
    { outcome: 'unchanged', error: null },
  ]);
  const { rows: kept } = await app.pool.query(
    `select (select count(*)::int from transaction_line) as lines, (select count(*)::int from statement_load) as loads`,
  );
  expect(kept).toEqual([{ lines: 1, loads: 1 }]);
});
