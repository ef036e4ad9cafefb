import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Cell } from './xlsx.ts';

/** Excel takes a file for UTF-8 only with this in front. */
export const byteOrderMark = '\ufeff';

/** A line of a CSV file for people, with the cells that an XLSX of the same rows has. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/**
 * Text that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets read as "this is
 * text": texts come from merchants and providers, and a formula of theirs must not run on an operator's machine.
 * Numbers are ours and keep their minus sign. The XLSX needs no such mark: there a text cell says that it is one.
 */
export function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (cell.type === 'instant') return formatSeoulTime(cell.value);
  if (cell.type !== 'text') return String(cell.value);
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(cell.value) ? `'${cell.value}` : cell.value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
