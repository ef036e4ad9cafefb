import type { Writable } from 'node:stream';

/**
 * Writes, and waits while the reader is slower than we are: whatever the amount, little of it is held. A reader that has
 * gone, as `head` does when it has seen enough, is no failure: the rest is not written.
 */
export async function writeOut(output: Writable, text: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    output.write(text, (error) => (error && !isReaderGone(error) ? reject(error) : resolve()));
  });
}

/** True where whoever read our output has closed it. */
export function isReaderGone(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}
