import type { CopyScan } from './copy-scan.ts';
import { summedColumns } from './exchange-layout.ts';
import { maxTextBytes } from './exchange-row-write.ts';
import type { LineSums } from './exchange-sums.ts';
import { type WritePlan, type WriteStep, writeOp } from './exchange-write-plan.ts';
import type { RecordBuffer } from './field-write.ts';
import { isPlain } from './text-bytes.ts';

const zero = 0x30;
const space = 0x20;
const minus = 0x2d;
/** The high half of amounts below 2^49: those and their sums are exact in doubles. */
const maxHigh = 131_071;
const maxDigits = 20;

/**
 * The hot path of writing: a tuple's bytes become a line's bytes, without a string or an object. It writes what is
 * plain; whatever is not, and whatever may have to be refused, it leaves to the plain way.
 */
export class FastRow {
  readonly #plan: WritePlan;
  readonly #isFixed: boolean;
  readonly #scan: CopyScan;
  readonly #to: RecordBuffer;
  readonly #sums: LineSums;
  #out: Buffer;
  #view: DataView;
  readonly #digits = new Uint8Array(maxDigits);
  readonly #won = new Float64Array(summedColumns.length);

  constructor(plan: WritePlan, isFixed: boolean, scan: CopyScan, to: RecordBuffer, sums: LineSums) {
    this.#plan = plan;
    this.#isFixed = isFixed;
    this.#scan = scan;
    this.#to = to;
    this.#sums = sums;
    this.#out = to.bytes;
    this.#view = new DataView(to.bytes.buffer);
  }

  /** Writes the tuple at hand behind `to.at`, and adds it up; false, with nothing settled, where it is not plain. */
  write(): boolean {
    const to = this.#to;
    if (this.#out !== to.bytes) {
      this.#out = to.bytes;
      this.#view = new DataView(to.bytes.buffer);
    }
    if (!this.#isUnderived()) return false;
    const { steps, template, close } = this.#plan;
    const { lengths } = this.#scan;
    const start = to.at;
    let at = start;
    if (this.#isFixed) this.#out.set(template, start);
    for (let i = 0; i < steps.length; i += 1) {
      const step = steps[i] as WriteStep;
      if (this.#isFixed) at = start + step.offset;
      else at = this.#copy(step.open, at);
      const length = lengths[step.column] as number;
      if (length < 0 || (length === 0 && step.optional)) {
        if (!step.optional) return false;
        if (step.sum >= 0) this.#won[step.sum] = 0;
        this.#out.fill(space, at, at + step.width);
        at += step.width;
        continue;
      }
      at = this.#value(step, length, at);
      if (at < 0) return false;
    }
    if (this.#isFixed) to.at = start + template.length;
    else {
      this.#out.set(close, at);
      to.at = at + close.length;
    }
    for (let column = 0; column < this.#won.length; column += 1) this.#sums.add(column, this.#won[column] as number);
    return true;
  }

  /** Writes a value at `at`; returns where it ends, or −1. */
  #value(step: WriteStep, length: number, at: number): number {
    const from = this.#scan.starts[step.column] as number;
    switch (step.op) {
      case writeOp.text:
        return this.#isFixed ? this.#text(step, from, length, at) : this.#freeText(step, from, length, at);
      case writeOp.won:
        return this.#amount(step, from, at);
      case writeOp.number:
        return this.#number(this.#scan.view.getInt16(from), step.width, false, at);
      case writeOp.day:
        return this.#copy(step.days.of(this.#scan.view.getInt32(from)), at);
      case writeOp.code:
        return this.#copy(step.codes[this.#scan.bytes[from] as number], at);
      default:
        return -1;
    }
  }

  /** Whether the columns that have no place of their own hold what will be read for them, and no text is too long. */
  #isUnderived(): boolean {
    const { derived } = this.#plan;
    const { bytes, starts, lengths } = this.#scan;
    for (let column = 0; column < lengths.length; column += 1) {
      const length = lengths[column] as number;
      if (length > maxTextBytes) return false;
      const expected = derived[column];
      if (expected === undefined) continue;
      if (expected === null ? length >= 0 : length !== expected.length) return false;
      const start = starts[column] as number;
      for (let byte = 0; byte < length; byte += 1) if (bytes[start + byte] !== expected?.[byte]) return false;
    }
    return true;
  }

  #text(step: WriteStep, from: number, length: number, at: number): number {
    const { bytes, view } = this.#scan;
    if (length > step.width || (length === 0 && step.required)) return -1;
    const out = this.#view;
    const { plain } = this.#plan;
    let start = from;
    const end = from + length;
    if (bytes[end - 1] === space && length > 0) return -1;
    let to = at;
    for (; start + 4 <= end; start += 4, to += 4) {
      const four = view.getInt32(start);
      if (!isPlain(four)) return -1;
      out.setInt32(to, four);
    }
    for (; start < end; start += 1, to += 1) {
      const byte = bytes[start] as number;
      if (plain[byte] === 0) return -1;
      out.setUint8(to, byte);
    }
    return to;
  }

  #freeText(step: WriteStep, from: number, length: number, at: number): number {
    const { bytes } = this.#scan;
    const { plain } = this.#plan;
    const out = this.#out;
    if (length === 0) return step.required ? -1 : at;
    if (bytes[from + length - 1] === space) return -1;
    for (let i = 0; i < length; i += 1) {
      const byte = bytes[from + i] as number;
      if (plain[byte] === 0) return -1;
      out[at + i] = byte;
    }
    return at + length;
  }

  #amount(step: WriteStep, from: number, at: number): number {
    const { view } = this.#scan;
    const high = view.getInt32(from);
    if (high > maxHigh || high < -maxHigh) return -1;
    const value = high * 4_294_967_296 + view.getUint32(from + 4);
    if (value < 0 && !step.isSigned) return -1;
    if (step.sum >= 0) this.#won[step.sum] = value;
    return this.#number(Math.abs(value), step.width, value < 0, at);
  }

  /** Digits on the right of what is filled already, a minus right before them; as wide as they are where there is no width. */
  #number(value: number, width: number, isNegative: boolean, at: number): number {
    if (value < 0) return -1;
    const digits = this.#digits;
    let first = maxDigits;
    let rest = value;
    while (rest > 0x7fffffff) {
      const tenth = Math.floor(rest / 10);
      first -= 1;
      digits[first] = zero + (rest - tenth * 10);
      rest = tenth;
    }
    do {
      const tenth = (rest / 10) | 0;
      first -= 1;
      digits[first] = zero + (rest - tenth * 10);
      rest = tenth;
    } while (rest > 0);
    if (isNegative) {
      first -= 1;
      digits[first] = minus;
    }
    const count = maxDigits - first;
    if (width > 0 && count > width) return -1;
    const end = at + (width > 0 ? width : count);
    const out = this.#out;
    for (let i = 0; i < count; i += 1) out[end - count + i] = digits[first + i] as number;
    return end;
  }

  #copy(written: Buffer | null | undefined, at: number): number {
    if (written === null || written === undefined) return -1;
    const out = this.#out;
    const { length } = written;
    for (let byte = 0; byte < length; byte += 1) out[at + byte] = written[byte] as number;
    return at + length;
  }
}
