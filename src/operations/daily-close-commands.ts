import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { type Column, formatCount, formatTable } from '../platform/terminal.ts';
import { closedTrialBalance, type DailyClose, dailyCloses, type TrialBalance } from './daily-close-store.ts';
import { countOf } from './schedule-options.ts';

type Said = { readonly json?: true };

/** `jeongsan daily-close`: what the books were at the end of each day, and whether they added up. */
export function dailyCloseCommands(
  program: Command,
  context: CommandContext,
  { output = process.stdout }: { readonly output?: Writable } = {},
): void {
  const { language } = context;
  const noun = program.command('daily-close').description('the books at the end of each day / 일 마감');
  const write = (value: unknown, json: boolean, text: () => string) =>
    writeOut(output, json ? `${JSON.stringify(value, toJson, 2)}\n` : text());
  noun
    .command('list', { isDefault: true })
    .description('the days that were closed, latest first / 목록')
    .option('--limit <rows>', 'at most so many / 최대 건수', '31')
    .option('--json', 'one JSON array / JSON 출력')
    .action(async ({ limit, json }: Said & { readonly limit: string }) => {
      const most = countOf('--limit', limit, 10_000);
      const rows = await context.withDatabase((pool) => dailyCloses(pool, { limit: most, descending: true }));
      await write(rows, json === true, () => closesTable(rows, language));
    });
  noun
    .command('show')
    .description('the trial balance of a day: each kind of account, credits above zero / 시산표')
    .argument('<day>', 'YYYY-MM-DD / 날짜')
    .option('--json', 'one JSON object / JSON 출력')
    .action(async (day: string, { json }: Said) => {
      const on = parseDay(day)?.toString();
      if (on === undefined) throw new Problem('usage', { reason: `${day} (YYYY-MM-DD)` });
      const accounts = await context.withDatabase((pool) => closedTrialBalance(pool, on));
      await write({ on, accounts }, json === true, () => trialBalanceTable(accounts, language));
    });
}

/** As the API says it. */
function toJson(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? wonToJson(value) : value;
}

const verdicts = {
  ko: { balanced: '일치', deviates: '이상' },
  en: { balanced: 'balanced', deviates: 'deviates' },
} as const;

function closesTable(rows: readonly DailyClose[], language: Language): string {
  const titles =
    language === 'ko'
      ? ['날짜', '판정', '마감 시각', '분개', '이상', '차변', '대변', '감사 번호']
      : ['Day', 'Verdict', 'Closed', 'Entries', 'Deviations', 'Debit', 'Credit', 'Audit number'];
  const cells = rows.map((row) => [
    row.on,
    verdicts[language][row.verdict],
    formatSeoulTime(row.closedAt.toISOString()),
    formatCount(row.entries),
    formatCount(row.deviations),
    formatWon(row.debitWon),
    formatWon(row.creditWon),
    row.auditNumber === null ? '-' : String(row.auditNumber),
  ]);
  return formatTable(toColumns(titles, 3), cells);
}

function trialBalanceTable(accounts: readonly TrialBalance[], language: Language): string {
  const titles = language === 'ko' ? ['계정', '차변', '대변', '잔액'] : ['Account', 'Debit', 'Credit', 'Balance'];
  const sum = (field: 'debitWon' | 'creditWon' | 'balanceWon') =>
    formatWon(accounts.reduce((total, account) => total + account[field], 0n));
  const cells = accounts.map((row) => [
    row.account,
    formatWon(row.debitWon),
    formatWon(row.creditWon),
    formatWon(row.balanceWon),
  ]);
  cells.push([language === 'ko' ? '합계' : 'Total', sum('debitWon'), sum('creditWon'), sum('balanceWon')]);
  return formatTable(toColumns(titles, 1), cells);
}

const toColumns = (titles: readonly string[], rightFrom: number): Column[] =>
  titles.map((title, n) => ({ title, align: n >= rightFrom ? 'right' : 'left' }));
