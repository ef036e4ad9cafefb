import { expect, it } from 'vitest';
import { paced } from './pace.ts';

/** Pieces of so many bytes, each so many seconds after the one before it; taking one takes the reader so many. */
async function read(pieces: number, bytes: number, everySeconds: number, ourSeconds = 0): Promise<number> {
  let nowMs = 0;
  async function* chunks() {
    for (let n = 0; n < pieces; n += 1) {
      nowMs += everySeconds * 1000;
      yield Buffer.alloc(bytes);
    }
  }
  let read = 0;
  for await (const chunk of paced(chunks(), () => nowMs)) {
    read += chunk.length;
    nowMs += ourSeconds * 1000;
  }
  return read;
}

it.each([
  ['slow and steady', 100, 32_768, 29],
  ['a few bytes late in the first minute', 2, 1, 29],
  ['just fast enough', 200, 10_240, 10],
])('lets pass what comes to an end: %s', async (_, pieces, bytes, every) => {
  expect(await read(pieces, bytes, every)).toBe(pieces * bytes);
});

it('does not blame the server for a reader that takes its time', async () => {
  expect(await read(10, 1_000, 1, 60)).toBe(10_000);
});

it('gives up on a server that drips', async () => {
  await expect(read(1_000_000, 1, 29)).rejects.toThrow('3 bytes in 87 s');
  await expect(read(200, 10_000, 10)).rejects.toThrow('bytes in');
});
