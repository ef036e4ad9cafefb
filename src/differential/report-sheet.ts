import type { Language } from '../kernel/problem.ts';
import { tierText } from '../merchants/tier-text.ts';
import { csvLine } from '../platform/csv.ts';
import type { Cell } from '../platform/xlsx.ts';
import { wordOf } from '../reconciliation/words.ts';
import { codeMeaning, kindWords, reasonText, statusWords } from './claim-words.ts';
import type { SheetLine } from './report-data.ts';
import { reportWords } from './report-words.ts';

type SheetColumn = {
  readonly title: keyof typeof reportWords;
  /** In characters. */
  readonly width: number;
  cell(line: SheetLine, ageOf: (on: string) => number, language: Language): Cell;
};

const text = (value: string | null): Cell => (value === null ? null : { type: 'text', value });
const count = (value: bigint): Cell => ({ type: 'number', value });
const won = (value: bigint): Cell => ({ type: 'won', value });

/** The lines of a report as a sheet, for CSV and XLSX alike: one for each month, provider, kind, tier, status and reason. */
export const sheetColumns: readonly SheetColumn[] = [
  { title: 'month', width: 10, cell: (line) => text(line.month) },
  { title: 'provider', width: 12, cell: (line) => text(line.provider) },
  { title: 'kind', width: 12, cell: (line, _, language) => text(wordOf(kindWords, line.kind, language)) },
  { title: 'tier', width: 12, cell: (line, _, language) => text(tierText(line.tier, language)) },
  { title: 'status', width: 14, cell: (line, _, language) => text(statusWords[line.status][language]) },
  { title: 'code', width: 22, cell: (line) => text(line.reason) },
  { title: 'meaning', width: 36, cell: (line, _, language) => text(meaningOf(line.reason, language)) },
  { title: 'claims', width: 12, cell: (line) => count(line.claims) },
  { title: 'unpriced', width: 12, cell: (line) => count(line.unpriced) },
  { title: 'claimed', width: 16, cell: (line) => won(line.claimedWon) },
  { title: 'accepted', width: 16, cell: (line) => won(line.acceptedWon) },
  { title: 'differingClaims', width: 14, cell: (line) => count(line.differing) },
  { title: 'differing', width: 14, cell: (line) => won(line.differingWon) },
  {
    title: 'oldest',
    width: 18,
    cell: (line) => (line.oldest === null ? null : { type: 'day', value: line.oldest }),
  },
  {
    title: 'age',
    width: 14,
    cell: (line, ageOf) => (line.oldest === null ? null : count(BigInt(ageOf(line.oldest)))),
  },
];

/** The code stands in a column of its own. */
function meaningOf(reason: string | null, language: Language): string | null {
  return reason === null ? null : (codeMeaning(reason)?.[language] ?? reasonText(reason, language));
}

/** The first line of the CSV. */
export function sheetHeader(language: Language): string {
  return csvLine(sheetColumns.map(({ title }) => text(reportWords[title][language])));
}

/** A line of the CSV. */
export function sheetRow(line: SheetLine, ageOf: (on: string) => number, language: Language): string {
  return csvLine(sheetColumns.map(({ cell }) => cell(line, ageOf, language)));
}
