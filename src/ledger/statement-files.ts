import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Language } from '../kernel/problem.ts';
import { byteOrderMark, csvLine } from '../platform/csv.ts';
import { writeWhole } from '../platform/whole-file.ts';
import { type Cell, writeXlsx } from '../platform/xlsx.ts';
import { statementCells, statementHeads } from './statement-rows.ts';
import type { Movement } from './statement-store.ts';

type Pages = AsyncIterable<readonly Movement[]>;

/** Writes a statement as CSV, page by page; the file is whole or not there. */
export async function writeStatementCsv(file: string, pages: Pages, language: Language): Promise<void> {
  const lines = async function* (): AsyncGenerator<string> {
    yield byteOrderMark + csvLine(statementHeads(language).map(({ title }) => ({ type: 'text', value: title })));
    for await (const page of pages) yield page.map((movement) => csvLine(statementCells(movement))).join('');
  };
  await writeWhole(file, (temporary) => pipeline(lines(), createWriteStream(temporary)));
}

/** Writes a statement as XLSX, page by page; the file is whole or not there. */
export async function writeStatementXlsx(file: string, name: string, pages: Pages, language: Language): Promise<void> {
  const rows = async function* (): AsyncGenerator<readonly Cell[]> {
    for await (const page of pages) for (const movement of page) yield statementCells(movement);
  };
  const facts = { rows: 0, sheets: 0 };
  await writeWhole(file, (temporary) =>
    pipeline(writeXlsx(sheetName(name), statementHeads(language), rows(), { facts }), createWriteStream(temporary)),
  );
}

/** Excel allows a sheet 31 characters, and none of these among them; some are left for the number of the sheet. */
function sheetName(name: string): string {
  return name.replace(/[[\]:*?/\\']/g, ' ').slice(0, 25);
}
