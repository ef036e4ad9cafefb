/** How slow a transfer may be on average, once it had its time to begin. */
const slowest = { bytesPerSecond: 1024, graceMs: 60_000 };

/** It moves, but so slowly that it would never end. */
export class TooSlow extends Error {
  override name = 'TooSlow';
}

/**
 * The chunks as they come, as long as they do so at a pace at which they come to an end: a server that drips bytes keeps
 * every single wait short. `nowMs` counts on whatever the wall clock is set to. Throws TooSlow.
 */
export async function* paced(
  chunks: AsyncIterable<Buffer>,
  nowMs: () => number = () => performance.now(),
): AsyncGenerator<Buffer, void, void> {
  const began = nowMs();
  let bytes = 0;
  let ourMs = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    const tookMs = nowMs() - began - ourMs;
    if (tookMs > slowest.graceMs && bytes < (tookMs / 1000) * slowest.bytesPerSecond) {
      throw new TooSlow(`${bytes} bytes in ${Math.round(tookMs / 1000)} s`);
    }
    const given = nowMs();
    yield chunk;
    ourMs += nowMs() - given;
  }
}
