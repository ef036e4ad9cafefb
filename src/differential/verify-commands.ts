import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { anyWonToJson, formatWon } from '../kernel/money.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { type Words, wordOf } from '../reconciliation/words.ts';
import { type ClaimDeviation, verifyClaims } from './verify-store.ts';

const checkWords: Readonly<Record<ClaimDeviation['check'], Words>> = {
  receivable: { ko: '원장 미수금과 승인된 차액', en: 'the receivable is what was accepted' },
  result_without_claim: { ko: '신청하지 않은 승인', en: 'nothing accepted that nobody claimed' },
  accepted_in_another_state: { ko: '승인과 다른 상태', en: 'what is accepted is in no other state' },
  more_than_charged: { ko: '부과 수수료보다 많은 환급', en: 'no refund above what was charged' },
  clawback_without_refund: { ko: '환급 없는 환수', en: 'nothing taken back that was not refunded' },
  answer_sums: {
    ko: '회신 파일·가맹점별 기장 합계',
    en: 'each answer is booked with what it changed for each merchant',
  },
  retroactive_sums: { ko: '소급환급 합계', en: 'retroactive refunds are booked as accepted' },
  refund_entries: { ko: '환급 내역과 분개', en: 'each refund is its entry in the ledger' },
  status: { ko: '현황은 하나', en: 'each claim stands in exactly one place' },
};

/** `differential verify`: claims and the ledger agree, computed again from the rows; exit status 1 where they do not. */
export function addVerifyCommand(noun: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  noun
    .command('verify')
    .description('compute again that claims and the ledger agree; exit status 1 where they do not / 차액정산 검증')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: { readonly json?: true }) =>
      context.withDatabase(async (pool) => {
        const { claims, accepted, deviations, counts } = await verifyClaims(pool);
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0n);
        if (total > 0n) process.exitCode = exitStatus.failed;
        const won = (amount: bigint | null) => (amount === null ? null : anyWonToJson(amount));
        const named = deviations.map((one) => ({
          ...one,
          expectedWon: won(one.expectedWon),
          foundWon: won(one.foundWon),
        }));
        if (options.json) {
          const sizes = { claims: Number(claims), accepted: Number(accepted), deviations: Number(total) };
          return await writeOut(output, `${JSON.stringify({ clean: total === 0n, ...sizes, named }, null, 2)}\n`);
        }
        const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
        const shown = (amount: bigint | null) => (amount === null ? '' : formatWon(amount));
        const table = formatTable(
          [
            { title: say('검사', 'Check') },
            { title: say('대상', 'Subject') },
            { title: say('기대', 'Expected'), align: 'right' },
            { title: say('실제', 'Found'), align: 'right' },
          ],
          deviations.map((one) => [
            wordOf(checkWords, one.check, language),
            one.subject,
            shown(one.expectedWon),
            shown(one.foundWon),
          ]),
        );
        const [of, wrong] = [formatCount(claims), formatCount(total)];
        await writeOut(
          output,
          total === 0n
            ? say(`신청 건 ${of}건: 원장과 모두 맞습니다\n`, `${of} claims: all agree with the ledger\n`)
            : `${table}${say(`신청 건 ${of}건 중 ${wrong}건이 맞지 않습니다`, `${of} claims: ${wrong} deviations`)}\n`,
        );
      }),
    );
}
