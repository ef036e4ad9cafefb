import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { anyWonToJson, formatWon } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { when } from './cycle-rows.ts';
import { decideDismissal, listDismissed, type NamedCapture, proposeDismissal } from './dismissal-store.ts';
import { dayOption, wholeNumber } from './options.ts';
import { unsettledWord } from './words.ts';
import { findingAfterDefault } from './workflow.ts';

type NamingOptions = { readonly capturedOn?: string; readonly by?: string; readonly json?: true };

/**
 * `jeongsan settlement dismiss`: a capture that is set aside and will never be settled is taken out by two people:
 * one proposes, another approves. `settlement dismiss list` has those that were.
 */
export function dismissalCommands(settlement: Command, context: CommandContext, output: Writable): void {
  const { language } = context;
  const dismiss = settlement
    .command('dismiss')
    .description('captures that are never settled, by two people / 정산 제외');
  const naming = (name: string, description: string) =>
    dismiss
      .command(name)
      .description(description)
      .argument('<provider>', 'like ksnet / 원천사')
      .argument('<capture>', 'TID/SEQ as `settlement unsettled` shows it / 매입')
      .option('--captured-on <day>', 'where it was captured on several days / 매입일')
      .option('--by <who>', 'who acts / 처리자')
      .option('--json', 'JSON output / JSON 출력');
  const say = (did: { ko: string; en: string }, capture: NamedCapture & { amountWon: bigint }, json: boolean) => {
    const { provider, providerTid, cancelSeq, amountWon } = capture;
    const text = `${provider} ${providerTid}/${cancelSeq} ${formatWon(amountWon)}: ${did[language]}\n`;
    return writeOut(
      output,
      json ? `${JSON.stringify({ ...capture, amountWon: anyWonToJson(amountWon) }, null, 2)}\n` : text,
    );
  };

  naming('propose', 'the first person: it will never be settled / 제외 요청')
    .requiredOption('--reason <text>', 'why, kept / 사유')
    .action((provider: string, capture: string, options: NamingOptions & { reason: string }) => {
      const named = capturedAs(provider, capture, options);
      const reason = options.reason.trim();
      if (reason === '') throw new Problem('usage', { reason: '--reason TEXT' });
      return context.withDatabase(async (pool) => {
        const found = await proposeDismissal(pool, named, { who: options.by ?? context.who, reason });
        await say(
          { ko: '다른 사람의 승인을 기다립니다', en: 'waits for another person' },
          found,
          options.json ?? false,
        );
      });
    });
  for (const [name, decision, description, did] of [
    ['approve', 'approved', 'the second person agrees: it is dismissed / 승인', { ko: '제외됨', en: 'dismissed' }],
    ['refuse', 'refused', 'the second person refuses: it waits as before / 거절', { ko: '거절됨', en: 'refused' }],
  ] as const) {
    naming(name, description)
      .option('--why <text>', 'the reason, kept / 사유')
      .action((provider: string, capture: string, options: NamingOptions & { why?: string }) => {
        const named = capturedAs(provider, capture, options);
        const note = options.why === undefined ? {} : { note: options.why };
        const by = { who: options.by ?? context.who, decision, ...note };
        return context.withDatabase(async (pool) => {
          await say(did, await decideDismissal(pool, named, by, findingAfterDefault), options.json ?? false);
        });
      });
  }
  dismiss
    .command('list')
    .description('what was dismissed, the latest first / 제외 목록')
    .option('--merchant <id>', 'only this merchant / 가맹점')
    .option('--limit <rows>', 'at most so many / 최대 건수', '100')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: { merchant?: string; limit: string; json?: true }) => {
      const merchant = options.merchant === undefined ? {} : { merchantId: options.merchant };
      const filter = { ...merchant, limit: wholeNumber('--limit', options.limit) };
      return context.withDatabase(async (pool) => {
        const found = await listDismissed(pool, filter);
        const json = () =>
          found.map((each) => ({
            ...each,
            amountWon: anyWonToJson(each.amountWon),
            dismissedAt: each.dismissedAt.toISOString(),
          }));
        const table = () =>
          formatTable(
            columns[language],
            found.map((each) => [
              `${each.provider} ${each.providerTid}/${each.cancelSeq}`,
              each.merchantId ?? each.mid,
              each.capturedOn,
              formatWon(each.amountWon),
              unsettledWord(each.reason, language),
              when(each.dismissedAt),
            ]),
          );
        await writeOut(output, options.json ? `${JSON.stringify(json(), null, 2)}\n` : table());
      });
    });
}

const columns = {
  ko: ['매입', '가맹점', '매입일', '금액', '사유', '제외 시각'].map((title) => ({ title })),
  en: ['Capture', 'Merchant', 'Captured on', 'Won', 'Reason', 'Dismissed at'].map((title) => ({ title })),
};

/** `TID/SEQ`; a TID may hold slashes of its own. */
function capturedAs(provider: string, text: string, { capturedOn }: NamingOptions): NamedCapture {
  const match = /^(.+)\/(\d{1,4})$/.exec(text);
  if (match === null) throw new Problem('usage', { reason: `${text} (TID/SEQ)` });
  const day = capturedOn === undefined ? {} : { capturedOn: dayOption('--captured-on', capturedOn).toString() };
  return { provider, providerTid: match[1] as string, cancelSeq: Number(match[2]), ...day };
}
