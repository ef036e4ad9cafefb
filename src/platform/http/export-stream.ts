import { byteOrderMark, csvLine } from '../csv.ts';
import { type Cell, writeXlsx } from '../xlsx.ts';
import { type Column, columnsOf } from './export-columns.ts';
import { jsonText } from './json-text.ts';
import type { ExportFormat } from './list-request.ts';
import type { Page, Route } from './route.ts';

type AnyList = Extract<Route, { kind: 'list' }>;
type NextPage = (after: string) => Promise<Page<unknown>>;

/**
 * A whole list as a file, a page at a time: the next page is read when the one before has been taken, so that memory stays
 * as it is however long the list. It is no snapshot; rows that come or go meanwhile may or may not be in it.
 */
export async function* exportStream(
  list: AnyList,
  format: ExportFormat,
  first: Page<unknown>,
  page: NextPage,
): AsyncGenerator<Uint8Array> {
  const rows = pagesOf(first, page);
  if (format === 'ndjson') {
    for await (const found of rows) yield Buffer.from(found.map((row) => `${jsonText(row)}\n`).join(''));
    return;
  }
  const columns = columnsOf(list.row);
  const cells = (row: unknown): readonly Cell[] => columns.map((column) => column.cell(row));
  if (format === 'csv') {
    yield Buffer.from(`${byteOrderMark}${csvLine(titles(columns))}`);
    for await (const found of rows) yield Buffer.from(found.map((row) => csvLine(cells(row))).join(''));
    return;
  }
  const heads = columns.map(({ title, width }) => ({ title, width }));
  yield* writeXlsx(list.tag, heads, cellRows(rows, cells), { facts: { rows: 0, sheets: 0 } });
}

async function* pagesOf(first: Page<unknown>, page: NextPage): AsyncGenerator<readonly unknown[]> {
  for (let found = first; ; found = await page(found.next)) {
    if (found.rows.length > 0) yield found.rows;
    if (found.next === undefined) return;
  }
}

async function* cellRows(
  pages: AsyncIterable<readonly unknown[]>,
  cells: (row: unknown) => readonly Cell[],
): AsyncGenerator<readonly Cell[]> {
  for await (const rows of pages) for (const row of rows) yield cells(row);
}

function titles(columns: readonly Column[]): readonly Cell[] {
  return columns.map(({ title }) => ({ type: 'text', value: title }));
}
