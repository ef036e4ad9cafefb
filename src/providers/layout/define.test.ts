import { describe, expect, test } from 'vitest';
import { encodeAll, expectedFile, readHot, readPlain } from '../../../test/support/statement-reading.ts';
import { Problem } from '../../kernel/problem.ts';
import {
  absent,
  type ColumnSpec,
  constant,
  delimitedStatement,
  fixedStatement,
  fromHeader,
  jsonStatement,
  rowCount,
  sumOf,
} from './define.ts';
import { always, anything, blank, code, day, type Field, number, text, time, won } from './field.ts';

type Fields = Record<string, readonly [number, Field]>;
const data: Fields = {
  type: [1, always('D')],
  kind: [1, code({ '0': 'A', '1': 'C', '2': 'P' })],
  cancelSeq: [2, number()],
  tradedOn: [8, day('YYYYMMDD')],
  tradedTime: [6, time()],
  amountWon: [12, won({ sign: 'minus' })],
  providerTid: [20, text()],
  mid: [8, text()],
  rest: [22, blank],
};
const columns: Record<string, ColumnSpec> = {
  instalments: constant(0),
  approvalNo: absent,
  orderNo: absent,
  acquirer: absent,
  cardMerchantNo: absent,
  cardNo: absent,
};
const header: Fields = { type: [1, always('H')], on: [8, day('YYYYMMDD')], rest: [71, blank] };
const trailer: Fields = {
  type: [1, always('T')],
  rows: [9, number()],
  sum: [15, won({ sign: 'minus' })],
  rest: [55, blank],
};
const base = {
  stage: 'transaction',
  encoding: 'cp949',
  recordBytes: 80,
  lineBreak: 'lf',
  type: 'type',
  header,
  data: [{ fields: data }],
  trailer,
  columns,
  totals: { rows: rowCount(), sum: sumOf('amountWon') },
} as const;
type Spec = Parameters<typeof fixedStatement<'transaction'>>[0];
const without = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
const fields = (more: Fields): Partial<Spec> => ({ data: [{ fields: { ...data, ...more } }] });

describe('a layout that does not add up stops the start', () => {
  const wrong: readonly [title: string, change: Partial<Spec>, fault: string][] = [
    ['widths short of the record', fields({ rest: [21, blank] }), 'data: widths add up to 79 bytes, not 80'],
    [
      'widths beyond the record',
      { header: { ...header, rest: [72, blank] } },
      'header: widths add up to 81 bytes, not 80',
    ],
    [
      'a day in seven bytes',
      fields({ tradedOn: [7, day('YYYYMMDD')], rest: [23, blank] }),
      'tradedOn is 8 bytes wide, not 7',
    ],
    [
      'a constant of another width',
      { header: { ...header, type: [2, always('H')], rest: [70, blank] } },
      'type is 1 bytes wide, not 2',
    ],
    ['a column from nowhere', { columns: { instalments: constant(0) } }, 'approvalNo comes from nowhere'],
    [
      'a column from two places',
      { columns: { ...columns, mid: absent } },
      'mid is a field and is declared elsewhere too',
    ],
    ['a column that is none', { columns: { ...columns, feeWon: constant(0n) } }, 'feeWon is no column of this stage'],
    ['an absent number', { columns: { ...columns, instalments: absent } }, 'instalments: "" cannot be a smallint'],
    [
      'a MID the header lacks',
      {
        data: [{ fields: { ...without(data, 'mid'), rest: [30, blank] } }],
        columns: { ...columns, mid: fromHeader('mid') },
      },
      'mid: the header has no "mid"',
    ],
    ['an amount as text', fields({ amountWon: [12, text()] }), 'amountWon: a field of type text cannot be a won'],
    ['a meaning that is no kind', fields({ kind: [1, code({ '0': 'A', '9': 'X' })] }), 'kind: A, X cannot be a char'],
    [
      'a code of another width',
      fields({ kind: [1, code({ '0': 'A', '10': 'C' })] }),
      'code "10" does not fill its field',
    ],
    ['no day in the header', { header: { ...without(header, 'on'), rest: [79, blank] } }, 'header: no day "on"'],
    [
      'records that cannot be told apart',
      { trailer: { ...trailer, type: [1, always('D')] } },
      '"type" does not tell the records apart',
    ],
    [
      'a type in another place',
      {
        trailer: { rows: [9, number()], type: [1, always('T')], sum: [15, won({ sign: 'minus' })], rest: [55, blank] },
      },
      '"type" does not stand in the same place',
    ],
    ['no count of lines', { totals: { sum: sumOf('amountWon') } }, 'the number of lines is not declared'],
    [
      'a total that the trailer lacks',
      { totals: { ...base.totals, more: rowCount({ kind: ['A'] }) } },
      'totals.more: no field of the trailer',
    ],
    ['a field of the trailer that is no total', { totals: { rows: rowCount() } }, 'trailer.sum: no total'],
    [
      'amounts declared in part',
      { totals: { rows: rowCount(), sum: sumOf('amountWon', { kind: ['A'] }) } },
      'do not add up to the signed amount',
    ],
    [
      'zeros on the right',
      fields({ amountWon: [12, won({ pad: { at: 'right', with: '0' } })] }),
      'zeros on the right change a value',
    ],
    [
      'a sign and a kind that says it',
      fields({ amountWon: [12, won({ sign: 'minus', negativeWhen: ['C'] })] }),
      'a sign and a kind that says the sign',
    ],
    [
      'a blank sign in blank filling',
      fields({ amountWon: [12, won({ sign: 'leading', plus: ' ', pad: { at: 'left', with: ' ' } })] }),
      'a blank sign next to blank filling',
    ],
  ];
  test.each(wrong)('%s', (_, change, fault) => {
    const make = () => fixedStatement({ ...base, ...change });
    expect(make).toThrow(Problem);
    expect(make).toThrow(
      expect.objectContaining({
        code: 'layout_invalid',
        details: { stage: 'transaction', faults: expect.stringContaining(fault) },
      }),
    );
  });

  test('every fault is named at once', () => {
    const make = () => fixedStatement({ ...base, ...fields({ rest: [1, blank], amountWon: [12, text()] }) });
    expect(make).toThrow(
      expect.objectContaining({
        details: { stage: 'transaction', faults: expect.stringMatching(/widths.*\n.*amountWon/) },
      }),
    );
  });
});

test('records of several kinds are told apart by their type, wherever it stands', async () => {
  const place = (mark: string, middle: Fields) =>
    ({ lead: [2, anything], type: [1, always(mark)], ...middle }) as const;
  const { type: _, kind: __, cancelSeq, ...common } = data;
  const layout = fixedStatement({
    ...base,
    recordBytes: 82,
    header: place('H', without(header, 'type')),
    trailer: place('T', without(trailer, 'type')),
    data: [
      {
        kinds: ['A'],
        fields: place('A', { ...common, rest: [25, blank] }),
        columns: { kind: constant('A'), cancelSeq: constant(0) },
      },
      {
        kinds: ['C', 'P'],
        fields: place('C', {
          cancelSeq: cancelSeq as readonly [number, Field],
          kind: [2, code({ FC: 'C', PC: 'P' })],
          ...common,
          rest: [21, blank],
        }),
      },
    ],
  });
  const rows = (['A', 'C', 'P'] as const).map((kind, cancelSeq) => ({
    kind,
    cancelSeq,
    instalments: 0,
    tradedOn: '2026-11-20',
    amountWon: kind === 'A' ? 5_000n : -1_000n,
    tradedTime: '01:02:03',
    providerTid: 'T1',
    mid: 'M1',
    approvalNo: '',
    orderNo: '',
    acquirer: '',
    cardMerchantNo: '',
    cardNo: '',
  }));
  const bytes = await encodeAll(layout, rows);
  const lines = rows.map((row, at) => ({ lineNo: at + 2, ...row }));
  expect(readPlain(layout, [bytes]).rows).toEqual(lines);
  expect(readHot(layout, [bytes]).rows).toEqual(lines.map((line) => ({ loadId: 7, ...line })));
  await expect(encodeAll(layout, [{ ...rows[0], cancelSeq: 3 } as (typeof rows)[0]])).rejects.toMatchObject({
    details: { field: 'cancelSeq', problem: 'not_constant' },
  });
});

const free = (from: Fields) =>
  Object.fromEntries(Object.entries(without(from, 'rest')).map(([name, [, field]]) => [name, field]));
const unframed = { ...base, header: free(header), data: [{ fields: free(data) }], trailer: free(trailer) };

describe('JSON', () => {
  const layout = jsonStatement(unframed);
  const file = (line: string) => Buffer.from(`{"type":"H","on":"20261120"}\n${line}\n{"type":"T","rows":1,"sum":-5}\n`);
  const line =
    '{"type":"D","kind":"1","cancelSeq":1,"tradedOn":"20261120","tradedTime":"010203","amountWon":-5,"providerTid":"\\ubdc1\\n","mid":"M"}';
  const fine = line.replace('\\n', '\\u0022');

  test('keys in any order, escapes, spaces, null', () => {
    const other = fine.replace('"mid":"M"}', '"mid" : null }').replace('"kind":"1",', '').replace('{', '{ "kind":"1",');
    for (const written of [fine, other]) {
      expect(readPlain(layout, [file(written)]).rows).toMatchObject([
        { providerTid: '뷁"', amountWon: -5n, mid: written === fine ? 'M' : '' },
      ]);
      expect(readHot(layout, [file(written)]).rows).toMatchObject([{ providerTid: '뷁"', amountWon: -5n }]);
    }
  });

  const refused: readonly [string, string, string][] = [
    ['an unknown key', fine.replace('mid', 'mids'), 'unknown key "mids"'],
    ['a missing key', fine.replace(',"mid":"M"', ''), 'no key "mid"'],
    ['a key twice', fine.replace('"mid":"M"', '"kind":"1"'), 'key "kind" twice'],
    ['nested values', fine.replace('"M"', '["M"]'), 'not a string or a number: ["M"]'],
    ['a string not closed', fine.replace('"M"}', '"M}'), 'a string that is not closed'],
    ['a wrong escape', fine.replace('\\u0022', '\\x'), 'a string with a wrong escape'],
    ['no JSON', 'D,1', 'not a JSON object'],
    ['something behind it', `${fine} x`, 'something behind the object'],
    ['a comma too many', fine.replace('"M"}', '"M",}'), 'a comma without a key behind it'],
  ];
  test.each(refused)('%s is refused', (_, written, reason) => {
    const details = { file: 'statement.dat', line: 2, byteFrom: 29, reason };
    for (const read of [readHot, readPlain]) {
      expect(() => read(layout, [file(written)], expectedFile('transaction'))).toThrow(
        expect.objectContaining({ code: 'statement_malformed', details: expect.objectContaining(details) }),
      );
    }
  });

  test('a line break within a string, and a fraction of a won, set a line aside', () => {
    expect(readHot(layout, [file(line)]).facts.unreadable).toMatchObject([
      { field: 'providerTid', problem: 'control_character', byteFrom: 139 },
    ]);
    expect(readHot(layout, [file(fine.replace('-5', '-5.5'))]).facts.unreadable).toMatchObject([
      { field: 'amountWon', problem: 'not_a_number' },
    ]);
  });
});

test('values between bars, without quotes', async () => {
  const layout = delimitedStatement({ ...unframed, separator: '|', quote: 'none' });
  const bytes = Buffer.from('H|20261120\nD|0|00|20261120|010203|12|"a,b"|M\nT|1|12', 'latin1');
  expect(readHot(layout, [bytes]).rows).toMatchObject([{ providerTid: '"a,b"', amountWon: 12n }]);
  const row = readPlain(layout, [bytes]).rows[0];
  await expect(encodeAll(layout, [{ ...row, providerTid: 'a|b' } as never])).rejects.toMatchObject({
    details: { field: 'providerTid', problem: 'holds_separator' },
  });
});

test.each(['a', '"', '\n', '||', '가', '-'])('a separator %j is refused', (separator) => {
  expect(() => delimitedStatement({ ...unframed, separator, quote: '"' })).toThrow(
    expect.objectContaining({ code: 'layout_invalid' }),
  );
});
