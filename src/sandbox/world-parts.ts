import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Tallied } from './tally.ts';
import type { World, WorldSpec } from './world.ts';
import { type PartContext, type PartProgress, type WorldPart, writePart } from './world-part.ts';

/** What a thread is told, and what it tells. */
export type PartJob = {
  readonly part: WorldPart;
  readonly into: string;
  readonly spec: Omit<WorldSpec, 'from'>;
  readonly from: string;
};
export type PartMessage = { readonly progress: PartProgress } | { readonly tallied: Tallied };

/** Below so many payments a thread takes longer to start than to write. */
const worthThreads = 30_000;
/** Each thread has a heap of its own, and the disk is one. */
const threadsAtMost = 4;

/** Writes all parts of a world, in threads where that is worth it; the tallies in the order of the parts. */
export async function writeParts(context: PartContext): Promise<readonly Tallied[]> {
  const { world } = context;
  const parts: readonly WorldPart[] = [
    ...world.providers.map(({ id }) => ({ kind: 'statements', provider: id }) as const),
    { kind: 'payments' },
  ];
  const threads = Math.min(availableParallelism(), threadsAtMost);
  const { days, payments } = world.spec;
  const write = threads > 1 && days * payments >= worthThreads ? writeInThread : writePart;
  const tallies: Tallied[] = [];
  const waiting = [...parts.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [n, part] = next;
      tallies[n] = await write(part, context);
    }
  };
  await Promise.all(Array.from({ length: write === writePart ? 1 : threads }, work));
  return tallies;
}

function writeInThread(part: WorldPart, { world, into, signal, onProgress }: PartContext): Promise<Tallied> {
  const worker = new Worker(new URL('./world-part-worker.ts', import.meta.url), {
    workerData: jobOf(part, world, into),
  });
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      void worker.terminate();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: PartMessage) => {
      if ('tallied' in message) resolve(message.tallied);
      else onProgress?.(message.progress);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      // Without effect when the tally has come.
      reject(new Error(`the thread that wrote a part of the world ended with ${code}`));
    });
    if (signal?.aborted === true) stop();
  });
}

function jobOf(part: WorldPart, { spec }: World, into: string): PartJob {
  const { from, ...rest } = spec;
  const { seed, days, payments, breaks, differential = false } = rest;
  return { part, into, spec: { seed, days, payments, breaks, differential }, from: from.toString() };
}
