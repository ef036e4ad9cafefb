import { describe, expect, test } from 'vitest';
import {
  csv,
  csvFile,
  fixed,
  fixedFile,
  offset,
  put,
  read,
  record,
  row,
} from '../../../test/support/sample-statement.ts';
import { encodeAll, readHot } from '../../../test/support/statement-reading.ts';
import { welcomeOffline } from '../welcome-offline.ts';

describe('a field that cannot be read sets its line aside, with its place', () => {
  const aside: readonly [title: string, field: string, written: string | Buffer, problem: string][] = [
    ['letters in an amount', 'amountWon', '00000012X00', 'not_a_number'],
    ['an amount of spaces', 'amountWon', ' '.repeat(13), 'not_a_number'],
    ['a sign in the wrong place', 'amountWon', '00000000-1000', 'not_a_number'],
    ['30 February', 'tradedOn', '20260230', 'no_such_day'],
    ['29 February of a common year', 'tradedOn', '20250229', 'no_such_day'],
    ['month 13', 'tradedOn', '20261301', 'no_such_day'],
    ['no day at all', 'tradedOn', '        ', 'no_such_day'],
    ['24 o’clock', 'tradedTime', '240000', 'no_such_time'],
    ['an unknown kind', 'kind', '9', 'unknown_code'],
    ['no transaction id', 'providerTid', ' '.repeat(30), 'missing'],
    ['a Hangul cut by the end of its field', 'acquirer', Buffer.from(`KB-CARD-12345\xbd`, 'latin1'), 'cut_character'],
    [
      'a Hangul cut in a field that is not loaded',
      'shopName',
      Buffer.from(`${'x'.repeat(23)}\x94`, 'latin1'),
      'cut_character',
    ],
    ['bytes that are not CP949', 'orderNo', Buffer.from([0xff, 0xff]), 'not_in_encoding'],
    ['UTF-8 in a CP949 file', 'acquirer', Buffer.from('€'), 'not_in_encoding'],
    ['a NUL', 'approvalNo', Buffer.from([0]), 'control_character'],
    ['a line break in a text', 'orderNo', '\n', 'control_character'],
    ['a sequence of letters', 'cancelSeq', 'abc', 'not_a_number'],
    ['something in an unused field', 'unused', 'x', 'not_blank'],
  ];
  test.each(aside)('%s', (_, field, written, problem) => {
    const at = offset(2, field);
    const placed = fixed.data[0]?.fields.find(({ name }) => name === field);
    const bytes = put(at, written)(fixedFile);
    const key = {
      ...(field === 'providerTid' ? {} : { providerTid: 'WP0000000000000000000001' }),
      ...(field === 'cancelSeq' ? {} : { cancelSeq: 0 }),
    };
    expect(read(fixed, bytes)).toEqual({
      unreadable: [
        {
          lineNo: 2,
          byteFrom: at,
          byteTo: at + (placed?.width ?? 0),
          field,
          problem,
          raw: bytes.subarray(record, 2 * record - 1),
          ...key,
        },
      ],
    });
  });

  test('the amounts of lines set aside are what the file declares beyond the readable ones', () => {
    const { facts } = readHot(fixed, [put(offset(3, 'amountWon'), 'X')(fixedFile)]);
    expect(facts).toMatchObject({ lines: 1, amountWon: 10_000n, declaredWon: 9_500n });
  });

  test.each(['000000001', '000000003'])('a line set aside still counts: %s lines declared are refused', (declared) => {
    const bytes = put(offset(4, 'rows'), declared)(put(offset(3, 'amountWon'), 'X')(fixedFile));
    expect(read(fixed, bytes)).toMatchObject({
      code: 'statement_totals_differ',
      details: { line: 4, field: 'rows', declared: String(Number(declared)), found: '2' },
    });
  });

  test('an amount that PostgreSQL cannot hold, and one that loses its fraction', async () => {
    const offline = welcomeOffline.statements.transaction.layout;
    const file = await encodeAll(offline, [row({ mid: 'M1', extras: { terminalNo: 'T1' } })]);
    const amount = offline.data[0]?.fields.find(({ name }) => name === 'amountWon')?.offset ?? 0;
    expect(read(offline, put(162 + amount + 12, '5{')(file))).toMatchObject({
      unreadable: [{ problem: 'fraction_of_won' }],
    });
    const big = csvFile.toString('latin1').replace(',10000,', ',9223372036854775808,');
    expect(read(csv, Buffer.from(big, 'latin1'), 'M1')).toMatchObject({
      unreadable: [{ field: 'amountWon', problem: 'out_of_range' }],
    });
  });

  test('a hundred lines may be set aside, not one more', async () => {
    const file = (count: number) =>
      encodeAll(
        fixed,
        Array.from({ length: count }, (_, at) => row({ providerTid: `T${at}` })),
      );
    const spoil = (bytes: Buffer, count: number) => {
      for (let line = 2; line < 2 + count; line += 1)
        put(offset(2, 'amountWon') + (line - 2) * record, 'X')(bytes).copy(bytes);
      return bytes;
    };
    expect(read(fixed, spoil(await file(150), 100))).toMatchObject({ unreadable: { length: 100 } });
    expect(read(fixed, spoil(await file(150), 101))).toMatchObject({
      code: 'statement_too_many_unreadable',
      details: { line: 102, field: 'amountWon', problem: 'not_a_number', limit: 100 },
    });
  });
});
