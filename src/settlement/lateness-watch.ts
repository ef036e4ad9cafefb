import type { Log } from '../platform/durable/engine-log.ts';

/** Looks again and again, one look at a time, until it is stopped; what fails is logged and tried at the next look. */
export function startLatenessWatch(options: { readonly log: Log; readonly everyMs: number; look(): Promise<void> }): {
  stop(): Promise<void>;
} {
  const { log, everyMs, look } = options;
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look()
      .catch((error: unknown) => log.warn({ err: error }, 'lateness could not be looked for'))
      .finally(() => {
        looking = undefined;
      });
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
