import { check } from '../../kernel/check.ts';
import { type Framing, maxRecordBytes, needsMore, type Refuse } from './framing.ts';
import type { Format, RecordLayout } from './layout.ts';

const quoteByte = 0x22;
const lf = 0x0a;
const cr = 0x0d;
/** Of four bytes: the high bit of each, one in each, and the first byte above the quote in each. */
const highBits = 0x80808080 | 0;
const ones = 0x01010101;
const aboveQuotes = 0x23232323;

/**
 * Values between separators. Bytes are scanned as they are: no byte of a CP949 or UTF-8 character looks like a
 * separator, a quote or a line break. A record is a line: a quoted value may hold separators and doubled quotes, but no
 * line break, so that a lost quote cannot swallow a file.
 */
export class DelimitedFraming implements Framing {
  from = 0;
  end = 0;
  markStart = 0;
  markEnd = 0;
  readonly base = 0;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #separator: number;
  readonly #fourSeparators: number;
  readonly #quote: number;
  readonly #hasCr: boolean;
  /** 1 for the bytes at which a plain value may end. */
  readonly #stops = new Uint8Array(256);
  readonly #columns: readonly number[];
  readonly #maxColumns: number;
  readonly #markColumn: number;
  readonly #scratch: number;
  readonly #refuse: Refuse;
  readonly #originalStarts: Int32Array;
  #found = 0;
  #scratchAt = 0;
  #viewed: Buffer | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(
    format: Extract<Format, { kind: 'delimited' }>,
    records: readonly RecordLayout[],
    type: string,
    scratch: number,
    refuse: Refuse,
  ) {
    this.#separator = format.separator.charCodeAt(0);
    this.#fourSeparators = Math.imul(this.#separator, ones);
    this.#quote = format.quote === '"' ? quoteByte : -1;
    this.#hasCr = format.lineBreak === 'crlf';
    for (const stop of [this.#separator, lf, cr]) this.#stops[stop] = 1;
    if (this.#quote >= 0) this.#stops[this.#quote] = 1;
    this.#columns = records.map(({ fields }) => fields.length);
    this.#maxColumns = Math.max(...this.#columns);
    this.starts = new Int32Array(this.#maxColumns);
    this.ends = new Int32Array(this.#maxColumns);
    this.#originalStarts = new Int32Array(this.#maxColumns);
    this.#markColumn = records[0]?.fields.findIndex(({ name }) => name === type) ?? 0;
    this.#scratch = scratch;
    this.#refuse = refuse;
  }

  next(bytes: Buffer, from: number, to: number, isLast: boolean): number {
    // A line break behind the last byte ends every scan without asking for the end at every byte.
    bytes[to] = lf;
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.from = from;
    this.#scratchAt = this.#scratch;
    const view = this.#view;
    const separators = this.#fourSeparators;
    const { starts, ends } = this;
    let column = 0;
    let start = from;
    let at = from;
    for (;;) {
      // Four bytes are looked at together. The lowest bit that is left tells of the first byte that is a separator or, as
      // quotes and line breaks are, below '#'; bits above it may be wrong.
      const four = view.getInt32(at, true);
      const apart = four ^ separators;
      const hits = (((apart - ones) & ~apart) | ((four - aboveQuotes) & ~four)) & highBits;
      if (hits === 0) {
        at += 4;
        continue;
      }
      at += (31 - Math.clz32(hits & -hits)) >> 3;
      let stop = bytes[at] as number;
      if (stop !== this.#separator) {
        if (this.#stops[stop] === 0) {
          at += 1;
          continue;
        }
        if (at === start && stop === this.#quote) {
          at = this.#quoted(bytes, at, to, column, isLast);
          if (at < 0) return needsMore;
          stop = bytes[at] as number;
        } else {
          starts[column] = start;
          ends[column] = at;
        }
        column += 1;
        if (stop !== this.#separator) {
          if (at === to && !isLast) return needsMore;
          return this.#close(bytes, column, start, at, to, isLast);
        }
      } else {
        // What is written past the last column is dropped.
        starts[column] = start;
        ends[column] = at;
        column += 1;
      }
      at += 1;
      start = at;
    }
  }

  /** The value is at a line break, a carriage return, a stray quote or the end of the bytes. */
  #close(bytes: Buffer, columns: number, start: number, at: number, to: number, isLast: boolean): number {
    const stop = bytes[at] as number;
    const isBreak = stop === lf && (at === to || !this.#hasCr);
    const isCrBreak = stop === cr && this.#hasCr && bytes[at + 1] === lf;
    if (isCrBreak && at + 1 === to && !isLast) return needsMore;
    if (!isBreak && !isCrBreak) {
      const reason =
        stop === quoteByte
          ? 'a quote within a value'
          : stop === cr
            ? 'a stray carriage return'
            : 'a line break without a carriage return';
      return this.#refuse('statement_malformed', start, at + 1, { reason });
    }
    this.end = at;
    this.#found = columns;
    const marked = this.#markColumn < columns && this.#markColumn < this.#maxColumns;
    this.markStart = marked ? (this.starts[this.#markColumn] as number) : at;
    this.markEnd = marked ? (this.ends[this.#markColumn] as number) : at;
    return Math.min(at + (isCrBreak ? 2 : 1), to);
  }

  /** A quoted value beginning at `at`; doubled quotes are undone in the scratch space. Returns where it ends. */
  #quoted(bytes: Buffer, at: number, to: number, column: number, isLast: boolean): number {
    let from = at + 1;
    let start = from;
    let isMoved = false;
    let out = this.#scratchAt;
    let i = from;
    for (;;) {
      while (bytes[i] !== quoteByte && bytes[i] !== lf) i += 1;
      if (bytes[i] === lf) {
        if (i === to && !isLast) return needsMore;
        return this.#refuse('statement_malformed', at, i, { reason: 'a quote that is not closed' });
      }
      if (bytes[i + 1] !== quoteByte || i + 1 >= to) break;
      check(out + i + 1 - from <= this.#scratch + maxRecordBytes, 'a record fits the scratch space');
      bytes.copyWithin(out, from, i + 1);
      out += i + 1 - from;
      isMoved = true;
      from = i + 2;
      i = from;
    }
    let end = i;
    if (isMoved) {
      bytes.copyWithin(out, from, i);
      start = this.#scratchAt;
      end = out + i - from;
      this.#scratchAt = end;
    }
    if (column < this.#maxColumns) {
      this.starts[column] = start;
      this.ends[column] = end;
      this.#originalStarts[column] = at;
    }
    const stop = bytes[i + 1];
    if (stop !== this.#separator && stop !== lf && stop !== cr) {
      this.#refuse('statement_malformed', at, i + 2, { reason: 'a quote within a value' });
    }
    return i + 1;
  }

  open(_bytes: Buffer, record: number): void {
    const expected = this.#columns[record] as number;
    if (this.#found === expected) return;
    this.#refuse('statement_width', this.from, this.end, {
      expected: `${expected} values`,
      found: `${this.#found} values`,
    });
  }

  original(field: number): { start: number; end: number } {
    const start = this.starts[field] as number;
    const end = this.ends[field] as number;
    if (start < this.#scratch) return { start, end };
    return { start: this.#originalStarts[field] as number, end: this.end };
  }
}
