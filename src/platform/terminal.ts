import { check } from '../kernel/check.ts';

/** A column of a table for people. Numbers and amounts are aligned right. */
export type Column = { readonly title: string; readonly align?: 'left' | 'right' };

/** Where progress goes: `process.stderr` is one. */
export type ProgressStream = {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
};

/** 진행. What is under way, one line by key. */
export type Progress = {
  /** Says how far `key` is. A terminal redraws the key's line; a pipe gets a line at most every `everyMs` by key. */
  update(key: string, text: string): void;
  /** The last word on `key`: always printed, and the line then stays. */
  finish(key: string, text: string): void;
  /** Leaves the terminal as it should be; lines still in progress stay as they last were. */
  close(): void;
};

/** Zero columns, then two columns: the ranges of Unicode East Asian Width that a Korean terminal shows wide. */
const combining = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/** How many columns a terminal takes for the text: Hangul and other wide characters two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (character < '\u0300') width += 1;
    else if (wide.test(character)) width += 2;
    else if (!combining.test(character)) width += 1;
  }
  return width;
}

/**
 * A table for people: aligned, a rule below the titles, no trailing blanks. Ends with a newline.
 * Cells may come from files, so control characters are shown as `·`: none may steer the terminal.
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => {
    check(row.length === columns.length, 'a row has as many cells as the table has columns');
    return row.map(printable);
  });
  const widths = columns.map((column, i) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[i] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => padText(cell, widths[i] ?? 0, columns[i]?.align ?? 'left'))
      .join('  ')
      .trimEnd();
  const titles = line(columns.map((column) => column.title));
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [titles, rule, ...cells.map(line), ''].join('\n');
}

/** `1234567` → `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Whole units a second, `123,456/s`; the unit's name is the caller's. */
export function formatRate(count: number, elapsedMs: number): string {
  return `${formatCount(Math.round((count * 1000) / Math.max(elapsedMs, 1)))}/s`;
}

/** Bytes with one decimal: `12.3 MB` (decimal units). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Text without anything that steers a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '·');
}

/** Live lines on a terminal, plain lines to a pipe. `now` in ms, passed in so that tests own the clock. */
export function createProgress(
  stream: ProgressStream,
  options: { readonly everyMs?: number; readonly now?: () => number } = {},
): Progress {
  return stream.isTTY === true
    ? liveProgress(stream, { everyMs: 80, ...options })
    : plainProgress(stream, { everyMs: 5000, ...options });
}

function plainProgress(
  stream: ProgressStream,
  { everyMs, now = Date.now }: { readonly everyMs: number; readonly now?: () => number },
): Progress {
  const lastAt = new Map<string, number>();
  return {
    update(key, text) {
      const at = now();
      const last = lastAt.get(key);
      if (last !== undefined && at - last < everyMs) return;
      lastAt.set(key, at);
      stream.write(`${printable(text)}\n`);
    },
    finish(key, text) {
      lastAt.delete(key);
      stream.write(`${printable(text)}\n`);
    },
    close() {},
  };
}

function liveProgress(
  stream: ProgressStream,
  { everyMs, now = Date.now }: { readonly everyMs: number; readonly now?: () => number },
): Progress {
  const lines = new Map<string, string>();
  let shown = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const erase = (): string => (shown > 0 ? `\u001b[${shown}A\u001b[0J` : '');
  const draw = (above: string): void => {
    const width = Math.max((stream.columns ?? 80) - 1, 20);
    const live = [...lines.values()].map((text) => `${cut(text, width)}\n`).join('');
    stream.write(`${erase()}${above}${live}`);
    shown = lines.size;
    drawnAt = now();
  };
  return {
    update(key, text) {
      const known = lines.has(key);
      lines.set(key, printable(text));
      if (!known || now() - drawnAt >= everyMs) draw('');
    },
    finish(key, text) {
      lines.delete(key);
      draw(`${printable(text)}\n`);
    },
    close() {
      if (lines.size > 0) draw('');
      lines.clear();
      shown = 0;
    },
  };
}

/** A live line longer than the terminal would wrap and could not be erased. */
function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const size = displayWidth(character);
    if (used + size > width - 1) break;
    kept += character;
    used += size;
  }
  return `${kept}…`;
}

/** Fills the text with blanks up to so many columns of a terminal. */
export function padText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(width - displayWidth(text), 0));
  return align === 'right' ? blanks + text : text + blanks;
}
