import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { seoul } from '../kernel/business-day.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { differentialProviderNamed, differentialProviders } from '../providers/differential-registry.ts';
import { type ClaimBreak, countOpenBreaks, listClaimBreaks, resolveClaimBreak } from './break-store.ts';
import { breakText } from './claim-words.ts';

type ListOptions = {
  readonly all?: true;
  readonly provider?: string;
  readonly kind?: string;
  readonly limit: string;
  readonly json?: true;
};
type ResolveOptions = { readonly because: string; readonly by?: string; readonly json?: true };

/** `differential breaks` and `differential resolve`: what answers say otherwise than we do, and its end by a person. */
export function addBreakCommands(noun: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  noun
    .command('breaks')
    .description('what answers say otherwise than we do; open ones if not told otherwise / 차액정산 불일치')
    .option('--open', 'the open ones, as without it / 미해소만')
    .option('--all', 'closed ones too / 종결 포함')
    .option('--provider <id>', differentialProviders.map(({ id }) => id).join(', '))
    .option('--kind <kind>', 'difference_differs, amount_changed, unknown_claim, … / 종류')
    .option('--limit <rows>', 'at most so many / 최대 건수', '100')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: ListOptions) => {
      const { provider, kind } = options;
      if (provider !== undefined) differentialProviderNamed(provider);
      if (!/^[1-9]\d{0,5}$/.test(options.limit)) throw new Problem('usage', { reason: `--limit ${options.limit}` });
      const filter = { closed: options.all ?? false, limit: Number(options.limit), provider, kind };
      return context.withDatabase(async (pool) => {
        const breaks = await listClaimBreaks(pool, filter);
        if (options.json) return await writeOut(output, `${JSON.stringify(breaks.map(toJson), null, 2)}\n`);
        const open = await countOpenBreaks(pool);
        const total = open.reduce((sum, each) => sum + each.breaks, 0n);
        const say = language === 'ko' ? `미해소 ${formatCount(total)}건` : `${formatCount(total)} open`;
        const table = breaks.length === 0 ? '' : formatTable(columns(language), breaks.map(toRow(language)));
        await writeOut(output, `${table}${say}\n`);
      });
    });
  noun
    .command('resolve')
    .description('close a break that a person has dealt with / 불일치 해소')
    .argument('<id>', 'break ID / 불일치 번호')
    .requiredOption('--because <text>', 'what was found and done, kept / 해소 사유')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((id: string, options: ResolveOptions) => {
      if (!/^[1-9]\d{0,17}$/.test(id)) throw new Problem('usage', { reason: `ID ${id}` });
      const because = options.because.trim();
      if (because === '') throw new Problem('usage', { reason: '--because TEXT' });
      return context.withDatabase(async (pool) => {
        const closed = await resolveClaimBreak(pool, BigInt(id), { by: options.by ?? context.who, because });
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify(toJson(closed), null, 2)}\n`
            : formatTable(columns(language), [toRow(language)(closed)]),
        );
      });
    });
}

const titles = [
  { ko: '번호', en: 'ID', right: true },
  { ko: '원천사', en: 'Provider' },
  { ko: '종류', en: 'Kind' },
  { ko: '대상', en: 'Subject' },
  { ko: '당사', en: 'Ours', right: true },
  { ko: '원천사 금액', en: 'Theirs', right: true },
  { ko: '회신 파일', en: 'Answer' },
  { ko: '줄', en: 'Line', right: true },
  { ko: '발생일', en: 'Opened on' },
  { ko: '종결', en: 'Closed' },
] as const;

function columns(language: Language) {
  return titles.map((title) => ({
    title: title[language],
    align: 'right' in title ? ('right' as const) : ('left' as const),
  }));
}

function toRow(language: Language): (found: ClaimBreak) => string[] {
  const won = (amount: bigint | null) => (amount === null ? '' : formatWon(amount));
  return ({ id, provider, kind, subject, oursWon, theirsWon, answer, line, openedAt, closedBy, resolution }) => [
    String(id),
    provider,
    breakText(kind, language),
    subject,
    won(oursWon),
    won(theirsWon),
    answer ?? '',
    line === null ? '' : String(line),
    Temporal.Instant.from(openedAt.toISOString()).toZonedDateTimeISO(seoul).toPlainDate().toString(),
    closedBy === null ? '' : `${closedBy}: ${resolution}`,
  ];
}

function toJson(found: ClaimBreak): Record<string, unknown> {
  const won = (amount: bigint | null) => (amount === null ? null : wonToJson(amount));
  return { ...found, id: Number(found.id), oursWon: won(found.oursWon), theirsWon: won(found.theirsWon) };
}
