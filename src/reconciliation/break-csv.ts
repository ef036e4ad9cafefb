import type { Language } from '../kernel/problem.ts';
import { csvLine } from '../platform/csv.ts';
import type { Cell } from '../platform/xlsx.ts';
import type { AgeOf } from './break-rows.ts';
import type { Break } from './break-store.ts';
import { columnWords, kindWords, resolutionWords, stageWords, stateWords, wordOf } from './words.ts';

type SheetColumn = {
  readonly title: (language: Language) => string;
  /** In characters. */
  readonly width: number;
  cell(found: Break, ageOf: AgeOf, language: Language): Cell;
};

const text = (value: string | null): Cell => (value === null ? null : { type: 'text', value });
const whole = (value: number | null): Cell => (value === null ? null : { type: 'number', value: BigInt(value) });
const titled = (name: keyof typeof columnWords) => (language: Language) => columnWords[name][language];
const sideAmount =
  (side: 'ours' | 'theirs') =>
  (found: Break): Cell => {
    const amount = found[side]?.['amountWon'];
    return amount === undefined || amount === null ? null : { type: 'won', value: BigInt(String(amount)) };
  };
const sideText = (found: Break, field: string): Cell => {
  const value = found.ours?.[field] ?? found.theirs?.[field];
  return value === undefined || value === null ? null : text(String(value));
};

/** The breaks of a day as a sheet, for CSV and XLSX alike. The codes are what the commands take, the words for people. */
export const sheetColumns: readonly SheetColumn[] = [
  { title: titled('id'), width: 9, cell: (b) => whole(b.id) },
  { title: titled('on'), width: 12, cell: (b) => ({ type: 'day', value: b.on }) },
  { title: titled('provider'), width: 16, cell: (b) => text(b.provider) },
  { title: titled('stage'), width: 12, cell: (b, _, language) => text(wordOf(stageWords, b.stage, language)) },
  { title: titled('kind'), width: 20, cell: (b, _, language) => text(wordOf(kindWords, b.kind, language)) },
  { title: (language) => (language === 'ko' ? '종류 코드' : 'Kind code'), width: 20, cell: (b) => text(b.kind) },
  { title: titled('providerTid'), width: 24, cell: (b) => text(b.providerTid) },
  { title: titled('cancelSeq'), width: 9, cell: (b) => whole(b.cancelSeq) },
  {
    title: titled('differenceWon'),
    width: 16,
    cell: (b) => (b.differenceWon === null ? null : { type: 'won', value: b.differenceWon }),
  },
  {
    title: (language) => (language === 'ko' ? '당사 금액' : 'Our amount'),
    width: 16,
    cell: sideAmount('ours'),
  },
  {
    title: (language) => (language === 'ko' ? '원천사 금액' : 'Their amount'),
    width: 16,
    cell: sideAmount('theirs'),
  },
  { title: (language) => (language === 'ko' ? '상점 ID' : 'MID'), width: 16, cell: (b) => sideText(b, 'mid') },
  {
    title: (language) => (language === 'ko' ? '승인번호' : 'Approval number'),
    width: 14,
    cell: (b) => sideText(b, 'approvalNo'),
  },
  {
    title: (language) => (language === 'ko' ? '주문번호' : 'Order number'),
    width: 24,
    cell: (b) => sideText(b, 'orderNo'),
  },
  { title: titled('file'), width: 32, cell: (b) => text(b.file) },
  { title: titled('line'), width: 9, cell: (b) => whole(b.line) },
  { title: titled('pass'), width: 14, cell: (b) => text(b.pass) },
  { title: titled('state'), width: 14, cell: (b, _, language) => text(wordOf(stateWords, b.state, language)) },
  {
    title: titled('resolution'),
    width: 20,
    cell: (b, _, language) => text(b.resolution === null ? null : wordOf(resolutionWords, b.resolution, language)),
  },
  { title: titled('assignedTo'), width: 14, cell: (b) => text(b.assignedTo) },
  { title: titled('age'), width: 10, cell: (b, ageOf) => whole(ageOf(b.on)) },
  { title: titled('openedAt'), width: 20, cell: (b) => ({ type: 'instant', value: b.openedAt }) },
  {
    title: titled('escalatedAt'),
    width: 20,
    cell: (b) => (b.escalatedAt === null ? null : { type: 'instant', value: b.escalatedAt }),
  },
];

/** The first line of the CSV. */
export function csvHeader(language: Language): string {
  return csvLine(sheetColumns.map((column) => text(column.title(language))));
}

/** A break as a line of the CSV. */
export function csvRow(found: Break, ageOf: AgeOf, language: Language): string {
  return csvLine(sheetColumns.map((column) => column.cell(found, ageOf, language)));
}
