import { expect, test } from 'vitest';
import { problemText } from './problem.ts';

const place = { file: 'WP_ON_TRX_20261120.dat', line: 7, byteFrom: 960, byteTo: 972, field: 'amountWon' };

test.each([
  ['ko', 'not_a_number', 'amountWon을(를) 읽을 수 없습니다: 숫자가 아닙니다'],
  ['en', 'cut_character', 'amountWon cannot be read: a character cut by the field boundary'],
  ['en', 'what nobody named', 'amountWon cannot be read: what nobody named'],
] as const)('tells in %s what is wrong with a field: %s', (language, problem, text) => {
  expect(problemText('statement_field', { ...place, problem }, language)).toContain(text);
});

test('a detail that is missing is told as such', () => {
  expect(problemText('usage', {}, 'en')).toBe('Wrong usage: ?');
});
