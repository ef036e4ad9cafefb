import { Problem, type ProblemCode, type ProblemDetails } from '../../kernel/problem.ts';
import { type Framing, maxRecordBytes, needsMore, type Refuse } from './framing.ts';
import { DelimitedFraming } from './framing-delimited.ts';
import { FixedFraming } from './framing-fixed.ts';
import { JsonFraming } from './framing-json.ts';
import type { Format, RecordLayout } from './layout.ts';

const sliceBytes = 262_144;

/** Takes the record that the framing is at; the bytes behind it begin at `next`. */
export type TakeRecord = (next: number, isLast: boolean) => void;

/** The records of a file one by one, whatever pieces its bytes come in, in constant memory. */
export class RecordFeed {
  readonly framing: Framing;
  /** Bytes at hand, room for a whole record before them, a sentinel and scratch space behind them. */
  readonly bytes = Buffer.allocUnsafeSlow(maxRecordBytes + sliceBytes + 1 + maxRecordBytes);
  /** Of the record at hand, from 1. */
  lineNo = 0;
  readonly #fileName: string;
  readonly #take: TakeRecord;
  #held = 0;
  /** Where in the file the buffer begins. */
  #offset = 0;

  constructor(format: Format, records: readonly RecordLayout[], type: string, fileName: string, take: TakeRecord) {
    this.#fileName = fileName;
    this.#take = take;
    const scratch = maxRecordBytes + sliceBytes + 1;
    const refuse: Refuse = (code, from, to, details) => this.refuse(code, from, to, details);
    if (format.kind === 'fixed') this.framing = new FixedFraming(format, records, type, refuse);
    else if (format.kind === 'delimited') {
      this.framing = new DelimitedFraming(format, records, type, scratch, refuse);
    } else this.framing = new JsonFraming(format, records, type, scratch, refuse);
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      const slice = chunk.length <= sliceBytes ? chunk : chunk.subarray(at, at + sliceBytes);
      this.bytes.set(slice, this.#held);
      this.#held += slice.length;
      this.#read(false);
      if (this.#held <= maxRecordBytes) continue;
      const expected = `≤ ${maxRecordBytes}`;
      this.lineNo += 1;
      this.refuse('statement_width', 0, this.#held, { expected, found: `> ${maxRecordBytes}` });
    }
  }

  /** The file has ended: what is left is its last record. */
  end(): void {
    this.#read(true);
    if (this.lineNo === 0) throw new Problem('statement_empty', { file: this.#fileName });
  }

  /** Where in the file a place of the buffer is. */
  offsetOf(at: number): number {
    return this.#offset + at;
  }

  /** Where in the buffer the file's own bytes of a field are. */
  place(field: number): readonly [from: number, to: number] {
    const { start, end } = this.framing.original(field);
    return [start, end];
  }

  /** Refuses the file because of these bytes of the buffer. */
  refuse(code: ProblemCode, from: number, to: number, details: ProblemDetails): never {
    const place = { line: this.lineNo, byteFrom: this.#offset + from, byteTo: this.#offset + to };
    throw new Problem(code, { file: this.#fileName, ...place, ...details });
  }

  #read(isLast: boolean): void {
    const { framing, bytes } = this;
    const to = this.#held;
    let from = 0;
    while (from < to) {
      this.lineNo += 1;
      const next = framing.next(bytes, from, to, isLast);
      if (next === needsMore) {
        this.lineNo -= 1;
        break;
      }
      this.#take(next, isLast && next === to);
      from = next;
    }
    bytes.copyWithin(0, from, to);
    this.#held = to - from;
    this.#offset += from;
  }
}
