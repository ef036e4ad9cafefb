import { check } from '../../kernel/check.ts';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Signature, flags, and the length of what a later version may add. */
const headerBytes = signature.length + 8;
const sliceBytes = 262_144;
/** No row that PostgreSQL gives is longer. */
const maxTupleBytes = 16_777_216;

/**
 * Cuts what PostgreSQL gives for COPY … (FORMAT BINARY) into tuples, whatever pieces it comes in. Of the tuple at hand,
 * column `i` is `lengths[i]` bytes from `starts[i]` on of `bytes`; a length of −1 is null.
 */
export class CopyScan {
  bytes = Buffer.allocUnsafeSlow(2 * sliceBytes);
  /** Shows the same bytes. */
  view = new DataView(this.bytes.buffer);
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly #take: () => void;
  #held = 0;
  #place: 'header' | 'tuples' | 'ended' = 'header';

  /** `take` is called for each tuple, of so many columns. */
  constructor(columns: number, take: () => void) {
    this.starts = new Int32Array(columns);
    this.lengths = new Int32Array(columns);
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      const slice = chunk.length <= sliceBytes ? chunk : chunk.subarray(at, at + sliceBytes);
      if (this.#held + slice.length > this.bytes.length) this.#grow();
      this.bytes.set(slice, this.#held);
      this.#held += slice.length;
      this.#scan();
    }
  }

  end(): void {
    check(this.#place === 'ended' && this.#held === 0, 'the rows come whole');
  }

  #scan(): void {
    let from = this.#place === 'header' ? this.#header() : 0;
    if (from < 0) return;
    const to = this.#held;
    while (this.#place === 'tuples') {
      const next = this.#tuple(from, to);
      if (next < 0) break;
      from = next;
      if (this.#place === 'tuples') this.#take();
    }
    if (from < to) this.bytes.copyWithin(0, from, to);
    this.#held = to - from;
  }

  /** Where the first tuple begins, or −1. */
  #header(): number {
    if (this.#held < headerBytes) return -1;
    check(this.bytes.subarray(0, signature.length).equals(signature), 'the rows come as COPY BINARY');
    const end = headerBytes + this.view.getInt32(headerBytes - 4);
    if (this.#held < end) return -1;
    this.#place = 'tuples';
    return end;
  }

  /** Finds the columns of a tuple; returns where it ends, or −1 where it is not yet whole. */
  #tuple(from: number, to: number): number {
    const { view, starts, lengths } = this;
    if (from + 2 > to) return -1;
    const columns = view.getInt16(from);
    if (columns === -1) {
      this.#place = 'ended';
      return from + 2;
    }
    check(columns === starts.length, `rows have ${starts.length} columns, not ${columns}`);
    let at = from + 2;
    for (let column = 0; column < columns; column += 1) {
      if (at + 4 > to) return -1;
      const length = view.getInt32(at);
      at += 4;
      starts[column] = at;
      lengths[column] = length;
      if (length > 0) at += length;
    }
    return at > to ? -1 : at;
  }

  #grow(): void {
    check(this.bytes.length < maxTupleBytes, 'a row is of a size that fits into memory');
    const bytes = Buffer.allocUnsafeSlow(2 * this.bytes.length);
    bytes.set(this.bytes.subarray(0, this.#held));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
