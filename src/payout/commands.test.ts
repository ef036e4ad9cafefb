import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { openCipher } from '../platform/cipher.ts';
import { bankCommands } from './bank-commands.ts';
import { payoutCommands } from './commands.ts';
import { makeMerchants, noon } from './payout.fixture.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  const cipher = await openCipher({ home: mkdtempSync(path.join(tmpdir(), 'jeongsan-payout-')) });
  await makeMerchants(database.pool, cipher, { count: 1, balanceWon: 1_000_000n });
});

afterAll(async () => {
  await database.close();
});

const run = (line: string, language: 'ko' | 'en' = 'en') =>
  runCommand(
    database.pool,
    line.split(' '),
    (program, context, output) => {
      payoutCommands(program, context, { bank: 'van', now: () => noon, output });
      bankCommands(program, context, { banks: ['van'], output });
    },
    { language },
  );
const said = async (line: string, language?: 'ko' | 'en') => (await run(line, language)).said;

test('a payout above the limit from request to approval, each command twice', async () => {
  await run('bank set van --approval-over 100000 --why test');
  const asked = 'payout request P00001 250,000 --key first --by kim';
  expect(await said(asked)).toBe('payout 1: P00001 250,000 won · awaiting approval\n');
  expect(await said(asked, 'ko')).toBe('지급 1: P00001 250,000원 · 승인 대기\n');
  await expect(run('payout approve 1 --by kim')).rejects.toMatchObject({ code: 'approval_four_eyes' });
  expect(await said('payout approve 1 --by lee --why checked')).toBe('payout 1: P00001 250,000 won · created\n');
  expect(await said('payout approve 1 --by lee')).toBe('payout 1: P00001 250,000 won · created\n');
  expect(await said('payout retry 1')).toBe('payout 1: P00001 250,000 won · created\n');
  expect(await said('payout cancel 1 --why mistake')).toBe('payout 1: P00001 250,000 won · cancelled\n');
  expect(await said('payout cancel 1')).toBe('payout 1: P00001 250,000 won · cancelled\n');
  await expect(run('payout retry 1')).rejects.toMatchObject({ code: 'payout_not_retryable' });
  const shown = await said('payout show 1');
  expect(shown).toContain('account: 004 ****0001 홀******1');
  expect(shown).not.toContain('100-00001');
  expect(shown.match(/requested|approved|retried|cancelled/g)?.length).toBeGreaterThanOrEqual(4);
});

test('lists and JSON', async () => {
  await run('payout request P00001 1000 --key second');
  const json = JSON.parse(await said('payout list --merchant P00001 --state created --json')) as {
    amountWon: number;
  }[];
  expect(json.map(({ amountWon }) => amountWon)).toEqual([1_000]);
  expect(await said('payout list --state cancelled')).toContain('P00001');
  expect(await said('payout list --on 2026-11-19')).not.toContain('P00001');
  expect(JSON.parse(await said('payout show 2 --json'))).toMatchObject({
    id: 2,
    key: 'second',
    events: [{ what: 'requested' }],
  });
});

test('above which amount a second person approves is lowered by one person, and raised by two', async () => {
  await run('bank set van --approval-over 50000 --why test --by kim');
  const over = async () => (JSON.parse(await said('bank show --json')) as { approvalOverWon: number }[])[0];
  const raise = 'bank set van --approval-over 70000 --why test --by kim';
  expect(await said(raise)).toMatch(/50,000[\s\S]*waits for a second person: van:1/);
  expect(await said(raise, 'ko')).toContain('승인 대기: van:1');
  await expect(run('bank set van --approval-over 80000 --why x')).rejects.toMatchObject({ code: 'approval_waits' });
  await expect(run('bank approve van --by Kim')).rejects.toMatchObject({ code: 'approval_four_eyes' });
  expect(await over()).toMatchObject({ approvalOverWon: 50_000 });
  expect(await said('bank approve van --by lee')).toContain('70,000');
  expect(await said('bank approve van --by lee')).toContain('70,000');
  await run('bank set van --approval-over 60000 --why test --by kim');
  const alone = 'update bank_control set approval_over_won = 70000';
  await expect(database.pool.query(alone)).rejects.toMatchObject({ constraint: 'bank_limit_approved' });
  await run('bank set van --approval-over 90000 --limit 7 --why test --by kim');
  await run('bank refuse van --by lee --why no');
  expect(await over()).toMatchObject({ approvalOverWon: 60_000, transferLimit: 7 });
  await expect(run('bank approve other')).rejects.toMatchObject({ code: 'not_found' });
  const json = async (command: string) => JSON.parse(await said(`${command} --json`));
  const set = 'bank set van --approval-over 90000 --why test --by kim';
  expect(await json(set)).toMatchObject({ bank: 'van', approvalOverWon: 60_000, waits: 'van:3' });
  expect(await json('bank refuse van --by lee')).toMatchObject({ bank: 'van', approvalOverWon: 60_000 });
  expect(await json('bank set van --limit 8 --why test')).toMatchObject({ transferLimit: 8, waits: null });
  await run(set);
  expect(await json('bank approve van --by lee')).toMatchObject({ bank: 'van', approvalOverWon: 90_000 });
});

test('the controls of a bank', async () => {
  expect(await said('bank set van --limit 50 --pause --why maintenance')).toMatch(/van\s+50\s+0\s+1\s+paused/);
  expect(await said('bank set van --resume --why over')).toMatch(/van\s+50\s+0\s+1\s+running/);
  expect(JSON.parse(await said('bank show --json'))).toMatchObject([{ bank: 'van', transferLimit: 50, paused: false }]);
});

test.each([
  ['payout request P00001 0 --key zero', 'payout_amount_refused'],
  ['payout request P00001 1000 --key direct:2026-11-20T12:05+09:00:P00001', 'usage'],
  [`payout request P00001 1000 --key ${'k'.repeat(201)}`, 'usage'],
  ['payout request P00001 1.5 --key half', 'usage'],
  ['payout request P00001 10,00 --key comma', 'usage'],
  ['payout request NOBODY 1000 --key nobody', 'not_found'],
  ['payout request P00001 999999999 --key much', 'payout_balance_short'],
  ['payout request P00001 2000 --key second', 'payout_key_reused'],
  ['payout show 99', 'not_found'],
  ['payout show x', 'usage'],
  ['payout list --state lost', 'usage'],
  ['payout list --on 2026-02-30', 'usage'],
  ['payout cancel 99', 'not_found'],
  ['bank set van --limit 10001 --why much', 'usage'],
  ['bank set van --limit 5', 'usage'],
  ['bank set van --why nothing', 'usage'],
  ['bank set van --pause --resume --why both', 'usage'],
  ['bank set other --pause --why unknown', 'not_found'],
])('%s: %s', async (line, code) => {
  await expect(run(line)).rejects.toMatchObject({ code });
});
