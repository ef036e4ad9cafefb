import type { RunLogKind, RunLogLevel, RunLogLine } from './run-log-store.ts';

/** A line as it was heard: what it says is read only when it is written. */
export type SaidLine = {
  readonly runId: string;
  readonly step: number | null;
  /** Of pino. */
  readonly level: number;
  /** One JSON object. */
  readonly line: string;
  readonly kind: RunLogKind;
};

const messageMost = 2_000;
const detailMost = 8_000;
/** Members that have a column of their own, or say nothing within a run. */
const ordinary = new Set(['level', 'time', 'pid', 'msg']);

/** The lines as they are kept; one that cannot be read keeps no other from it. */
export function readLines(said: readonly SaidLine[], executorId: string): RunLogLine[] {
  return said.flatMap((each) => {
    try {
      return [readLine(each, executorId)];
    } catch {
      return [];
    }
  });
}

/** The line as it is kept: cut to size, and without what PostgreSQL does not hold in text. */
function readLine({ runId, step, level, line, kind }: SaidLine, executorId: string): RunLogLine {
  const said = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.fromEntries(Object.entries(said).filter(([name]) => !ordinary.has(name)));
  const detail = storable(JSON.stringify(rest).replace(escapes, withoutHalves));
  return {
    runId,
    step,
    saidAt: new Date(String(said['time'])),
    level: levelOf(level),
    kind,
    message: storable(String(said['msg'] ?? '')).slice(0, messageMost),
    detail: detail.length > detailMost ? { cut: detail.slice(0, detailMost) } : JSON.parse(detail),
    executorId,
  };
}

function levelOf(level: number): RunLogLevel {
  if (level >= 60) return 'fatal';
  if (level >= 50) return 'error';
  return level >= 40 ? 'warn' : 'info';
}

/** All that backslashes begin in JSON, each once: one that stands for itself begins nothing else. */
const escapes = /\\(u[0-9a-fA-F]{4}|.)/g;
const withoutHalves = (text: string): string => (/^\\u(0000|[dD][89a-fA-F])/.test(text) ? '?' : text);

/** NUL and lone halves of surrogate pairs are no characters to PostgreSQL, written out or escaped. */
function storable(text: string): string {
  return text.replaceAll('\0', '?').toWellFormed();
}
