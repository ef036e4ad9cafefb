import { expect, test } from 'vitest';
import { Problem } from '../../kernel/problem.ts';
import { constant } from './define.ts';
import { delimitedExchange, fixedExchange, fromHead, nowhere, optional } from './exchange-define.ts';
import { always, blank, code, day, type Field, number, text, time, won } from './field.ts';

type Spec = Parameters<typeof fixedExchange<'answer'>>[0];

const day8 = day('YYYYMMDD');
const signed = won({ sign: 'minus' });
const data: Spec['data'] = {
  mark: [2, always('11')],
  tradedOn: [8, day8],
  providerTid: [20, text({ required: true })],
  cancelSeq: [3, number()],
  amountWon: [15, signed],
  originalWon: [15, signed],
  supplyWon: [15, optional(signed)],
  vatWon: [15, optional(signed)],
  code: [2, text({ required: true })],
  orderNo: [5, text()],
};
const total: NonNullable<Spec['total']> = {
  fields: { mark: [2, always('12')], lines: [7, number()], amountWon: [18, signed], unused: [73, blank] },
  totals: { lines: 'lines', amountWon: 'amountWon' },
};
const base: Spec = {
  record: 'answer',
  encoding: 'cp949',
  recordBytes: 100,
  lineBreak: 'lf',
  type: 'mark',
  header: { mark: [2, always('10')], on: [8, day8], mid: [10, text({ required: true })], unused: [80, blank] },
  data,
  columns: { mid: fromHead('mid'), tier: nowhere, cardType: constant('1'), differenceWon: nowhere, payOn: nowhere },
  total,
};
const { orderNo: _, ...short } = data;
const { mid: __, ...columns } = base.columns ?? {};
const fields = (more: Spec['data']): Partial<Spec> => ({ data: { ...short, ...more } });
const totals = (more: Partial<NonNullable<Spec['total']>>): Partial<Spec> => ({ total: { ...total, ...more } });

test('a layout that adds up is made', () => {
  expect(fixedExchange(base)).toMatchObject({ record: 'answer', start: null, end: null });
});

const refused: readonly [title: string, change: Partial<Spec>, fault: string][] = [
  ['records that are too wide', { recordBytes: 16_385 }, 'records are wider than 16384 bytes'],
  ['widths that do not add up', fields({ orderNo: [6, text()] }), 'data: widths add up to 101 bytes, not 100'],
  ['a day of the wrong width', fields({ payOn: [5, optional(day8)] }), 'data: payOn is 8 bytes wide, not 5'],
  ['no field to know a record by', { type: 'kind' }, 'data: no constant field "kind" to know the record by'],
  ['records alike', { header: { ...base.header, mark: [2, always('11')] } }, '"mark" does not tell the records apart'],
  [
    'a column from nowhere',
    { columns },
    'data: mid comes from nowhere: declare a field, a constant, the head or nowhere',
  ],
  ['a column that may not be nowhere', { columns: { ...columns, mid: nowhere } }, 'data: mid may not be nowhere'],
  [
    'a column twice',
    { columns: { ...base.columns, code: constant('00') } },
    'data: code is a field and is declared elsewhere too',
  ],
  [
    'a column that is none',
    { columns: { ...base.columns, feeWon: nowhere } },
    'data: feeWon is no column of this record',
  ],
  [
    'an amount that is the same on each line',
    { columns: { ...base.columns, differenceWon: constant(0n) } },
    'data: differenceWon: "0" cannot be a won',
  ],
  [
    'a field of another type',
    fields({ payOn: [5, optional(text())] }),
    'data: payOn: a field of type text cannot be a day',
  ],
  [
    'an optional field of a column that is never null',
    fields({ mid: [5, optional(text())] }),
    'data: mid is never null, so its field is not optional',
  ],
  [
    'the head that does not say it',
    { columns: { ...columns, mid: fromHead('biz') } },
    'data: mid: neither start nor header has "biz"',
  ],
  [
    'a day that comes from a text',
    { columns: { ...base.columns, payOn: fromHead('mid') } },
    "data: payOn: the head's mid cannot be a day",
  ],
  [
    'a field for which nothing is known',
    fields({ sentOn: [5, number()] }),
    'data.sentOn: nothing is known to write there: a column, or optional',
  ],
  ['a time', fields({ sentAt: [5, time()] }), 'data.sentAt: an exchange has no times'],
  [
    'a text that is required and optional',
    fields({ tier: [5, optional(text({ required: true }))] }),
    'data.tier: required and optional',
  ],
  [
    'a blank sign of what may be blank',
    fields({ differenceWon: [5, optional(won({ sign: 'trailing', plus: ' ' }))] }),
    'data.differenceWon: a blank sign next to blanks that stand for null',
  ],
  [
    'a sign by a type that there is none of',
    fields({ differenceWon: [5, won({ negativeWhen: ['C'] })] }),
    'data.differenceWon: no type says the sign',
  ],
  [
    'a code that would not be read',
    fields({ tier: [5, code({ AAAAA: '0' }, { '1': 'BBBBB' })] }),
    'data.tier: code "BBBBB" of 1 would not be read',
  ],
  ['the same of nothing', { same: { orderNo: 'orderId' } }, 'data: same.orderNo: orderId is no column of this record'],
  ['the same as itself', { same: { code: 'providerTid' } }, 'data: same.code is a column of its own'],
  [
    'no day',
    { header: { mark: [2, always('10')], mid: [10, text()], unused: [88, blank] } },
    'no day "on" in start or header',
  ],
  [
    'a header of more than is known',
    { header: { ...base.header, unused: [80, text()] } },
    'header.unused: nothing is known to write there',
  ],
  [
    'an optional day of the header',
    { header: { ...base.header, on: [8, optional(day8)] } },
    'header.on: only data is optional',
  ],
  [
    'totals that do not count',
    totals({ totals: { amountWon: 'amountWon' } }),
    'total: the number of lines is not declared',
  ],
  [
    'a total that is no field',
    totals({ totals: { ...total.totals, vatWon: 'vatWon' } }),
    'total.vatWon: no field of the record',
  ],
  [
    'a count that is an amount',
    totals({ totals: { lines: 'lines', amountWon: 'records' } }),
    'total.amountWon: a field of type won, not number',
  ],
  [
    'a field of the totals that is none',
    totals({ totals: { lines: 'lines' } }),
    'total.amountWon: nothing is known to write there',
  ],
];
test.each(refused)('%s is refused', (_title, change, fault) => {
  expect(() => fixedExchange({ ...base, ...change })).toThrow(
    expect.objectContaining({
      code: 'layout_invalid',
      details: { stage: 'answer', faults: expect.stringContaining(fault) },
    }),
  );
});

test('all faults are told at once, of delimited layouts too', () => {
  const make = () =>
    delimitedExchange({
      record: 'registrationAnswer',
      encoding: 'cp949',
      separator: 'A',
      quote: 'none',
      lineBreak: 'lf',
      type: 'mark',
      data: { mark: always('R'), action: code({ '1': 'X' }), acquirer: text() },
    });
  const problem = (() => {
    try {
      return make();
    } catch (error) {
      return error;
    }
  })();
  expect(problem).toBeInstanceOf(Problem);
  expect((problem as Problem).details['faults']?.toString().split('\n')).toEqual([
    'separator "A" may be part of a value',
    'data: merchantId comes from nowhere: declare a field, a constant, the head or nowhere',
    'data: finalNo comes from nowhere: declare a field, a constant, the head or nowhere',
    'data: code comes from nowhere: declare a field, a constant, the head or nowhere',
    'data: action: X cannot be a char',
    'data: merchantId may not be nowhere',
    'data: finalNo may not be nowhere',
    'data: code may not be nowhere',
  ]);
});

test('a line of more values than there is room for is refused', () => {
  const user = Object.fromEntries(Array.from({ length: 26 }, (_user, n) => [`user${n}`, text()]));
  const own = {
    mark: always('R'),
    action: code({ '1': 'N' }),
    acquirer: text(),
    merchantId: text(),
    finalNo: text(),
    code: text(),
  };
  const make = (fields: Record<string, Field>) =>
    delimitedExchange({
      record: 'registrationAnswer',
      encoding: 'cp949',
      separator: ',',
      quote: 'none',
      lineBreak: 'lf',
      type: 'mark',
      data: fields,
    });
  expect(make(own).data.fields).toHaveLength(6);
  expect(() => make({ ...own, ...user })).toThrow('records have more than 30 values');
});
