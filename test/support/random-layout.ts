import fc from 'fast-check';
import * as define from '../../src/providers/layout/define.ts';
import {
  always,
  anything,
  blank,
  code,
  day,
  type Field,
  number,
  type Pad,
  text,
  time,
  type WonField,
  won,
} from '../../src/providers/layout/field.ts';
import { fieldWidth } from '../../src/providers/layout/field-defects.ts';
import type { Encoding, StatementLayout, StatementRow } from '../../src/providers/layout/layout.ts';
import { type Stage, stageColumns, stages } from '../../src/providers/stage.ts';

/** A layout of random widths, orders, signs and codes, with rows that it can hold. */
export type RandomStatement = {
  readonly stage: Stage;
  readonly layout: StatementLayout;
  readonly rows: readonly StatementRow[];
  readonly mid: string;
};

/** A field, as wide as it must be in a fixed-width record, and the values it can hold for a row of a kind. */
export type Drawn = {
  readonly field: Field;
  readonly width: number;
  readonly values: (kind: string) => fc.Arbitrary<unknown>;
};

const leftZero: Pad = { at: 'left', with: '0' };
const leftBlank: Pad = { at: 'left', with: ' ' };
const rightBlank: Pad = { at: 'right', with: ' ' };
export const kindSets = [
  { '0': 'A', '1': 'C', '2': 'P' },
  { AP: 'A', CN: 'C', PC: 'P' },
];

/** Text with the characters that go wrong: CP949-only syllables, quotes, separators, escapes, what only UTF-8 has. */
function texts(encoding: Encoding, pad: Pad, required: boolean): fc.Arbitrary<string> {
  const characters = [...'뷁똠펲가힣한글ⓐ漢 ,|"\\\'0aZ9{}:'];
  if (encoding === 'utf8') characters.push('é', '😀', '\u00a0', '\ufffd', '\ufeff');
  return fc
    .array(fc.constantFrom(...characters), { maxLength: 10, minLength: required ? 1 : 0 })
    .map((drawn) => drawn.join(''))
    .map((drawn) =>
      pad.at === 'left' ? drawn.replace(pad.with === '0' ? /^0+/ : /^ +/, '') : drawn.replace(/ +$/, ''),
    )
    .map((drawn) => (required && drawn === '' ? '뷁' : drawn));
}

export function textField(encoding: Encoding, required: boolean): fc.Arbitrary<Drawn> {
  return fc.constantFrom(leftZero, leftBlank, rightBlank).map((pad) => ({
    field: text({ pad, required }),
    width: 44,
    values: () => texts(encoding, pad, required),
  }));
}

export function wonField(isFixed: boolean): fc.Arbitrary<Drawn> {
  return fc
    .record({
      style: fc.constantFrom<Partial<WonField>>(
        { sign: 'unsigned', negativeWhen: ['C', 'P'] },
        { sign: 'unsigned', negativeWhen: ['C', 'P'], pad: leftBlank },
        { sign: 'minus' },
        { sign: 'minus', pad: leftBlank },
        { sign: 'minus', pad: rightBlank },
        { sign: 'leading', plus: '+' },
        { sign: 'leading', plus: ' ' },
        { sign: 'leading', plus: '0' },
        { sign: 'leading', plus: '+', pad: leftBlank },
        { sign: 'trailing', plus: '+' },
        { sign: 'trailing', plus: ' ', pad: leftBlank },
        { sign: 'trailing', plus: '+', pad: rightBlank },
        { sign: 'overpunch' },
        { sign: 'overpunch', pad: leftBlank },
        { sign: 'overpunch', pad: rightBlank },
      ),
      digits: fc.integer({ min: 1, max: 17 }),
      decimals: fc.constantFrom(0, 0, 2),
      spare: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ style, digits, decimals, spare }) => {
      const field = won({ ...style, decimals });
      const magnitude = fc.oneof(fc.bigInt(0n, 10n ** BigInt(digits) - 1n), fc.constant(10n ** BigInt(digits) - 1n));
      const signed = fc.tuple(magnitude, fc.boolean()).map(([amount, isNegative]) => (isNegative ? -amount : amount));
      return {
        field,
        width: isFixed ? digits + decimals + 1 + spare : 0,
        values: (kind: string) =>
          field.sign !== 'unsigned' ? signed : kind === 'A' ? magnitude : magnitude.map((amount) => -amount),
      };
    });
}

export function dayField(): fc.Arbitrary<Drawn> {
  const days = fc
    .integer({ min: 0, max: 36_523 })
    .map((days) => Temporal.PlainDate.from('1970-01-01').add({ days }).toString());
  return fc
    .constantFrom(day('YYYYMMDD'), day('YYYY-MM-DD'), day('YYMMDD', { pivotYear: 70 }))
    .map((field) => ({ field, width: field.format.length, values: () => days }));
}

function timeField(): fc.Arbitrary<Drawn> {
  const times = fc
    .integer({ min: 0, max: 86_399 })
    .map((seconds) => Temporal.PlainTime.from('00:00').add({ seconds }).toString());
  return fc
    .constantFrom(time('HHMMSS'), time('HH:MM:SS'))
    .map((field) => ({ field, width: field.format.length, values: () => times }));
}

export function numberField(): fc.Arbitrary<Drawn> {
  return fc.constantFrom(leftZero, leftBlank, rightBlank).map((pad) => ({
    field: number(pad),
    width: 5,
    values: () => fc.integer({ min: 0, max: 32_767 }),
  }));
}

/** Kinds and results are drawn by the row, so their fields only map them to codes. */
function codeField(codes: Readonly<Record<string, string>>): Drawn {
  const width = Object.keys(codes)[0]?.length ?? 0;
  return { field: code(codes), width, values: () => fc.constant(undefined) };
}

const resultCodes = { '60': 'A', '67': 'A', '61': 'R', '65': 'H', '66': 'L' } as const;

function columnField(
  column: string,
  type: string,
  stage: Stage,
  isFixed: boolean,
  encoding: Encoding,
): fc.Arbitrary<Drawn> {
  const kinds = stage === 'transaction' ? ['A', 'C', 'P'] : ['A', 'C'];
  if (column === 'kind') {
    return fc
      .constantFrom(...kindSets)
      .map((codes) => codeField(Object.fromEntries(Object.entries(codes).filter(([, kind]) => kinds.includes(kind)))));
  }
  switch (type) {
    case 'won':
      return wonField(isFixed);
    case 'day':
      return dayField();
    case 'time':
      return timeField();
    case 'smallint':
      return numberField();
    default:
      return textField(encoding, column === 'providerTid');
  }
}

export function randomStatement(): fc.Arbitrary<RandomStatement> {
  return fc
    .record({
      stage: fc.constantFrom(...stages),
      kind: fc.constantFrom('fixed', 'delimited', 'json'),
      encoding: fc.constantFrom<Encoding>('cp949', 'utf8'),
      separator: fc.constantFrom(',', '|', '\t'),
      lineBreak: fc.constantFrom('lf', 'crlf'),
      isBroken: fc.boolean(),
      midFromHeader: fc.boolean(),
    })
    .chain((shape) => {
      const encoding = shape.kind === 'json' ? 'utf8' : shape.encoding;
      const isFixed = shape.kind === 'fixed';
      const columns = Object.entries<string>(stageColumns[shape.stage]).filter(
        ([name]) => name !== 'result' && name !== 'resultCode' && !(name === 'mid' && shape.midFromHeader),
      );
      const fields = fc.record(
        Object.fromEntries(
          columns.map(([name, type]) => [name, columnField(name, type, shape.stage, isFixed, encoding)]),
        ),
      ) as fc.Arbitrary<Record<string, Drawn>>;
      return fc
        .tuple(fields, textField(encoding, false), fc.array(fc.nat(), { minLength: 40, maxLength: 40 }))
        .chain(([drawn, shop, order]) => {
          const all: [string, Drawn][] = [...Object.entries(drawn), ['shopName', shop]];
          if (shape.stage === 'capture')
            all.push(['resultCode', { field: text(), width: 2, values: () => fc.constant('') }]);
          if (isFixed) {
            all.push(['gap', { field: blank, width: 3, values: () => fc.constant('') }]);
            all.push(['noise', { field: anything, width: 2, values: () => fc.constant('') }]);
          }
          const shuffled = all.map((entry, at) => [order[at] ?? 0, entry] as const).sort(([a], [b]) => a - b);
          const layout = layoutOf(
            shape,
            encoding,
            shuffled.map(([, entry]) => entry),
          );
          return fc.array(rowOf(shape.stage, drawn, shop), { maxLength: 12 }).map((rows) => ({
            stage: shape.stage,
            layout,
            rows: rows.map((row) => (shape.midFromHeader ? { ...row, mid: '똠MID' } : row)) as never,
            mid: '똠MID',
          }));
        });
    });
}

function rowOf(stage: Stage, drawn: Record<string, Drawn>, shop: Drawn): fc.Arbitrary<Record<string, unknown>> {
  const kinds = stage === 'transaction' ? ['A', 'C', 'P'] : ['A', 'C'];
  return fc.constantFrom(...kinds).chain((kind) => {
    const values = Object.fromEntries(Object.entries(drawn).map(([name, { values }]) => [name, values(kind)]));
    const resultCode = fc.constantFrom(...Object.keys(resultCodes)) as fc.Arbitrary<keyof typeof resultCodes>;
    return fc.tuple(fc.record(values), shop.values(kind), resultCode).map(([row, shopName, code]) => ({
      ...row,
      kind,
      ...(stage === 'capture' ? { resultCode: code, result: resultCodes[code] } : {}),
      extras: { shopName },
    }));
  });
}

type Shape = {
  stage: Stage;
  kind: string;
  separator: string;
  lineBreak: string;
  isBroken: boolean;
  midFromHeader: boolean;
};

function layoutOf(shape: Shape, encoding: Encoding, fields: [string, Drawn][]): StatementLayout {
  const mark = (constant: string): [string, Drawn] => ['type', drawnConstant(constant)];
  const day8: Drawn = { field: day('YYYYMMDD'), width: 8, values: () => fc.constant('') };
  const mid: Drawn = { field: text({ required: true }), width: 12, values: () => fc.constant('') };
  const total: Drawn = { field: won({ sign: 'minus' }), width: 21, values: () => fc.constant(0n) };
  const count: Drawn = { field: number(), width: 6, values: () => fc.constant(0) };
  const records: [string, Drawn][][] = [
    [mark('HH'), ['on', day8], ['mid', mid]],
    [mark('DD'), ...fields],
    [mark('TT'), ['rows', count], ['approved', total], ['cancelled', total]],
  ];
  const wide = Math.max(...records.map((record) => record.reduce((sum, [, { width }]) => sum + width, 0))) + 1;
  const filled = records.map((record) => {
    const used = record.reduce((sum, [, { width }]) => sum + width, 0);
    const rest: Drawn = { field: blank, width: wide - used, values: () => fc.constant('') };
    return shape.kind === 'fixed' ? [...record, ['rest', rest] as [string, Drawn]] : record;
  });
  const [header, data, trailer] = filled.map((record) =>
    Object.fromEntries(
      record.map(([name, { field, width }]) => [
        name,
        shape.kind === 'fixed' ? [fieldWidth(field, encoding) ?? width, field] : field,
      ]),
    ),
  );
  const spec = {
    stage: shape.stage,
    type: 'type',
    encoding,
    header,
    data: [{ fields: data }],
    trailer,
    columns: {
      ...(shape.midFromHeader ? { mid: define.fromHeader('mid') } : {}),
      ...(shape.stage === 'capture' ? { result: define.meaningOf('resultCode', resultCodes) } : {}),
    },
    totals: {
      rows: define.rowCount(),
      approved: define.sumOf('amountWon', { kind: ['A'] }),
      cancelled: define.sumOf('amountWon', { kind: shape.stage === 'transaction' ? ['C', 'P'] : ['C'] }, 'negated'),
    },
    recordBytes: wide,
    separator: shape.separator,
    quote: '"',
    lineBreak: shape.kind === 'fixed' && shape.isBroken ? 'none' : shape.lineBreak,
  };
  // The three constructors share the shape; what one does not know it does not look at.
  const make = { fixed: define.fixedStatement, delimited: define.delimitedStatement, json: define.jsonStatement }[
    shape.kind
  ] as (given: unknown) => StatementLayout;
  return make(spec);
}

export function drawnConstant(constant: string): Drawn {
  return { field: always(constant), width: constant.length, values: () => fc.constant(constant) };
}
