import { describe, expect, test } from 'vitest';
import { createProgress, displayWidth, formatBytes, formatCount, formatRate, formatTable } from './terminal.ts';

describe('a table for people', () => {
  test.each([
    ['abc', 3],
    ['정산', 4],
    ['가A나', 5],
    ['￦1', 3],
    ['e\u0301', 1],
    ['', 0],
  ])('%j takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('aligns Hangul as two columns and numbers to the right', () => {
    const table = formatTable(
      [{ title: '제휴사' }, { title: 'rows', align: 'right' }],
      [
        ['케이에스넷', '1,200'],
        ['ksnet', '7'],
      ],
    );
    expect(table).toBe(
      ['제휴사       rows', '──────────  ─────', '케이에스넷  1,200', 'ksnet           7', ''].join('\n'),
    );
  });

  test('shows control characters instead of obeying them', () => {
    expect(formatTable([{ title: 'name' }], [['a\u001b[2Jb']])).toContain('a·[2Jb');
  });
});

test.each([
  [formatCount(0), '0'],
  [formatCount(1234567n), '1,234,567'],
  [formatCount(-1000), '-1,000'],
  [formatRate(1000, 500), '2,000/s'],
  [formatRate(0, 0), '0/s'],
  [formatBytes(999), '999 B'],
  [formatBytes(12_345_678), '12.3 MB'],
])('%s', (actual, expected) => {
  expect(actual).toBe(expected);
});

function recorded(isTTY: boolean): { written: string[]; stream: Parameters<typeof createProgress>[0] } {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 40, write: (text: string) => written.push(text) } };
}

describe('progress', () => {
  test('a pipe gets plain lines, at most one in a while by key, and always the last', () => {
    const { written, stream } = recorded(false);
    let now = 0;
    const progress = createProgress(stream, { everyMs: 1000, now: () => now });
    progress.update('a', 'a 1');
    progress.update('a', 'a 2');
    progress.update('b', 'b 1');
    now = 1000;
    progress.update('a', 'a 3');
    progress.finish('a', 'a done');
    progress.close();
    expect(written).toEqual(['a 1\n', 'b 1\n', 'a 3\n', 'a done\n']);
  });

  test('a terminal redraws the lines in progress below those that are done', () => {
    const { written, stream } = recorded(true);
    let now = 0;
    const progress = createProgress(stream, { everyMs: 100, now: () => now });
    progress.update('a', 'a 1');
    progress.update('b', 'b 1');
    progress.update('a', 'a 2');
    now = 100;
    progress.update('a', 'a 3');
    progress.finish('a', 'a done');
    expect(written).toEqual([
      'a 1\n',
      '\u001b[1A\u001b[0Ja 1\nb 1\n',
      '\u001b[2A\u001b[0Ja 3\nb 1\n',
      '\u001b[2A\u001b[0Ja done\nb 1\n',
    ]);
  });

  test('a live line never wraps', () => {
    const { written, stream } = recorded(true);
    createProgress(stream).update('a', '가'.repeat(40));
    expect(displayWidth(written.join('').trimEnd())).toBeLessThanOrEqual(39);
  });
});
