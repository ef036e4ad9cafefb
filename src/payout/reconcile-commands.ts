import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { formatWon } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { closePayoutBreak, listPayoutBreaks, type PayoutBreak } from './payout-break-store.ts';
import type { PayoutReconciled, PayoutReconciliation } from './reconcile-workflow.ts';

/** A process that can run workflows, opened for one command. */
export type PayoutReconcileEngine = PayoutReconciliation & { readonly bankIds: readonly string[] };

type ReconcileOptions = { readonly on: string; readonly bank?: string; readonly by?: string; readonly json?: true };
type ListOptions = { readonly on?: string; readonly bank?: string; readonly all?: true; readonly json?: true };
type CloseOptions = { readonly note: string; readonly by?: string; readonly json?: true };

/** `jeongsan payout reconcile` and `payout breaks`: added to the command `payout`, which is made where it is missing. */
export function payoutReconcileCommands(
  program: Command,
  context: CommandContext,
  withEngine: <T>(work: (engine: PayoutReconcileEngine) => Promise<T>) => Promise<T>,
  output: Writable = process.stdout,
): void {
  const payout =
    program.commands.find((command) => command.name() === 'payout') ??
    program.command('payout').description('payouts to merchants / 지급');
  payout
    .command('reconcile')
    .description("our payouts against the bank's transfer list of a day / 지급 대사")
    .requiredOption('--on <day>', 'day of the messages YYYY-MM-DD / 전문일')
    .option('--bank <id>', 'only this bank / 은행')
    .option('--by <who>', 'who asks for it / 실행자')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: ReconcileOptions) => reconcile(options, context, withEngine, output));
  const breaks = payout.command('breaks').description("what differs from the bank's list / 지급 불일치");
  breaks
    .command('list')
    .description('breaks that stand / 미종결 목록')
    .option('--on <day>', 'of this day / 전문일')
    .option('--bank <id>', 'of this bank / 은행')
    .option('--all', 'closed ones too / 종결 포함')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: ListOptions) => list(options, context, output));
  breaks
    .command('close')
    .description('close a break that has been dealt with / 종결')
    .argument('<id>')
    .requiredOption('--note <text>', 'what was done / 사유')
    .option('--by <who>', 'who closes it / 처리자')
    .option('--json', 'one JSON object / JSON 출력')
    .action((id: string, options: CloseOptions) => close(id, options, context, output));
}

async function reconcile(
  options: ReconcileOptions,
  context: CommandContext,
  withEngine: <T>(work: (engine: PayoutReconcileEngine) => Promise<T>) => Promise<T>,
  output: Writable,
): Promise<void> {
  const on = dayOf(options.on);
  const results = await withEngine(async (engine) => {
    const banks = options.bank === undefined ? engine.bankIds : [options.bank];
    const done: PayoutReconciled[] = [];
    for (const bank of banks) done.push(await engine.reconcile({ bank, on, who: options.by ?? context.who }));
    return done;
  });
  await writeOut(output, options.json ? `${JSON.stringify(results, null, 2)}\n` : reconciledText(results, context));
  if (results.some(({ standing, unknown }) => standing > 0 || unknown > 0)) process.exitCode = exitStatus.incomplete;
}

function reconciledText(results: readonly PayoutReconciled[], { language }: CommandContext): string {
  const titles =
    language === 'ko'
      ? ['은행', '전문일', '내역', '확정', '미확정', '불일치', '신규', '해소']
      : ['bank', 'day', 'listed', 'settled', 'unknown', 'breaks', 'opened', 'closed'];
  return formatTable(
    titles.map((title, n) => ({ title, align: n < 2 ? 'left' : 'right' })),
    results.map(({ bank, on, listed, settled, unknown, standing, opened, closed }) => [
      bank,
      on,
      ...[listed, settled, unknown, standing, opened, closed].map(formatCount),
    ]),
  );
}

async function list(options: ListOptions, { withDatabase, language }: CommandContext, output: Writable): Promise<void> {
  const filter = {
    ...(options.on === undefined ? {} : { on: dayOf(options.on) }),
    ...(options.bank === undefined ? {} : { bank: options.bank }),
    closed: options.all ?? false,
  };
  const breaks = await withDatabase((pool) => listPayoutBreaks(pool, filter));
  if (options.json) return writeOut(output, `${JSON.stringify(breaks.map(toJson), null, 2)}\n`);
  const titles =
    language === 'ko'
      ? ['번호', '은행', '전문일', '종류', '전문번호', '지급', '우리', '은행', '발견', '종결']
      : ['id', 'bank', 'day', 'kind', 'message', 'payout', 'ours', 'theirs', 'opened', 'closed'];
  await writeOut(
    output,
    formatTable(
      titles.map((title, n) => ({ title, align: n === 6 || n === 7 ? 'right' : 'left' })),
      breaks.map((found) => rowOf(found, language)),
    ),
  );
}

const kindWords = {
  missing_at_bank: '은행 내역에 없음',
  missing_here: '우리 쪽에 없음',
  amount_differs: '금액 다름',
  status_differs: '결과 다름',
} as const;

function rowOf(found: PayoutBreak, language: 'ko' | 'en'): string[] {
  const won = (amount: bigint | null) => (amount === null ? '' : formatWon(amount));
  const at = (time: Date | null) => (time === null ? '' : formatSeoulTime(time.toTemporalInstant()));
  return [
    String(found.id),
    found.bank,
    found.on,
    language === 'ko' ? kindWords[found.kind] : found.kind,
    found.messageNo,
    found.payoutId === null ? '' : String(found.payoutId),
    won(found.oursWon),
    won(found.theirsWon),
    at(found.openedAt),
    found.closedBy === null ? '' : `${at(found.closedAt)} ${found.closedBy}: ${found.note ?? ''}`,
  ];
}

async function close(
  id: string,
  options: CloseOptions,
  { withDatabase, who }: CommandContext,
  output: Writable,
): Promise<void> {
  if (!/^\d{1,15}$/.test(id)) throw new Problem('usage', { reason: `ID ${id}` });
  if (options.note.trim() === '') throw new Problem('usage', { reason: '--note' });
  const by = options.by ?? who;
  const closed = await withDatabase((pool) =>
    inTransaction(pool, (tx) => closePayoutBreak(tx, Number(id), { by, note: options.note })),
  );
  const text = `${closed.id} ${closed.kind} ${closed.messageNo}: ${closed.closedBy} ${closed.note ?? ''}`;
  await writeOut(output, `${options.json ? JSON.stringify(toJson(closed)) : text}\n`);
}

/** Numbers and amounts fit: an amount is at most 10^13. */
function toJson(found: PayoutBreak): unknown {
  const whole = (value: bigint | null) => (value === null ? null : Number(value));
  const { id, payoutId, oursWon, theirsWon, ...rest } = found;
  return { id: Number(id), ...rest, payoutId: whole(payoutId), oursWon: whole(oursWon), theirsWon: whole(theirsWon) };
}

function dayOf(text: string): string {
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `--on ${text} (YYYY-MM-DD)` });
  return day.toString();
}
