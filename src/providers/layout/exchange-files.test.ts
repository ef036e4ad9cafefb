import { describe, expect, test } from 'vitest';
import { readHot, readPlain } from '../../../test/support/exchange-files.ts';
import {
  csvAnswers,
  csvLines,
  expectedAnswers,
  fileOf,
  fixedAnswers,
  fixedLines,
  fixedRows,
} from '../../../test/support/sample-exchange.ts';
import { Problem } from '../../kernel/problem.ts';
import type { ExchangeFacts, ExpectedExchange } from './exchange-facts.ts';
import type { ExchangeLayout } from './exchange-layout.ts';
import { encodeExchange } from './exchange-typed.ts';

/** Both ways of reading must say the same; what they say. */
function read(layout: ExchangeLayout, bytes: Buffer, more: Partial<ExpectedExchange> = {}) {
  const expected = { ...expectedAnswers, ...more };
  const says = (reads: () => { facts: ExchangeFacts }) => {
    try {
      return reads().facts;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { code: error.code, details: error.details };
    }
  };
  const hot = says(() => readHot(layout, expected, [bytes]));
  expect(says(() => readPlain(layout, expected, [bytes]))).toEqual(hot);
  return hot;
}

const [start, headM1, one, two, totalM1, headM2, three, totalM2, end] = fixedLines as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];

describe('a file with a frame', () => {
  test('says what its lines say', () => {
    const { rows, facts } = readPlain(fixedAnswers, expectedAnswers, [fileOf(fixedLines)]);
    expect(rows).toEqual([3, 4, 7].map((lineNo, at) => ({ lineNo, ...fixedRows[at] })));
    expect(facts).toEqual({
      lines: 3,
      records: 9,
      amountWon: 6_700n,
      differenceWon: 33n,
      supplyWon: 30n,
      vatWon: 3n,
      mids: ['M1', 'M2'],
      unreadable: [],
    });
    expect(read(fixedAnswers, fileOf(fixedLines))).toEqual(facts);
  });

  test('is written as it is read, in any order of rows', () => {
    const [first, second, third] = fixedRows as [(typeof fixedRows)[0], (typeof fixedRows)[0], (typeof fixedRows)[0]];
    const file = fileOf(fixedLines.map((line) => line.replace(/00000000(?=09)/, '        '))).toString('latin1');
    expect(encodeExchange(fixedAnswers, expectedAnswers, [first, third, second]).toString('latin1')).toBe(file);
  });

  test.each([
    ['lines of a MID in another order', [start, headM1, two, one, totalM1, headM2, three, totalM2, end]],
    ['MIDs in another order', [start, headM2, three, totalM2, headM1, one, two, totalM1, end]],
  ])('may have %s', (_, lines) => {
    expect(read(fixedAnswers, fileOf(lines))).toMatchObject({ lines: 3, amountWon: 6_700n, differenceWon: 33n });
  });

  test('cut at any byte is refused, but for its very last line break', () => {
    const whole = fileOf(fixedLines);
    for (let bytes = 0; bytes < whole.length - 1; bytes += 1) {
      const says = read(fixedAnswers, whole.subarray(0, bytes)) as { code: string };
      expect(says.code, `cut at ${bytes}`).toMatch(/^statement_(empty|width|truncated|trailer_missing)$/);
    }
    expect(read(fixedAnswers, whole.subarray(0, -1))).toMatchObject({ lines: 3 });
  });

  const put = (line: number, at: number, written: string) =>
    fixedLines.map((text, n) =>
      n === line - 1 ? text.slice(0, at) + written + text.slice(at + written.length) : text,
    );
  const refused: readonly [string, readonly string[], string, object][] = [
    [
      "another day's",
      put(1, 2, '20261119'),
      'statement_other_day',
      { line: 1, byteFrom: 2, byteTo: 10, field: 'on', found: '2026-11-19', expected: '2026-11-20' },
    ],
    [
      "another company's",
      put(1, 10, '1234567890'),
      'statement_other_file',
      { line: 1, field: 'biz', found: '1234567890', expected: '1234567891' },
    ],
    [
      "another provider's",
      put(1, 20, 'OTHERS'),
      'statement_other_file',
      { line: 1, field: 'tag', found: 'OTHERS', expected: 'SAMPLE (sample answer)' },
    ],
    ['without a start', fixedLines.slice(1), 'statement_header_missing', { line: 1, field: 'mark', found: '10' }],
    ['without a header', [start, one, two, totalM1, end], 'statement_header_missing', { line: 2, found: '11' }],
    [
      'with a second start',
      [start, start, ...fixedLines.slice(1)],
      'statement_record_type',
      { line: 2, found: '01', expected: '10, 02' },
    ],
    [
      'with a header before the totals',
      [start, headM1, one, headM2],
      'statement_record_type',
      { line: 4, found: '10', expected: '11, 12' },
    ],
    [
      'with an end before the totals',
      [start, headM1, one, end],
      'statement_record_type',
      { line: 4, found: '02', expected: '11, 12' },
    ],
    [
      'with a line behind its end',
      [...fixedLines, one],
      'statement_record_type',
      { line: 10, found: '11', expected: 'end of file' },
    ],
    ['with an unknown record', put(3, 0, '99'), 'statement_record_type', { line: 3, found: '99', expected: '11, 12' }],
    [
      'with a line too many for the totals',
      [start, headM1, one, one, two, totalM1, headM2, three, totalM2, end],
      'statement_totals_differ',
      { line: 6, field: 'lines', declared: '2', found: '3' },
    ],
    [
      'with an amount that is off by 1 won',
      put(3, 47, '1'),
      'statement_totals_differ',
      { line: 5, field: 'amountWon', declared: '6000', found: '6001' },
    ],
    [
      'with a total that is off by 1 won',
      put(5, 41, '4'),
      'statement_totals_differ',
      { line: 5, byteFrom: 511, byteTo: 526, field: 'differenceWon', declared: '34', found: '33' },
    ],
    [
      'without a whole MID',
      [start, headM1, one, two, totalM1, end],
      'statement_totals_differ',
      { line: 6, field: 'records', declared: '9', found: '6' },
    ],
    [
      'with a MID twice',
      [start, headM1, one, two, totalM1, headM1, one, two, totalM1, headM2, three, totalM2, end],
      'statement_totals_differ',
      { field: 'records', found: '13' },
    ],
    [
      'with a total that is no number',
      put(5, 2, 'x'),
      'statement_field',
      { line: 5, field: 'lines', problem: 'not_a_number' },
    ],
    ['with a MID of spaces', put(2, 2, '  '), 'statement_field', { line: 2, field: 'mid', problem: 'missing' }],
  ];
  test.each(refused)('%s is refused', (_, lines, code, details) => {
    expect(read(fixedAnswers, fileOf(lines))).toMatchObject({ code, details: { file: 'answers.dat', ...details } });
  });

  test('with a MID that nobody expects is refused', () => {
    const details = { line: 6, field: 'mid', found: 'M2', expected: 'M1, M3' };
    expect(read(fixedAnswers, fileOf(fixedLines), { mids: ['M1', 'M3'] })).toMatchObject({
      code: 'statement_other_file',
      details,
    });
    expect(read(fixedAnswers, fileOf(fixedLines), { mids: ['M2', 'M1'] })).toMatchObject({ lines: 3 });
  });

  const aside: readonly [string, number, number, string, string, string][] = [
    ['letters in an amount', 3, 33, 'x', 'amountWon', 'not_a_number'],
    ['a minus behind digits', 3, 33, '0000000000400-0', 'amountWon', 'not_a_number'],
    ['no such day', 3, 2, '20260230', 'tradedOn', 'no_such_day'],
    ['a pay day that is half blank', 3, 96, '    1125', 'payOn', 'no_such_day'],
    ['no transaction id', 3, 10, ' '.repeat(20), 'providerTid', 'missing'],
    ['half a character in what is not loaded', 3, 105, `${'x'.repeat(11)}\xbd`, 'orderNo', 'cut_character'],
  ];
  test.each(aside)(
    'with %s has that line set aside, and its counts still agree',
    (_, line, at, written, field, problem) => {
      const lines = put(line, at, written);
      const facts = read(fixedAnswers, fileOf(lines)) as ExchangeFacts;
      expect(facts).toMatchObject({ lines: 2, records: 9 });
      expect(facts.unreadable).toMatchObject([
        { lineNo: 3, field, problem, raw: Buffer.from(lines[2] ?? '', 'latin1') },
      ]);
    },
  );

  test('with more than 100 lines that cannot be read is refused', () => {
    const bad = one.replace('20261119', '20260230');
    const lines = (count: number) => [
      start,
      headM1,
      ...Array.from({ length: count }, () => bad),
      `12${String(count).padStart(7, '0')}${'0'.repeat(33)}`.padEnd(120),
      `02${String(count + 4).padStart(7, '0')}`.padEnd(120),
    ];
    expect((read(fixedAnswers, fileOf(lines(100))) as ExchangeFacts).unreadable).toHaveLength(100);
    const details = { line: 103, field: 'tradedOn', problem: 'no_such_day', limit: 100 };
    expect(read(fixedAnswers, fileOf(lines(101)))).toMatchObject({ code: 'statement_too_many_unreadable', details });
  });
});

describe('lines of CSV without a frame', () => {
  const whole = fileOf(csvLines, '\r\n');

  test('say what they say, and what is empty is not there', () => {
    const { rows, facts } = readPlain(csvAnswers, expectedAnswers, [whole]);
    expect(rows[1]).toMatchObject({
      lineNo: 2,
      cancelSeq: 1,
      amountWon: -4_000n,
      differenceWon: -22n,
      supplyWon: null,
    });
    const blank = { cardType: null, differenceWon: null, payOn: null, code: '09' };
    expect(rows[2]).toMatchObject({ providerTid: 'T,2', tier: '4', ...blank });
    expect(read(csvAnswers, whole)).toEqual(facts);
    expect(facts).toMatchObject({ lines: 3, amountWon: 6_700n, differenceWon: 33n, mids: ['M1'] });
  });

  test('cut anywhere but behind a line are refused', () => {
    const ends = [0, 1, 2].map((line) => fileOf(csvLines.slice(0, line + 1), '\r\n').length);
    for (let bytes = 1; bytes < whole.length; bytes += 1) {
      if (ends.includes(bytes)) continue;
      const says = read(csvAnswers, whole.subarray(0, bytes)) as { code: string };
      expect(says.code, `cut at ${bytes}`).toMatch(/^statement_(truncated|malformed)$/);
    }
  });

  test('of a MID that nobody expects are refused', () => {
    const lines = [csvLines[0] ?? '', (csvLines[1] ?? '').replace('M1', 'M9')];
    const details = { line: 2, byteFrom: 53, byteTo: 55, field: 'mid', found: 'M9', expected: 'M1' };
    expect(read(csvAnswers, fileOf(lines, '\r\n'), { mids: ['M1'] })).toMatchObject({
      code: 'statement_other_file',
      details,
    });
  });

  test.each([
    ['a value too many', (line: string) => `${line},`, 'statement_width'],
    ['another record', (line: string) => line.replace('R', 'D'), 'statement_record_type'],
  ])('with %s are refused', (_, edit, code) => {
    expect(read(csvAnswers, fileOf(csvLines.map(edit), '\r\n'))).toMatchObject({ code, details: { line: 1 } });
  });
});
