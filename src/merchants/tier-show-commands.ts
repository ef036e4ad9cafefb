import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { isBusinessNo } from '../kernel/business-no.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { halfYearsTable, halfYearToJson, ratesTable, rateToJson, tiersTable, tierToJson } from './tier-rows.ts';
import { halfYears, merchantsOf, preferentialRates, tiersOf } from './tier-store.ts';

/** Where the commands write, and when they are asked; tests give their own. */
export type FactSurroundings = { readonly output: Writable; readonly now: Temporal.Instant };

type Json = { readonly json?: true };

/** Adds `show` to `tiers`, `half-years` and `preferential-rates`. */
export function addFactShowCommands(
  nouns: { readonly tiers: Command; readonly halfYears: Command; readonly rates: Command },
  context: CommandContext,
  surroundings: () => FactSurroundings = () => ({ output: process.stdout, now: Temporal.Now.instant() }),
): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const json = say('JSON 출력', 'JSON output');
  nouns.tiers
    .command('show')
    .description(say('사업자의 반기별 등급, 언제부터 알았는지와 정정 전 값', 'tiers of a business, known since when'))
    .argument('<business-no>', say('사업자등록번호 10자리', 'business number, ten digits'))
    .option('--known-at <instant>', say('이 시각에 알던 대로 (ISO 8601)', 'as it was known then (ISO 8601)'))
    .option('--json', json)
    .action(async (businessNo: string, options: Json & { readonly knownAt?: string }) => {
      const { output, now } = surroundings();
      if (!isBusinessNo(businessNo)) throw new Problem('usage', { reason: `<business-no> ${businessNo} (2208162517)` });
      const knownAt = options.knownAt === undefined ? now : instantOf(options.knownAt);
      const [tiers, merchants] = await context.withDatabase(async (pool) => [
        await tiersOf(pool, businessNo, knownAt),
        await merchantsOf(pool, businessNo),
      ]);
      if (tiers.length === 0 && merchants.length === 0) {
        throw new Problem('not_found', { what: say('사업자', 'business'), id: businessNo });
      }
      const whose = merchants.map(({ merchantId, name }) => `${merchantId} ${name}`).join(', ');
      await writeOut(
        output,
        options.json
          ? `${JSON.stringify({ businessNo, knownAt: knownAt.toString(), merchants, tiers: tiers.map(tierToJson) }, null, 2)}\n`
          : `${businessNo} ${whose}\n\n${tiersTable(tiers, language)}`,
      );
    });
  nouns.halfYears
    .command('show')
    .description(say('반기의 시작일과 종료일', 'the first and last days of half-years'))
    .option('--json', json)
    .action(async (options: Json) => {
      const { output } = surroundings();
      const rows = await context.withDatabase(halfYears);
      await writeOut(
        output,
        options.json ? `${JSON.stringify(rows.map(halfYearToJson), null, 2)}\n` : halfYearsTable(rows, language),
      );
    });
  nouns.rates
    .command('show')
    .description(say('우대수수료율과 적용 기간, 근거', 'preferential rates, from when to when, and their sources'))
    .option('--on <day>', say('이 날에 적용되는 요율만', 'those in force on this day, YYYY-MM-DD'))
    .option('--json', json)
    .action(async (options: Json & { readonly on?: string }) => {
      const { output } = surroundings();
      const on = options.on === undefined ? null : dayOf(options.on);
      const rows = await context.withDatabase((pool) => preferentialRates(pool, on));
      await writeOut(
        output,
        options.json ? `${JSON.stringify(rows.map(rateToJson), null, 2)}\n` : ratesTable(rows, language),
      );
    });
}

function instantOf(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw new Problem('usage', { reason: `--known-at ${text} (2026-11-20T09:00:00+09:00)` });
  }
}

function dayOf(text: string): string {
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `--on ${text} (YYYY-MM-DD)` });
  return day.toString();
}
