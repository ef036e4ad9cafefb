import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scan } from '../../test/support/import-text.ts';
import { isProblem } from '../kernel/problem.ts';
import { maxLineBytes } from './record.ts';
import type { RecordFormat } from './record-scanner.ts';

const columns = { names: ['id', 'name', 'amountWon'], numbers: new Set(['amountWon']) };
const header = 'id,name,amountWon';

/** The values by line, and the refusals' codes by line. */
function lines(content: string | Uint8Array, format?: RecordFormat): string[] {
  const { records, refusals } = scan(content, columns, format === undefined ? {} : { format });
  return [
    ...records.map(({ line, values }) => `${line}: ${values.join('|')}`),
    ...refusals.map(({ line, code }) => `${line}: ${code}`),
  ];
}

describe('CSV', () => {
  test.each<[string, string, string[]]>([
    ['plain', `${header}\na,b,1\n`, ['2: a|b|1']],
    ['no last line feed', `${header}\na,b,1`, ['2: a|b|1']],
    ['CRLF', `${header}\r\na,b,1\r\nc,d,2\r\n`, ['2: a|b|1', '3: c|d|2']],
    ['a byte order mark', `\uFEFF${header}\na,b,1\n`, ['2: a|b|1']],
    ['blank lines count as lines', `${header}\n\na,b,1\n\n`, ['3: a|b|1']],
    ['columns in another order', 'amountWon,id,name\n1,a,b\n', ['2: a|b|1']],
    ['quoted header', '"id","name","amountWon"\na,b,1\n', ['2: a|b|1']],
    ['empty fields', `${header}\n,,\n`, ['2: ||']],
    ['quoted comma and quote', `${header}\na,"b,""c""",1\n`, ['2: a|b,"c"|1']],
    ['quoted empty', `${header}\n"","","1"\n`, ['2: ||1']],
    ['Hangul', `${header}\na,"정,산",1\n`, ['2: a|정,산|1']],
    ['only a header', `${header}\n`, []],
    ['too few fields', `${header}\na,b\nc,d,2\n`, ['3: c|d|2', '2: import_field_count']],
    ['too many fields', `${header}\na,b,1,x\n`, ['2: import_field_count']],
    ['quote within a field', `${header}\na,b"c,1\n`, ['2: import_quote']],
    ['text after a quote', `${header}\na,"b"c,1\n`, ['2: import_quote']],
    ['an open quote costs its own line', `${header}\na,"b,1\nc,d,2\n`, ['3: c|d|2', '2: import_quote']],
    ['an open quote at the end', `${header}\na,b,"1`, ['2: import_quote']],
  ])('%s', (_, content, expected) => {
    expect(lines(content)).toEqual(expected);
  });

  test.each([
    ['a missing column', 'id,name\n', { missing: 'amountWon', unknown: '–', repeated: '–' }],
    ['an unknown column', `${header},colour\n`, { missing: '–', unknown: 'colour', repeated: '–' }],
    ['a repeated column', `${header},id\n`, { missing: '–', unknown: '–', repeated: 'id' }],
    ['another file altogether', '<html>\n', { missing: 'id, name, amountWon', unknown: '<html>', repeated: '–' }],
  ])('refuses the file for %s', (_, content, details) => {
    expect(() => scan(content, columns)).toThrowError(
      expect.objectContaining({ code: 'import_header', details: { file: 'test', line: 1, ...details } }),
    );
  });
});

describe('NDJSON', () => {
  test.each<[string, string, string[]]>([
    ['plain', '{"id":"a","name":"b","amountWon":1}\n', ['1: a|b|1']],
    ['any order, blanks, absent and null', '\n{ "amountWon" : -1 , "id":"a", "name" : null }\n', ['2: a||-1']],
    [
      'escapes',
      String.raw`{"id":"a\"\\\/","name":"\uc815\uC0B0\ud83d\ude00\t","amountWon":"1"}`,
      ['1: a"\\/|정산😀\t|1'],
    ],
    ['an empty object', '{}\n', ['1: ||']],
    ['every digit of a number', '{"amountWon":9007199254740993}', ['1: ||9007199254740993']],
    ['a number where text belongs', '{"id":7}', ['1: import_number_for_text']],
    ['an unknown key', '{"colour":"red"}', ['1: import_key_unknown']],
    ['a key twice', '{"id":"a","id":"b"}', ['1: import_key_repeated']],
    ['true', '{"id":true}', ['1: import_json']],
    ['nested', '{"id":{"x":1}}', ['1: import_json']],
    ['a lone surrogate', String.raw`{"id":"\ud83d"}`, ['1: import_json']],
    ['a wrong escape', String.raw`{"id":"\x41"}`, ['1: import_json']],
    ['cut off', '{"id":"a"', ['1: import_json']],
    ['something behind', '{"id":"a"} x', ['1: import_json']],
    ['a comma too many', '{"id":"a",}', ['1: import_json']],
    ['an array', '{"id":"a"}\n["b"]\n{"id":"c"}', ['1: a||', '3: c||', '2: import_json']],
  ])('%s', (_, content, expected) => {
    expect(lines(content, 'ndjson')).toEqual(expected);
  });

  test('is told from CSV by its first byte', () => {
    expect(lines('\uFEFF{"id":"a"}\n')).toEqual(['1: a||']);
  });
});

describe('bytes', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', Buffer.alloc(0), 'import_empty'],
    ['only a byte order mark', Buffer.from('\uFEFF'), 'import_empty'],
    ['UTF-16', Buffer.from(`\uFEFF${header}\n`, 'utf16le'), 'import_encoding'],
    ['a header that is not UTF-8', Buffer.from([0xc1, 0xa4, 0xbb, 0xea, 10]), 'import_header'],
  ])('refuses the file: %s', (_, content, code) => {
    let thrown: unknown;
    try {
      scan(content, columns);
    } catch (error) {
      thrown = error;
    }
    expect(isProblem(thrown) && thrown.code).toBe(code);
  });

  test.each([1, 2, 3])('finds a byte order mark that is cut into chunks of %i', (chunkBytes) => {
    const { records } = scan(`\uFEFF${header}\na,b,1\n`, columns, { chunkBytes });
    expect(records).toEqual([{ line: 2, values: ['a', 'b', '1'] }]);
  });

  test('refuses the lines that are not UTF-8 and no other', () => {
    const cp949 = Buffer.from([0xc1, 0xa4, 0xbb, 0xea]);
    const content = Buffer.concat([Buffer.from(`${header}\na,정산,1\nb,`), cp949, Buffer.from(',2\nc,d,3\n')]);
    expect(lines(content)).toEqual(['2: a|정산|1', '4: c|d|3', '3: import_not_utf8']);
  });

  test('passes over a line that is too long, whatever its length, and no other', () => {
    const long = 'x'.repeat(3 * 1024 * 1024);
    const justTooLong = 'x'.repeat(maxLineBytes);
    expect(lines(`${header}\na,b,1\n${long}\nc,d,2\n${justTooLong},,\n${long}`)).toEqual([
      '2: a|b|1',
      '4: c|d|2',
      '3: import_line_long',
      '5: import_line_long',
      '6: import_line_long',
    ]);
  });
});

describe('properties', () => {
  const value = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((text) => !/[\r\n]/.test(text) && text.isWellFormed());
  const rows = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 8 });
  const chunkBytes = fc.integer({ min: 1, max: 64 });
  const csv = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  test('CSV and NDJSON say the same, however the bytes are cut into chunks', () => {
    fc.assert(
      fc.property(rows, chunkBytes, (records, size) => {
        const asCsv = `${header}\n${records.map((record) => record.map(csv).join(',')).join('\n')}\n`;
        const asNdjson = records.map(([id, name, amountWon]) => JSON.stringify({ id, name, amountWon })).join('\n');
        const expected = records.map((record) => [...record]);
        expect(scan(asCsv, columns, { chunkBytes: size }).records.map(({ values }) => values)).toEqual(expected);
        expect(scan(asNdjson, columns, { chunkBytes: size }).records.map(({ values }) => values)).toEqual(expected);
      }),
    );
  });

  test('any bytes are read to their end: every line is a record, a refusal or blank', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), chunkBytes, (bytes, size) => {
        const content = Buffer.concat([Buffer.from(`${header}\n`), bytes]);
        const { records, refusals } = scan(content, columns, { chunkBytes: size });
        const filled = content
          .toString('latin1')
          .split('\n')
          .filter((line) => line !== '' && line !== '\r').length;
        expect(records.length + refusals.length).toBe(filled - 1);
      }),
    );
  });
});
