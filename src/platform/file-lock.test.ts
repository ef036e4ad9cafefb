import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/support/processes.ts';
import { acquireFileLock, type LockKind, tryFileLock } from './file-lock.ts';

function hold(path: string, kind: LockKind) {
  const lock = tryFileLock(path, kind);
  onTestFinished(() => lock?.release());
  return lock;
}

describe('who may hold it together', () => {
  test.each<[LockKind, LockKind, boolean]>([
    ['exclusive', 'exclusive', false],
    ['exclusive', 'shared', false],
    ['shared', 'exclusive', false],
    ['shared', 'shared', true],
  ])('%s, then %s: %s', (first, second, both) => {
    const path = join(temporaryFolder(), 'a lock');
    expect(hold(path, first)).toBeDefined();
    expect(hold(path, second) !== undefined).toBe(both);
  });
});

test('a released lock is free; releasing it again does nothing', () => {
  const path = join(temporaryFolder(), 'lock');
  const first = hold(path, 'exclusive');
  first?.release();
  first?.release();
  expect(hold(path, 'exclusive')).toBeDefined();
});

test('who waits gets it when it is free, or is told after the time', async () => {
  const path = join(temporaryFolder(), 'lock');
  const first = hold(path, 'exclusive');
  const wait = { timeoutMs: 60, everyMs: 5 };
  await expect(acquireFileLock(path, 'shared', wait)).rejects.toMatchObject({ code: 'lock_timeout' });
  const second = acquireFileLock(path, 'shared');
  first?.release();
  (await second).release();
});
