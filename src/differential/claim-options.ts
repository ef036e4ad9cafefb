import type { Command } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { differentialProviderNamed, differentialProviders } from '../providers/differential-registry.ts';
import { claimStatuses } from './claim-words.ts';
import type { ClaimFilter } from './list-store.ts';

/** The options that say which claims are meant, as commander hands them over. */
export type FilterOptions = {
  readonly on?: string;
  readonly from?: string;
  readonly to?: string;
  readonly provider?: readonly string[];
  readonly status?: readonly string[];
  readonly reason?: string;
  readonly merchant?: string;
  readonly tier?: readonly string[];
  readonly batch?: string;
};

export function addFilterOptions(command: Command, language: Language): Command {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  return command
    .option('--on <day>', say('거래일 YYYY-MM-DD', 'day of trade YYYY-MM-DD'))
    .option('--from <day>', say('이 거래일부터', 'from this day of trade on'))
    .option('--to <day>', say('이 거래일까지', 'up to and including this day of trade'))
    .option(
      '--provider <ids...>',
      `${say('원천사', 'provider(s)')}: ${differentialProviders.map(({ id }) => id).join(', ')}`,
    )
    .option('--status <statuses...>', `${claimStatuses.join(', ')}${say(' (현황)', '')}`)
    .option('--reason <reason>', say('사유: not_registered, welcome:09, …', 'not_registered, welcome:09, …'))
    .option('--merchant <id>', say('가맹점 ID', 'merchant ID'))
    .option('--tier <tiers...>', say('등급 0–3', 'tier(s), 0 to 3'))
    .option(
      '--batch <name>',
      say(
        '작업 번호·실행 ID(differential:welcome:2026-11-20)·파일',
        'of a run (differential:welcome:2026-11-20), its number or a file',
      ),
    );
}

/** The options but the batch, which only the database knows. @throws Problem `usage` for what is no day, name or tier */
export function toFilter(options: FilterOptions): ClaimFilter {
  if (options.on !== undefined && (options.from !== undefined || options.to !== undefined)) {
    throw new Problem('usage', { reason: '--on | --from --to' });
  }
  const from = dayOf('--from', options.from) ?? dayOf('--on', options.on);
  const to = dayOf('--to', options.to) ?? dayOf('--on', options.on);
  const providers = split(options.provider)?.map((id) => differentialProviderNamed(id).id);
  const statuses = split(options.status)?.map((name) => named('--status', name, claimStatuses));
  const tiers = split(options.tier)?.map((name) => Number(named('--tier', name, ['0', '1', '2', '3'])));
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(providers === undefined ? {} : { providers }),
    ...(statuses === undefined ? {} : { statuses }),
    ...(tiers === undefined ? {} : { tiers }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(options.merchant === undefined ? {} : { merchantId: options.merchant }),
  };
}

/** A day that exists. @throws Problem `usage` */
export function dayOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DD)` });
  return day.toString();
}

function split(given: readonly string[] | undefined): readonly string[] | undefined {
  return given?.flatMap((name) => name.split(','));
}

function named<T extends string>(option: string, name: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === name);
  if (found === undefined) throw new Problem('usage', { reason: `${option} ${name} (${known.join(', ')})` });
  return found;
}
