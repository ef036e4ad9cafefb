import { readFileSync } from 'node:fs';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { deviationsOf } from '../../test/support/ledger.ts';
import { temporaryFolder } from '../../test/support/processes.ts';
import { approvalsCommands } from '../approvals/commands.ts';
import type { Language } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { ledgerCommands } from './commands.ts';
import { balanceOf, post } from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query(
    `with file as (insert into import (kind, file_name, imported_by) values ('merchants', 'm.csv', 'test') returning import_id)
     insert into merchant select 'M9', '새 가맹점', '1234567890', import_id from file`,
  );
  const book = (event: string, postedOn: string, from: string, to: string, amountWon: bigint) =>
    inTransaction(database.pool, (tx) =>
      post(tx, {
        event,
        kind: 'settlement',
        postedOn,
        postedBy: 'settle',
        lines: [
          { account: from, amountWon: -amountWon },
          { account: to, amountWon },
        ],
      }),
    );
  await book('settlement:1', '2026-10-31', 'receivable:ksnet', 'wallet:M1', 1000n);
  await book('settlement:2', '2026-11-01', 'receivable:ksnet', 'wallet:M1', 2500n);
  await book('payout:1:locked', '2026-11-02', 'wallet:M1', 'in_flight:M1', 700n);
  await book('settlement:3', '2026-11-20', 'receivable:ksnet', 'wallet:M1', 40n);
});
afterAll(() => database.close());

const today = () => Temporal.PlainDate.from('2026-11-15');
const ledger = (line: string, language: Language = 'en') =>
  runCommand(
    database.pool,
    ['ledger', ...line.split(' ')],
    (program, context, output) => ledgerCommands(program, context, { output, today }),
    { language },
  );
const words = (text: string) =>
  text
    .replace(/[ ─]+/g, ' ')
    .split('\n')
    .map((line) => line.trim());

describe('statement', () => {
  test('of a month, for people', async () => {
    const { said } = await ledger('statement wallet:M1');
    const lines = words(said);
    expect(lines[0]).toBe('Day Booked at Kind Event Counter accounts Reason Amount Balance');
    expect(lines[2]).toMatch(/^2026-11-01 .* settlement settlement:2 receivable:ksnet 2,500 3,500$/);
    expect(lines[3]).toMatch(/^2026-11-02 .* settlement payout:1:locked in_flight:M1 -700 2,800$/);
    expect(lines[4]).toBe('Opening 1,000 won · in 2,500 · out 700 · closing 2,800 won (2 movements)');
  });

  test('in Korean', async () => {
    const { said } = await ledger('statement wallet:M1 --from 2026-10-01 --to 2026-11-30', 'ko');
    expect(said).toContain('전기이월 0원 · 증가 3,540원 · 감소 700원 · 기말잔액 2,840원 (4건)');
    expect(said).toContain('상대 계정');
  });

  test('as JSON', async () => {
    const { said } = await ledger('statement wallet:M1 --json --to 2026-11-30');
    const { movements, ...facts } = JSON.parse(said);
    expect(facts).toEqual({
      account: 'wallet:M1',
      from: '2026-11-01',
      to: '2026-11-30',
      openingWon: 1000,
      closingWon: 2840,
      inWon: 2540,
      outWon: 700,
      movementCount: 3,
    });
    expect(movements).toHaveLength(3);
    expect(movements[1]).toMatchObject({ event: 'payout:1:locked', counter: ['in_flight:M1'], balanceWon: 2800 });
  });

  test('as files', async () => {
    const folder = temporaryFolder();
    const [csv, xlsx] = [path.join(folder, 'm1.csv'), path.join(folder, 'm1.xlsx')];
    await ledger(`statement wallet:M1 --csv ${csv} --xlsx ${xlsx}`);
    const lines = readFileSync(csv, 'utf8').split('\r\n');
    expect(lines[0]).toBe('\ufeffDay,Booked at,Kind,Event,Counter accounts,Reason,Amount,Balance');
    expect(lines[2]).toMatch(/payout:1:locked,in_flight:M1,,-700,2800$/);
    expect(lines).toHaveLength(4);
    const sheet = unzipSync(readFileSync(xlsx))['xl/worksheets/sheet1.xml'];
    expect(Buffer.from(sheet ?? []).toString()).toContain('<v>2800</v>');
  });

  test.each([
    ['statement till:M1', 'ledger_account_unknown'],
    ['statement wallet:M1 --from 2026-11-31', 'usage'],
    ['statement wallet:M1 --from 2026-12-01', 'usage'],
    ['accounts --kind till', 'usage'],
  ])('%s is refused: %s', async (line, code) => {
    await expect(ledger(line)).rejects.toMatchObject({ code });
  });
});

test('accounts: the trial balance comes to 0', async () => {
  const lines = words((await ledger('accounts')).said);
  expect(lines).toContain('receivable receivable from the provider 1 -3,540');
  expect(lines.at(-2)).toBe('Total 0');
  expect(JSON.parse((await ledger('accounts --kind wallet --json')).said)).toEqual([
    { account: 'wallet:M1', balanceWon: 2840 },
  ]);
});

describe('adjust', () => {
  test('what is in flight belongs to its payouts: no adjustment moves it', async () => {
    for (const proposal of ['propose --line in_flight:M1=-700 wallet:M1=700', 'reverse payout:1:locked']) {
      await expect(ledger(`adjust ${proposal} --why x`)).rejects.toMatchObject({ code: 'adjustment_in_flight' });
    }
  });

  const propose = async (lines: string, more = '--by kim --why courtesy --json') =>
    (JSON.parse((await ledger(`adjust propose --line ${lines} ${more}`)).said) as { event: string }).event;

  test('is booked by a second person, once', async () => {
    const event = await propose('wallet:M9=1,000 suspense=-1000');
    expect(await balanceOf(database.pool, 'wallet:M9')).toBe(0n);
    expect((await ledger('adjust list')).said).toContain(event);
    await expect(ledger(`adjust approve ${event} --by kim`)).rejects.toMatchObject({ code: 'approval_four_eyes' });
    await expect(ledger(`adjust approve ${event} --by KIM`)).rejects.toMatchObject({ code: 'approval_four_eyes' });
    for (const _ of ['first', 'again']) await ledger(`adjust approve ${event} --by lee`);
    expect(await balanceOf(database.pool, 'wallet:M9')).toBe(1000n);
    await expect(ledger(`adjust refuse ${event} --by park --why late`)).rejects.toMatchObject({
      code: 'approval_decided',
    });
    expect((await ledger('adjust list')).said).not.toContain(event);
    const all = JSON.parse((await ledger('adjust list --all --json')).said) as { event: string }[];
    expect(all.find((each) => each.event === event)).toMatchObject({
      askedBy: 'kim',
      decidedBy: 'lee',
      decision: 'approved',
    });
    expect(await deviationsOf(database.pool)).toEqual([]);
  });

  test('refused, it is never booked', async () => {
    const event = await propose('wallet:M9=5 suspense=-5');
    await ledger(`adjust refuse ${event} --by lee --why no`);
    await expect(ledger(`adjust approve ${event} --by park`)).rejects.toMatchObject({ code: 'approval_decided' });
  });

  test('what the ledger refuses stays undecided', async () => {
    const event = await propose('wallet:M1=-1000000 suspense=1000000');
    await expect(ledger(`adjust approve ${event} --by lee`)).rejects.toMatchObject({ code: 'ledger_insufficient' });
    const { said } = await runCommand(database.pool, ['approvals', '--json'], (program, context, output) =>
      approvalsCommands(program, context, output),
    );
    expect(JSON.parse(said)).toMatchObject([{ subject: event, kind: 'adjustment', decision: null }]);
  });

  test('a correction is a reversing entry', async () => {
    const before = await balanceOf(database.pool, 'wallet:M1');
    const { said } = await ledger('adjust reverse settlement:3 --by kim --why double');
    expect(said).toBe('Proposed: reversal:settlement:3\n');
    await ledger('adjust reverse settlement:3 --by kim --why double');
    await ledger('adjust approve reversal:settlement:3 --by lee');
    expect(await balanceOf(database.pool, 'wallet:M1')).toBe(before - 40n);
    await expect(ledger('adjust reverse settlement:3 --by kim --why again')).rejects.toMatchObject({
      code: 'approval_decided',
    });
  });

  test.each([
    ['propose --line wallet:M9=5 suspense=-4 --why x', 'adjustment_unbalanced'],
    ['propose --line wallet:M99=5 suspense=-5 --why x', 'ledger_account_unknown'],
    ['propose --line till=5 suspense=-5 --why x', 'ledger_account_unknown'],
    ['propose --line wallet:M9=5.5 suspense=-5.5 --why x', 'usage'],
    ['propose --line wallet:M9=0 --why x', 'usage'],
    ['propose --line wallet:M9=5 suspense=-5', 'usage'],
    ['reverse settlement:99 --why x', 'ledger_event_unknown'],
    ['approve adjustment:999', 'not_found'],
  ])('%s is refused: %s', async (line, code) => {
    await expect(ledger(`adjust ${line}`)).rejects.toMatchObject({ code });
  });
});
