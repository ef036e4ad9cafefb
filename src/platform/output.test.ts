import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { writeOut } from './output.ts';

test('waits until the reader has taken what was written', async () => {
  const taken: string[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      setImmediate(() => {
        taken.push(String(chunk));
        done();
      });
    },
  });
  await writeOut(slow, 'one');
  await writeOut(slow, 'two');
  expect(taken).toEqual(['one', 'two']);
});

test('a reader that has gone is no failure, time and again', async () => {
  const reader = spawn('true', { stdio: ['pipe', 'ignore', 'ignore'] });
  reader.stdin.on('error', () => {});
  await once(reader, 'exit');
  for (let n = 0; n < 3; n += 1) await writeOut(reader.stdin, 'x'.repeat(1_000_000));
});

test('a disk that is full is one', async () => {
  const full = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('full'), { code: 'ENOSPC' })),
  });
  full.on('error', () => {});
  await expect(writeOut(full, 'x')).rejects.toMatchObject({ code: 'ENOSPC' });
});
