import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { strFromU8, unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenBreak, givenStatement } from '../../test/support/breaks.ts';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem } from '../kernel/problem.ts';
import { migrateEngine } from '../platform/durable/engine-schema.ts';
import { reportCommands } from './report-commands.ts';
import { writeReport } from './report-files.ts';

let database: TestDatabase;
let home: string;
const runId = 'reconcile:2026-11-20:1';

beforeAll(async () => {
  database = await testDatabase();
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-report-'));
  const { pool, url } = database;
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  await migrateEngine(url, silent);
  await pool.query(
    `insert into reconciliation_run (run_id, business_on, attempt, providers, stages, started_by, started_at, finished_at)
     values ($1, '2026-11-20', 1, '{ksnet,welcome-online}', '{transaction,capture,settlement}', 'kim',
             '2026-11-20T23:00:00Z', '2026-11-20T23:00:09Z')`,
    [runId],
  );
  const loadId = await givenStatement(pool);
  await givenBreak(pool, { loadId, line: 9, tid: '=cmd|x', differenceWon: -1_234_567n });
  await givenBreak(pool, { kind: 'missing_here', tid: '<script>', differenceWon: 70_000n, assignedTo: 'lee' });
  await givenBreak(pool, { stage: 'deposit', kind: 'deposit_differs', tid: null, line: null, differenceWon: 5n });
  await givenBreak(pool, { tid: 'RESOLVED', state: 'resolved', differenceWon: 2n });
  await givenBreak(pool, { tid: 'GONE', gone: true });
  await givenBreak(pool, { tid: 'OTHERDAY', on: '2026-11-12' });
  await givenBreak(pool, { tid: 'NOTOFTHERUN', provider: 'welcome-offline' });
});
afterAll(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

const write = () => writeReport({ pool: database.pool, home, runId, language: 'en' });
const digest = async (folder: string, file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path.join(folder, file)))
    .digest('hex');

test('the page, the CSV and the XLSX of a run, whole, in its folder; again gives the same', async () => {
  const { folder } = await write();
  expect(folder).toBe(path.join(home, 'reports', '2026-11-20', 'reconcile-2026-11-20-1'));
  const files = ['breaks.csv', 'breaks.xlsx', 'report.html'];
  expect((await readdir(folder)).sort()).toEqual(files);
  const before = await Promise.all(files.map((file) => digest(folder, file)));
  expect((await write()).folder).toBe(folder);
  expect(await Promise.all(files.map((file) => digest(folder, file)))).toEqual(before);
  const { rows } = await database.pool.query('select report_path from reconciliation_run where run_id = $1', [runId]);
  expect(rows).toEqual([{ report_path: folder }]);
});

test('the CSV holds the differences of the day that exist, for Excel', async () => {
  const { folder } = await write();
  const csv = await readFile(path.join(folder, 'breaks.csv'), 'utf8');
  expect(csv.charCodeAt(0)).toBe(0xfeff);
  const rows = parse(csv, { bom: true, columns: true }) as Record<string, string>[];
  expect(rows.map((row) => [row['Provider TID'], row['Difference (won)'], row['Line']])).toEqual([
    ["'=cmd|x", '-1234567', '9'],
    ['<script>', '70000', '2'],
    ['', '5', ''],
    ['RESOLVED', '2', '2'],
  ]);
});

test('the XLSX holds the same rows, amounts as numbers, texts as texts', async () => {
  const { folder } = await write();
  const parts = unzipSync(await readFile(path.join(folder, 'breaks.xlsx')));
  const sheet = strFromU8(parts['xl/worksheets/sheet1.xml'] ?? new Uint8Array());
  expect(sheet.match(/<row /g)).toHaveLength(5);
  expect(sheet).toContain('<c r="I2" s="3"><v>-1234567</v></c>');
  expect(sheet).toContain('<c r="G2" s="0" t="inlineStr"><is><t xml:space="preserve">=cmd|x</t></is></c>');
  expect(sheet).toContain('&lt;script&gt;');
  expect(sheet).toContain('<autoFilter ref="A1:W5"/>');
});

test('the page is of the run: its largest differences, the age of everything, its reasons', async () => {
  const { folder } = await write();
  const page = await readFile(path.join(folder, 'report.html'), 'utf8');
  expect(page).toContain('INCOMPLETE');
  expect(page).toContain('ksnet transaction: not reconciled yet');
  expect(page).not.toContain('welcome-offline transaction:');
  expect(page).toContain('&lt;script&gt;');
  expect(page).not.toContain('<script');
  expect(page.indexOf('=cmd|x')).toBeLessThan(page.indexOf('title="&lt;script&gt;"'));
  // The break of the 12th is six business days old on the 21st, a Saturday.
  expect(page.replace(/<[^>]*>|\s+/g, ' ')).toMatch(/4–7 +KSNET 1 +1 +\+1,000 +1,000 /);
  expect(page).not.toContain('GONE');
});

test('a run that nobody knows', async () => {
  const request = { pool: database.pool, home, runId: 'reconcile:2026-11-20:9', language: 'en' } as const;
  const refused = await writeReport(request).catch((error: unknown) => error);
  expect(isProblem(refused, 'not_found')).toBe(true);
});

test('jeongsan report tells the folder and makes again what is not there', async () => {
  const { folder } = await write();
  const report = (...line: string[]) =>
    runCommand(database.pool, ['report', ...line], (program, context, output) =>
      reportCommands(program, context, { home, output }),
    );
  await rm(folder, { recursive: true });
  expect((await report('--on', '2026-11-20')).said).toBe(`${folder}\n`);
  expect(await readdir(folder)).toHaveLength(3);
  expect(JSON.parse((await report('--run', runId, '--json')).said)).toEqual({ run: runId, on: '2026-11-20', folder });
  expect((await report()).said).toBe(`${folder}\n`);
  for (const [line, code] of [
    [['--on', '2026-11-19'], 'not_found'],
    [['--run', 'reconcile:2020-01-01:1'], 'not_found'],
    [['--on', 'yesterday'], 'usage'],
    [['--on', '2026-11-20', '--run', runId], 'usage'],
  ] as const) {
    const refused = await report(...line).catch((error: unknown) => error);
    expect([line, isProblem(refused, code)]).toEqual([line, true]);
  }
});
