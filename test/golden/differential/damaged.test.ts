import { describe, expect, test } from 'vitest';
import type { ExchangeHead } from '../../../src/providers/layout/exchange-layout.ts';
import { ExchangeReader } from '../../../src/providers/layout/exchange-reader.ts';
import { decodeExchange } from '../../../src/providers/layout/exchange-typed.ts';
import { bytesOf, expectedOf, type Golden, on, specOf } from './golden.ts';
import { goldens } from './rows.ts';

/** What becomes of a file: how many of its lines are read, how many set aside, or as what it is refused; by both ways. */
function fate(golden: Golden, bytes: Uint8Array, head: Partial<ExchangeHead> = {}): string {
  const { layout } = specOf(golden);
  const expected = { ...expectedOf(golden), ...head };
  const told = (read: () => { lines: number; unreadable: readonly { field?: string | undefined }[] }): string => {
    try {
      const { lines, unreadable } = read();
      return [`${lines} read`, ...unreadable.map(({ field }) => `${field} set aside`)].join(', ');
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  const plain = told(() => decodeExchange(layout, expected, bytes).facts);
  const hot = told(() => {
    const reader = new ExchangeReader(layout, expected, () => {});
    reader.push(bytes);
    return reader.end();
  });
  expect(hot).toBe(plain);
  return plain;
}

/** Its lines with their breaks. */
function linesOf(golden: Golden): string[] {
  return bytesOf(golden)
    .toString('latin1')
    .split(/(?<=\n)/);
}

const made = (lines: readonly string[]) => Buffer.from(lines.join(''), 'latin1');
const framed = goldens.filter((golden) => specOf(golden).layout.end !== null);
const bare = goldens.filter((golden) => specOf(golden).layout.end === null);

test('Welcome and NICE frame their files, KSNET does not', () => {
  const ids = (some: readonly Golden[]) => [...new Set(some.map(({ provider }) => provider))].sort();
  expect([ids(framed), ids(bare)]).toEqual([['nice', 'welcome'], ['ksnet']]);
});

describe.each(framed)('$file', (golden) => {
  const lines = linesOf(golden);
  const marks = lines.map((line) => line.slice(0, 2));
  const isWhole = `${golden.rows.length} read`;

  test('is refused, cut anywhere before its last byte', () => {
    const bytes = bytesOf(golden);
    const width = bytes.length / lines.length;
    const cuts = Array.from({ length: bytes.length - 1 }, (_, at) => at);
    // Every byte around the end of a record, and every thirteenth of what lies between.
    const telling = cuts.filter((at) => at % width < 3 || at % width > width - 3 || at % 13 === 0);
    const fates = new Set(telling.map((at) => fate(golden, bytes.subarray(0, at))));
    expect([...fates].sort()).toEqual([
      'statement_empty',
      'statement_trailer_missing',
      'statement_truncated',
      'statement_width',
    ]);
    expect(fate(golden, bytes.subarray(0, bytes.length - 1))).toBe(isWhole);
  });

  test('is refused without any one of its lines, and with any of them twice', () => {
    for (const at of lines.keys()) {
      expect(fate(golden, made(lines.toSpliced(at, 1)))).toMatch(
        /^statement_(header_missing|totals_differ|record_type|trailer_missing)$/,
      );
      expect(fate(golden, made(lines.toSpliced(at, 0, lines[at] as string)))).toMatch(
        /^statement_(totals_differ|record_type)$/,
      );
    }
  });

  test('is read in another order of its data, and refused in another order of its frame', () => {
    for (const [one, other] of lines.flatMap((_, i) => lines.slice(i + 1).map((_, n) => [i, i + n + 1] as const))) {
      const swapped = lines.with(one, lines[other] as string).with(other, lines[one] as string);
      const mids = [one, other].map((at) => marks.slice(0, at).filter((mark) => mark === '10').length);
      const isData = marks[one] === '11' && marks[other] === '11';
      if (isData && mids[0] === mids[1]) expect(fate(golden, made(swapped))).toBe(isWhole);
      else if (isData) expect(fate(golden, made(swapped))).toBe('statement_totals_differ');
      else if (marks[one] !== marks[other]) expect(fate(golden, made(swapped))).toMatch(/^statement_/);
    }
  });

  test('is refused for another day, by another business, and with an amount that was changed', () => {
    expect(fate(golden, bytesOf(golden), { on: on.add({ days: 1 }) })).toBe('statement_other_day');
    expect(fate(golden, bytesOf(golden), { biz: '1018112341' })).toBe('statement_other_file');
    expect(fate(golden, bytesOf(golden), { biz: '' })).toBe(isWhole);
    const amount = specOf(golden).layout.data.fields.find(({ name }) => name === 'amountWon');
    for (const [at, line] of lines.entries()) {
      if (marks[at] !== '11' || amount === undefined) continue;
      const last = amount.offset + amount.width - 1;
      const changed = `${line.slice(0, last)}${9 - Number(line[last])}${line.slice(last + 1)}`;
      expect(fate(golden, made(lines.with(at, changed)))).toBe('statement_totals_differ');
    }
  });

  test('is refused with a mark of Unicode before it or anything behind it', () => {
    const bytes = bytesOf(golden);
    for (const more of ['x', '\n', '\0', ' ']) {
      expect(fate(golden, Buffer.concat([bytes, Buffer.from(more)]))).toBe('statement_width');
    }
    expect(fate(golden, Buffer.concat([Buffer.from('\uFEFF'), bytes]))).toBe('statement_width');
    expect(fate(golden, Buffer.concat([bytes, bytes]))).toBe('statement_record_type');
  });
});

describe.each(bare)('$file', (golden) => {
  const lines = linesOf(golden);

  test('is refused, cut within a line; cut behind one it says no more than that', () => {
    const bytes = bytesOf(golden);
    for (let at = 0; at < bytes.length; at += 1) {
      const whole = bytes.toString('latin1', 0, at).split('\r\n');
      const expected =
        at === 0
          ? /^statement_empty$/
          : whole.at(-1) === ''
            ? `${whole.length - 1} read`
            : /^statement_(truncated|malformed)$/;
      expect(fate(golden, bytes.subarray(0, at))).toMatch(expected);
    }
  });

  test('is read in any order of its lines', () => {
    expect(fate(golden, made(lines.toReversed()))).toBe(`${golden.rows.length} read`);
  });

  test('is refused with a column too many, without a line break, or with something behind it', () => {
    expect(fate(golden, made(lines.with(1, (lines[1] as string).replace('\r\n', ',\r\n'))))).toBe('statement_width');
    expect(fate(golden, made(lines.with(1, (lines[1] as string).replace('\r\n', '\n'))))).toBe('statement_malformed');
    expect(fate(golden, made([...lines, '\r\n']))).toBe('statement_record_type');
    expect(fate(golden, made([...lines, 'x']))).toBe('statement_truncated');
  });
});

test("a KSNET file of another MID's is refused", () => {
  for (const golden of bare.filter(({ mid }) => mid !== undefined)) {
    expect(fate(golden, bytesOf(golden), { mids: ['2001105002'] })).toBe('statement_other_file');
  }
});
