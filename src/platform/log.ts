import { type DestinationStream, type Logger, pino } from 'pino';
import { isProblem } from '../kernel/problem.ts';
import type { Config } from './config.ts';
import { tapped } from './log-tap.ts';
import { logLineToText } from './log-text.ts';

/**
 * Structured log lines: `log.info({ on, rows }, 'imported')`. One JSON object per line on standard error; where that is a
 * terminal, lines for people.
 */
export type Log = Logger;

/** Members that are hidden wherever they appear, up to two levels deep: a second net below `Secret`. */
const secretNames = ['password', 'passphrase', 'privateKey', 'secret', 'token', 'authorization', 'databaseUrl'];

/**
 * The log of this process. Standard output belongs to what a command prints for its user. Whatever its level, lines from
 * `info` up are made, for those who listen to what is said inside a run; `silent` says nothing to anybody.
 */
export function createLog(config: Pick<Config, 'logLevel'>, destination: DestinationStream = standardError()): Log {
  const { values } = pino.levels;
  const shownFrom = values[config.logLevel] ?? Number.POSITIVE_INFINITY;
  return pino(
    {
      level: config.logLevel !== 'silent' && shownFrom > (values['info'] ?? 0) ? 'info' : config.logLevel,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: {
        paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[secret]',
      },
    },
    tapped(destination, shownFrom),
  );
}

function standardError(): DestinationStream {
  const stream = pino.destination({ dest: 2, sync: true });
  if (process.stderr.isTTY !== true) return stream;
  const timeZone = Temporal.Now.timeZoneId();
  return { write: (line) => void stream.write(logLineToText(line, timeZone)) };
}

/**
 * A refusal is told by its code, a bug by its stack. Nothing else of an error is shown: PostgreSQL's errors carry the
 * client they came from, and with it all that it knows.
 */
function describeError(error: Error): object {
  if (isProblem(error)) return { type: 'Problem', code: error.code, message: error.message };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? { code: error.code } : {};
  return { type: name, message, ...code, stack, ...(cause instanceof Error ? { cause: describeError(cause) } : {}) };
}
