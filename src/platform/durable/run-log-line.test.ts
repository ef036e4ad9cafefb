import { expect, test } from 'vitest';
import { readLines, type SaidLine } from './run-log-line.ts';

const line = (text: string): SaidLine => ({ runId: 'r', step: 1, level: 30, line: text, kind: 'line' });

test.each([
  ['plain', { file: 'a\\b' }, { file: 'a\\b' }],
  ['a NUL', { file: 'a\0b' }, { file: 'a?b' }],
  ['half a character', { file: 'a\ud83d' }, { file: 'a?' }],
  ['a whole one', { file: '😀' }, { file: '😀' }],
  ['a NUL as it is written', { file: 'a\\u0000b' }, { file: 'a\\u0000b' }],
  ['half a character as it is written, after a backslash', { file: '\\\\ud83d' }, { file: '\\\\ud83d' }],
  ['a NUL after a backslash', { file: '\\\0' }, { file: '\\?' }],
])('a line that holds %s is kept', (_, said, detail) => {
  const text = JSON.stringify({ level: 30, time: '2026-11-20T00:00:00Z', msg: 'said', ...said });
  expect(readLines([line('{'), line(text)], 'host:1')).toMatchObject([{ message: 'said', detail }]);
});
