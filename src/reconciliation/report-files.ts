import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Pool } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { seoul } from '../kernel/business-day.ts';
import type { Language } from '../kernel/problem.ts';
import { byteOrderMark } from '../platform/csv.ts';
import { writeWhole } from '../platform/whole-file.ts';
import { writeXlsx, type XlsxFacts } from '../platform/xlsx.ts';
import { ageCounter } from './break-age.ts';
import { csvHeader, csvRow, sheetColumns } from './break-csv.ts';
import type { AgeOf } from './break-rows.ts';
import { listBreaks } from './break-store.ts';
import { reportHtml } from './report.ts';
import type { ReportRun } from './report-data.ts';
import { breaksOfRun, noteReport, reportData, reportRun } from './report-store.ts';
import { reportWords } from './report-words.ts';

/** The files of a report, in its folder. */
export const reportFiles = { page: 'report.html', csv: 'breaks.csv', xlsx: 'breaks.xlsx' } as const;

export type ReportRequest = {
  readonly pool: Pool;
  readonly home: string;
  readonly runId: string;
  readonly language: Language;
};

/** Where the report of a run lies. */
export function reportFolder(home: string, run: Pick<ReportRun, 'runId' | 'on'>): string {
  return path.join(home, 'reports', run.on, run.runId.replaceAll(/[:/\\]/g, '-'));
}

/**
 * Makes the report of a run as things stand now: the page, and the day's breaks as CSV and XLSX. Each file is whole or
 * not there; made again, it replaces the older one. Ages are those of the day on which the run began.
 * @throws Problem `not_found`
 */
export async function writeReport({
  pool,
  home,
  runId,
  language,
}: ReportRequest): Promise<{ readonly folder: string }> {
  const run = await reportRun(pool, runId);
  const folder = reportFolder(home, run);
  await mkdir(folder, { recursive: true });
  const today = Temporal.Instant.from(run.startedAt).toZonedDateTimeISO(seoul).toPlainDate();
  const ageOf = ageCounter(today, await businessCalendar(pool));
  const rows = await writeCsv(path.join(folder, reportFiles.csv), pool, run, ageOf, language);
  const { sheets } = await writeSheets(path.join(folder, reportFiles.xlsx), pool, run, ageOf, language);
  const data = await reportData(pool, run, ageOf, language);
  const page = reportHtml({ ...data, files: { ...reportFiles, rows, sheets } }, language);
  // The page goes last: whoever finds it finds the others.
  await writeWhole(path.join(folder, reportFiles.page), async (temporary) => writeFile(temporary, page));
  await noteReport(pool, runId, folder);
  return { folder };
}

/**
 * The report of a run, made where it is not there any more, or anew if `fresh`; gives its folder.
 * @throws Problem `not_found`
 */
export async function standingReport(
  request: Omit<ReportRequest, 'runId'>,
  run: ReportRun,
  fresh: boolean,
): Promise<string> {
  const folder = reportFolder(request.home, run);
  const there = Object.values(reportFiles).every((file) => existsSync(path.join(folder, file)));
  if (!there || fresh) await writeReport({ ...request, runId: run.runId });
  return folder;
}

async function writeCsv(file: string, pool: Pool, run: ReportRun, ageOf: AgeOf, language: Language): Promise<number> {
  let rows = 0;
  const lines = async function* (): AsyncGenerator<string> {
    yield byteOrderMark + csvHeader(language);
    for await (const batch of listBreaks(pool, breaksOfRun(run))) {
      rows += batch.length;
      yield batch.map((found) => csvRow(found, ageOf, language)).join('');
    }
  };
  await writeWhole(file, (temporary) => pipeline(lines(), createWriteStream(temporary)));
  return rows;
}

async function writeSheets(
  file: string,
  pool: Pool,
  run: ReportRun,
  ageOf: AgeOf,
  language: Language,
): Promise<XlsxFacts> {
  const facts: XlsxFacts = { rows: 0, sheets: 0 };
  const heads = sheetColumns.map(({ title, width }) => ({ title: title(language), width }));
  const rows = async function* () {
    for await (const batch of listBreaks(pool, breaksOfRun(run))) {
      for (const found of batch) yield sheetColumns.map((column) => column.cell(found, ageOf, language));
    }
  };
  const name = `${run.on} ${reportWords.breaks[language]}`;
  await writeWhole(file, (temporary) =>
    pipeline(writeXlsx(name, heads, rows(), { facts }), createWriteStream(temporary)),
  );
  return facts;
}
