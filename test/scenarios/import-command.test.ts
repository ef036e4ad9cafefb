import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Language } from '../../src/kernel/problem.ts';
import { merchantsCommands } from '../../src/merchants/commands.ts';
import { paymentsCommands } from '../../src/payments/commands.ts';
import type { CommandContext } from '../../src/platform/command.ts';
import { depositsCommands } from '../../src/reconciliation/deposit-commands.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const examples = join(import.meta.dirname, '../../examples/import');
let database: TestDatabase;
let folder: string;
const written = { out: '', err: '' };

beforeAll(async () => {
  database = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'jeongsan-import-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
});
beforeEach(async () => {
  await database.pool.query('truncate payment, capture, import cascade');
  written.out = '';
  written.err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Runs a command as the command line would; returns its exit status. */
async function run(words: string[], language: Language = 'en'): Promise<number> {
  process.exitCode = undefined;
  const context: CommandContext = {
    withDatabase: (work) => work(database.pool),
    language,
    who: 'tester',
    signal: new AbortController().signal,
  };
  const program = new Command().exitOverride();
  merchantsCommands(program, context, { cipher: () => Promise.reject(new Error('no account is imported here')) });
  for (const add of [paymentsCommands, depositsCommands]) add(program, context);
  await program.parseAsync(words, { from: 'user' });
  return Number(process.exitCode ?? 0);
}

describe('the examples', () => {
  test.each([
    ['merchants', 'merchants.csv', 3],
    ['payments', 'payments.csv', 6],
    ['deposits', 'deposits.csv', 2],
  ])('%s import %s', async (noun, file, added) => {
    expect(await run([noun, 'import', join(examples, file), '--json'])).toBe(0);
    expect(JSON.parse(written.out)).toMatchObject({ entered: true, added, same: 0, refused: 0, refusals: [] });
    written.out = '';
    expect(await run([noun, 'import', join(examples, file), '--by', 'auditor'])).toBe(0);
    expect(written.out).toMatch(new RegExp(`^${file}: 0 added · ${added} the same · 0 refused · .* · import \\d+\\n$`));
    const { rows } = await database.pool.query('select imported_by from import order by import_id');
    expect(rows).toEqual([{ imported_by: 'tester' }, { imported_by: 'auditor' }]);
  });

  test('say the same as CSV and as NDJSON', async () => {
    await run(['payments', 'import', join(examples, 'payments.csv')]);
    written.out = '';
    await run(['payments', 'import', join(examples, 'payments.ndjson'), '--json']);
    expect(JSON.parse(written.out)).toMatchObject({ added: 0, same: 6, refused: 0 });
  });

  test('show every fault with its line, and end as incomplete', async () => {
    expect(await run(['payments', 'import', join(examples, 'payments-with-faults.csv'), '--json'])).toBe(3);
    const outcome = JSON.parse(written.out) as { refusals: { line: number; code: string; message: string }[] };
    expect(outcome).toMatchObject({ entered: true, added: 1, same: 0, refused: 6 });
    expect(outcome.refusals.map(({ line, code }) => [line, code])).toEqual([
      [3, 'import_differs_in_file'],
      [4, 'import_instant'],
      [5, 'import_sign'],
      [6, 'import_card_number'],
      [7, 'import_provider_unknown'],
      [8, 'import_field_count'],
    ]);
    expect(outcome.refusals[0]?.message).toBe(
      'ksnet KS20261120000001 0: line 2 of the same file says otherwise. Differing: amountWon',
    );
    expect(written.err).toContain('line 5: amountWon (60-64): wrong sign.');
  });

  test('are what the documentation shows', () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/import.md'), 'utf8');
    for (const file of ['merchants.csv', 'payments.csv', 'deposits.csv', 'payments.ndjson']) {
      const firstLines = readFileSync(join(examples, file), 'utf8').split('\n').slice(0, 2);
      for (const line of firstLines) expect(document).toContain(line);
    }
  });
});

describe('the command', () => {
  const faulty = join(examples, 'payments-with-faults.csv');

  test('with --strict fails and says so, in the language that is set', async () => {
    expect(await run(['payments', 'import', faulty, '--strict'], 'ko')).toBe(1);
    expect(written.out).toContain('payments-with-faults.csv: 거절이 있어 아무것도 넣지 않았습니다 · 추가 0');
    expect(written.err).toContain('4행: tradedAt(35-59): 있는 날짜의, 시차가 붙은 ISO 8601 시각이어야 합니다');
  });

  test('prints twenty refusals and how many there are besides', async () => {
    const lines = Array.from({ length: 25 }, () => ',,,');
    const file = join(folder, 'refusals.csv');
    writeFileSync(file, `provider,depositedOn,bankRef,amountWon\n${lines.join('\n')}\n`);
    expect(await run(['deposits', 'import', file])).toBe(3);
    const refusals = written.err.split('\n').filter((line) => line.startsWith('line '));
    expect(refusals).toHaveLength(20);
    expect(written.err).toMatch(/… and 5 more \(import_refusal, import_id \d+\)\n$/);
  });

  test.each([
    ['a file that is not there', ['payments', 'import', '/nowhere/payments.csv'], 'import_file_unreadable'],
    ['the wrong kind of file', ['payments', 'import', join(examples, 'deposits.csv')], 'import_header'],
    [
      'a format that is none',
      ['deposits', 'import', join(examples, 'deposits.csv'), '--format', 'xml'],
      'commander.invalidArgument',
    ],
  ])('refuses %s', async (_, words, code) => {
    await expect(run(words)).rejects.toMatchObject({ code });
  });
});
