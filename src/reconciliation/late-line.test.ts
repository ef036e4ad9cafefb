import { expect, test } from 'vitest';
import type { Entry } from '../../test/support/books.ts';
import { books, keepOwnBooks } from './own-books.fixture.ts';

keepOwnBooks();

const d1 = '2026-11-18';
const d2 = '2026-11-19';
const d3 = '2026-11-20';
const capture: Entry = { tid: 'T1', won: 1000, fee: 20, vat: 2 };
const other: Entry = { tid: 'T3', won: 300 };

test.each([
  ['H', 'capture_held'],
  ['R', 'capture_rejected'],
] as const)(
  'a capture that the file of a later day holds back (%s) is not expected in a settlement, and its release ends it',
  async (result, kind) => {
    await books.captures(d1, [capture]);
    await books.captures(d2, [other]);
    await books.captures(d3, [{ ...other, tid: 'T4' }]);
    await books.statement('capture', d1, []);
    await books.statement('settlement', d1, []);
    await books.match('capture', d1);
    await books.match('settlement', d1);
    await books.statement('capture', d2, [{ ...capture, dated: d1, result }, other]);
    await books.statement('settlement', d2, [other]);
    await books.match('capture', d2);
    await books.match('settlement', d2);
    expect(await books.breaks('capture')).toEqual([`${d2} ${kind} T1/0 -1000 open`]);
    expect(await books.breaks('settlement')).toEqual([]);
    await books.statement('capture', d3, [
      { ...capture, dated: d1, result: 'L' },
      { ...other, tid: 'T4' },
    ]);
    await books.statement('settlement', d3, [
      { ...capture, dated: d1 },
      { ...other, tid: 'T4' },
    ]);
    await books.match('capture', d3);
    await books.match('settlement', d3);
    expect(await books.breaks('capture')).toEqual([]);
    expect(await books.breaks('settlement')).toEqual([]);
    expect(await books.goneBreaks('capture')).toEqual([
      `${d1} missing_at_provider T1/0 matched_later`,
      `${d2} ${kind} T1/0 matched_later`,
    ]);
  },
);

test('a capture that a later day holds back stays so whatever is computed anew, until its release', async () => {
  const more: Entry = { tid: 'T9', won: 7 };
  const held: Entry = { ...capture, dated: d1, result: 'H' };
  await books.captures(d1, [capture]);
  await books.captures(d2, [other]);
  await books.captures(d3, [{ ...other, tid: 'T4' }]);
  await books.statement('capture', d1, []);
  await books.statement('capture', d2, [held, other]);
  const isHeld = [`${d2} capture_held T1/0 -1000 open`];
  for (const on of [d2, d1]) await books.match('capture', on);
  expect(await books.breaks('capture')).toEqual(isHeld);
  await books.captures(d1, [more]);
  await books.statement('capture', d1, [more]);
  await books.match('capture', d1);
  expect(await books.breaks('capture')).toEqual(isHeld);
  await books.statement('capture', d2, [other, held]);
  await books.match('capture', d2);
  expect(await books.breaks('capture')).toEqual(isHeld);
  const releasing: Entry[] = [
    { ...capture, dated: d1, result: 'L' },
    { ...other, tid: 'T4' },
  ];
  await books.statement('capture', d3, releasing);
  await books.match('capture', d3);
  expect(await books.breaks('capture')).toEqual([]);
  await books.statement('capture', d2, [held, other]);
  await books.statement('capture', d3, releasing.toReversed());
  for (const on of [d1, d2, d3]) await books.match('capture', on);
  expect(await books.breaks('capture')).toEqual([]);
  expect(await books.pairings('capture')).toEqual([`${d1} T1 → ${d3} 3 tid-across-days matched`]);
  await books.statement('capture', d2, [other]);
  await books.match('capture', d2);
  expect(await books.breaks('capture')).toEqual([]);
});

test('a capture that its own day and a later one hold back is held once', async () => {
  await books.captures(d1, [capture]);
  await books.captures(d2, [other]);
  await books.captures(d3, [{ ...other, tid: 'T4' }]);
  await books.statement('capture', d1, [{ ...capture, result: 'H' }]);
  await books.statement('capture', d2, [{ ...capture, dated: d1, result: 'H' }, other]);
  for (const on of [d1, d2, d1, d2]) await books.match('capture', on);
  expect(await books.breaks('capture')).toEqual([`${d2} capture_held T1/0 -1000 open`]);
  await books.statement('capture', d3, [
    { ...capture, dated: d1, result: 'L' },
    { ...other, tid: 'T4' },
  ]);
  for (const on of [d3, d1, d2, d3]) await books.match('capture', on);
  expect(await books.breaks('capture')).toEqual([]);
});

test('a capture held and released by the same file is matched', async () => {
  await books.captures(d1, [capture]);
  await books.statement('capture', d1, [
    { ...capture, result: 'H' },
    { ...capture, result: 'L' },
  ]);
  await books.match('capture', d1);
  expect(await books.breaks('capture')).toEqual([]);
});

test('a line that waited for a day that had its own finds its record when that day is corrected', async () => {
  const late: Entry = { tid: 'T1', won: 700, time: '23:59:58' };
  await books.payments(d1, [late]);
  await books.payments(d2, [other]);
  await books.statement('transaction', d2, [other, { ...late, time: '00:00:01' }]);
  await books.match('transaction', d2);
  await books.statement('transaction', d1, [late]);
  await books.match('transaction', d1);
  expect(await books.breaks()).toEqual([`${d2} duplicate T1/0 700 open`]);
  await books.statement('transaction', d1, []);
  await books.match('transaction', d1);
  expect(await books.breaks()).toEqual([]);
});
