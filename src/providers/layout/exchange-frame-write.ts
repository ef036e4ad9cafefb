import type { FieldFault } from '../../kernel/field-fault.ts';
import { Problem } from '../../kernel/problem.ts';
import {
  type ExchangeField,
  type ExchangeHead,
  type ExchangeLayout,
  type ExchangeSums,
  isGrouped,
} from './exchange-layout.ts';
import { LineSums, totalOfLines } from './exchange-sums.ts';
import type { FieldValue, RecordBuffer } from './field-write.ts';
import { planRecord, quote, type RecordPlan } from './record-write.ts';

type Title = 'start' | 'header' | 'total' | 'end';
type Values = Readonly<Record<string, FieldValue | undefined>>;

/** Writes what stands around the data: start, headers, totals and end, and counts what they count. */
export class FrameWriter {
  readonly #layout: ExchangeLayout;
  readonly #to: RecordBuffer;
  /** The MID is that of the group at hand. */
  #head: { readonly on: string; readonly biz: string; readonly mid: string | undefined };
  readonly #plans: Readonly<Record<Title, RecordPlan<ExchangeField> | null>>;
  readonly #file = new LineSums();
  /** Of the group at hand. */
  readonly group = new LineSums();
  #records = 0;
  #groupRecords = 0;
  #isOpen = false;

  /** Whether a line may follow without a header. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  constructor(layout: ExchangeLayout, head: ExchangeHead, to: RecordBuffer) {
    const { start, header, total, end, format } = layout;
    const plan = (record: { readonly fields: readonly ExchangeField[] } | null) =>
      record === null ? null : planRecord(record.fields, format);
    this.#layout = layout;
    this.#to = to;
    this.#head = { on: head.on.toString(), biz: head.biz, mid: head.mids?.[0] };
    this.#plans = { start: plan(start), header: plan(header), total: plan(total), end: plan(end) };
  }

  /** Opens the file, and where the rows' MIDs do not make groups, the one that there is. */
  start(): void {
    this.#records += this.#mustWrite('start', this.#head);
    if (isGrouped(this.#layout)) return;
    this.#groupRecords = this.#mustWrite('header', this.#head);
    this.#isOpen = true;
  }

  /**
   * Writes the header of a group, unless it is open; the fault where it cannot hold this MID. The group is not open
   * before a line was kept: until then what was written may be taken back.
   */
  open(mid: string): FieldFault | undefined {
    if (this.#isOpen) return undefined;
    this.#head = { ...this.#head, mid };
    this.#groupRecords = 1;
    const wrong = this.#write('header', this.#head);
    if (wrong === undefined || wrong === 'mid') return wrong && this.#to.fault;
    return this.#refuse(wrong, this.#head);
  }

  /** The line just written stays. */
  keep(): void {
    this.group.lines += 1;
    this.#isOpen = true;
  }

  /** Closes the group that is open, if one is, with its totals. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const records = this.#groupRecords + this.group.lines;
    this.#records += records + this.#total('total', this.group.sums(this.#layout), records);
    this.#file.take(this.group);
  }

  /** Closes the file. */
  end(): ExchangeSums & { readonly records: number } {
    this.close();
    const sums = this.#file.sums(this.#layout);
    this.#records += this.#total('end', sums, this.#records);
    return { ...sums, records: this.#records };
  }

  #total(title: 'total' | 'end', sums: ExchangeSums, recordsBefore: number): number {
    const values: Record<string, FieldValue | undefined> = { ...this.#head };
    for (const { field, of } of this.#layout[title]?.totals ?? []) {
      const total = totalOfLines(of, sums, recordsBefore + 1);
      values[field] = of === 'lines' || of === 'records' ? Number(total) : total;
    }
    return this.#mustWrite(title, values);
  }

  /** Returns how many records were written: none where the layout has no such record. */
  #mustWrite(title: Title, values: Values): number {
    const wrong = this.#write(title, values);
    if (wrong !== undefined) this.#refuse(wrong, values);
    return this.#plans[title] === null ? 0 : 1;
  }

  /** The name of the field that cannot be written, if there is one. */
  #write(title: Title, values: Values): string | undefined {
    const to = this.#to;
    const plan = this.#plans[title];
    for (const { name, from, open, write, isQuoted } of plan?.fields ?? []) {
      to.put(open);
      const start = to.at;
      if (!write(to, from === null ? undefined : values[from], '')) return name;
      if (isQuoted && !quote(to, start, this.#layout.format)) return name;
    }
    to.put(plan?.close ?? '');
    return undefined;
  }

  #refuse(field: string, values: Values): never {
    const value = values[field];
    const problem = this.#to.fault;
    throw new Problem('statement_value_refused', { row: 0, field, value: value ? String(value) : null, problem });
  }
}
