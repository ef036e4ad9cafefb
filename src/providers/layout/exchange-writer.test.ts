import { describe, expect, test } from 'vitest';
import { writeColumns } from '../../../test/support/copy-tuples.ts';
import { writeHot, writePlain } from '../../../test/support/exchange-files.ts';
import { expectedAnswers as head } from '../../../test/support/sample-exchange.ts';
import { delimitedExchange, fixedExchange, fromHead, optional } from './exchange-define.ts';
import { columnsOfRecord, type ExchangeRow } from './exchange-layout.ts';
import { encodeExchange } from './exchange-typed.ts';
import { ExchangeWriter } from './exchange-writer.ts';
import { always, blank, code, day, number, text, won } from './field.ts';

const day8 = day('YYYYMMDD');
const signed = won({ sign: 'minus' });
const types = code({ '0': 'A', '1': 'C' }, { P: '1' });
const data = {
  mark: [1, always('D')],
  type: [1, types],
  tradedOn: [8, day8],
  approvedOn: [8, day8],
  providerTid: [10, text({ required: true })],
  originalTid: [10, text()],
  cancelSeq: [3, number()],
  amountWon: [9, signed],
  originalWon: [9, signed],
  intermediaryNo: [10, optional(text())],
  finalNo: [10, text()],
  orderNo: [10, text()],
  unused: [1, blank],
} as const;
const fixedClaims = fixedExchange({
  record: 'claim',
  encoding: 'cp949',
  recordBytes: 90,
  lineBreak: 'lf',
  type: 'mark',
  header: { mark: [1, always('H')], on: [8, day8], biz: [10, text()], mid: [4, text()], unused: [67, blank] },
  data,
  same: { originalTid: 'providerTid' },
  columns: { mid: fromHead('mid') },
  total: {
    fields: { mark: [1, always('T')], records: [6, number()], amountWon: [15, signed], unused: [68, blank] },
    totals: { records: 'records', amountWon: 'amountWon' },
  },
});
const csvClaims = delimitedExchange({
  record: 'claim',
  encoding: 'cp949',
  separator: ',',
  quote: '"',
  lineBreak: 'crlf',
  type: 'mark',
  data: {
    mark: always('D'),
    sender: always('US'),
    mid: text(),
    type: code({ '0': 'A', '1': 'C', '3': 'P' }),
    tradedOn: day8,
    approvedOn: day('YYYY-MM-DD'),
    providerTid: text({ required: true }),
    cancelSeq: number(),
    amountWon: signed,
    originalWon: signed,
    intermediaryNo: optional(text()),
    finalNo: text(),
    orderNo: text(),
    user: text(),
  },
});

const claim = (more: Partial<ExchangeRow<'claim'>> = {}): ExchangeRow<'claim'> => ({
  mid: 'M1',
  type: 'A',
  tradedOn: '2026-11-19',
  approvedOn: '2026-11-18',
  providerTid: 'T1',
  cancelSeq: 0,
  amountWon: 10_000n,
  originalWon: 10_000n,
  intermediaryNo: null,
  finalNo: '1234567891',
  orderNo: 'ORDER-1',
  ...more,
});
const rows = [
  claim(),
  claim({ type: 'P', cancelSeq: 12, amountWon: -4_000n, intermediaryNo: '2208162517' }),
  claim({ mid: 'M2', orderNo: '뷁,"1' }),
];

describe('rows become a file', () => {
  test('of records of one width, a header and totals for each MID', () => {
    const { bytes, written } = writeHot(fixedClaims, head, rows);
    const lines = [
      'H202611201234567891M1  ',
      'D02026111920261118T1        T1        000000010000000010000          1234567891ORDER-1',
      'D12026111920261118T1        T1        0120000-400000001000022081625171234567891ORDER-1',
      'T000004000000000006000',
      'H202611201234567891M2  ',
      'D02026111920261118T1        T1        000000010000000010000          1234567891\x94\xee,"1',
      'T000003000000000010000',
    ];
    expect(bytes.toString('latin1')).toBe(lines.map((line) => `${line.padEnd(90)}\n`).join(''));
    expect(written).toMatchObject({ lines: 3, records: 7, bytes: 7 * 91, amountWon: 16_000n, refused: [] });
  });

  test('of comma-separated values', () => {
    const lines = [
      'D,US,M1,0,20261119,2026-11-18,T1,0,10000,10000,,1234567891,ORDER-1,',
      'D,US,M1,3,20261119,2026-11-18,T1,12,-4000,10000,2208162517,1234567891,ORDER-1,',
      'D,US,M2,0,20261119,2026-11-18,T1,0,10000,10000,,1234567891,"\x94\xee,""1",',
    ];
    expect(writeHot(csvClaims, head, rows).bytes.toString('latin1')).toBe(lines.map((line) => `${line}\r\n`).join(''));
  });
});

const unwritable: readonly [string, Partial<ExchangeRow<'claim'>>, object][] = [
  [
    'a syllable that CP949 lacks',
    { orderNo: 'ⓐ꥟1' },
    { column: 'orderNo', value: 'ⓐ꥟1', fault: 'not_in_encoding', character: '꥟' },
  ],
  ['an emoji', { orderNo: 'A😀B' }, { column: 'orderNo', value: 'A😀B', fault: 'not_in_encoding', character: '😀' }],
  [
    'a line break',
    { orderNo: 'A\nB' },
    { column: 'orderNo', value: 'A\nB', fault: 'control_character', character: '\n' },
  ],
  [
    'a text that is too long in bytes',
    { orderNo: '가나다라마바' },
    { column: 'orderNo', value: '가나다라마바', fault: 'too_long' },
  ],
  ['a text that ends with a space', { orderNo: 'A ' }, { column: 'orderNo', value: 'A ', fault: 'like_padding' }],
  ['no transaction id', { providerTid: '' }, { column: 'providerTid', value: '', fault: 'missing' }],
  ['a type that there is none of', { type: 'X' }, { column: 'type', value: 'X', fault: 'unknown_code' }],
  [
    'an amount that is too wide',
    { amountWon: -123_456_789n },
    { column: 'amountWon', value: '-123456789', fault: 'out_of_range' },
  ],
  [
    'an amount beyond doubles',
    { amountWon: 2n ** 62n },
    { column: 'amountWon', value: '4611686018427387904', fault: 'out_of_range' },
  ],
  [
    'a cancel sequence that is too wide',
    { cancelSeq: 1_000 },
    { column: 'cancelSeq', value: '1000', fault: 'out_of_range' },
  ],
  ['a MID that the header cannot hold', { mid: 'M1234' }, { column: 'mid', value: 'M1234', fault: 'too_long' }],
];
test.each(unwritable)('a row with %s is left out alone', (_title, more, refusal) => {
  const some = [claim({ mid: 'M0' }), claim(more), claim({ mid: 'M9', providerTid: 'T2' })];
  const { bytes, written } = writeHot(fixedClaims, head, some);
  expect(written.refused).toEqual([{ row: 1, ...refusal }]);
  expect(written).toMatchObject({ lines: 2, amountWon: 20_000n });
  expect(bytes).toEqual(writeHot(fixedClaims, head, some.toSpliced(1, 1)).bytes);
  expect(writePlain(fixedClaims, head, some)).toEqual({ bytes, refused: written.refused });
});

test('no row, or none that can be written, makes an empty file', () => {
  expect(writeHot(fixedClaims, head, [])).toMatchObject({ bytes: Buffer.alloc(0), written: { lines: 0, records: 0 } });
  expect(writeHot(fixedClaims, head, [claim({ orderNo: '😀' })]).bytes).toEqual(Buffer.alloc(0));
});

test('typed rows that cannot be written are refused where nobody collects them', () => {
  expect(() => encodeExchange(fixedClaims, head, [claim(), claim({ orderNo: '😀' })])).toThrow(
    expect.objectContaining({
      code: 'statement_value_refused',
      details: { row: 2, field: 'orderNo', value: '😀', problem: 'not_in_encoding' },
    }),
  );
});

const columns = columnsOfRecord('claim').map(({ name, type }) => [name, type] as const);
const writer = (maxRefused?: number) =>
  new ExchangeWriter(fixedClaims, head, { emit: () => {}, ...(maxRefused === undefined ? {} : { maxRefused }) });

test('more refused rows than are kept end the file', () => {
  const tuples = writeColumns(columns, Array.from({ length: 3 }, () => claim({ orderNo: '😀' })) as never);
  const patient = writer(3);
  patient.push(tuples);
  expect(patient.end().refused).toHaveLength(3);
  expect(() => writer(2).push(tuples)).toThrow(
    expect.objectContaining({
      code: 'exchange_too_many_refused',
      details: { limit: 2, field: 'orderNo', value: '😀', problem: 'not_in_encoding' },
    }),
  );
});

test.each([
  ['rows whose MIDs do not come together', () => writer().push(writeColumns(columns, [...rows, claim()] as never))],
  ['rows of other columns', () => writer().push(writeColumns(columns.slice(1), rows as never))],
  ['what is no COPY BINARY', () => writer().push(Buffer.from('M1\t0\t2026-11-19\n'.repeat(3)))],
  [
    'rows that stop in the middle',
    () => {
      const cut = writer();
      cut.push(writeColumns(columns, rows as never).subarray(0, -1));
      cut.end();
    },
  ],
])('%s are a bug of the caller', (_title, write) => {
  expect(write).toThrow(/^bug: /);
});

test('amounts whose sum no double holds are summed to the won', () => {
  const wide = delimitedExchange({
    record: 'claim',
    encoding: 'cp949',
    separator: ',',
    quote: '"',
    lineBreak: 'lf',
    type: 'mark',
    data: Object.fromEntries(
      csvClaims.data.fields.map(({ name, field, optional: isOptional }) => [
        name,
        isOptional ? optional(field) : field,
      ]),
    ),
  });
  // 2^49 − 1 is the last amount that is written fast; 40 of it are more than 2^53.
  const most = 562_949_953_421_311n;
  const some = [...Array.from({ length: 40 }, () => claim({ amountWon: most })), claim({ amountWon: most + 1n })];
  expect(writeHot(wide, head, some).written.amountWon).toBe(22_517_998_136_852_440n + 562_949_953_421_312n);
  expect(writeHot(wide, head, some).bytes).toEqual(writePlain(wide, head, some).bytes);
});
