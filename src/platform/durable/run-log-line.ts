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

/** The line as it is kept: cut to size, and without what PostgreSQL does not hold in text. */
export function readLine({ runId, step, level, line, kind }: SaidLine, executorId: string): RunLogLine {
  const said = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.fromEntries(Object.entries(said).filter(([name]) => !ordinary.has(name)));
  const detail = storable(JSON.stringify(rest));
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

/** NUL and lone halves of surrogate pairs are no characters to PostgreSQL, written out or escaped. */
function storable(text: string): string {
  return text.replace(/\0|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, '?').toWellFormed();
}
