import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { seoul } from '../kernel/business-day.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import { approveRefund, proposeRefund, type RetroactiveProposal } from './retroactive-store.ts';

type Options = { readonly half?: string; readonly approve?: string; readonly by?: string; readonly json?: true };

/** `jeongsan differential retroactive`: one person computes a half-year's refunds, another one approves and books them. */
export function addRetroactiveCommand(
  differential: Command,
  context: CommandContext,
  {
    output = process.stdout,
    now = () => Temporal.Now.instant(),
  }: { readonly output?: Writable; readonly now?: () => Temporal.Instant } = {},
): void {
  differential
    .command('retroactive')
    .description('refund merchants that opened in a half-year and turned out small; by two people / 소급환급')
    .option('--half <half>', 'propose what is owed for this half-year: 2026H1 / 제안할 반기')
    .option('--approve <id>', 'approve and book a proposal; never by who proposed / 승인하고 기장할 제안')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'one JSON document / JSON 출력')
    .action(async (options: Options) => {
      const { language } = context;
      const acts = { by: options.by ?? context.who, today: today(now()), providers: differentialProviders };
      const done = await context.withDatabase((pool) => {
        if (options.approve !== undefined) return approveRefund(pool, { ...acts, refundId: idOf(options.approve) });
        if (!/^20\d{2}H[12]$/.test(options.half ?? ''))
          throw new Problem('usage', { reason: '--half 2026H1 | --approve ID' });
        return proposeRefund(pool, { ...acts, half: options.half as string });
      });
      await writeOut(
        output,
        options.json ? `${JSON.stringify(proposalToJson(done), null, 2)}\n` : text(done, language),
      );
    });
}

function today(now: Temporal.Instant): string {
  return now.toZonedDateTimeISO(seoul).toPlainDate().toString();
}

function idOf(given: string): bigint {
  if (!/^\d{1,18}$/.test(given)) throw new Problem('usage', { reason: `--approve ${given}` });
  return BigInt(given);
}

const titles = {
  ko: ['원천사', '가맹점', '건수', '환급', '환수', '차액'],
  en: ['Provider', 'Merchant', 'Claims', 'Refund', 'Clawback', 'Difference'],
} as const;

function text(done: RetroactiveProposal, language: Language): string {
  const sum = (of: (line: RetroactiveProposal['lines'][number]) => bigint) =>
    done.lines.reduce((total, line) => total + of(line), 0n);
  const figures = (claims: bigint, ...won: bigint[]) => [
    formatCount(Number(claims)),
    ...won.map((each) => formatWon(each)),
  ];
  const total = figures(
    sum(({ claims }) => claims),
    sum(({ refundWon }) => refundWon),
    sum(({ clawbackWon }) => clawbackWon),
    sum(({ differenceWon }) => differenceWon),
  );
  const table = formatTable(
    titles[language].map((title, n) => (n < 2 ? { title } : { title, align: 'right' as const })),
    [
      ...done.lines.map((line) => [
        line.provider,
        line.merchantId,
        ...figures(line.claims, line.refundWon, line.clawbackWon, line.differenceWon),
      ]),
      [language === 'ko' ? '합계' : 'All', '', ...total],
    ],
  );
  return `${table}\n${ending(done, language)}\n`;
}

function ending({ half, state, refundId, subject }: RetroactiveProposal, language: Language): string {
  const say = {
    nothing: { ko: `${half}: 환급할 것이 없습니다`, en: `${half}: nothing is owed` },
    posted: {
      ko: `${half} 소급환급을 기장했습니다: ${subject}`,
      en: `The retroactive refund of ${half} is booked: ${subject}`,
    },
    waits: {
      ko: `다른 사람의 승인을 기다립니다: jeongsan differential retroactive --approve ${refundId} --by <누구>`,
      en: `A second person has to approve: jeongsan differential retroactive --approve ${refundId} --by <who>`,
    },
  };
  return say[state][language];
}

function proposalToJson({ half, state, refundId, subject, lines }: RetroactiveProposal): unknown {
  return {
    half,
    state,
    refundId: refundId === null ? null : Number(refundId),
    subject,
    lines: lines.map((line) => ({
      provider: line.provider,
      merchantId: line.merchantId,
      claims: Number(line.claims),
      refundWon: wonToJson(line.refundWon),
      clawbackWon: wonToJson(line.clawbackWon),
      differenceWon: wonToJson(line.differenceWon),
    })),
  };
}
