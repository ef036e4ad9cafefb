import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvCell } from '../platform/csv.ts';
import type { Cell } from '../platform/xlsx.ts';
import { csvHeader, csvRow, sheetColumns } from './break-csv.ts';
import type { Break } from './break-store.ts';

const found: Break = {
  id: 12,
  provider: 'ksnet',
  stage: 'transaction',
  on: '2026-11-20',
  kind: 'amount_differs',
  providerTid: '=HYPERLINK("http://evil","x")',
  cancelSeq: 0,
  line: 7,
  file: 'KSNET, "TRX".csv',
  differenceWon: -9_007_199_254_740_993n,
  state: 'open',
  resolution: null,
  assignedTo: null,
  openedAt: '2026-11-20T23:30:00Z',
  escalatedAt: null,
  goneAt: null,
  pass: 'tid',
  ours: { amountWon: 1000, orderNo: '-1\n2' },
  theirs: { amountWon: '-9007199254740993' },
};

test('the CSV can be read back: every amount exact, no text a formula', () => {
  const csv = csvHeader('en') + csvRow(found, () => 3, 'en');
  const [row] = parse(csv, { columns: true, bom: true }) as Record<string, string>[];
  expect(row).toEqual({
    ID: '12',
    Day: '2026-11-20',
    Provider: 'ksnet',
    Stage: 'Transaction',
    Kind: 'Amount differs',
    'Kind code': 'amount_differs',
    'Provider TID': `'=HYPERLINK("http://evil","x")`,
    Cancel: '0',
    'Difference (won)': '-9007199254740993',
    'Our amount': '1000',
    'Their amount': '-9007199254740993',
    MID: '',
    'Approval number': '',
    'Order number': "'-1\n2",
    File: 'KSNET, "TRX".csv',
    Line: '7',
    Pass: 'tid',
    State: 'open',
    Resolution: '',
    Assigned: '',
    Age: '3',
    'Opened at': '2026-11-21 08:30:00',
    'Escalated at': '',
  });
  expect(csvHeader('ko').split(',')).toHaveLength(sheetColumns.length);
});

test.each<[string, Cell]>([
  ["'=1+1", { type: 'text', value: '=1+1' }],
  ["'+82-2-123", { type: 'text', value: '+82-2-123' }],
  ["'-1", { type: 'text', value: '-1' }],
  ["'@SUM(A1)", { type: 'text', value: '@SUM(A1)' }],
  ["'\t=1", { type: 'text', value: '\t=1' }],
  ["'＝1", { type: 'text', value: '＝1' }],
  ['a=1', { type: 'text', value: 'a=1' }],
  ['"a,""b"""', { type: 'text', value: 'a,"b"' }],
  ['-5', { type: 'won', value: -5n }],
  ['2026-11-20', { type: 'day', value: '2026-11-20' }],
  ['', null],
])('a cell is written as %s', (written, cell) => {
  expect(csvCell(cell)).toBe(written);
});
