import { check } from '../../kernel/check.ts';
import { type ExpectedStatement, maxUnreadable, type UnreadableLine } from './facts.ts';
import { isFault, readField } from './field-read.ts';
import type { FieldValue } from './field-write.ts';
import { type Framing, recordsOf } from './framing.ts';
import type { DataLayout, RecordLayout, StatementLayout } from './layout.ts';
import { type HeadValues, readLine } from './line-read.ts';
import { RecordFeed } from './record-feed.ts';
import { declaredWon, type Sums, totalOf } from './totals.ts';

/** What becomes of the lines: rows for PostgreSQL, or rows for people. */
export type LineReader = {
  /** After the header, before the first line; all lines come in this one buffer. */
  begin(head: HeadValues, bytes: Buffer): void;
  /** One data record (0 the first of the layout's), opened in the framing. False where a field cannot be read. */
  line(record: number, framing: Framing, bytes: Buffer, lineNo: number): boolean;
  sums(): Sums;
};

const header = 0;
const trailer = 1;
const firstData = 2;

/**
 * 대사 파일 읽기. Follows a statement from header to trailer, whatever pieces its bytes come in, in constant memory:
 * order of records, day, MID and control totals are checked here, lines go to a `LineReader`.
 */
export class StatementBatch {
  readonly #layout: StatementLayout;
  readonly #expected: ExpectedStatement;
  readonly #lines: LineReader;
  readonly #records: readonly RecordLayout[];
  readonly #marks: readonly Buffer[];
  readonly #feed: RecordFeed;
  readonly #framing: Framing;
  #state: 'begins' | 'data' | 'ends' = 'begins';
  #head: HeadValues = { on: '', mid: '' };
  #declaredWon = 0n;
  readonly #unreadable: UnreadableLine[] = [];

  constructor(layout: StatementLayout, expected: ExpectedStatement, lines: LineReader) {
    this.#layout = layout;
    this.#expected = expected;
    this.#lines = lines;
    this.#records = recordsOf(layout);
    this.#marks = this.#records.map(({ mark }) => Buffer.from(mark));
    this.#feed = new RecordFeed(layout.format, this.#records, layout.type, expected.fileName, () => this.#take());
    this.#framing = this.#feed.framing;
  }

  push(chunk: Uint8Array): void {
    this.#feed.push(chunk);
  }

  end(): { declaredWon: bigint; unreadable: readonly UnreadableLine[] } {
    this.#feed.end();
    if (this.#state !== 'ends') this.#feed.refuse('statement_trailer_missing', 0, 0, {});
    return { declaredWon: this.#declaredWon, unreadable: this.#unreadable };
  }

  #take(): void {
    const { bytes, lineNo } = this.#feed;
    const record = this.#recordAt(this.#framing.markStart, this.#framing.markEnd);
    if (record < firstData || this.#state !== 'data') {
      this.#frame(record);
      return;
    }
    this.#framing.open(bytes, record);
    if (!this.#lines.line(record - firstData, this.#framing, bytes, lineNo)) this.#setAside(record - firstData);
  }

  /** Which record the mark stands for, or −1. */
  #recordAt(start: number, end: number): number {
    const { bytes } = this.#feed;
    for (let record = this.#marks.length - 1; record >= 0; record -= 1) {
      const mark = this.#marks[record] as Buffer;
      if (mark.length !== end - start) continue;
      let i = 0;
      while (i < mark.length && bytes[start + i] === mark[i]) i += 1;
      if (i === mark.length) return record;
    }
    return -1;
  }

  /** A record that is no line: the header first, the trailer last, nothing else anywhere. */
  #frame(record: number): void {
    const wanted = this.#state === 'begins' ? header : this.#state === 'data' ? trailer : -1;
    if (record !== wanted) this.#misplaced(record);
    this.#framing.open(this.#feed.bytes, record);
    if (record === header) this.#readHeader();
    else this.#readTrailer();
  }

  #misplaced(record: number): never {
    const { from, end: recordEnd, markStart, markEnd } = this.#framing;
    const found = this.#feed.bytes.toString('latin1', markStart, Math.min(markEnd, markStart + 20));
    const place = markEnd > markStart ? [markStart, markEnd] : [from, recordEnd];
    const [start = 0, end = 0] = place;
    if (this.#state === 'begins' && record >= trailer) {
      return this.#feed.refuse('statement_header_missing', start, end, { field: this.#layout.type, found });
    }
    const data = this.#layout.data.map(({ mark }) => mark);
    const expected = {
      begins: this.#layout.header.mark,
      data: [...data, this.#layout.trailer.mark].join(', '),
      ends: 'end of file',
    }[this.#state];
    return this.#feed.refuse('statement_record_type', start, end, {
      field: this.#layout.type,
      found,
      expected,
    });
  }

  #readHeader(): void {
    const { provider, stage, on, mid } = this.#expected;
    const values = this.#readFields(header);
    this.#layout.header.fields.forEach(({ name, field }, index) => {
      const value = values.get(name);
      const place = this.#feed.place(index);
      if (field.type === 'always' && value !== field.text) {
        const expected = `${field.text} (${provider} ${stage})`;
        this.#feed.refuse('statement_other_file', ...place, { field: name, found: String(value), expected });
      }
      if (name === 'mid' && mid !== undefined && value !== mid) {
        this.#feed.refuse('statement_other_file', ...place, {
          field: name,
          found: String(value),
          expected: mid,
        });
      }
      if (name === 'on' && value !== on.toString()) {
        const expected = on.toString();
        this.#feed.refuse('statement_other_day', ...place, { field: name, found: String(value), expected });
      }
    });
    this.#head = { on: on.toString(), mid: String(values.get('mid') ?? '') };
    this.#state = 'data';
    this.#lines.begin(this.#head, this.#feed.bytes);
  }

  /** Counts must agree with the lines, unreadable ones included; amounts can only be compared if all were read. */
  #readTrailer(): void {
    const values = this.#readFields(trailer);
    const declared = new Map(
      [...values].flatMap(([name, value]) => (typeof value === 'string' ? [] : [[name, BigInt(value)]])),
    );
    const sums = this.#lines.sums();
    const unread = BigInt(this.#unreadable.length);
    for (const total of this.#layout.totals) {
      const said = declared.get(total.name);
      const found = totalOf(total, sums);
      check(said !== undefined, `the trailer declares ${total.name}`);
      // Of what kind an unreadable line is cannot be relied on: it may or may not be among those of some kinds.
      const isAll = total.kinds === null && total.results === null;
      const isRight =
        total.of === 'rows'
          ? said <= found + unread && said >= found + (isAll ? unread : 0n)
          : unread > 0n || said === found;
      if (isRight) continue;
      const index = this.#layout.trailer.fields.findIndex(({ name }) => name === total.name);
      this.#feed.refuse('statement_totals_differ', ...this.#feed.place(index), {
        field: total.name,
        declared: String(said),
        found: String(total.of === 'rows' && isAll ? found + unread : found),
      });
    }
    this.#declaredWon = declaredWon(this.#layout, declared);
    this.#state = 'ends';
  }

  /** The fields of the header or trailer; the file is refused where one cannot be read. */
  #readFields(record: number): Map<string, FieldValue> {
    const framing = this.#framing;
    const values = new Map<string, FieldValue>();
    this.#records[record]?.fields.forEach(({ name, field }, index) => {
      const start = framing.base + (framing.starts[index] as number);
      const end = framing.base + (framing.ends[index] as number);
      const bytes = this.#feed.bytes.subarray(start, end);
      // A constant of the header that differs tells of another file, which is not for this place to say.
      const isTold = record === header && field.type === 'always';
      const value = isTold ? bytes.toString('latin1') : readField(field, bytes, this.#layout.format.encoding, '');
      if (!isFault(value)) values.set(name, value);
      else this.#feed.refuse('statement_field', ...this.#feed.place(index), { field: name, problem: value.fault });
    });
    return values;
  }

  #setAside(record: number): void {
    const layout = this.#layout.data[record] as DataLayout;
    const { columns, fault } = readLine(this.#layout, layout, this.#framing, this.#feed.bytes, this.#head);
    check(fault !== undefined, `line ${this.#feed.lineNo} is unreadable for a reason`);
    const place = this.#feed.place(fault.field);
    if (this.#unreadable.length >= maxUnreadable) {
      const { name, fault: problem } = fault;
      this.#feed.refuse('statement_too_many_unreadable', ...place, {
        field: name,
        problem,
        limit: maxUnreadable,
      });
    }
    const { providerTid, cancelSeq } = columns;
    this.#unreadable.push({
      lineNo: this.#feed.lineNo,
      byteFrom: this.#feed.offsetOf(place[0]),
      byteTo: this.#feed.offsetOf(place[1]),
      field: fault.name,
      problem: fault.fault,
      raw: Buffer.from(this.#feed.bytes.subarray(this.#framing.from, this.#framing.end)),
      ...(typeof providerTid === 'string' ? { providerTid } : {}),
      ...(typeof cancelSeq === 'number' ? { cancelSeq } : {}),
    });
  }
}
