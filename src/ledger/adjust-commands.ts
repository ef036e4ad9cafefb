import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { check } from '../kernel/check.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import {
  type Adjustment,
  approveAdjustment,
  listAdjustments,
  proposeAdjustment,
  proposeReversal,
  refuseAdjustment,
} from './adjustment-store.ts';
import type { LedgerLine } from './store.ts';

type Ports = { readonly output: Writable; today(): Temporal.PlainDate };
type ActOptions = { readonly by?: string; readonly why?: string; readonly json?: true };

/** `jeongsan ledger adjust`: one person proposes lines or a reversal, another one approves or refuses. */
export function addAdjustCommands(ledger: Command, context: CommandContext, { output, today }: Ports): void {
  const { language } = context;
  const adjust = ledger.command('adjust').description('adjustments by hand, by two people / 수기 조정');
  const add = (name: string, description: string): Command =>
    adjust
      .command(name)
      .description(description)
      .option('--by <who>', 'who acts / 처리자')
      .option('--why <text>', 'the reason, kept / 사유')
      .option('--json', 'JSON output / JSON 출력');
  const say = async (event: string, done: { readonly ko: string; readonly en: string }, json: boolean) =>
    writeOut(output, json ? `${JSON.stringify({ event })}\n` : `${done[language]}: ${event}\n`);
  const proposed = { ko: '조정 요청', en: 'Proposed' };

  add('propose', 'lines that sum to 0, credits positive, debits negative / 조정 요청')
    .requiredOption('--line <account=won...>', 'wallet:M00001=-1000 suspense=1000 / 분개')
    .action((options: ActOptions & { line: string[] }) => {
      const by = { who: options.by ?? context.who, why: needed(options.why) };
      const lines = options.line.map(toLine);
      return context.withDatabase(async (pool) =>
        say(await proposeAdjustment(pool, lines, by), proposed, options.json ?? false),
      );
    });
  add('reverse', 'take back what an event booked / 역분개 요청')
    .argument('<event>')
    .action((event: string, options: ActOptions) => {
      const by = { who: options.by ?? context.who, why: needed(options.why) };
      return context.withDatabase(async (pool) =>
        say(await proposeReversal(pool, event, by), proposed, options.json ?? false),
      );
    });
  add('approve', 'approve and book; never by who proposed / 승인')
    .argument('<event>', 'adjustment:12 | reversal:EVENT')
    .action((event: string, { by = context.who, why, json }: ActOptions) =>
      context.withDatabase(async (pool) => {
        const note = why === undefined ? {} : { note: why };
        await approveAdjustment(pool, event, { by, postedOn: today().toString(), ...note });
        await say(event, { ko: '승인하고 기장함', en: 'Approved and booked' }, json ?? false);
      }),
    );
  add('refuse', 'refuse: it is never booked / 거절')
    .argument('<event>')
    .action((event: string, options: ActOptions) => {
      const by = { who: options.by ?? context.who, why: needed(options.why) };
      return context.withDatabase(async (pool) => {
        await refuseAdjustment(pool, event, by);
        await say(event, { ko: '거절함', en: 'Refused' }, options.json ?? false);
      });
    });
  adjust
    .command('list')
    .description('proposals that wait, newest first / 조정 목록')
    .option('--all', 'decided ones too / 결정된 것 포함')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: { all?: true; json?: true }) =>
      context.withDatabase(async (pool) => {
        const found = await listAdjustments(pool, { decided: options.all ?? false });
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify(found.map(adjustmentToJson), null, 2)}\n`
            : formatTable(columns[language], found.map(adjustmentRow)),
        );
      }),
    );
}

const columns = {
  ko: ['전표', '분개', '요청자', '요청 시각', '사유', '결정', '결정자'].map((title) => ({ title })),
  en: ['Event', 'Lines', 'By', 'At', 'Reason', 'Decision', 'Decided by'].map((title) => ({ title })),
};

function adjustmentRow({ event, lines, approval }: Adjustment): string[] {
  return [
    event,
    lines.map(({ account, amountWon }) => `${account} ${formatWon(amountWon)}`).join(' · '),
    approval.askedBy,
    formatSeoulTime(approval.askedAt.toISOString()),
    approval.reason,
    approval.decision ?? '',
    approval.decidedBy ?? '',
  ];
}

function adjustmentToJson({ event, lines, reverses, approval }: Adjustment): unknown {
  const { askedBy, askedAt, reason, decision, decidedBy, decidedAt, note } = approval;
  const won = lines.map(({ account, amountWon }) => ({ account, amountWon: wonToJson(amountWon) }));
  return { event, reverses, lines: won, askedBy, askedAt, reason, decision, decidedBy, decidedAt, note };
}

/** @throws Problem `usage` */
function toLine(text: string): LedgerLine {
  const parts = /^(?<account>[^=]+)=(?<won>[+-]?[\d,]{1,20})$/.exec(text)?.groups;
  const digits = parts?.['won']?.replaceAll(',', '') ?? '';
  if (!parts || !/^[+-]?[1-9]\d{0,13}$/.test(digits)) throw new Problem('usage', { reason: `--line ${text}` });
  check(parts['account'], 'the pattern has an account');
  return { account: parts['account'], amountWon: BigInt(digits.replace('+', '')) };
}

/** @throws Problem `usage` */
function needed(why: string | undefined): string {
  if (why === undefined || why.trim() === '') throw new Problem('usage', { reason: '--why TEXT' });
  return why;
}
