import {
  delimitedExchange,
  fixedExchange,
  fromHead,
  nowhere,
  optional,
} from '../../src/providers/layout/exchange-define.ts';
import type { ExpectedExchange } from '../../src/providers/layout/exchange-facts.ts';
import type { ExchangeRow } from '../../src/providers/layout/exchange-layout.ts';
import { always, anything, blank, day, number, text, won } from '../../src/providers/layout/field.ts';

const day8 = day('YYYYMMDD');
const signed = won({ sign: 'minus' });
const required = text({ required: true });

/** 120-byte records with all that a frame has: a header and totals for each MID, totals over the file. */
export const fixedAnswers = fixedExchange({
  record: 'answer',
  encoding: 'cp949',
  recordBytes: 120,
  lineBreak: 'lf',
  type: 'mark',
  start: {
    mark: [2, always('01')],
    on: [8, day8],
    biz: [10, required],
    tag: [6, always('SAMPLE')],
    unused: [94, blank],
  },
  header: { mark: [2, always('10')], mid: [10, required], unused: [108, blank] },
  data: {
    mark: [2, always('11')],
    tradedOn: [8, day8],
    providerTid: [20, required],
    cancelSeq: [3, number()],
    amountWon: [15, signed],
    originalWon: [15, signed],
    tier: [1, optional(text())],
    cardType: [1, optional(text())],
    supplyWon: [15, optional(signed)],
    vatWon: [15, optional(signed)],
    payOn: [8, optional(day8)],
    code: [2, required],
    orderNo: [12, text()],
    unused: [3, anything],
  },
  columns: { mid: fromHead('mid'), differenceWon: nowhere },
  total: {
    fields: {
      mark: [2, always('12')],
      lines: [7, number()],
      amountWon: [18, signed],
      differenceWon: [15, signed],
      unused: [78, blank],
    },
    totals: { lines: 'lines', amountWon: 'amountWon', differenceWon: 'differenceWon' },
  },
  end: {
    fields: { mark: [2, always('02')], records: [7, number()], unused: [111, blank] },
    totals: { records: 'records' },
  },
});

/** Data alone, as CSV. */
export const csvAnswers = delimitedExchange({
  record: 'answer',
  encoding: 'cp949',
  separator: ',',
  quote: '"',
  lineBreak: 'crlf',
  type: 'mark',
  data: {
    mark: always('R'),
    mid: required,
    tradedOn: day8,
    providerTid: required,
    cancelSeq: number(),
    amountWon: signed,
    originalWon: signed,
    tier: optional(text()),
    cardType: optional(text()),
    differenceWon: optional(signed),
    payOn: optional(day8),
    code: required,
  },
  columns: { supplyWon: nowhere, vatWon: nowhere },
});

export const expectedAnswers: ExpectedExchange = {
  on: Temporal.PlainDate.from('2026-11-20'),
  biz: '1234567891',
  provider: 'sample',
  fileName: 'answers.dat',
};

/** Pieces of a 120-byte record. */
const laid = (...pieces: readonly string[]) => pieces.join('').padEnd(120);
const tid = (text: string) => text.padEnd(20);
const none = ' '.repeat(15);

/** Typed by hand: two MIDs, a cancel that is taken back, a rejected line that states no difference. */
export const fixedLines: readonly string[] = [
  laid('01', '20261120', '1234567891', 'SAMPLE'),
  laid('10', 'M1'),
  laid(
    '11',
    '20261119',
    tid('T1'),
    '000',
    '000000000010000',
    '000000000010000',
    '1',
    '1',
    '000000000000050',
    '000000000000005',
    '20261125',
    '00',
    'ORDER-1',
  ),
  laid(
    '11',
    '20261119',
    tid('T1'),
    '001',
    '0000000000-4000',
    '000000000010000',
    '1',
    '1',
    '000000000000-20',
    '0000000000000-2',
    '20261125',
    '00',
    'ORDER-1',
  ),
  laid('12', '0000002', '000000000000006000', '000000000000033'),
  laid('10', 'M2'),
  laid(
    '11',
    '20261118',
    tid('T2'),
    '000',
    '000000000000700',
    '000000000000700',
    '4',
    ' ',
    none,
    none,
    '00000000',
    '09',
  ),
  laid('12', '0000001', '000000000000000700', '000000000000000'),
  laid('02', '0000009'),
];

/** What the lines say; none of them states the difference with VAT. */
export const fixedRows: readonly ExchangeRow<'answer'>[] = [
  {
    mid: 'M1',
    tradedOn: '2026-11-19',
    providerTid: 'T1',
    cancelSeq: 0,
    amountWon: 10_000n,
    originalWon: 10_000n,
    tier: '1',
    cardType: '1',
    differenceWon: null,
    supplyWon: 50n,
    vatWon: 5n,
    payOn: '2026-11-25',
    code: '00',
    extras: { orderNo: 'ORDER-1' },
  },
  {
    mid: 'M1',
    tradedOn: '2026-11-19',
    providerTid: 'T1',
    cancelSeq: 1,
    amountWon: -4_000n,
    originalWon: 10_000n,
    tier: '1',
    cardType: '1',
    differenceWon: null,
    supplyWon: -20n,
    vatWon: -2n,
    payOn: '2026-11-25',
    code: '00',
    extras: { orderNo: 'ORDER-1' },
  },
  {
    mid: 'M2',
    tradedOn: '2026-11-18',
    providerTid: 'T2',
    cancelSeq: 0,
    amountWon: 700n,
    originalWon: 700n,
    tier: '4',
    cardType: null,
    differenceWon: null,
    supplyWon: null,
    vatWon: null,
    payOn: null,
    code: '09',
    extras: { orderNo: '' },
  },
];

export const csvLines: readonly string[] = [
  'R,M1,20261119,T1,0,10000,10000,1,1,55,20261125,00',
  'R,M1,20261119,T1,1,-4000,10000,1,1,-22,20261125,00',
  'R,M1,20261118,"T,2",0,700,700,4,,,,09',
];

/** Lines, each with its line break. */
export const fileOf = (lines: readonly string[], lineBreak = '\n') =>
  Buffer.from(lines.map((line) => line + lineBreak).join(''), 'latin1');
