import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Act } from '../audit/act.ts';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { revealAccount } from './account-reveal-store.ts';

/** Who looks, with which keys, when, and where it is shown. */
export type RevealPorts = {
  readonly cipher: () => Promise<Cipher>;
  readonly actor: () => Act['actor'];
  readonly output?: Writable;
  readonly now?: () => Temporal.Instant;
};

/** Adds `merchants account reveal MERCHANT --reason …`. */
export function addRevealCommand(noun: Command, context: CommandContext, ports: RevealPorts): void {
  const { output = process.stdout, now = () => Temporal.Now.instant() } = ports;
  const say = (ko: string, en: string): string => (context.language === 'ko' ? ko : en);
  noun
    .command('account')
    .description(say('지급 계좌 한 건', 'one bank account'))
    .command('reveal')
    .description(
      say('계좌번호와 예금주 전체 열람 (감사 추적에 남음)', 'number and holder in full; it stands in the audit trail'),
    )
    .argument('<merchant>', say('가맹점 ID', 'merchant ID'))
    .requiredOption('--reason <text>', say('열람 사유', 'why it has to be seen'))
    .option('--on <day>', say('그날의 계좌 (기본: 오늘)', 'the account of that day; today by default'))
    .option('--json', say('JSON 출력', 'one JSON object'))
    .action(async (merchantId: string, options: { reason: string; on?: string; json?: true }) => {
      const on = options.on === undefined ? now().toZonedDateTimeISO(seoul).toPlainDate() : parseDay(options.on);
      if (on === undefined) throw new Problem('usage', { reason: `--on ${options.on} (YYYY-MM-DD)` });
      const cipher = await ports.cipher();
      await context.withDatabase(async (pool) => {
        const asked = { actor: ports.actor(), merchantId, on, reason: options.reason };
        const { accountId, ...account } = await revealAccount({ pool, cipher }, asked);
        const { validFrom, bankCode, accountNo, holder } = account;
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify({ accountId: Number(accountId), ...account })}\n`
            : formatTable(
                [
                  say('가맹점', 'Merchant'),
                  say('적용 시작', 'From'),
                  say('은행', 'Bank'),
                  say('계좌번호', 'Account'),
                  say('예금주', 'Holder'),
                ].map((title) => ({ title })),
                [[merchantId, validFrom, bankCode, accountNo, holder]],
              ),
        );
      });
    });
}
