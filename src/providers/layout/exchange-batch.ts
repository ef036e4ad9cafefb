import { check } from '../../kernel/check.ts';
import type { ProblemCode } from '../../kernel/problem.ts';
import type { ExchangeFacts, ExpectedExchange } from './exchange-facts.ts';
import { ExchangeFrame, type Part, parts } from './exchange-frame.ts';
import {
  type ExchangeLayout,
  type ExchangeRecordLayout,
  type ExchangeTotalLayout,
  recordsOfExchange,
} from './exchange-layout.ts';
import { type ExchangeHeadValues, readExchangeLine } from './exchange-line-read.ts';
import { differingTotal, LineSums } from './exchange-sums.ts';
import { maxUnreadable, type UnreadableLine } from './facts.ts';
import { isFault, readField } from './field-read.ts';
import type { FieldValue } from './field-write.ts';
import type { Framing } from './framing.ts';
import { RecordFeed } from './record-feed.ts';

/** What became of a line: a field cannot be read, it was read, it was read and has a MID that none before it had. */
export const verdict = { unreadable: 0, read: 1, newMid: 2 } as const;

/** What becomes of the lines: rows for PostgreSQL, or rows for people. */
export type ExchangeLines = {
  /** Readable lines of the group at hand. */
  readonly group: LineSums;
  /** Before the first line, and before the first line of each group; all lines come in this one buffer. */
  begin(head: ExchangeHeadValues, bytes: Buffer): void;
  /** A data record, opened in the framing: a `verdict`. */
  line(framing: Framing, bytes: Buffer, lineNo: number): number;
  /** The MIDs of the lines, where they hold one, in the order of their first line. */
  mids(): readonly string[];
};

/**
 * 전문 읽기. Follows a file of the exchange from start to end, whatever pieces its bytes come in, in constant memory:
 * order of records, day, business number, MIDs and control totals are checked here, lines go to an `ExchangeLines`.
 */
export class ExchangeBatch {
  readonly #layout: ExchangeLayout;
  readonly #expected: ExpectedExchange;
  readonly #lines: ExchangeLines;
  readonly #frame: ExchangeFrame;
  readonly #records: readonly ExchangeRecordLayout[];
  readonly #parts: readonly Part[];
  readonly #data: number;
  readonly #dataMark: Buffer;
  readonly #lineBreakBytes: number;
  readonly #feed: RecordFeed;
  readonly #framing: Framing;
  readonly #file = new LineSums();
  readonly #unreadable: UnreadableLine[] = [];
  readonly #mids = new Set<string>();
  #head: ExchangeHeadValues;
  /** Of the group at hand: its records so far, and those of its lines that are set aside. */
  #groupRecords = 0;
  #groupUnreadable = 0;

  constructor(layout: ExchangeLayout, expected: ExpectedExchange, lines: ExchangeLines) {
    this.#layout = layout;
    this.#expected = expected;
    this.#lines = lines;
    this.#records = recordsOfExchange(layout);
    this.#parts = parts.filter((part) => layout[part] !== null);
    this.#data = this.#records.indexOf(layout.data);
    this.#dataMark = Buffer.from(layout.data.mark);
    this.#lineBreakBytes = { lf: 1, crlf: 2, none: 0 }[layout.format.lineBreak];
    this.#head = { on: expected.on.toString(), biz: expected.biz, mid: expected.mids?.[0] ?? '' };
    this.#frame = new ExchangeFrame(layout);
    this.#feed = new RecordFeed(layout.format, this.#records, layout.type, expected.fileName, (next, isLast) =>
      this.#take(next, isLast),
    );
    this.#framing = this.#feed.framing;
    lines.begin(this.#head, this.#feed.bytes);
  }

  push(chunk: Uint8Array): void {
    this.#feed.push(chunk);
  }

  end(): ExchangeFacts {
    this.#feed.end();
    if (!this.#frame.mayEnd()) this.#feed.refuse('statement_trailer_missing', 0, 0, {});
    this.#file.take(this.#lines.group);
    return {
      ...this.#file.sums(this.#layout),
      records: this.#feed.lineNo,
      mids: [...new Set([...this.#mids, ...this.#lines.mids()])],
      unreadable: this.#unreadable,
    };
  }

  #take(next: number, isLast: boolean): void {
    if (isLast) this.#checkWhole(next - this.#framing.end);
    if (this.#frame.takesData && this.#isMark(this.#dataMark)) this.#line();
    else this.#frameRecord();
  }

  /** A value, or a line, may go on behind a last line without its line break: only an end of one width does not. */
  #checkWhole(lineBreakBytes: number): void {
    if (lineBreakBytes === this.#lineBreakBytes) return;
    const { format, end } = this.#layout;
    if (format.kind === 'fixed' && end !== null && this.#isMark(Buffer.from(end.mark))) return;
    this.#feed.refuse('statement_truncated', this.#framing.from, this.#framing.end, {});
  }

  #isMark(mark: Buffer): boolean {
    const { markStart, markEnd } = this.#framing;
    if (mark.length !== markEnd - markStart) return false;
    let i = 0;
    while (i < mark.length && this.#feed.bytes[markStart + i] === mark[i]) i += 1;
    return i === mark.length;
  }

  #line(): void {
    this.#framing.open(this.#feed.bytes, this.#data);
    this.#groupRecords += 1;
    const said = this.#lines.line(this.#framing, this.#feed.bytes, this.#feed.lineNo);
    if (said === verdict.unreadable) this.#setAside();
    else if (said === verdict.newMid) {
      const index = this.#layout.data.fields.findIndex(({ from }) => from === 'mid');
      this.#checkMid(this.#lines.mids().at(-1) ?? '', index);
    }
  }

  /** A record of the frame, where it may stand. */
  #frameRecord(): void {
    const at = this.#records.findIndex(({ mark }) => this.#isMark(Buffer.from(mark)));
    const part = this.#parts[at];
    if (part === undefined || !this.#frame.take(part)) this.#misplaced(part);
    this.#framing.open(this.#feed.bytes, at);
    if (part === 'header') this.#closeGroup();
    const values = this.#readFields(at);
    this.#checkHead(values, at);
    if (part === 'header') {
      this.#groupRecords = 1;
      this.#head = { ...this.#head, mid: String(values.get('mid') ?? this.#head.mid) };
      if (values.has('mid')) this.#mids.add(this.#head.mid);
      this.#lines.begin(this.#head, this.#feed.bytes);
    } else if (part === 'total') {
      this.#checkTotals(this.#layout.total, values, this.#lines.group, this.#groupRecords + 1, this.#groupUnreadable);
    } else if (part === 'end') {
      this.#closeGroup();
      this.#checkTotals(this.#layout.end, values, this.#file, this.#feed.lineNo, this.#unreadable.length);
    }
  }

  #closeGroup(): void {
    this.#file.take(this.#lines.group);
    this.#groupRecords = 0;
    this.#groupUnreadable = 0;
  }

  #misplaced(part: Part | undefined): never {
    const { from, end: recordEnd, markStart, markEnd } = this.#framing;
    const found = this.#feed.bytes.toString('latin1', markStart, Math.min(markEnd, markStart + 20));
    const [start, end] = markEnd > markStart ? [markStart, markEnd] : [from, recordEnd];
    const field = this.#layout.type;
    const next = this.#frame.next();
    if (part !== undefined && (next[0] === 'start' || (next[0] === 'header' && part === 'data'))) {
      return this.#feed.refuse('statement_header_missing', start, end, { field, found });
    }
    const expected = next.map((each) => this.#layout[each]?.mark).join(', ') || 'end of file';
    return this.#feed.refuse('statement_record_type', start, end, { field, found, expected });
  }

  /** The fields of a record of the frame; the file is refused where one cannot be read. */
  #readFields(record: number): Map<string, FieldValue> {
    const framing = this.#framing;
    const values = new Map<string, FieldValue>();
    this.#records[record]?.fields.forEach(({ name, field }, index) => {
      const start = framing.base + (framing.starts[index] as number);
      const end = framing.base + (framing.ends[index] as number);
      const bytes = this.#feed.bytes.subarray(start, end);
      // A constant that differs tells of another file, which is not for this place to say.
      const isTold = field.type === 'always';
      const value = isTold ? bytes.toString('latin1') : readField(field, bytes, this.#layout.format.encoding, '');
      if (!isFault(value)) values.set(name, value);
      else this.#feed.refuse('statement_field', ...this.#feed.place(index), { field: name, problem: value.fault });
    });
    return values;
  }

  /** What a record of the frame says of the file must be what we expect, and its MID that of the group. */
  #checkHead(values: ReadonlyMap<string, FieldValue>, record: number): void {
    const { provider, on, biz } = this.#expected;
    const isHeader = this.#parts[record] === 'header' || this.#parts[record] === 'start';
    this.#records[record]?.fields.forEach(({ name, field }, index) => {
      const found = String(values.get(name));
      const other = (expected: string, code: ProblemCode = 'statement_other_file'): never =>
        this.#feed.refuse(code, ...this.#feed.place(index), { field: name, found, expected });
      if (field.type === 'always' && found !== field.text) {
        other(`${field.text} (${provider} ${this.#layout.record})`);
      }
      if (name === 'on' && found !== on.toString()) other(on.toString(), 'statement_other_day');
      if (name === 'biz' && biz !== '' && found !== biz) other(biz);
      if (name !== 'mid') return;
      if (isHeader) this.#checkMid(found, index);
      else if (found !== this.#head.mid) other(this.#head.mid);
    });
  }

  #checkMid(found: string, index: number): void {
    const { mids } = this.#expected;
    if (mids === undefined || mids.includes(found)) return;
    const expected = mids.slice(0, 5).join(', ');
    this.#feed.refuse('statement_other_file', ...this.#feed.place(index), { field: 'mid', found, expected });
  }

  #checkTotals(
    record: ExchangeTotalLayout | null,
    values: ReadonlyMap<string, FieldValue>,
    lines: LineSums,
    records: number,
    unreadable: number,
  ): void {
    const differs = differingTotal(record?.totals ?? [], values, lines.sums(this.#layout), records, unreadable);
    if (differs === undefined) return;
    const index = record?.fields.findIndex(({ name }) => name === differs.field) ?? 0;
    this.#feed.refuse('statement_totals_differ', ...this.#feed.place(index), differs);
  }

  #setAside(): void {
    const { columns, fault } = readExchangeLine(this.#layout, this.#framing, this.#feed.bytes, this.#head);
    check(fault !== undefined, `line ${this.#feed.lineNo} is unreadable for a reason`);
    const [from, to] = this.#feed.place(fault.field);
    const { name: field, fault: problem } = fault;
    if (this.#unreadable.length >= maxUnreadable) {
      const details = { field, problem, limit: maxUnreadable };
      this.#feed.refuse('statement_too_many_unreadable', from, to, details);
    }
    const { providerTid, cancelSeq } = columns;
    this.#groupUnreadable += 1;
    this.#unreadable.push({
      lineNo: this.#feed.lineNo,
      byteFrom: this.#feed.offsetOf(from),
      byteTo: this.#feed.offsetOf(to),
      field,
      problem,
      raw: Buffer.from(this.#feed.bytes.subarray(this.#framing.from, this.#framing.end)),
      ...(typeof providerTid === 'string' ? { providerTid } : {}),
      ...(typeof cancelSeq === 'number' ? { cancelSeq } : {}),
    });
  }
}
