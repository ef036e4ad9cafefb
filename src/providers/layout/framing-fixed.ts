import { type Framing, needsMore, type Refuse } from './framing.ts';
import type { Format, RecordLayout } from './layout.ts';

/** Records of one width: where a field stands is known before the first byte. */
export class FixedFraming implements Framing {
  from = 0;
  end = 0;
  markStart = 0;
  markEnd = 0;
  base = 0;
  starts: Int32Array;
  ends: Int32Array;
  readonly #recordBytes: number;
  readonly #lineBreak: readonly number[];
  readonly #markOffset: number;
  readonly #markBytes: number;
  readonly #starts: readonly Int32Array[];
  readonly #ends: readonly Int32Array[];
  readonly #refuse: Refuse;

  constructor(
    format: Extract<Format, { kind: 'fixed' }>,
    records: readonly RecordLayout[],
    type: string,
    refuse: Refuse,
  ) {
    this.#recordBytes = format.recordBytes;
    this.#lineBreak = { lf: [0x0a], crlf: [0x0d, 0x0a], none: [] }[format.lineBreak];
    const mark = records[0]?.fields.find(({ name }) => name === type);
    this.#markOffset = mark?.offset ?? 0;
    this.#markBytes = mark?.width ?? 0;
    this.#starts = records.map(({ fields }) => Int32Array.from(fields, ({ offset }) => offset));
    this.#ends = records.map(({ fields }) => Int32Array.from(fields, ({ offset, width }) => offset + width));
    this.starts = this.#starts[0] as Int32Array;
    this.ends = this.#ends[0] as Int32Array;
    this.#refuse = refuse;
  }

  next(bytes: Buffer, from: number, to: number, isLast: boolean): number {
    const end = from + this.#recordBytes;
    const next = end + this.#lineBreak.length;
    if (next > to) {
      if (!isLast) return needsMore;
      if (end !== to) this.#wrongWidth(bytes, from, to);
    } else {
      for (let i = 0; i < this.#lineBreak.length; i += 1) {
        if (bytes[end + i] !== this.#lineBreak[i]) this.#wrongWidth(bytes, from, to);
      }
    }
    this.end = end;
    this.from = from;
    this.base = from;
    this.markStart = from + this.#markOffset;
    this.markEnd = this.markStart + this.#markBytes;
    return Math.min(next, to);
  }

  open(_bytes: Buffer, record: number): void {
    this.starts = this.#starts[record] as Int32Array;
    this.ends = this.#ends[record] as Int32Array;
  }

  original(field: number): { start: number; end: number } {
    return { start: this.base + (this.starts[field] as number), end: this.base + (this.ends[field] as number) };
  }

  /** Says how long the record is that should have had the one width: up to its line break, or to where bytes end. */
  #wrongWidth(bytes: Buffer, from: number, to: number): never {
    const newline = this.#lineBreak.length === 0 ? -1 : bytes.subarray(from, to).indexOf(0x0a);
    const found = newline < 0 ? to - from : newline - (bytes[from + newline - 1] === 0x0d ? 1 : 0);
    const isOpen = newline < 0 && found > this.#recordBytes;
    return this.#refuse('statement_width', from, from + found, {
      expected: this.#recordBytes,
      found: isOpen ? `> ${this.#recordBytes}` : found === this.#recordBytes ? `${found}, other line break` : found,
    });
  }
}
