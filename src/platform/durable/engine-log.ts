import type { DLogger } from '@dbos-inc/dbos-sdk/internal/telemetry/logs';

/** What is wanted of a log: pino's shape, data first. */
export type Log = {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
};

/**
 * The engine's own words in our log. Its notices (start-up, recovery, listening) go to `debug`. So do the errors that
 * end a workflow: whoever waits for the run is handed that error and says it once, in the user's words.
 */
export function engineLogger(log: Log): DLogger {
  const quiet = (entry: unknown) => log.debug({ source: 'dbos' }, String(entry));
  return {
    debug: quiet,
    info: quiet,
    // A lost idle connection of its pool: it is replaced, and the proof of life speaks where it matters.
    warn: (entry) =>
      /^Unexpected error in pool/.test(String(entry)) ? quiet(entry) : log.warn({ source: 'dbos' }, String(entry)),
    error: (entry, metadata) => {
      const endedRun = metadata?.error instanceof Error;
      log[endedRun ? 'debug' : 'error']({ source: 'dbos', stack: metadata?.stack }, String(entry));
    },
  };
}
