import { expect, test } from 'vitest';
import { Problem } from '../kernel/problem.ts';
import { createLog } from './log.ts';
import { Secret } from './secret.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line is one object with level, time and facts; quieter levels are left out', () => {
  const lines = logged((log) => {
    log.debug('unseen');
    log.info({ on: '2026-11-20', rows: 7 }, 'imported');
  });
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      pid: process.pid,
      on: '2026-11-20',
      rows: 7,
      msg: 'imported',
    },
  ]);
});

test('secrets are hidden, wrapped or not, wherever they stand', () => {
  const lines = logged((log) => {
    log.info({ password: 'hunter2', sftp: { password: 'hunter2', deep: { privateKey: 'hunter2' } } }, 'a');
    log.info({ url: new Secret('hunter2'), databaseUrl: 'hunter2' }, 'b');
  });
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

test('a refusal is told by its code, a bug by its stack', () => {
  const [refusal, bug] = logged((log) => {
    log.warn({ err: new Problem('not_found', { what: 'run', id: 'x' }) }, 'refused');
    log.error({ err: new TypeError('bug') }, 'failed');
  });
  expect(refusal?.['err']).toEqual({ type: 'Problem', code: 'not_found', message: 'run not found: x' });
  expect(bug?.['err']).toMatchObject({
    type: 'TypeError',
    message: 'bug',
    stack: expect.stringContaining('log.test.ts'),
  });
});

test("an error's own parts are not shown: a lost connection's error holds the connection", () => {
  const lost = Object.assign(new Error('gone', { cause: new Error('reset') }), {
    code: '57P01',
    client: { user: 'hunter2' },
  });
  const [line] = logged((log) => log.warn({ err: lost }, 'lost'));
  expect(line?.['err']).toMatchObject({ code: '57P01', cause: { message: 'reset' } });
  expect(JSON.stringify(line)).not.toContain('hunter2');
});
