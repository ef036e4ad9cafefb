import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../platform/log.ts';

export type RunWatch = { stop(): Promise<void> };

/** 실행 감시. Looks again and again, until it is stopped; a look that fails is told of, and the next one looks again. */
export function startRunWatch({
  log,
  everyMs,
  look,
}: {
  readonly log: Log;
  readonly everyMs: number;
  look(): Promise<unknown>;
}): RunWatch {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => log.warn({ err: error }, 'runs could not be looked at'));
      await wait(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
