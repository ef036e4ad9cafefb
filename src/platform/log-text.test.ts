import { expect, test } from 'vitest';
import { createLog } from './log.ts';
import { logLineToText } from './log-text.ts';

/** What a terminal in Seoul shows of a line that the log writes. */
function shown(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  const log = createLog(
    { logLevel: 'info' },
    {
      write: (line) => {
        text += logLineToText(line, 'Asia/Seoul');
      },
    },
  );
  write(log);
  return text;
}

const clock = String.raw`^\d\d:\d\d:\d\d`;

test.each<[string, (log: ReturnType<typeof createLog>) => void, string]>([
  ['a message', (log) => log.info('started'), 'started$'],
  ['its members', (log) => log.info({ port: 1, active: ['a', 'b'] }, 'up'), String.raw`up  port=1 active=\[a,b\]$`],
  [
    'what is nested',
    (log) => log.info({ threads: { Timeout: 2, TCPServerWrap: 1 } }, 'up'),
    'threads={Timeout:2,TCPServerWrap:1}$',
  ],
  ['another level', (log) => log.warn('late'), 'warn: late$'],
  ['no secret', (log) => log.info({ password: 'x' }, 'in'), String.raw`in  password=\[secret\]$`],
  ['nothing that steers the terminal', (log) => log.info({ file: '\u001b[2J' }, 'a\nb'), String.raw`a·b  file=·\[2J$`],
])('shows %s', (_what, write, pattern) => {
  expect(shown(write).trimEnd()).toMatch(new RegExp(`${clock}  ${pattern.replace(/^(?=threads)/, '.*')}`));
});

test('shows the time in the reader\u2019s zone', () => {
  const line = JSON.stringify({ level: 'info', time: '2026-11-20T15:00:05.123Z', pid: 1, msg: 'midnight' });
  expect(logLineToText(line, 'Asia/Seoul')).toBe('00:00:05  midnight\n');
});

test('shows the stack of an error and of its cause below', () => {
  const text = shown((log) => log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed'));
  expect(text).toMatch(new RegExp(`${clock}  error: failed\n  Error: outer\n    +at `));
  expect(text).toContain('\n  Error: inner\n');
});
