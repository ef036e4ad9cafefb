import type { ProblemCode, ProblemDetails } from '../kernel/problem.ts';

/** 거절. Why a record does not go in; the code's text is in the catalogue of problems. */
export type Refusal = { readonly code: ProblemCode; readonly details: ProblemDetails };

/** The columns a file may have. Numbers may stand unquoted in NDJSON; text may not, since `007` would lose its zeros. */
export type RecordColumns = { readonly names: readonly string[]; readonly numbers: ReadonlySet<string> };

/** A line longer than this holds no record of ours. */
export const maxLineBytes = 64 * 1024;

/**
 * One record's fields as ranges of bytes, by the place of the column in `names`; an absent field is empty.
 * One object serves a whole file: it is overwritten by every line.
 */
export class RecordFields {
  readonly names: readonly string[];
  bytes: Uint8Array = new Uint8Array(0);
  lineStart = 0;
  readonly starts: Int32Array;
  readonly ends: Int32Array;

  constructor(names: readonly string[]) {
    this.names = names;
    this.starts = new Int32Array(names.length);
    this.ends = new Int32Array(names.length);
  }

  begin(bytes: Uint8Array, lineStart: number): void {
    this.bytes = bytes;
    this.lineStart = lineStart;
    this.starts.fill(lineStart);
    this.ends.fill(lineStart);
  }

  isEmpty(column: number): boolean {
    return this.starts[column] === this.ends[column];
  }

  text(column: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength).toString(
      'utf8',
      this.starts[column],
      this.ends[column],
    );
  }

  /** What a refusal says of a field: its name, what stands there, and its bytes in the line counted from 1. */
  describe(column: number): { field: string; value: string; bytes: string } {
    const from = (this.starts[column] ?? 0) - this.lineStart + 1;
    const to = (this.ends[column] ?? 0) - this.lineStart;
    return {
      field: this.names[column] ?? '?',
      value: quotable(this.text(column)),
      bytes: from > to ? 'empty' : `${from}-${to}`,
    };
  }
}

/** A value as a refusal may show and keep it: short, and with no card number, in whichever column one has strayed. */
export function quotable(value: string): string {
  const masked = value.replace(/\d{7,}/g, (digits) => `${digits.slice(0, 6)}${'*'.repeat(digits.length - 6)}`);
  return masked.length > 60 ? `${masked.slice(0, 59)}…` : masked;
}

/** A value of which nothing may be shown if it could be a card or account number: its digits go, if it has seven. */
export function withoutNumbers(value: string): string {
  return value.replace(/\D/g, '').length >= 7 ? value.replace(/\d/g, '*') : value;
}
