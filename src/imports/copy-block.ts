import { check } from '../kernel/check.ts';

/** `PGCOPY\n\377\r\n\0`, no flags, no extension: how every COPY in binary begins, and how it ends. */
const header = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const trailer = Buffer.from('ffff', 'hex');

/** A row is at most one line and its overhead; a block with less room than this is full. */
const rowRoom = 80 * 1024;

/**
 * Rows in PostgreSQL's COPY BINARY form, collected until the block is full. One block is one COPY.
 * A row is written field by field; `dropRow` takes back a row that turned out to be wrong half-way.
 */
export class CopyBlock {
  rows = 0;
  #bytes: Buffer;
  #at: number;
  #rowAt: number;

  constructor(bytes: Buffer) {
    check(bytes.length >= 2 * rowRoom, 'a block holds at least two rows');
    this.#bytes = bytes;
    this.#at = header.copy(this.#bytes);
    this.#rowAt = this.#at;
  }

  get isFull(): boolean {
    return this.#bytes.length - this.#at < rowRoom;
  }

  /** The block as one complete COPY stream; afterwards the block is empty and fills `next`. */
  take(next: Buffer): Buffer {
    const end = this.#at + trailer.copy(this.#bytes, this.#at);
    const taken = this.#bytes.subarray(0, end);
    this.#bytes = next;
    this.#at = header.copy(this.#bytes);
    this.rows = 0;
    return taken;
  }

  beginRow(columns: number): void {
    this.#rowAt = this.#at;
    this.#int16(columns);
  }

  endRow(): void {
    this.rows += 1;
  }

  dropRow(): void {
    this.#at = this.#rowAt;
  }

  smallint(value: number): void {
    this.#int32(2);
    this.#int16(value);
  }

  /** `int4`, and `date` as days since 2000-01-01. */
  integer(value: number): void {
    this.#int32(4);
    this.#int32(value);
  }

  /** `int8`, and `timestamptz` as microseconds since 2000-01-01Z. Exact: a safe integer. */
  bigint(value: number): void {
    const high = Math.floor(value / 4_294_967_296);
    this.#int32(8);
    this.#int32(high);
    this.#int32(value - high * 4_294_967_296);
  }

  /** `"char"`, one byte. */
  char(code: number): void {
    this.#int32(1);
    this.#bytes[this.#at++] = code;
  }

  /** UTF-8 bytes as text. */
  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.#int32(end - start);
    const to = this.#bytes;
    let at = this.#at;
    // Fields are short: a loop is quicker than a call into native code.
    for (let i = start; i < end; i += 1) to[at++] = bytes[i] as number;
    this.#at = at;
  }

  text(text: string): void {
    const length = this.#bytes.write(text, this.#at + 4);
    this.#int32(length);
    this.#at += length;
  }

  #int16(value: number): void {
    this.#bytes[this.#at++] = value >> 8;
    this.#bytes[this.#at++] = value;
  }

  #int32(value: number): void {
    const bytes = this.#bytes;
    bytes[this.#at++] = value >> 24;
    bytes[this.#at++] = value >> 16;
    bytes[this.#at++] = value >> 8;
    bytes[this.#at++] = value;
  }
}
