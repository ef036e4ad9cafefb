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
    warn: (entry) => (isSaidElsewhere(String(entry)) ? quiet(entry) : log.warn({ source: 'dbos' }, String(entry))),
    error: (entry, metadata) => {
      const endedRun = metadata?.error instanceof Error;
      log[endedRun || isAfterTheEnd(String(entry)) ? 'debug' : 'error'](
        { source: 'dbos', stack: metadata?.stack },
        String(entry),
      );
    },
  };
}

/**
 * Warnings of the engine that somebody else gives in better words: a lost idle connection is the proof of life's, a step
 * that failed is the run's, a run that goes on elsewhere is told by whoever took it over, and a child that waits for its
 * restarted parent is as it should be.
 */
function isSaidElsewhere(text: string): boolean {
  const said = [
    'Unexpected error in pool',
    'Non-retryable error in step',
    'Error in step',
    'Workflow \\(.*\\) already exists in queue',
    'Workflow .* is no longer owned by this execution',
  ];
  return new RegExp(`^(${said.join('|')})`).test(text);
}

/** What was parked is waited for by the engine even while it ends, which nobody has to hear of. */
function isAfterTheEnd(text: string): boolean {
  return text.startsWith('Exception from system database: Error: The system database has been shut down');
}
