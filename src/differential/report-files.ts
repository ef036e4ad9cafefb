import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Pool } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { seoul } from '../kernel/business-day.ts';
import type { Language } from '../kernel/problem.ts';
import { byteOrderMark } from '../platform/csv.ts';
import { writeWhole } from '../platform/whole-file.ts';
import { writeXlsx } from '../platform/xlsx.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import { ageCounter } from '../reconciliation/break-age.ts';
import { reportHtml } from './report.ts';
import { type ReportData, sheetLines } from './report-data.ts';
import { sheetColumns, sheetHeader, sheetRow } from './report-sheet.ts';
import { claimGroups, refundSums } from './report-store.ts';
import { reportWords } from './report-words.ts';

export const reportFormats = ['html', 'csv', 'xlsx'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export type DifferentialReport = {
  readonly folder: string;
  readonly files: readonly string[];
  readonly data: ReportData;
};

/**
 * Makes the report of days of trade as things stand now: the page, and its sums as CSV and XLSX. Each file is whole or
 * not there; made again, it replaces the older one. Ages are those of the day on which it is made.
 */
export async function writeDifferentialReport({
  pool,
  home,
  from,
  to,
  formats,
  now,
  language,
}: {
  readonly pool: Pool;
  readonly home: string;
  readonly from: string;
  readonly to: string;
  readonly formats: readonly ReportFormat[];
  readonly now: Temporal.Instant;
  readonly language: Language;
}): Promise<DifferentialReport> {
  const folder = path.join(home, 'reports', 'differential', periodName(from, to));
  await mkdir(folder, { recursive: true });
  const ageOf = ageCounter(now.toZonedDateTimeISO(seoul).toPlainDate(), await businessCalendar(pool));
  const sheets = formats.filter((format) => format !== 'html').map((format) => `differential.${format}`);
  const data: ReportData = {
    from,
    to,
    madeAt: now,
    providerNames: Object.fromEntries(differentialProviders.map(({ id, name }) => [id, name])),
    groups: await claimGroups(pool, from, to),
    refunds: await refundSums(pool, from, to),
    files: sheets,
  };
  const lines = sheetLines(data.groups);
  const files: string[] = [];
  const write = async (name: string, make: (temporary: string) => Promise<void>): Promise<void> => {
    const file = path.join(folder, name);
    await writeWhole(file, make);
    files.push(file);
  };
  if (formats.includes('csv')) {
    const csv = byteOrderMark + sheetHeader(language) + lines.map((line) => sheetRow(line, ageOf, language)).join('');
    await write('differential.csv', (temporary) => writeFile(temporary, csv));
  }
  if (formats.includes('xlsx')) {
    const heads = sheetColumns.map(({ title, width }) => ({ title: reportWords[title][language], width }));
    const rows = async function* () {
      for (const line of lines) yield sheetColumns.map(({ cell }) => cell(line, ageOf, language));
    };
    const facts = { rows: 0, sheets: 0 };
    await write('differential.xlsx', (temporary) =>
      pipeline(writeXlsx(periodName(from, to), heads, rows(), { facts }), createWriteStream(temporary)),
    );
  }
  // The page goes last: whoever finds it finds the others.
  if (formats.includes('html')) {
    await write('differential.html', (temporary) => writeFile(temporary, reportHtml(data, ageOf, language)));
  }
  return { folder, files, data };
}

/** `2026-11` for a whole month, else both days. */
function periodName(from: string, to: string): string {
  const month = Temporal.PlainYearMonth.from(from.slice(0, 7));
  const whole = from.endsWith('-01') && to === month.toPlainDate({ day: month.daysInMonth }).toString();
  return whole ? month.toString() : `${from}_${to}`;
}
