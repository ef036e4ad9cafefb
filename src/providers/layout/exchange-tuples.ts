import { isBlank, setInt64 } from './byte-values.ts';
import type { Payload } from './copy-payload.ts';
import { codeAt, numberAt, op, role } from './copy-plan.ts';
import type { CopySink } from './copy-reader.ts';
import { type ExchangeLines, verdict } from './exchange-batch.ts';
import { type ExchangeLayout, summedColumns } from './exchange-layout.ts';
import type { ExchangeHeadValues } from './exchange-line-read.ts';
import { planRead, type ReadStep, stepsOf, tupleBytes } from './exchange-read-plan.ts';
import { LineSums } from './exchange-sums.ts';
import type { Suspect } from './facts.ts';
import type { Framing } from './framing.ts';
import { MidSet } from './mid-set.ts';
import { copyText } from './text-bytes.ts';
import { TidFilter } from './tid-filter.ts';

const blockBytes = 262_144;
const maxSpare = 16;
const maxSmallint = 32_767;
/** Beyond so many, which lines are repeated is for the database to find out. */
const maxSuspects = 10_000;
const zero = 0x30;
const space = 0x20;

/**
 * The hot path: the bytes of a line become a COPY BINARY tuple (line_no, then the record's columns), without an object
 * for a field or a line. Verdicts are those of `readExchangeLine`, which names what is wrong.
 */
export class ExchangeTuples implements ExchangeLines {
  readonly group = new LineSums();
  readonly #sink: CopySink;
  readonly #columns: number;
  readonly #isCp949: boolean;
  readonly #plan: readonly ReadStep[];
  readonly #mids = new MidSet();
  /** None where lines are not of transactions, or repeat too many of them. */
  #filter: TidFilter | undefined;
  readonly #suspects: Suspect[] = [];
  readonly #spare: Buffer[] = [];
  #steps: readonly ReadStep[] = [];
  #tupleBytes = 0;
  #out: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  #view = new DataView(this.#out.buffer);
  /** The bytes that lines are read from. */
  #input = this.#view;
  #at = 0;
  #rows = 0;
  rows = 0;
  /** Of the line at hand: its type by its order, where its MID and TID are, and its amounts, which count once it is read. */
  #type = 0;
  #midStart = 0;
  #midEnd = 0;
  #tidStart = 0;
  #tidEnd = 0;
  #cancelSeq = 0;
  readonly #won = new Float64Array(summedColumns.length);
  readonly #big: bigint[] = summedColumns.map(() => 0n);

  constructor(layout: ExchangeLayout, sink: CopySink, expectedLines: number) {
    this.#sink = sink;
    this.#columns = layout.data.columns.length + 1;
    this.#isCp949 = layout.format.encoding === 'cp949';
    this.#plan = planRead(layout);
    const isOfTransactions = this.#plan.some((step) => step.role === role.providerTid);
    if (isOfTransactions) this.#filter = new TidFilter(expectedLines);
  }

  begin(head: ExchangeHeadValues, bytes: Buffer): void {
    this.#input = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#steps = stepsOf(this.#plan, head);
    this.#tupleBytes = tupleBytes(this.#steps);
  }

  line(framing: Framing, bytes: Buffer, lineNo: number): number {
    // CP949 grows by half at most when it becomes UTF-8.
    if (this.#at + this.#tupleBytes + 2 * (framing.end - framing.from) > blockBytes) this.#flush();
    const view = this.#view;
    view.setInt16(this.#at, this.#columns);
    view.setInt32(this.#at + 2, 4);
    view.setInt32(this.#at + 6, lineNo);
    this.#midEnd = 0;
    this.#tidStart = 0;
    this.#tidEnd = 0;
    this.#cancelSeq = 0;
    const end = this.#tuple(framing, bytes, this.#at + 10);
    if (end < 0) return verdict.unreadable;
    this.#at = end;
    this.#rows += 1;
    this.rows += 1;
    this.#addUp();
    this.#noteIdentity(lineNo);
    const isNewMid = this.#midEnd > 0 && this.#mids.add(this.#out, this.#midStart, this.#midEnd);
    return isNewMid ? verdict.newMid : verdict.read;
  }

  mids(): readonly string[] {
    return this.#mids.all();
  }

  /** Hands over what is left. */
  end(): void {
    this.#flush();
  }

  /** Takes back a block that the sink was given, to be filled again. */
  release(block: Buffer): void {
    if (block.buffer.byteLength === blockBytes && this.#spare.length < maxSpare) {
      this.#spare.push(Buffer.from(block.buffer));
    }
  }

  /** The TIDs that more than one line perhaps has; undefined where they are more than are told. */
  repeats(): readonly string[] | undefined {
    if (this.#suspects.length > maxSuspects) return undefined;
    return [...new Set(this.#suspects.map(({ providerTid }) => providerTid))];
  }

  #noteIdentity(lineNo: number): void {
    const isFull =
      this.#filter?.note(this.#out, this.#view, this.#tidStart, this.#tidEnd, this.#cancelSeq, lineNo) === false;
    if (isFull) this.#settle();
  }

  #settle(): void {
    this.#filter?.settle(this.#out, this.#suspects);
    if (this.#suspects.length > maxSuspects) this.#filter = undefined;
  }

  #flush(): void {
    if (this.#rows === 0) return;
    this.#settle();
    const block = this.#out.subarray(0, this.#at);
    const rows = this.#rows;
    this.#out = this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
    this.#view = new DataView(this.#out.buffer);
    this.#at = 0;
    this.#rows = 0;
    this.#sink(block, rows);
  }

  /** Writes the columns of a line from `from` on; returns where they end, or −1. */
  #tuple(framing: Framing, bytes: Buffer, from: number): number {
    const { base, starts, ends } = framing;
    const view = this.#view;
    const steps = this.#steps;
    let at = from;
    for (let i = 0; i < steps.length; i += 1) {
      const step = steps[i] as ReadStep;
      const start = base + (starts[step.field] as number);
      const end = base + (ends[step.field] as number);
      if (step.optional && this.#isNull(step, bytes, start, end)) {
        if (step.op >= op.checkText) continue;
        view.setInt32(at, -1);
        at += 4;
        if (step.sum >= 0) this.#won[step.sum] = 0;
        continue;
      }
      switch (step.op) {
        case op.text: {
          const stop = copyText(step, this.#isCp949, bytes, this.#input, start, end, this.#out, view, at + 4);
          if (stop < 0) return -1;
          const length = stop - at - 4;
          if (length === 0 && step.required) return -1;
          view.setInt32(at, length === 0 && step.optional ? -1 : length);
          this.#noteText(step.role, at + 4, stop);
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
        case op.code:
        case op.constant: {
          const code = step.op === op.constant ? 0 : codeAt(step, bytes, start, end);
          if (code < 0) return -1;
          if (step.isType) this.#type = step.orders[code] as number;
          const { words, bytes: length } = step.payloads[code] as Payload;
          for (let word = 0; word < words.length; word += 1) view.setInt32(at + 4 * word, words[word] as number);
          this.#noteText(step.role, at + 4, at + length);
          at += length;
          break;
        }
        default:
          if (!this.#isFine(step, bytes, start, end, at)) return -1;
      }
    }
    return at;
  }

  #noteText(what: number, start: number, end: number): void {
    if (what === role.mid) {
      this.#midStart = start;
      this.#midEnd = end;
    } else if (what === role.providerTid) {
      this.#tidStart = start;
      this.#tidEnd = end;
    }
  }

  #isNull(step: ReadStep, bytes: Buffer, start: number, end: number): boolean {
    const first = bytes[start];
    if (first === space || start === end) return isBlank(bytes, this.#input, start, end);
    if (first !== zero || !step.isDay) return false;
    let at = start + 1;
    while (at < end && bytes[at] === zero) at += 1;
    return at === end;
  }

  #amount(step: ReadStep, bytes: Buffer, start: number, end: number, at: number): boolean {
    const value = step.won.read(bytes, start, end);
    if (Number.isNaN(value)) return false;
    const isNegated = step.negativeByKind[this.#type] === true;
    this.#view.setInt32(at, 8);
    if (value === Number.POSITIVE_INFINITY) {
      const big = isNegated ? -step.won.big : step.won.big;
      if (step.sum >= 0) this.#big[step.sum] = big;
      this.#view.setBigInt64(at + 4, big);
    } else setInt64(this.#view, at + 4, isNegated ? -value : value);
    if (step.sum >= 0) this.#won[step.sum] = isNegated ? -value : value;
    return true;
  }

  #isFine(step: ReadStep, bytes: Buffer, start: number, end: number, at: number): boolean {
    // A text that is not loaded is decoded all the same: over what comes next in the block.
    if (step.op === op.checkText) {
      const stop = copyText(step, this.#isCp949, bytes, this.#input, start, end, this.#out, this.#view, at);
      return stop > at || (stop === at && !step.required);
    }
    switch (step.checked.type) {
      case 'filler':
        return isBlank(bytes, this.#input, start, end);
      case 'day':
        return !Number.isNaN(step.day.read(bytes, this.#input, start, end));
      case 'won':
        return !Number.isNaN(step.won.read(bytes, start, end));
      case 'number':
        return !Number.isNaN(numberAt(step, bytes, start, end));
      default:
        return codeAt(step, bytes, start, end) >= 0;
    }
  }

  #addUp(): void {
    const { group } = this;
    group.lines += 1;
    for (let column = 0; column < this.#won.length; column += 1) {
      const value = this.#won[column] as number;
      if (Number.isFinite(value)) group.add(column, value);
      else group.addBig(column, this.#big[column] as bigint);
    }
  }
}
