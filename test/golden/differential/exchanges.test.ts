import { describe, expect, test } from 'vitest';
import { differentialProviders } from '../../../src/providers/differential-registry.ts';
import { decodeExchange, encodeExchange } from '../../../src/providers/layout/exchange-typed.ts';
import { asRead, biz, bytesOf, expectedOf, filesOf, type Golden, headOf, specOf } from './golden.ts';
import { goldens } from './rows.ts';

test('every file of every provider has been typed by hand', () => {
  const shipped = differentialProviders.flatMap(({ id }) => filesOf(id).map(({ layout }) => `${id} ${layout.record}`));
  expect(goldens.map(({ provider, record }) => `${provider} ${record}`).sort()).toEqual(shipped.sort());
});

describe.each(goldens)('$file', (golden) => {
  const { layout, fileName } = specOf(golden);

  test('is named so', () => {
    const name = fileName
      .replace('{biz}', biz)
      .replace('{day}', '20261120')
      .replace('{mid}', golden.mid ?? '');
    expect(name).toBe(golden.file);
    expect(fileName.includes('{mid}')).toBe(specOf(golden).perMid);
  });

  test('is what is written, to the byte', () => {
    const written = encodeExchange(layout, headOf(golden), golden.rows);
    expect(written.toString('latin1')).toBe(bytesOf(golden).toString('latin1'));
  });

  test('is read as what it says, wherever it is cut', () => {
    const bytes = bytesOf(golden);
    const expected = expectedOf(golden);
    const { rows, facts } = decodeExchange(layout, expected, bytes);
    expect(rows).toEqual(golden.rows.map((row, at) => ({ lineNo: golden.lines[at], ...asRead(layout, row) })));
    expect(facts).toMatchObject({ lines: golden.rows.length, unreadable: [] });
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect(decodeExchange(layout, expected, single)).toEqual({ rows, facts });
  });
});

/** The table of the documents: what stands where, 0-based, in bytes; of the line with that number. */
const places: readonly [file: string, line: number, at: number, width: number, name: string, bytes: string][] = [
  ['daff_welcome_1234567891_20261120_req', 1, 20, 10, 'tag', 'WELCOMEPAY'],
  ['daff_welcome_1234567891_20261120_req', 4, 2, 1, 'cancel flag', '1'],
  ['daff_welcome_1234567891_20261120_req', 4, 11, 10, 'intermediary business no', '2118700009'],
  ['daff_welcome_1234567891_20261120_req', 4, 31, 40, 'TID', 'WP2026111809301500000777                '],
  ['daff_welcome_1234567891_20261120_req', 4, 175, 15, 'amount', '0000000000-5000'],
  ['daff_welcome_1234567891_20261120_req', 4, 190, 15, 'original amount', '000000000050000'],
  ['daff_welcome_1234567891_20261120_req', 4, 205, 8, 'approval date', '20261118'],
  ['daff_welcome_1234567891_20261120_req', 4, 213, 40, 'reserved', `002${' '.repeat(37)}`],
  ['daff_welcome_1234567891_20261120_req', 9, 9, 18, 'total', '0000000000-1234467'],
  ['daff_welcome_1234567891_20261120_req', 10, 2, 7, 'lines', '0000010'],
  ['daff_welcome_1234567891_20261120_valid', 8, 253, 2, 'code', '09'],
  ['daff_welcome_1234567891_20261120_res', 4, 253, 1, 'grade', '3'],
  ['daff_welcome_1234567891_20261120_res', 4, 254, 1, 'capture type', '2'],
  ['daff_welcome_1234567891_20261120_res', 4, 255, 1, 'card type', '0'],
  ['daff_welcome_1234567891_20261120_res', 4, 256, 15, 'supply', '000000000000-28'],
  ['daff_welcome_1234567891_20261120_res', 4, 271, 15, 'VAT', '0000000000000-3'],
  ['daff_welcome_1234567891_20261120_res', 4, 286, 8, 'settle date', '20261124'],
  ['daff_welcome_1234567891_20261120_res', 4, 294, 2, 'code', '00'],
  ['daff_welcome_1234567891_20261120_res', 5, 27, 15, 'difference total', '000000000000196'],
  ['daff_nice_1234567891_20261120_req', 5, 31, 30, 'TID', `NICE20260813${' '.repeat(18)}`],
  ['daff_nice_1234567891_20261120_req', 4, 161, 15, 'amount', '00000000-100000'],
  ['daff_nice_1234567891_20261120_req', 4, 199, 40, 'reserved', `001${' '.repeat(37)}`],
  ['daff_nice_1234567891_20261120_res', 4, 239, 1, 'grade', '1'],
  ['daff_nice_1234567891_20261120_res', 4, 240, 1, 'transaction type', '2'],
  ['daff_nice_1234567891_20261120_res', 4, 241, 1, 'card type', '1'],
  ['daff_nice_1234567891_20261120_res', 4, 242, 15, 'supply', '00000000000-750'],
  ['daff_nice_1234567891_20261120_res', 4, 257, 15, 'VAT', '000000000000-75'],
  ['daff_nice_1234567891_20261120_res', 4, 272, 15, 'total', '00000000000-825'],
  ['daff_nice_1234567891_20261120_res', 4, 287, 8, 'settle date', '20261124'],
  ['daff_nice_1234567891_20261120_res', 4, 295, 2, 'code', '00'],
];

test.each(places)('%s line %i has @%i(%i) %s', (file, line, at, width, _, bytes) => {
  const golden = goldens.find((candidate) => candidate.file === file) as Golden;
  const { format } = specOf(golden).layout;
  if (format.kind !== 'fixed') throw new Error('records of no fixed width');
  const start = (line - 1) * (format.recordBytes + 1) + at;
  expect(bytesOf(golden).toString('latin1', start, start + width)).toBe(bytes);
});

test.each([
  ['daff_welcome_1234567891_20261120_res', 7, 286],
  ['daff_nice_1234567891_20261120_res', 5, 287],
])('%s line %i may say with zeros that there is no day to pay', (file, line, at) => {
  const golden = goldens.find((candidate) => candidate.file === file) as Golden;
  const { layout } = specOf(golden);
  const bytes = Buffer.from(bytesOf(golden));
  const width = layout.format.kind === 'fixed' ? layout.format.recordBytes + 1 : 0;
  bytes.write('00000000', (line - 1) * width + at, 'latin1');
  expect(bytes.equals(bytesOf(golden))).toBe(false);
  const expected = expectedOf(golden);
  expect(decodeExchange(layout, expected, bytes)).toEqual(decodeExchange(layout, expected, bytesOf(golden)));
});
