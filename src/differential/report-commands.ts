import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { seoul } from '../kernel/business-day.ts';
import { wonToJson } from '../kernel/money.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { dayOf } from './claim-options.ts';
import { type Counted, groupBy, type Sums, sumGroups } from './report-data.ts';
import { type DifferentialReport, type ReportFormat, reportFormats, writeDifferentialReport } from './report-files.ts';

/** Where reports go, where the command writes, and when it is asked. */
export type ReportPorts = {
  readonly home: string;
  readonly output?: Writable;
  readonly now?: () => Temporal.Instant;
};

type Options = {
  readonly month?: string;
  readonly from?: string;
  readonly to?: string;
  readonly format?: readonly string[];
  readonly json?: true;
};

/** `differential report`: what was claimed of a month's trades and what became of it, as a page and as sheets. */
export function addReportCommand(
  noun: Command,
  context: CommandContext,
  { home, output = process.stdout, now = () => Temporal.Now.instant() }: ReportPorts,
): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  noun
    .command('report')
    .description(say('원천사·등급·코드·월별 보고서', 'the report by provider, tier, code and month'))
    .option('--month <month>', say('거래월 YYYY-MM (기본: 이번 달)', 'month of trade YYYY-MM (this month)'))
    .option('--from <day>', say('이 거래일부터', 'from this day of trade on'))
    .option('--to <day>', say('이 거래일까지', 'up to and including this day of trade'))
    .option('--format <formats...>', say('html, csv, xlsx (기본: 모두)', 'html, csv, xlsx (all of them)'))
    .option('--json', say('JSON 출력', 'JSON output'))
    .action(async (options: Options) => {
      const at = now();
      const period = periodOf(options, at.toZonedDateTimeISO(seoul).toPlainDate());
      const formats = formatsOf(options.format);
      const report = await context.withDatabase((pool) =>
        writeDifferentialReport({ pool, home, ...period, formats, now: at, language }),
      );
      const said = options.json
        ? `${JSON.stringify(reportToJson(report), null, 2)}\n`
        : report.files.map((file) => `${file}\n`).join('');
      await writeOut(output, said);
    });
}

/** @throws Problem `usage` */
function periodOf(options: Options, today: Temporal.PlainDate): { readonly from: string; readonly to: string } {
  const { month } = options;
  const from = dayOf('--from', options.from);
  const to = dayOf('--to', options.to);
  if (from === undefined && to !== undefined) throw new Problem('usage', { reason: '--to (--from)' });
  if (from !== undefined) {
    const last = to ?? today.toString();
    if (month !== undefined) throw new Problem('usage', { reason: '--month | --from --to' });
    if (from > last) throw new Problem('usage', { reason: `--from ${from} --to ${last}` });
    return { from, to: last };
  }
  if (month !== undefined && !/^20\d{2}-(0[1-9]|1[0-2])$/.test(month)) {
    throw new Problem('usage', { reason: `--month ${month} (YYYY-MM)` });
  }
  const asked = month === undefined ? today.toPlainYearMonth() : Temporal.PlainYearMonth.from(month);
  return {
    from: asked.toPlainDate({ day: 1 }).toString(),
    to: asked.toPlainDate({ day: asked.daysInMonth }).toString(),
  };
}

/** @throws Problem `usage` */
function formatsOf(given: readonly string[] | undefined): readonly ReportFormat[] {
  if (given === undefined) return reportFormats;
  return given
    .flatMap((names) => names.split(','))
    .map((name) => {
      const format = reportFormats.find((known) => known === name);
      if (format === undefined)
        throw new Problem('usage', { reason: `--format ${name} (${reportFormats.join(', ')})` });
      return format;
    });
}

/** Where the files lie, and what the period came to in all and by provider. */
function reportToJson({ folder, files, data }: DifferentialReport): unknown {
  const byProvider = [...groupBy(data.groups, ({ provider }) => provider)];
  return {
    from: data.from,
    to: data.to,
    folder,
    files,
    ...sumsToJson(sumGroups(data.groups)),
    providers: Object.fromEntries(byProvider.map(([provider, groups]) => [provider, sumsToJson(sumGroups(groups))])),
  };
}

function sumsToJson(sums: Sums): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(sums).map(([name, { claims, won }]: [string, Counted]) => [
      name,
      { claims: Number(claims), won: wonToJson(won) },
    ]),
  );
}
