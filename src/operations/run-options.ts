import { parseDay, seoul } from '../kernel/business-day.ts';
import { readDuration } from '../kernel/duration.ts';
import { Problem } from '../kernel/problem.ts';
import type { RunLogLevel } from '../platform/durable/run-log-store.ts';
import type { RunState } from '../platform/durable/runs.ts';
import type { RunFilter } from './run-store.ts';

export const runStates = [
  'waiting',
  'running',
  'done',
  'failed',
  'cancelled',
  'exhausted',
] as const satisfies RunState[];

/** Filters as the command line and the interface name them. */
export type FilterOptions = {
  readonly job?: readonly string[];
  readonly on?: string;
  readonly provider?: string;
  readonly state?: readonly string[];
  readonly node?: string;
  readonly since?: string;
  readonly until?: string;
  readonly longerThan?: string;
  readonly shorterThan?: string;
  readonly text?: string;
  readonly all?: boolean;
};

type Filter = Omit<RunFilter, 'now' | 'limit' | 'after' | 'oldestFirst'>;

/** @throws Problem `usage` */
export function readFilter(options: FilterOptions): Filter {
  const { on, provider, node, text, all } = options;
  if (on !== undefined && parseDay(on) === undefined) throw new Problem('usage', { reason: `--on ${on} (YYYY-MM-DD)` });
  const jobs = options.job?.flatMap((name) => name.split(','));
  const states = options.state?.flatMap((name) => name.split(',')).map(readState);
  return {
    ...given('jobs', jobs),
    ...given('on', on),
    ...given('provider', provider),
    ...given('states', states),
    ...given('node', node),
    ...given('since', readMoment('--since', options.since)),
    ...given('until', readMoment('--until', options.until)),
    ...given('atLeastMs', readDuration('--longer-than', options.longerThan)),
    ...given('atMostMs', readDuration('--shorter-than', options.shorterThan)),
    ...given('text', text),
    ...given('all', all),
  };
}

/** A member that is there only where it has a value. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { [K in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]: Value });
}

/** @throws Problem `usage` */
function readState(name: string): RunState {
  const known = runStates.find((candidate) => candidate === name);
  if (known === undefined) throw new Problem('usage', { reason: `--state ${name} (${runStates.join(', ')})` });
  return known;
}

/** An instant, a moment of Seoul's clocks without an offset, or a day. @throws Problem `usage` */
function readMoment(option: string, text: string | undefined): Temporal.Instant | undefined {
  if (text === undefined) return undefined;
  try {
    return /(Z|[+-]\d{2}:?\d{2})$/i.test(text) && text.includes('T')
      ? Temporal.Instant.from(text)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(seoul).toInstant();
  } catch {
    throw new Problem('usage', { reason: `${option} ${text} (2026-11-20T08:00+09:00, 2026-11-20)` });
  }
}

/** @throws Problem `usage` */
export function readNumber(option: string, text: string, most: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new Problem('usage', { reason: `${option} ${text} (1–${most})` });
  return value;
}

export const levels = ['info', 'warn', 'error', 'fatal'] as const satisfies RunLogLevel[];

/** This level and all that are worse. @throws Problem `usage` */
export function levelsFrom(name: string): readonly RunLogLevel[] {
  const first = levels.indexOf(name as RunLogLevel);
  if (first === -1) throw new Problem('usage', { reason: `--level ${name} (${levels.join(', ')})` });
  return levels.slice(first);
}
