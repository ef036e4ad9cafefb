import fc from 'fast-check';
import {
  delimitedExchange,
  type ExchangeColumnSpec,
  fixedExchange,
  fromHead,
  nowhere,
  optional,
} from '../../src/providers/layout/exchange-define.ts';
import {
  type ColumnOfRecord,
  columnsOfRecord,
  type ExchangeHead,
  type ExchangeLayout,
  type ExchangeRecord,
  type ExchangeRow,
  exchangeColumns,
} from '../../src/providers/layout/exchange-layout.ts';
import { anything, blank, code, day, number, text, won } from '../../src/providers/layout/field.ts';
import { fieldWidth } from '../../src/providers/layout/field-defects.ts';
import type { Encoding } from '../../src/providers/layout/layout.ts';
import { type Drawn, dayField, drawnConstant, numberField, textField, wonField } from './random-layout.ts';

/** A layout of random frame, widths, orders, signs and codes, with rows that it can hold. */
export type RandomExchange = {
  readonly layout: ExchangeLayout;
  readonly head: ExchangeHead;
  /** Rows of a MID together. */
  readonly rows: readonly ExchangeRow[];
};

type Placed = Drawn & { readonly isOptional: boolean };
type Shape = {
  readonly record: ExchangeRecord;
  readonly isFixed: boolean;
  readonly encoding: Encoding;
  readonly separator: string;
  readonly lineBreak: 'lf' | 'crlf';
  readonly isBroken: boolean;
  readonly frame: { readonly start: boolean; readonly header: boolean; readonly total: boolean; readonly end: boolean };
  readonly midFromHeader: boolean;
  readonly isStated: boolean;
};

const typeCodes = code({ '0': 'A', '1': 'C', '2': 'P' });
const mids = ['M1', '똠MID', 'M-3'] as const;
export const randomHead: ExchangeHead = { on: Temporal.PlainDate.from('2026-11-20'), biz: '1234567891' };

function columnField(shape: Shape, { name, type, isOptional }: ColumnOfRecord): fc.Arbitrary<Placed> {
  const drawn = ((): fc.Arbitrary<Drawn> => {
    if (name === 'type')
      return fc.constant({ field: typeCodes, width: 1, values: () => fc.constantFrom('A', 'C', 'P') });
    if (name === 'action') {
      const field = code({ NW: 'N', CH: 'C', TM: 'T' });
      return fc.constant({ field, width: 2, values: () => fc.constantFrom('N', 'C', 'T') });
    }
    if (name === 'tier') {
      const field = code({ A: '0', B: '1', C: '2' });
      return fc.constant({ field, width: 1, values: () => fc.constantFrom('0', '1', '2') });
    }
    if (name === 'mid') return fc.constant({ field: text(), width: 10, values: () => fc.constantFrom(...mids) });
    if (type === 'won') {
      const hasType = 'type' in exchangeColumns[shape.record];
      return wonField(shape.isFixed).filter(({ field }) => {
        if (field.type !== 'won' || (field.sign === 'unsigned' && !hasType)) return false;
        return !isOptional || field.plus !== ' ';
      });
    }
    if (type === 'day') return dayField();
    if (type === 'smallint') return numberField();
    return textField(shape.encoding, false);
  })();
  return drawn.map((field) => ({ ...field, isOptional }));
}

export function randomExchange(): fc.Arbitrary<RandomExchange> {
  const shapes: fc.Arbitrary<Shape> = fc.record({
    record: fc.constantFrom(...(Object.keys(exchangeColumns) as ExchangeRecord[])),
    isFixed: fc.boolean(),
    encoding: fc.constantFrom<Encoding>('cp949', 'utf8'),
    separator: fc.constantFrom(',', '|', '\t'),
    lineBreak: fc.constantFrom('lf', 'crlf'),
    isBroken: fc.boolean(),
    frame: fc.record({ start: fc.boolean(), header: fc.boolean(), total: fc.boolean(), end: fc.boolean() }),
    midFromHeader: fc.boolean(),
    isStated: fc.boolean(),
  });
  return shapes.chain((drawn) => {
    const hasHead = drawn.frame.start || drawn.frame.header;
    const frame = hasHead ? drawn.frame : { ...drawn.frame, total: false, end: false };
    const hasMid = 'mid' in exchangeColumns[drawn.record];
    const shape = { ...drawn, frame, midFromHeader: drawn.midFromHeader && hasMid && frame.header };
    const columns = columnsOfRecord(shape.record).filter(
      ({ name }) => !(name === 'mid' && shape.midFromHeader) && (shape.isStated || name !== 'differenceWon'),
    );
    const fields = fc.tuple(...columns.map((column) => columnField(shape, column)));
    const order = fc.array(fc.nat(), { minLength: 30, maxLength: 30 });
    return fc.tuple(fields, echoes(shape), order).chain(([placed, echoed, places]) => {
      const own: [string, Placed][] = columns.map(({ name }, at) => [name, placed[at] as Placed]);
      const all = [...own, ...echoed]
        .map((entry, at) => [places[at] ?? 0, entry] as const)
        .sort(([a], [b]) => a - b)
        .map(([, entry]) => entry);
      const layout = layoutOf(shape, all);
      // A file without a frame has a line at least.
      const rows = fc.array(rowOf(shape, own, echoed), { minLength: shape.frame.start ? 0 : 1, maxLength: 12 });
      return rows.map((some) => ({ layout, head: randomHead, rows: inGroups(some) as never }));
    });
  });
}

/** Fields that are no column, such as an answer echoes. */
function echoes(shape: Shape): fc.Arbitrary<[string, Placed][]> {
  const echo = (drawn: fc.Arbitrary<Drawn>) => drawn.map((field): Placed => ({ ...field, isOptional: true }));
  const signed = wonField(shape.isFixed).filter(
    ({ field }) => field.type === 'won' && field.sign !== 'unsigned' && field.plus !== ' ',
  );
  const flag = { field: code({ Y: 'yes', N: 'no' }), width: 1, values: () => fc.constantFrom('yes', 'no') };
  return fc
    .record({
      shop: textField(shape.encoding, false).map((field): Placed => ({ ...field, isOptional: false })),
      sentOn: echo(dayField()),
      paidWon: echo(signed),
      count: echo(numberField()),
      flag: echo(fc.constant(flag)),
    })
    .map((fields) => Object.entries(fields));
}

/** Rows of a MID together, MIDs in the order of their first row. */
function inGroups(rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const seen = [...new Set(rows.map((row) => row['mid']))];
  return seen.flatMap((mid) => rows.filter((row) => row['mid'] === mid));
}

function rowOf(
  shape: Shape,
  own: [string, Placed][],
  echoed: [string, Placed][],
): fc.Arbitrary<Record<string, unknown>> {
  return fc.constantFrom('A', 'C', 'P').chain((type) => {
    const values = Object.fromEntries(
      own.map(([name, { values, isOptional }]) => {
        const value = name === 'type' ? fc.constant(type) : values(type);
        // What is blank is not there.
        const held = isOptional ? value.map((it) => (/^ *$/.test(String(it)) ? null : it)) : value;
        return [name, isOptional ? fc.oneof(held, fc.constant(null)) : held];
      }),
    );
    const extras = fc.record(Object.fromEntries(echoed.map(([name, field]) => [name, field.values(type)])), {
      requiredKeys: ['shop'],
    });
    return fc.tuple(fc.record(values), extras, fc.constantFrom(...mids)).map(([row, extras, mid]) => ({
      ...Object.fromEntries(columnsOfRecord(shape.record).map(({ name }) => [name, null])),
      ...row,
      ...(shape.midFromHeader ? { mid } : {}),
      extras,
    }));
  });
}

function layoutOf({ frame, ...shape }: Shape, fields: [string, Placed][]): ExchangeLayout {
  const always = (field: Drawn): Placed => ({ ...field, isOptional: false });
  const mark = (constant: string): [string, Placed] => ['mark', always(drawnConstant(constant))];
  const held = (field: Drawn['field'], width: number): Placed => ({
    field,
    width,
    values: () => fc.constant(''),
    isOptional: false,
  });
  const on: [string, Placed] = ['on', held(day('YYYYMMDD'), 8)];
  const count = held(number(), 6);
  const hasAmount = 'amountWon' in exchangeColumns[shape.record];
  const hasDifference = 'differenceWon' in exchangeColumns[shape.record];
  const totals = {
    lines: 'lines',
    records: 'records',
    ...(hasAmount ? { amount: 'amountWon' } : {}),
    ...(hasDifference ? { difference: 'differenceWon', supply: 'supplyWon' } : {}),
  } as const;
  const sum = held(won({ sign: 'minus' }), 22);
  const totalFields = Object.keys(totals).map((name): [string, Placed] => [
    name,
    name === 'lines' || name === 'records' ? count : sum,
  ]);
  const header: [string, Placed][] = [mark('HH'), ['mid', held(text({ required: true }), 12)], on];
  const records: Record<string, [string, Placed][] | undefined> = {
    start: frame.start ? [mark('SS'), on, ['biz', held(text({ required: true }), 10)]] : undefined,
    header: frame.header
      ? header.filter(([name]) => name !== 'mid' || 'mid' in exchangeColumns[shape.record])
      : undefined,
    data: [mark('DD'), ...fields, ...(shape.isFixed ? [['noise', held(anything, 2)] as [string, Placed]] : [])],
    total: frame.total ? [mark('TT'), ...totalFields] : undefined,
    end: frame.end ? [mark('EE'), ...totalFields] : undefined,
  };
  const widthOf = ({ field, width }: Placed) => fieldWidth(field, shape.encoding) ?? width;
  const used = (record: [string, Placed][]) => record.reduce((all, [, field]) => all + widthOf(field), 0);
  const wide = Math.max(...Object.values(records).map((record) => used(record ?? []))) + 1;
  const laid = Object.fromEntries(
    Object.entries(records).flatMap(([title, record]) => {
      if (record === undefined) return [];
      const filled = shape.isFixed
        ? [...record, ['rest', held(blank, wide - used(record))] as [string, Placed]]
        : record;
      const spec = filled.map(([name, placed]) => {
        const field = placed.isOptional ? optional(placed.field) : placed.field;
        return [name, shape.isFixed ? [widthOf(placed), field] : field];
      });
      const made = Object.fromEntries(spec);
      return [[title, title === 'total' || title === 'end' ? { fields: made, totals } : made]];
    }),
  );
  const columns: Record<string, ExchangeColumnSpec> = {
    ...(shape.midFromHeader ? { mid: fromHead('mid') } : {}),
    ...(hasDifference && !shape.isStated ? { differenceWon: nowhere } : {}),
  };
  const spec = {
    record: shape.record,
    type: 'mark',
    encoding: shape.encoding,
    ...laid,
    columns,
    recordBytes: wide,
    separator: shape.separator,
    quote: '"',
    lineBreak: shape.isFixed && shape.isBroken ? 'none' : shape.lineBreak,
  };
  // Both builders share the shape; what one does not know it does not look at.
  return (shape.isFixed ? fixedExchange : delimitedExchange)(spec as never);
}
