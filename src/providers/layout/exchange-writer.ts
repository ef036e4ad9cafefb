import { check } from '../../kernel/check.ts';
import { Problem } from '../../kernel/problem.ts';
import { columnValue } from './copy-payload.ts';
import { CopyScan } from './copy-scan.ts';
import type { ExchangeRefusal, ExchangeWritten } from './exchange-facts.ts';
import { FastRow } from './exchange-fast-row.ts';
import { FrameWriter } from './exchange-frame-write.ts';
import { type ExchangeHead, type ExchangeLayout, isGrouped } from './exchange-layout.ts';
import { addRow, type RowValues, refusalOf, roomBytes, rowWriter, type WriteRow } from './exchange-row-write.ts';
import { planWrite } from './exchange-write-plan.ts';
import { type FieldValue, RecordBuffer, recordBufferBytes } from './field-write.ts';

export type ExchangeWriteOptions = {
  /** Takes blocks of at most 256 KiB; each is the taker's. */
  readonly emit: (block: Buffer) => void;
  /** So many refused rows are kept; one more ends the file. 100,000 unless told otherwise. */
  readonly maxRefused?: number;
};

/**
 * 전문 쓰기. The hot path: what PostgreSQL gives for `copy (select …) to stdout with (format binary)`, columns exactly
 * `exchangeColumns[record]` in their order (text, "char", date, int2, int8), becomes the bytes of a file. Rows of a MID
 * must come together where the layout has a header for each. A row that the layout cannot hold is left out, alone.
 * @throws Problem `exchange_too_many_refused`; `statement_value_refused` where the head cannot be written
 */
export class ExchangeWriter {
  readonly #layout: ExchangeLayout;
  readonly #emit: (block: Buffer) => void;
  readonly #maxRefused: number;
  readonly #to = new RecordBuffer();
  readonly #frame: FrameWriter;
  readonly #scan: CopyScan;
  readonly #fast: FastRow;
  readonly #plain: WriteRow;
  readonly #refused: ExchangeRefusal[] = [];
  /** Which column makes groups, or −1; its bytes in the group at hand, and the MIDs of all groups. */
  readonly #midColumn: number;
  #mid = Buffer.alloc(0);
  readonly #mids = new Set<string>();
  #row = 0;
  #bytes = 0;

  constructor(layout: ExchangeLayout, head: ExchangeHead, options: ExchangeWriteOptions) {
    const { columns } = layout.data;
    this.#layout = layout;
    this.#emit = options.emit;
    this.#maxRefused = options.maxRefused ?? 100_000;
    this.#frame = new FrameWriter(layout, head, this.#to);
    this.#scan = new CopyScan(columns.length, () => this.#take());
    const plan = planWrite(layout, head);
    this.#fast = new FastRow(plan, layout.format.kind === 'fixed', this.#scan, this.#to, this.#frame.group);
    this.#plain = rowWriter(layout, head, this.#frame, this.#to);
    this.#midColumn = isGrouped(layout) ? columns.findIndex(({ name }) => name === 'mid') : -1;
    this.#frame.start();
  }

  /** The next bytes of PostgreSQL's stream, its header and trailer included, cut anywhere; not kept. */
  push(chunk: Uint8Array): void {
    this.#scan.push(chunk);
  }

  /** Rows that came so far, for people who watch. */
  rows(): number {
    return this.#row;
  }

  /** The stream has ended: the last block goes out. */
  end(): ExchangeWritten {
    this.#scan.end();
    const facts = this.#frame.end();
    this.#flush();
    return { ...facts, bytes: this.#bytes, refused: this.#refused };
  }

  #take(): void {
    const to = this.#to;
    if (this.#midColumn >= 0) this.#group();
    const start = to.at;
    // The first line of a group brings its header, which is written the plain way.
    if (this.#frame.isOpen && this.#fast.write()) this.#frame.keep();
    else {
      to.at = start;
      this.#takePlainly();
    }
    this.#row += 1;
    if (to.at > recordBufferBytes - roomBytes) this.#flush();
  }

  /** Closes the group at hand where the row belongs to another MID. */
  #group(): void {
    const { bytes, starts, lengths } = this.#scan;
    const start = starts[this.#midColumn] as number;
    const length = lengths[this.#midColumn] as number;
    check(length >= 0, 'a row has a MID');
    const known = this.#mid;
    let same = 0;
    if (known.length === length) while (same < length && known[same] === bytes[start + same]) same += 1;
    if (same === length && known.length === length && this.#mids.size > 0) return;
    this.#frame.close();
    this.#mid = Buffer.from(bytes.subarray(start, start + length));
    const mid = this.#mid.toString('utf8');
    check(!this.#mids.has(mid), `the rows of MID ${mid} come together`);
    this.#mids.add(mid);
  }

  #takePlainly(): void {
    const to = this.#to;
    const start = to.at;
    const values = this.#values();
    const wrong = this.#plain(values, this.#mid.toString('utf8'));
    if (wrong === undefined) {
      this.#frame.keep();
      addRow(this.#frame.group, values);
      return;
    }
    to.at = start;
    const refusal = refusalOf(this.#row, wrong, values[wrong.column] ?? null, this.#layout.format.encoding);
    if (this.#refused.length >= this.#maxRefused) {
      const { column: field, value, fault: problem } = refusal;
      throw new Problem('exchange_too_many_refused', { limit: this.#maxRefused, field, value, problem });
    }
    this.#refused.push(refusal);
  }

  /** The tuple at hand as typed values. */
  #values(): RowValues {
    const { bytes, starts, lengths } = this.#scan;
    const values: Record<string, FieldValue | null> = {};
    this.#layout.data.columns.forEach(({ name, type }, column) => {
      const start = starts[column] as number;
      const length = lengths[column] as number;
      values[name] = length < 0 ? null : columnValue(bytes.subarray(start, start + length), type);
    });
    return values;
  }

  #flush(): void {
    const block = this.#to.take();
    this.#bytes += block.length;
    if (block.length > 0) this.#emit(block);
  }
}
