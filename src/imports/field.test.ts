import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsCardNumber } from '../kernel/card-number.ts';
import { CopyBlock } from './copy-block.ts';
import { day, type Instant, instant, maskedCard, oneOf, smallNumber, text, won } from './field.ts';
import { quotable, RecordFields, type Refusal } from './record.ts';

/** What a field check writes of a value, without COPY's frame: hex of the one field, or the refusal's code. */
function written(value: string, write: (fields: RecordFields, block: CopyBlock) => Refusal | undefined): string {
  const block = new CopyBlock(Buffer.alloc(1 << 18));
  block.beginRow(1);
  const refusal = write(fieldsOf(value), block);
  if (refusal !== undefined) return refusal.code;
  block.endRow();
  const bytes = block.take(Buffer.alloc(1 << 18));
  return bytes.subarray(19 + 2 + 4, -2).toString('hex');
}

/** A record of one field that stands somewhere within a line. */
function fieldsOf(value: string): RecordFields {
  const bytes = Buffer.from(`x,${value},9`);
  const fields = new RecordFields(['field']);
  fields.begin(bytes, 0);
  fields.starts[0] = 2;
  fields.ends[0] = bytes.length - 2;
  return fields;
}

function int8(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes.toString('hex');
}

describe('won', () => {
  test.each<[string, Parameters<typeof won>[3], string]>([
    ['1', 'positive', int8(1n)],
    ['-1', 'negative', int8(-1n)],
    ['0', 'any', int8(0n)],
    ['10000000000000', 'any', int8(10_000_000_000_000n)],
    ['-10000000000000', 'any', int8(-10_000_000_000_000n)],
    ['10000000000001', 'any', 'import_number'],
    ['-10000000000001', 'any', 'import_number'],
    ['9007199254740993', 'any', 'import_number'],
    ['9223372036854775807', 'any', 'import_number'],
    ['-9223372036854775808', 'any', 'import_number'],
    ['9223372036854775808', 'any', 'import_number'],
    ['10000000000000000000', 'any', 'import_amount'],
    ['', 'any', 'import_amount'],
    ['-', 'any', 'import_amount'],
    ['-0', 'any', 'import_amount'],
    ['007', 'any', 'import_amount'],
    ['+1', 'any', 'import_amount'],
    ['1.0', 'any', 'import_amount'],
    ['1e3', 'any', 'import_amount'],
    ['1,000', 'any', 'import_amount'],
    [' 1', 'any', 'import_amount'],
    ['１', 'any', 'import_amount'],
    ['0', 'positive', 'import_sign'],
    ['-1', 'positive', 'import_sign'],
    ['1', 'negative', 'import_sign'],
    ['0', 'not_zero', 'import_sign'],
  ])('%j, %s → %s', (value, sign, expected) => {
    expect(written(value, (fields, block) => won(fields, 0, block, sign))).toBe(expected);
  });

  test('writes every amount that fits exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }), (amount) => {
        // A card number in the place of an amount is none.
        fc.pre(!holdsCardNumber(String(amount)));
        expect(written(String(amount), (fields, block) => won(fields, 0, block, 'any'))).toBe(int8(amount));
      }),
    );
  });
});

test.each([
  ['0', '0000'],
  ['99', '0063'],
  ['100', 'import_number'],
  ['-1', 'import_number'],
  ['01', 'import_number'],
  ['', 'import_number'],
  ['99999999999999999999', 'import_number'],
])('a number from 0 to 99: %j → %s', (value, expected) => {
  expect(written(value, (fields, block) => smallNumber(fields, 0, block, { min: 0, max: 99 }))).toBe(expected);
});

test.each([
  ['T-1', Buffer.from('T-1').toString('hex')],
  ['정산', Buffer.from('정산').toString('hex')],
  ['a b', Buffer.from('a b').toString('hex')],
  ['', 'import_text'],
  [' a', 'import_text'],
  ['a ', 'import_text'],
  ['a\tb', 'import_text'],
  ['a\u0000', 'import_text'],
  ['a\u0085b', 'import_text'],
  ['a\u007f', 'import_text'],
  ['정산정산정산', 'import_text'],
])('text of 1 to 16 bytes: %j → %s', (value, expected) => {
  expect(written(value, (fields, block) => text(fields, 0, block, { max: 16 }))).toBe(expected);
});

test.each([
  ['ksnet', Buffer.from('ksnet').toString('hex')],
  ['ksne', 'import_provider_unknown'],
  ['KSNET', 'import_provider_unknown'],
  ['', 'import_provider_unknown'],
])('one of the providers: %j → %s', (value, expected) => {
  const known = [Buffer.from('welcome-online'), Buffer.from('ksnet')];
  expect(written(value, (fields, block) => oneOf(fields, 0, block, known, 'import_provider_unknown'))).toBe(expected);
});

test.each([
  ['2000-01-01', '00000000'],
  ['2000-03-01', '0000003c'],
  ['2026-11-20', (9820).toString(16).padStart(8, '0')],
  ['2028-02-29', (10_286).toString(16).padStart(8, '0')],
  ['2026-02-29', 'import_day'],
  ['2026-04-31', 'import_day'],
  ['2026-13-01', 'import_day'],
  ['2026-00-01', 'import_day'],
  ['2026-01-00', 'import_day'],
  ['1999-12-31', 'import_day'],
  ['20261120', 'import_day'],
  ['2026/11/20', 'import_day'],
  ['2026-11-20 ', 'import_day'],
  ['', 'import_day'],
])('a day: %j → %s', (value, expected) => {
  expect(written(value, (fields, block) => day(fields, 0, block))).toBe(expected);
});

describe('an instant', () => {
  test.each([
    ['2026-11-20T23:59:58+09:00', '2026-11-20', 0],
    ['2026-11-20T15:00:00Z', '2026-11-21', 0],
    ['2026-11-20T14:59:59.999999Z', '2026-11-20', 999_999],
    ['2026-11-20T23:59:58.5+09:00', '2026-11-20', 500_000],
    ['2026-11-20T09:59:58-05:30', '2026-11-21', 0],
  ])('%s falls on %s in Korea', (value, seoulDay, fraction) => {
    const at = instant(fieldsOf(value), 0) as Instant;
    const exact = Temporal.Instant.from(value);
    const epoch = Temporal.Instant.from('2000-01-01T00:00:00Z');
    expect(BigInt(at.microseconds)).toBe((exact.epochNanoseconds - epoch.epochNanoseconds) / 1000n);
    expect(at.microseconds % 1_000_000).toBe(fraction);
    expect(Temporal.PlainDate.from('2000-01-01').add({ days: at.seoulDay }).toString()).toBe(seoulDay);
  });

  test.each([
    '2026-11-20T23:59:58',
    '2026-11-20 23:59:58+09:00',
    '2026-11-20T24:00:00+09:00',
    '2026-11-20T23:60:00+09:00',
    '2026-11-20T23:59:60+09:00',
    '2026-02-30T00:00:00+09:00',
    '2026-11-20T23:59:58+0900',
    '2026-11-20T23:59:58+15:00',
    '2026-11-20T23:59:58.+09:00',
    '2026-11-20T23:59:58.1234567+09:00',
    '2026-11-20T23:59:58+09:00 ',
    '2026-11-20',
    '',
  ])('%j is none', (value) => {
    expect(instant(fieldsOf(value), 0)).toMatchObject({ code: 'import_instant' });
  });
});

describe('a card number', () => {
  test.each([
    ['123456******7890', Buffer.from('123456******7890').toString('hex')],
    ['123456*****7890', Buffer.from('123456*****7890').toString('hex')],
    ['', ''],
    ['1234567890127890', 'import_card_number'],
    ['1234-5678-9012-7890', 'import_card_number'],
    ['12345678****7890', 'import_card_number'],
    ['123456***7890', 'import_card_mask'],
    ['123456xxxxxx7890', 'import_card_mask'],
    ['1234**', 'import_card_mask'],
  ])('%j → %s', (value, expected) => {
    expect(written(value, maskedCardOf)).toBe(expected);
  });

  test('is never repeated by a refusal, in whichever column it strayed', () => {
    const refusal = maskedCard(fieldsOf('1234567890127890'), 0, new CopyBlock(Buffer.alloc(1 << 18)));
    expect(JSON.stringify(refusal)).not.toContain('1234567');
    expect(quotable('x1234567890127890y')).toBe('x123456**********y');
  });
});

function maskedCardOf(fields: RecordFields, block: CopyBlock): Refusal | undefined {
  return maskedCard(fields, 0, block);
}

test('a refusal names the field, the value and its bytes in the line', () => {
  const refusal = won(fieldsOf('abc'), 0, new CopyBlock(Buffer.alloc(1 << 18)), 'any');
  expect(refusal).toEqual({ code: 'import_amount', details: { field: 'field', value: 'abc', bytes: '3-5' } });
});
