import { describe, expect, test } from 'vitest';
import {
  csv,
  csvFile,
  csvLines,
  type Edit,
  fixed,
  fixedFile,
  offset,
  put,
  read,
  record,
} from '../../../test/support/sample-statement.ts';
import type { ProblemCode, ProblemDetails } from '../../kernel/problem.ts';

const cut =
  (from: number, to?: number): Edit =>
  (bytes) =>
    Buffer.concat([bytes.subarray(0, from), to === undefined ? Buffer.alloc(0) : bytes.subarray(to)]);
const lines =
  (...order: readonly number[]): Edit =>
  (bytes) =>
    Buffer.concat(order.map((line) => bytes.subarray((line - 1) * record, line * record)));
describe('a fixed-width file that is wrong as a whole is refused, with its place', () => {
  const refused: readonly [title: string, edit: Edit, code: ProblemCode, details: ProblemDetails][] = [
    ['nothing in it', () => Buffer.alloc(0), 'statement_empty', {}],
    ['a header only', lines(1), 'statement_trailer_missing', { line: 1, byteFrom: 201, byteTo: 201 }],
    [
      'no header',
      lines(2, 3, 4),
      'statement_header_missing',
      { line: 1, byteFrom: 0, byteTo: 1, field: 'recordType', found: 'D' },
    ],
    ['no trailer', lines(1, 2, 3), 'statement_trailer_missing', { line: 3, byteFrom: 603, byteTo: 603 }],
    [
      'a second header',
      lines(1, 2, 1, 3, 4),
      'statement_record_type',
      { line: 3, byteFrom: 402, byteTo: 403, found: 'H', expected: 'D, T' },
    ],
    [
      'the trailer in the middle',
      lines(1, 4, 2, 3),
      'statement_totals_differ',
      { line: 2, field: 'rows', declared: '2', found: '0' },
    ],
    [
      'a line behind the trailer',
      lines(1, 2, 3, 4, 3),
      'statement_record_type',
      { line: 5, byteFrom: 804, found: 'D', expected: 'end of file' },
    ],
    [
      'a second trailer',
      lines(1, 2, 3, 4, 4),
      'statement_record_type',
      { line: 5, found: 'T', expected: 'end of file' },
    ],
    [
      'an unknown record',
      put(2 * record, 'Z'),
      'statement_record_type',
      { line: 3, byteFrom: 402, byteTo: 403, field: 'recordType', found: 'Z' },
    ],
    [
      'a byte lost in the middle',
      cut(250, 251),
      'statement_width',
      { line: 2, byteFrom: 201, byteTo: 400, expected: 200, found: 199 },
    ],
    [
      'a byte too many',
      (bytes) => Buffer.concat([bytes.subarray(0, 250), Buffer.from(' '), bytes.subarray(250)]),
      'statement_width',
      { line: 2, byteFrom: 201, byteTo: 402, expected: 200, found: 201 },
    ],
    ['cut within a line', cut(500), 'statement_width', { line: 3, byteFrom: 402, byteTo: 500, found: 98 }],
    ['garbage', () => Buffer.alloc(5_000, 0xee), 'statement_width', { line: 1, byteFrom: 0 }],
    [
      'more lines declared',
      put(offset(4, 'rows'), '000000003'),
      'statement_totals_differ',
      { line: 4, byteFrom: 604, byteTo: 613, field: 'rows', declared: '3', found: '2' },
    ],
    [
      'approvals declared 1 won more',
      put(offset(4, 'approvedWon') + 15, '1'),
      'statement_totals_differ',
      { line: 4, byteFrom: 622, byteTo: 638, field: 'approvedWon', declared: '10001', found: '10000' },
    ],
    [
      'cancels declared 1 won less',
      put(offset(4, 'cancelledWon') + 13, '499'),
      'statement_totals_differ',
      { field: 'cancelledWon', declared: '499', found: '500' },
    ],
    [
      'a total that is no number',
      put(offset(4, 'approvedWon'), 'X'),
      'statement_field',
      { line: 4, field: 'approvedWon', problem: 'not_a_number' },
    ],
    [
      "another day's header",
      put(offset(1, 'on'), '20261121'),
      'statement_other_day',
      { line: 1, byteFrom: 16, byteTo: 24, field: 'on', found: '2026-11-21', expected: '2026-11-20' },
    ],
    [
      'a day in the header that does not exist',
      put(offset(1, 'on'), '20260230'),
      'statement_field',
      { line: 1, byteFrom: 16, field: 'on', problem: 'no_such_day' },
    ],
    [
      'another stage',
      put(offset(1, 'statement'), 'ONSTL'),
      'statement_other_file',
      { line: 1, byteFrom: 11, byteTo: 16, field: 'statement', found: 'ONSTL' },
    ],
    [
      'another provider',
      put(offset(1, 'sender'), 'NICEPAY   '),
      'statement_other_file',
      { line: 1, field: 'sender', found: 'NICEPAY   ' },
    ],
    [
      'something in the unused end of the trailer',
      put(4 * record - 2, 'x'),
      'statement_field',
      { line: 4, field: 'unused', problem: 'not_blank' },
    ],
  ];
  test.each(refused)('%s', (_, edit, code, details) => {
    const says = read(fixed, edit(fixedFile));
    expect(says).toMatchObject({ code, details: { file: 'statement.dat', ...details } });
  });
});

describe('a delimited file that is wrong as a whole is refused, with its place', () => {
  const join = (...texts: readonly (string | undefined)[]) => Buffer.from(`${texts.join('\r\n')}\r\n`, 'latin1');
  const [head, one, two, tail] = csvLines;
  const at = Buffer.byteLength(`${head}\r\n`, 'latin1');
  const refused: readonly [title: string, bytes: Buffer, code: ProblemCode, details: ProblemDetails][] = [
    [
      'a value too many',
      join(head, `${one},x`, two, tail),
      'statement_width',
      { line: 2, byteFrom: at, expected: '14 values', found: '15 values' },
    ],
    [
      'a value too few',
      join(head, one?.replace(',0', ''), two, tail),
      'statement_width',
      { line: 2, found: '13 values' },
    ],
    [
      'an empty line',
      join(head, '', one, two, tail),
      'statement_record_type',
      { line: 2, byteFrom: at, byteTo: at, found: '' },
    ],
    [
      'a quote that is not closed',
      join(head, one?.replace('D,', 'D,"'), two, tail),
      'statement_malformed',
      { line: 2, byteFrom: at + 2 },
    ],
    [
      'a quote within a value',
      join(head, one?.replace('ORD1', 'ORD"1'), two, tail),
      'statement_malformed',
      { line: 2 },
    ],
    [
      'something behind a closed quote',
      join(head, one?.replace('ORD1', '"ORD"1'), two, tail),
      'statement_malformed',
      { line: 2 },
    ],
    [
      'a line break without a carriage return',
      Buffer.from(`${csvLines.join('\n')}\n`, 'latin1'),
      'statement_malformed',
      { line: 1 },
    ],
    [
      'another MID',
      join(head?.replace('M1', 'M2'), one, two, tail),
      'statement_other_file',
      { line: 1, byteFrom: 12, byteTo: 14, field: 'mid', found: 'M2', expected: 'M1' },
    ],
    ['cut within a line', Buffer.from(`${head}\r\n${one?.slice(0, 20)}`, 'latin1'), 'statement_width', { line: 2 }],
    [
      'a line without an end',
      Buffer.from(`${head}\r\nD,${'x'.repeat(400_000)}`, 'latin1'),
      'statement_width',
      { line: 2, byteFrom: at },
    ],
    ['no trailer', join(head, one, two), 'statement_trailer_missing', { line: 3 }],
    [
      'totals off by 1 won',
      join(head, one, two, tail?.replace('10000', '10001')),
      'statement_totals_differ',
      { line: 4, field: 'approvedWon', declared: '10001', found: '10000' },
    ],
  ];
  test.each(refused)('%s', (_, bytes, code, details) => {
    expect(read(csv, bytes, 'M1')).toMatchObject({ code, details: { file: 'statement.dat', ...details } });
  });

  test('the last line may lack its line break', () => {
    expect(read(csv, csvFile.subarray(0, -2), 'M1')).toEqual({ unreadable: [] });
    expect(read(fixed, fixedFile.subarray(0, -1))).toEqual({ unreadable: [] });
  });
});
