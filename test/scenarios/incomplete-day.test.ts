import { appendFile, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { showRun } from '../../src/platform/durable/runs.ts';
import { parseSource, type SourceAddress } from '../../src/platform/source-address.ts';
import { stages } from '../../src/providers/stage.ts';
import { daySummary } from '../../src/reconciliation/day-summary.ts';
import { expectedOf } from '../../src/reconciliation/workflow.ts';
import {
  allProviders,
  breaksAsJson,
  bringWorld,
  createInstallation,
  type Installation,
  reconcileDay,
} from '../support/installation.ts';
import { type ScoredBreak, score } from '../support/score.ts';

const from = Temporal.PlainDate.from('2026-11-18');
const wholeDay = expectedOf({ providers: allProviders, stages });
const [d1, d2] = ['2026-11-18', '2026-11-19'];

let installation: Installation;
let app: App;
let truth: ScoredBreak[];

beforeEach(async () => {
  installation = await createInstallation();
  truth = (await bringWorld(installation, { seed: 'incomplete', days: 2, payments: 1000, breaks: 1, from })).truth;
  app = await installation.open();
});
afterEach(async () => {
  await app.close();
  await installation.close();
});

const inbox = (...parts: string[]) => path.join(installation.home, 'inbox', ...parts);
const stageOf = (day: Awaited<ReturnType<typeof reconcileDay>>, provider: string, stage: string) =>
  day.stages.find((each) => each.provider === provider && each.stage === stage);

async function agesAgo(file: string): Promise<void> {
  const then = new Date(Date.now() - 7_200_000);
  await utimes(file, then, then);
}

test('a missing file harms only itself, is named, and is taken up by the run of a later day', async () => {
  const file = inbox('welcome-online', 'WP_ON_TRX_20261118.dat');
  await rename(file, `${file}.away`);
  const first = await reconcileDay(app, d1);
  expect(first.outcome).toBe('incomplete');
  expect(first.reasons).toEqual(['welcome-online transaction: no file WP_ON_TRX_20261118.dat']);
  expect(stageOf(first, 'welcome-online', 'transaction')).toMatchObject({ state: 'missing', breaks: {} });
  for (const [provider, stage] of [
    ['ksnet', 'transaction'],
    ['welcome-offline', 'transaction'],
    ['welcome-online', 'settlement'],
  ]) {
    expect(stageOf(first, provider as string, stage as string)).toMatchObject({ state: 'reconciled' });
  }
  await rename(`${file}.away`, file);
  expect((await reconcileDay(app, d2)).outcome).toBe('complete');
  expect(await daySummary(app.pool, Temporal.PlainDate.from(d1), wholeDay, 'en')).toMatchObject({
    outcome: 'complete',
  });
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ invented: [], missed: [] });
  expect((await reconcileDay(app, d1)).outcome).toBe('complete');
});

test('the file of one MID missing: the others are reconciled, its payments are no breaks yet', async () => {
  const names = await readdir(inbox('ksnet'));
  const name = names.find((each) => /^KSNET_TRX_.*_20261118\.csv$/.test(each)) as string;
  await rename(inbox('ksnet', name), inbox('ksnet', `${name}.away`));
  const first = await reconcileDay(app, d1);
  expect(first.reasons).toEqual([`ksnet transaction: no file ${name}`]);
  const mid = /TRX_(.*)_/.exec(name)?.[1];
  const { rows } = await app.pool.query(
    `select 1 from break where business_on = $1 and provider = 'ksnet' and stage = 'transaction' and ours ->> 'mid' = $2`,
    [d1, mid],
  );
  expect(rows).toEqual([]);
  await rename(inbox('ksnet', `${name}.away`), inbox('ksnet', name));
  await reconcileDay(app, d1);
  expect((await reconcileDay(app, d2)).outcome).toBe('complete');
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ invented: [], missed: [] });
});

test('a damaged file is refused with its place named; the corrected bytes supersede it', async () => {
  const file = inbox('welcome-offline', 'WP_OFF_TRX_20261118.dat');
  const good = await readFile(file);
  await writeFile(file, good.subarray(0, good.length - 300));
  await agesAgo(file);
  const first = await reconcileDay(app, d1);
  expect(first.outcome).toBe('incomplete');
  expect(first.reasons).toHaveLength(1);
  expect(first.reasons[0]).toMatch(/welcome-offline transaction: WP_OFF_TRX_20261118.dat was refused: .*line/);
  expect(stageOf(first, 'welcome-offline', 'transaction')?.state).toBe('refused');
  const { rows } = await app.pool.query(
    `select count(*) as lines from transaction_line where provider = 'welcome-offline'`,
  );
  expect(rows[0]?.lines).toBe(0n);

  await writeFile(file, good);
  expect((await reconcileDay(app, d1)).reasons).toEqual([
    'welcome-offline transaction: WP_OFF_TRX_20261118.dat is still being written',
    ...first.reasons,
  ]);
  await agesAgo(file);
  await reconcileDay(app, d1);
  expect((await reconcileDay(app, d2)).outcome).toBe('complete');
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ invented: [], missed: [] });
});

test('a provider that cannot be reached fails its stage alone, and the run restarts there', async () => {
  await app.close();
  const nobody = parseSource(`sftp://someone:secret@127.0.0.1:1/out?hostKey=SHA256:${'A'.repeat(43)}`) as SourceAddress;
  app = await installation.open({ 'welcome-online': nobody });
  const failed = await reconcileDay(app, d1);
  expect(failed.outcome).toBe('incomplete');
  expect(failed.reasons).toContainEqual(expect.stringMatching(/^welcome-online transaction: failed: .*ECONNREFUSED/));
  expect(stageOf(failed, 'welcome-online', 'transaction')?.state).toBe('failed');
  expect(stageOf(failed, 'ksnet', 'settlement')?.state).toBe('reconciled');

  await app.close();
  app = await installation.open();
  await app.restart(failed.runId);
  const run = await showRun(app.pool, failed.runId);
  expect(run.children.map(({ state }) => state)).toEqual(run.children.map(() => 'done'));
  expect((await reconcileDay(app, d2)).outcome).toBe('complete');
  expect(score(await breaksAsJson(app), truth)).toMatchObject({ invented: [], missed: [] });
});

test('running again changes nothing: no break, no event, no pairing, no line', async () => {
  for (const on of [d1, d2]) await reconcileDay(app, on);
  const counts = async () => {
    const tables = ['break', 'break_event', 'pairing', 'open_item', 'statement', 'statement_load', 'transaction_line'];
    const sums = tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ');
    return (await app.pool.query(`select ${sums}, (select max(event_id) from break_event) as newest`)).rows[0];
  };
  const before = await counts();
  for (const on of [d2, d1]) await reconcileDay(app, on);
  expect(await counts()).toEqual(before);
  await appendFile(inbox('ksnet', 'README.txt'), 'not a statement');
  await reconcileDay(app, d1);
  expect(await counts()).toEqual(before);
});

test('what stays unresolved for more than three business days is escalated once, deposits too', async () => {
  for (const on of [d1, d2]) await reconcileDay(app, on);
  const ask = async (sql: string) => (await app.pool.query({ text: sql, rowMode: 'array' })).rows.flat();
  const waiting = () =>
    ask(`select distinct stage from break where state <> 'resolved' and business_on <= '${d2}' and escalated_at is null
         order by stage`);
  const told = () => ask(`select break_id from break_event where action = 'escalated' order by event_id`);
  expect(await waiting()).toEqual(['capture', 'deposit', 'settlement', 'transaction']);
  await reconcileDay(app, '2026-11-27');
  expect(await waiting()).toEqual([]);
  const once = await told();
  await reconcileDay(app, '2026-11-27');
  expect(await told()).toEqual(once);
});
