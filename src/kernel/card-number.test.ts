import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holdsCardNumber, holdsThisCard, writtenCardNumber } from './card-number.ts';

// Test numbers that the networks and acquirers publish.
test.each([
  ['Visa', '4111111111111111'],
  ['Visa of 13', '4222222222222'],
  ['Mastercard', '5555555555554444'],
  ['Mastercard of the 2-series', '2223003122003222'],
  ['American Express', '378282246310005'],
  ['JCB', '3530111333300000'],
  ['Diners Club', '30569309025904'],
  ['Discover', '6011111111111117'],
  ['UnionPay', '6200000000000005'],
  ['a Korean local card', '9410000000000005'],
])('%s', (_, number) => {
  const four = number.replaceAll(/(.{4})(?=.)/g, '$1-');
  for (const text of [
    number,
    four,
    four.replaceAll('-', ' '),
    `카드 ${number}로 결제`,
    `${number}.`,
    `no:${number}/0527`,
    `2026 ${four} 05`,
    [...number].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join(''),
  ]) {
    expect(holdsCardNumber(text), text).toBe(true);
  }
});

test.each([
  ['an order of the day', '20261120123456789'],
  ['a date and a time', '2026-11-20 12:05:30.123456'],
  ['a check digit that is wrong', '4111111111111112'],
  ['a network that there is none of', '1111111111111117'],
  ['a length that no Visa has', '41111111111111113'],
  ['masked', '411111******1111'],
  ['a bank account', '110-123-456789'],
  ['a business number', '124-81-00998'],
  ['twenty digits and more', '41111111111111111234'],
  ['a telephone', '010-1234-5678'],
  ['won', '9,007,199,254,740,991'],
  ['nothing', ''],
])('%s is none', (_, text) => {
  expect(holdsCardNumber(text)).toBe(false);
});

test('of digits at random with the first ones of a network, those with the check digit alone are taken', () => {
  const body = fc.stringMatching(/^[0-9]{14}$/);
  fc.assert(
    fc.property(body, (digits) => {
      const taken = Array.from({ length: 10 }, (_, check) => `4${digits}${check}`).filter(holdsCardNumber);
      expect(taken).toHaveLength(1);
    }),
  );
});

test('a number of ours is one only where it is the card of its own row', () => {
  expect(holdsThisCard('4111-1111-1111-1111', '411111******1111')).toBe(true);
  expect(holdsThisCard('ORD4111111111111111X', '411111******1111')).toBe(true);
  expect(holdsThisCard('4111111111111111', '411112******1111')).toBe(false);
  expect(holdsThisCard('4111111111111111', '411111******1112')).toBe(false);
  expect(holdsThisCard('411111x111111111', '411111******1111')).toBe(false);
  expect(holdsThisCard('411111111111111', '411111******1111')).toBe(false);
  expect(holdsThisCard('4111111111111111', '')).toBe(false);
});

test.each([
  [{ reason: 'asked about 4111 1111 1111 1111' }, 'reason'],
  [{ why: '4111111111111111' }, 'why'],
  [{ items: [{ id: 1 }, { note: '4111111111111111' }] }, 'items.note'],
  [{ releaseReason: '4111111111111111' }, 'releaseReason'],
  // Numbers that are given as numbers are not in anybody's words.
  [{ providerTid: '4111111111111111', order: '4111111111111111' }, undefined],
  [{ reason: 'card 411111******1111' }, undefined],
  [undefined, undefined],
])('what people write: %j', (given, expected) => {
  expect(writtenCardNumber(given)).toBe(expected);
});
