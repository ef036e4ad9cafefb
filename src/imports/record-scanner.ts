import { isUtf8 } from 'node:buffer';
import { Problem } from '../kernel/problem.ts';
import { readCsvHeader, splitCsvLine } from './csv-record.ts';
import { NdjsonReader } from './ndjson-record.ts';
import { maxLineBytes, type RecordColumns, RecordFields, type Refusal, withoutNumbers } from './record.ts';

export type RecordFormat = 'csv' | 'ndjson';

/** Receives every record, or why a line is none; `lineNo` is the physical line, counted from 1. */
export type RecordSink = {
  record(fields: RecordFields, lineNo: number): void;
  refuse(refusal: Refusal, lineNo: number): void;
};

const lineFeed = 10;
const carriageReturn = 13;
const openingBrace = 123;
const windowBytes = 1 << 20;

/**
 * Cuts a stream of bytes into records, in constant memory. The format is that given, or told by the first byte: `{`
 * begins NDJSON, anything else a CSV header. UTF-8, with or without a byte order mark; blank lines are skipped.
 * Throws `import_header`, `import_encoding` and `import_empty`; what is wrong with a line goes to the sink.
 */
export class RecordScanner {
  readonly #file: string;
  readonly #columns: RecordColumns;
  readonly #sink: RecordSink;
  readonly #fields: RecordFields;
  readonly #ndjson: NdjsonReader;
  #format: RecordFormat | undefined;
  #header: Int32Array | undefined;
  /** Bytes not yet read as lines stand at the front of the window. */
  readonly #window = Buffer.allocUnsafeSlow(windowBytes);
  #held = 0;
  #lineNo = 0;
  #atStart = true;
  /** Inside a line that is too long: its bytes are passed over up to its end. */
  #overlong = false;

  constructor(file: string, columns: RecordColumns, sink: RecordSink, format?: RecordFormat) {
    this.#file = file;
    this.#columns = columns;
    this.#sink = sink;
    this.#format = format;
    this.#fields = new RecordFields(columns.names);
    this.#ndjson = new NdjsonReader(columns);
  }

  push(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; ) {
      const count = Math.min(chunk.length - from, windowBytes - this.#held);
      this.#window.set(chunk.subarray(from, from + count), this.#held);
      this.#held += count;
      from += count;
      // The mark of a file's encoding may be cut by a chunk.
      if (!this.#atStart || this.#held >= 3) this.#readLines();
    }
  }

  end(): void {
    if (this.#atStart) this.#readLines();
    if (this.#held > 0 && !this.#overlong) this.#line(0, this.#held, isUtf8(this.#window.subarray(0, this.#held)));
    if (this.#lineNo === 0) throw new Problem('import_empty', { file: this.#file });
  }

  #readLines(): void {
    const window = this.#window;
    let start = this.#atStart ? this.#skipMark() : 0;
    this.#atStart = false;
    const last = window.lastIndexOf(lineFeed, this.#held - 1);
    if (last >= start && this.#held > 0) {
      const valid = isUtf8(window.subarray(start, last + 1));
      while (start <= last) {
        const end = window.indexOf(lineFeed, start);
        this.#line(start, end, valid || isUtf8(window.subarray(start, end)));
        start = end + 1;
      }
    }
    if (this.#held - start > maxLineBytes || this.#overlong) {
      if (!this.#overlong) this.#refuseOverlong();
      this.#overlong = true;
      start = this.#held;
    }
    window.copyWithin(0, start, this.#held);
    this.#held -= start;
  }

  #skipMark(): number {
    const [a, b, c] = this.#held >= 2 ? this.#window : [];
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
      throw new Problem('import_encoding', { file: this.#file });
    }
    return this.#held >= 3 && a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0;
  }

  #line(start: number, end: number, valid: boolean): void {
    if (this.#overlong) {
      this.#overlong = false;
      return;
    }
    this.#lineNo += 1;
    const stop = end > start && this.#window[end - 1] === carriageReturn ? end - 1 : end;
    if (stop === start) return;
    this.#format ??= this.#window[start] === openingBrace ? 'ndjson' : 'csv';
    if (this.#format === 'csv' && this.#header === undefined) {
      this.#header = this.#readHeader(valid ? this.#window.toString('utf8', start, stop) : '');
      return;
    }
    const refusal = this.#split(start, stop, valid);
    if (refusal === undefined) this.#sink.record(this.#fields, this.#lineNo);
    else this.#sink.refuse(refusal, this.#lineNo);
  }

  #split(start: number, end: number, valid: boolean): Refusal | undefined {
    if (end - start > maxLineBytes) return tooLong;
    if (!valid) return { code: 'import_not_utf8', details: {} };
    return this.#header === undefined
      ? this.#ndjson.read(this.#window, start, end, this.#fields)
      : splitCsvLine(this.#window, start, end, this.#header, this.#fields);
  }

  #refuseOverlong(): void {
    this.#lineNo += 1;
    if (this.#format === 'csv' && this.#header === undefined) this.#readHeader('');
    this.#sink.refuse(tooLong, this.#lineNo);
  }

  #readHeader(line: string): Int32Array {
    const header = readCsvHeader(line, this.#columns);
    if ('columns' in header) return header.columns;
    throw new Problem('import_header', {
      file: this.#file,
      line: this.#lineNo,
      missing: list(header.missing),
      unknown: list(header.unknown),
      repeated: list(header.repeated),
    });
  }
}

const tooLong: Refusal = { code: 'import_line_long', details: { max: maxLineBytes } };

function list(names: readonly string[]): string {
  return names.length === 0
    ? '–'
    : names
        // Where the header is missing, these are the first record's values.
        .map((name) => withoutNumbers(name).slice(0, 40))
        .join(', ')
        .slice(0, 400);
}
