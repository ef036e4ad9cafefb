import { stageColumns } from '../stage.ts';
import { fourSpaces, isBlank, setInt64, timeAt } from './byte-values.ts';
import type { Payload } from './copy-payload.ts';
import { type CopyPlan, codeAt, type Instruction, numberAt, op, planCopy, role } from './copy-plan.ts';
import { cp949ToUtf8, utf8ToUtf8 } from './cp949.ts';
import type { PayIn, Suspect } from './facts.ts';
import { isFault, readField } from './field-read.ts';
import type { Framing } from './framing.ts';
import { type StatementLayout, wonColumns } from './layout.ts';
import type { HeadValues } from './line-read.ts';
import { MidSet } from './mid-set.ts';
import { PayInSums } from './pay-in-sums.ts';
import type { LineReader } from './statement-batch.ts';
import { SumTable } from './sum-table.ts';
import { TidFilter } from './tid-filter.ts';
import { resultOrder, type Sums } from './totals.ts';

const blockBytes = 262_144;
const maxSpare = 16;
const maxSmallint = 32_767;
/** The high bit of each of four bytes. */
const highBits = 0x80808080 | 0;

/** Takes a block of whole tuples; the block is the taker's until given back with `release`, or for good. */
export type CopySink = (block: Buffer, rows: number) => void;

/**
 * The hot path: the bytes of a record become a COPY BINARY tuple (load_id, line_no, the stage's columns), without an
 * object for a field or a line. Verdicts are those of `readLine`, which names what is wrong.
 */
export class CopyReader implements LineReader {
  readonly #layout: StatementLayout;
  readonly #loadId: number;
  readonly #sink: CopySink;
  readonly #columns: number;
  readonly #isCp949: boolean;
  readonly #wonCount: number;
  #plans: readonly CopyPlan[] = [];
  #out: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  #view = new DataView(this.#out.buffer);
  /** The bytes that lines are read from. */
  #input = this.#view;
  readonly #spare: Buffer[] = [];
  #at = 0;
  #rows = 0;
  lines = 0;
  readonly #table = new SumTable();
  readonly suspects: Suspect[] = [];
  readonly #filter: TidFilter;
  readonly #mids = new MidSet();
  readonly #payIn: PayInSums | undefined;
  /** Of the line at hand: kind and result by their order, what identifies it, when it is paid in. */
  #kind = 0;
  #result = 0;
  #cancelSeq = 0;
  #payInDay = 0;
  /** The amounts of the line at hand, in the order of `wonColumns`. */
  readonly #won = new Float64Array(wonColumns.length);
  readonly #big: bigint[] = wonColumns.map(() => 0n);

  constructor(layout: StatementLayout, options: { loadId: number; expectedRows: number; sink: CopySink }) {
    const columns = stageColumns[layout.stage];
    this.#layout = layout;
    this.#loadId = options.loadId;
    this.#sink = options.sink;
    this.#columns = Object.keys(columns).length + 2;
    this.#isCp949 = layout.format.encoding === 'cp949';
    this.#wonCount = wonColumns.filter((name) => name in columns).length;
    this.#filter = new TidFilter(options.expectedRows);
    this.#payIn = 'payInOn' in columns ? new PayInSums() : undefined;
  }

  begin(head: HeadValues, bytes: Buffer): void {
    this.#input = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#plans = this.#layout.data.map((record) => planCopy(this.#layout, record, head));
    if (head.mid !== '') this.#mids.add(Buffer.from(head.mid), 0, Buffer.byteLength(head.mid));
  }

  line(record: number, framing: Framing, bytes: Buffer, lineNo: number): boolean {
    const plan = this.#plans[record] as CopyPlan;
    // CP949 grows by half at most when it becomes UTF-8.
    const room = plan.fixedBytes + 2 * (framing.end - framing.from);
    if (this.#at + room > blockBytes) this.#flush();
    const start = this.#at;
    const view = this.#view;
    view.setInt16(start, this.#columns);
    view.setInt32(start + 2, 4);
    view.setInt32(start + 6, this.#loadId);
    view.setInt32(start + 10, 4);
    view.setInt32(start + 14, lineNo);
    const end = this.#tuple(plan.instructions, framing, bytes, start + 18, lineNo);
    if (end < 0) return false;
    this.#at = end;
    this.#rows += 1;
    this.lines += 1;
    return true;
  }

  /** Hands over what is left. */
  end(): void {
    this.#flush();
  }

  sums(): Sums {
    return this.#table.sums();
  }

  mids(): readonly string[] {
    return this.#mids.all();
  }

  payIn(): readonly PayIn[] {
    return this.#payIn?.all() ?? [];
  }

  /** Takes back a block that the sink was given, to be filled again. */
  release(block: Buffer): void {
    if (block.buffer.byteLength === blockBytes && this.#spare.length < maxSpare)
      this.#spare.push(Buffer.from(block.buffer));
  }

  #flush(): void {
    if (this.#rows === 0) return;
    this.#filter.settle(this.#out, this.suspects);
    const block = this.#out.subarray(0, this.#at);
    const rows = this.#rows;
    this.#out = this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
    this.#view = new DataView(this.#out.buffer);
    this.#at = 0;
    this.#rows = 0;
    this.#sink(block, rows);
  }

  /** Writes the columns of a line from `from` on and adds the line up; returns where they end, or −1. */
  #tuple(instructions: readonly Instruction[], framing: Framing, bytes: Buffer, from: number, lineNo: number): number {
    const { base, starts, ends } = framing;
    const view = this.#view;
    let at = from;
    let tid = 0;
    let tidEnd = 0;
    for (let i = 0; i < instructions.length; i += 1) {
      const step = instructions[i] as Instruction;
      const start = base + (starts[step.field] as number);
      const end = base + (ends[step.field] as number);
      switch (step.op) {
        case op.text: {
          const stop = this.#text(step, bytes, start, end, at + 4);
          if (stop < 0) return -1;
          view.setInt32(at, stop - at - 4);
          if (step.role === role.providerTid) {
            tid = at + 4;
            tidEnd = stop;
          } else if (step.role === role.mid) this.#mids.add(this.#out, at + 4, stop);
          at = stop;
          break;
        }
        case op.won:
          if (!this.#amount(step, bytes, start, end, at)) return -1;
          at += 12;
          break;
        case op.day: {
          const day = step.day.read(bytes, this.#input, start, end);
          if (Number.isNaN(day)) return -1;
          view.setInt32(at, 4);
          view.setInt32(at + 4, day);
          if (step.role === role.payInOn) this.#payInDay = day;
          at += 8;
          break;
        }
        case op.number: {
          const value = numberAt(step, bytes, start, end);
          if (!(value <= maxSmallint)) return -1;
          view.setInt32(at, 2);
          view.setInt16(at + 4, value);
          if (step.role === role.cancelSeq) this.#cancelSeq = value;
          at += 6;
          break;
        }
        case op.time: {
          const seconds = timeAt(step.timeFormat, bytes, start, end);
          if (Number.isNaN(seconds)) return -1;
          view.setInt32(at, 8);
          setInt64(this.#view, at + 4, seconds * 1_000_000);
          at += 12;
          break;
        }
        case op.code:
        case op.constant: {
          const stop = this.#coded(step, bytes, start, end, at);
          if (stop < 0) return -1;
          if (step.role === role.providerTid) {
            tid = at + 4;
            tidEnd = stop;
          }
          at = stop;
          break;
        }
        default:
          if (!this.#isFine(step, bytes, start, end, at)) return -1;
      }
    }
    this.#addUp();
    const isRoom = this.#filter.note(this.#out, view, tid, tidEnd, this.#cancelSeq, lineNo);
    if (!isRoom) this.#filter.settle(this.#out, this.suspects);
    return at;
  }

  #text(step: Instruction, bytes: Buffer, from: number, to: number, at: number): number {
    const input = this.#input;
    let start = from;
    let end = to;
    if (step.trimsRight) {
      if (end > start && bytes[end - 1] === step.fill) {
        while (end - start >= 4 && input.getInt32(end - 4) === fourSpaces) end -= 4;
        while (end > start && bytes[end - 1] === step.fill) end -= 1;
      }
    } else while (start < end && bytes[start] === step.fill) start += 1;
    if (start === end) return step.required ? -1 : at;
    const view = this.#view;
    let to8 = at;
    // Four plain ASCII characters at a time: no high bit, nothing below a space, no DEL.
    for (; start + 4 <= end; start += 4, to8 += 4) {
      const four = input.getInt32(start);
      if (((four | (four + 0x01010101) | (four - 0x20202020)) & highBits) !== 0) break;
      view.setInt32(to8, four);
    }
    if (start === end) return to8;
    return this.#isCp949 ? cp949ToUtf8(bytes, start, end, view, to8) : utf8ToUtf8(bytes, start, end, this.#out, to8);
  }

  /** A code, or a constant, that stands for a value made ready; returns where it ends, or −1 for an unknown code. */
  #coded(step: Instruction, bytes: Buffer, start: number, end: number, at: number): number {
    const code = step.op === op.constant ? 0 : codeAt(step, bytes, start, end);
    if (code < 0) return -1;
    const order = step.orders[code] as number;
    if (step.role === role.kind) this.#kind = order;
    else if (step.role === role.result) this.#result = order;
    else if (step.role === role.cancelSeq) this.#cancelSeq = order;
    else if (step.role === role.payInOn) this.#payInDay = order;
    const { words, bytes: length } = step.payloads[code] as Payload;
    const view = this.#view;
    for (let i = 0; i < words.length; i += 1) view.setInt32(at + 4 * i, words[i] as number);
    return at + length;
  }

  #amount(step: Instruction, bytes: Buffer, start: number, end: number, at: number): boolean {
    let value = step.won.read(bytes, start, end);
    if (Number.isNaN(value)) return false;
    const isNegated = step.negativeByKind[this.#kind] === true;
    this.#view.setInt32(at, 8);
    if (value === Number.POSITIVE_INFINITY) {
      const big = isNegated ? -step.won.big : step.won.big;
      this.#big[step.wonColumn] = big;
      this.#view.setBigInt64(at + 4, big);
    } else {
      if (isNegated) value = -value;
      setInt64(this.#view, at + 4, value);
    }
    this.#won[step.wonColumn] = value;
    return true;
  }

  #isFine(step: Instruction, bytes: Buffer, start: number, end: number, at: number): boolean {
    // A text that is not loaded is decoded all the same: over what comes next in the block.
    if (step.op === op.checkText) return this.#text(step, bytes, start, end, at) >= 0;
    if (step.op === op.checkField) {
      return !isFault(readField(step.checked, bytes.subarray(start, end), this.#layout.format.encoding, ''));
    }
    return isBlank(bytes, this.#input, start, end);
  }

  #addUp(): void {
    const slot = this.#kind * resultOrder.length + this.#result;
    const payIn = this.#payIn?.of(this.#payInDay);
    this.#table.rows[slot] = (this.#table.rows[slot] as number) + 1;
    if (payIn !== undefined) payIn.rows[slot] = (payIn.rows[slot] as number) + 1;
    for (let column = 0; column < this.#wonCount; column += 1) {
      const value = this.#won[column] as number;
      if (Number.isFinite(value)) {
        this.#table.add(slot, column, value);
        payIn?.add(slot, column, value);
      } else {
        this.#table.addBig(slot, column, this.#big[column] as bigint);
        payIn?.addBig(slot, column, this.#big[column] as bigint);
      }
    }
  }
}
