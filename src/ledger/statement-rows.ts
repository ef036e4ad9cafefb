import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Column } from '../platform/terminal.ts';
import type { Cell, SheetHead } from '../platform/xlsx.ts';
import type { Movement } from './statement-store.ts';

type StatementColumn = {
  readonly ko: string;
  readonly en: string;
  /** In characters. */
  readonly width: number;
  readonly align?: 'right';
  cell(movement: Movement): Cell;
};

const text = (value: string | null): Cell => (value === null ? null : { type: 'text', value });

/** What a statement shows of a movement, the same on the terminal, in CSV and in XLSX. */
const columns: readonly StatementColumn[] = [
  { ko: '업무일', en: 'Day', width: 12, cell: (m) => ({ type: 'day', value: m.postedOn }) },
  { ko: '기장 시각', en: 'Booked at', width: 20, cell: (m) => ({ type: 'instant', value: m.postedAt }) },
  { ko: '종류', en: 'Kind', width: 18, cell: (m) => text(m.kind) },
  { ko: '전표', en: 'Event', width: 44, cell: (m) => text(m.event) },
  { ko: '상대 계정', en: 'Counter accounts', width: 40, cell: (m) => text(m.counter.join(' ')) },
  { ko: '사유', en: 'Reason', width: 30, cell: (m) => text(m.reason) },
  { ko: '금액', en: 'Amount', width: 18, align: 'right', cell: (m) => ({ type: 'won', value: m.amountWon }) },
  { ko: '잔액', en: 'Balance', width: 20, align: 'right', cell: (m) => ({ type: 'won', value: m.balanceWon }) },
];

/** The columns of the terminal's table. */
export function statementColumns(language: Language): Column[] {
  return columns.map((column) => ({ title: column[language], align: column.align ?? 'left' }));
}

/** The columns of the sheet. */
export function statementHeads(language: Language): SheetHead[] {
  return columns.map((column) => ({ title: column[language], width: column.width }));
}

/** A movement as cells. */
export function statementCells(movement: Movement): Cell[] {
  return columns.map((column) => column.cell(movement));
}

/** A movement as a row of the terminal's table. */
export function statementRow(movement: Movement): string[] {
  return statementCells(movement).map((cell) => {
    if (cell === null) return '';
    if (cell.type === 'won') return formatWon(cell.value);
    return cell.type === 'instant' ? formatSeoulTime(cell.value) : String(cell.value);
  });
}

/** A movement as JSON. */
export function movementToJson({ amountWon, balanceWon, ...movement }: Movement): unknown {
  return { ...movement, amountWon: wonToJson(amountWon), balanceWon: wonToJson(balanceWon) };
}
