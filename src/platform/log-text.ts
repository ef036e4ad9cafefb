import { displayWidth, printable } from './terminal.ts';

/** Members that every line has and that nobody at a terminal needs. */
const ordinary = new Set(['level', 'time', 'pid', 'msg', 'err']);

/**
 * A log line for people: `17:06:29  PostgreSQL started  port=39165 folder=/srv`. Levels other than `info` are named; an
 * error's stack follows in lines of its own. `timeZone` is an IANA name.
 */
export function logLineToText(json: string, timeZone: string): string {
  const line = JSON.parse(json) as Record<string, unknown>;
  const at = Temporal.Instant.from(String(line['time'])).toZonedDateTimeISO(timeZone).toPlainTime();
  const level = line['level'] === 'info' ? '' : `${String(line['level'])}: `;
  const members = Object.entries(line).filter(([name]) => !ordinary.has(name));
  const parts = [
    at.toString({ smallestUnit: 'second' }),
    printable(`${level}${String(line['msg'] ?? '')}`),
    members.map(([name, value]) => `${name}=${valueText(value)}`).join(' '),
  ];
  return `${parts.filter((part) => displayWidth(part) > 0).join('  ')}\n${errorText(line['err'])}`;
}

/** `shutting down`, `3`, `{TCPServerWrap:2,Timeout:8}`. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${name}:${valueText(member)}`);
    return `{${members.join(',')}}`;
  }
  return printable(String(value));
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message, cause } = error as Record<string, unknown>;
  const lines = String(stack ?? message ?? '').split('\n');
  return `${lines.map((line) => `  ${printable(line)}\n`).join('')}${errorText(cause)}`;
}
