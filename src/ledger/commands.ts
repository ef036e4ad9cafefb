import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { accountKinds, parseAccount } from './accounts.ts';
import { addAdjustCommands } from './adjust-commands.ts';
import { atOneMoment } from './cursor-store.ts';
import { writeStatementCsv, writeStatementXlsx } from './statement-files.ts';
import { movementToJson, statementColumns, statementRow } from './statement-rows.ts';
import {
  openStatement,
  readAccounts,
  readStatement,
  type StatementFacts,
  type StatementPeriod,
  trialBalance,
} from './statement-store.ts';
import { deviationText, verifiedText } from './verify-rows.ts';
import { type Deviation, verifyLedger } from './verify-store.ts';

type Ports = { readonly output?: Writable; readonly today?: () => Temporal.PlainDate };
type Showing = { readonly context: CommandContext; readonly output: Writable };

/** `jeongsan ledger`: the ledger's check, statements of accounts, what accounts hold, and adjustments by hand. */
export function ledgerCommands(
  program: Command,
  context: CommandContext,
  { output = process.stdout, today = () => Temporal.Now.plainDateISO(seoul) }: Ports = {},
): void {
  const showing = { context, output };
  const ledger = program.command('ledger').description('the double-entry ledger / 원장');
  ledger
    .command('verify')
    .description('recompute everything from the lines; exit status 1 where anything deviates / 원장 검증')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: { json?: true }) => context.withDatabase((pool) => verify(pool, showing, options.json ?? false)));
  ledger
    .command('statement')
    .description('what moved on an account / 계정 명세')
    .argument('<account>', 'wallet:MERCHANT, receivable:PROVIDER, fee, … / 계정')
    .option('--from <day>', 'first day; the first of this month if not given / 시작일')
    .option('--to <day>', 'last day; today if not given / 종료일')
    .option('--csv <file>', 'write a CSV file / CSV 파일')
    .option('--xlsx <file>', 'write an XLSX file / XLSX 파일')
    .option('--json', 'JSON output / JSON 출력')
    .action((account: string, options: StatementOptions) => {
      const period = toPeriod(account, options, today());
      return context.withDatabase((pool) => statement(pool, showing, period, options));
    });
  ledger
    .command('accounts')
    .description('what the accounts hold, by kind, or the accounts of a kind / 시산표')
    .option('--kind <kind>', Object.keys(accountKinds).join(', '))
    .option('--json', 'JSON output / JSON 출력')
    .action((options: { kind?: string; json?: true }) => {
      const { kind } = options;
      if (kind !== undefined && !(kind in accountKinds)) {
        throw new Problem('usage', { reason: `--kind ${kind} (${Object.keys(accountKinds).join(', ')})` });
      }
      return context.withDatabase((pool) =>
        kind === undefined
          ? trial(pool, showing, options.json ?? false)
          : accounts(pool, showing, kind, options.json ?? false),
      );
    });
  addAdjustCommands(ledger, context, { output, today });
}

async function verify(pool: Pool, { context: { language }, output }: Showing, json: boolean): Promise<void> {
  let first = true;
  const tell = async (page: readonly Deviation[]): Promise<void> => {
    const text = page.map((deviation) => {
      if (!json) return deviationText(deviation, language);
      const line = JSON.stringify(deviation, (_, value) => (typeof value === 'bigint' ? wonToJson(value) : value));
      const between = first ? '' : ',\n';
      first = false;
      return between + line;
    });
    await writeOut(output, text.join(''));
  };
  if (json) await writeOut(output, '{"deviations":[');
  const counts = await verifyLedger(pool, tell);
  if (counts.deviations > 0) process.exitCode = exitStatus.failed;
  const { entries, lines, accounts: held } = counts;
  const clean = counts.deviations === 0;
  await writeOut(
    output,
    json
      ? `],"clean":${clean},"entries":${entries},"lines":${lines},"accounts":${held}}\n`
      : verifiedText(counts, language),
  );
}

type StatementOptions = {
  readonly from?: string;
  readonly to?: string;
  readonly csv?: string;
  readonly xlsx?: string;
  readonly json?: true;
};

/** @throws Problem `ledger_account_unknown`, `usage` */
function toPeriod(account: string, { from, to }: StatementOptions, today: Temporal.PlainDate): StatementPeriod {
  if (!parseAccount(account)) throw new Problem('ledger_account_unknown', { account });
  const day = (option: string, text: string | undefined, otherwise: Temporal.PlainDate): Temporal.PlainDate => {
    const parsed = text === undefined ? otherwise : parseDay(text);
    if (!parsed) throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DD)` });
    return parsed;
  };
  const last = day('--to', to, today);
  const first = day('--from', from, last.with({ day: 1 }));
  if (Temporal.PlainDate.compare(first, last) > 0)
    throw new Problem('usage', { reason: `--from ${first} --to ${last}` });
  return { account, from: first.toString(), to: last.toString() };
}

/** All outputs are of one moment. */
async function statement(
  pool: Pool,
  { context: { language }, output }: Showing,
  period: StatementPeriod,
  { csv, xlsx, json }: StatementOptions,
): Promise<void> {
  await atOneMoment(pool, async (tx) => {
    const opened = await openStatement(tx, period);
    const pages = () => readStatement(tx, period, { ...opened });
    const name = `${period.account} ${period.from}`;
    if (csv !== undefined) await writeStatementCsv(csv, pages(), language);
    if (xlsx !== undefined) await writeStatementXlsx(xlsx, name, pages(), language);
    if (csv !== undefined || xlsx !== undefined) return;
    const facts = { ...opened };
    let between = '';
    if (json) await writeOut(output, `{${JSON.stringify({ ...period }).slice(1, -1)},"movements":[`);
    for await (const page of readStatement(tx, period, facts)) {
      const rows = page.map((movement) => JSON.stringify(movementToJson(movement)));
      const table = json ? between + rows.join(',\n') : formatTable(statementColumns(language), page.map(statementRow));
      await writeOut(output, table);
      between = ',\n';
    }
    await writeOut(output, json ? `],${factsJson(facts)}}\n` : factsText(facts, language));
  });
}

function factsJson(facts: StatementFacts): string {
  return JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? wonToJson(value) : value)).slice(1, -1);
}

function factsText(facts: StatementFacts, language: CommandContext['language']): string {
  const [opening, put, took, closing] = [facts.openingWon, facts.inWon, facts.outWon, facts.closingWon].map(formatWon);
  return language === 'ko'
    ? `전기이월 ${opening}원 · 증가 ${put}원 · 감소 ${took}원 · 기말잔액 ${closing}원 (${formatCount(facts.movementCount)}건)\n`
    : `Opening ${opening} won · in ${put} · out ${took} · closing ${closing} won (${formatCount(facts.movementCount)} movements)\n`;
}

async function trial(pool: Pool, { context: { language }, output }: Showing, json: boolean): Promise<void> {
  const rows = await trialBalance(pool);
  if (json) {
    const list = rows.map((row) => ({ ...row, accounts: Number(row.accounts), balanceWon: wonToJson(row.balanceWon) }));
    return writeOut(output, `${JSON.stringify(list, null, 2)}\n`);
  }
  const total = rows.reduce((sum, { balanceWon }) => sum + balanceWon, 0n);
  const titles = language === 'ko' ? ['계정', '', '계정 수', '잔액'] : ['Account', '', 'Accounts', 'Balance'];
  const nameOf = (kind: string) => Object.entries(accountKinds).find(([known]) => known === kind)?.[1][language] ?? '';
  const cells = rows.map((row) => [row.kind, nameOf(row.kind), formatCount(row.accounts), formatWon(row.balanceWon)]);
  cells.push(['', language === 'ko' ? '합계' : 'Total', '', formatWon(total)]);
  await writeOut(output, formatTable(toColumns(titles, 2), cells));
}

async function accounts(pool: Pool, { context, output }: Showing, kind: string, json: boolean): Promise<void> {
  const titles = context.language === 'ko' ? ['계정', '잔액'] : ['Account', 'Balance'];
  let between = '';
  if (json) await writeOut(output, '[');
  await readAccounts(pool, kind, async (page) => {
    const list = page.map((row) => JSON.stringify({ account: row.account, balanceWon: wonToJson(row.balanceWon) }));
    const cells = page.map((row) => [row.account, formatWon(row.balanceWon)]);
    await writeOut(output, json ? between + list.join(',\n') : formatTable(toColumns(titles, 1), cells));
    between = ',\n';
  });
  if (json) await writeOut(output, ']\n');
}

const toColumns = (titles: readonly string[], rightFrom: number) =>
  titles.map((title, n) => ({ title, align: n >= rightFrom ? ('right' as const) : ('left' as const) }));
