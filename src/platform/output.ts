import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes, and waits while the reader is slower than we are: whatever the amount, little of it is held. */
export async function writeOut(output: Writable, text: string | Uint8Array): Promise<void> {
  if (!output.write(text)) await once(output, 'drain');
}
