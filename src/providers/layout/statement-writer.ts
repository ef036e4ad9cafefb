import { Problem } from '../../kernel/problem.ts';
import type { Stage } from '../stage.ts';
import { type FieldValue, RecordBuffer, recordBufferBytes } from './field-write.ts';
import {
  type DataLayout,
  type PlacedField,
  type StatementLayout,
  type StatementRow,
  type WonColumn,
  wonColumns,
} from './layout.ts';
import { type FieldPlan, planRecord, quote, type RecordPlan } from './record-write.ts';
import { SumTable } from './sum-table.ts';
import { slotOf, totalOf } from './totals.ts';

/** What a statement says of itself. `mid` where the header holds one. */
export type StatementHead = { readonly on: Temporal.PlainDate; readonly mid?: string };

type Values = Readonly<Record<string, FieldValue | Readonly<Record<string, string>> | undefined>>;

/** No record is written that would not leave this much room for the next. */
const roomBytes = 65_536;
const noExtras: Readonly<Record<string, string>> = {};

/**
 * Writes a statement record by record: header at once, `row` for each line, `end` for the trailer with the control
 * totals. Bytes go to `emit` in blocks that are then the receiver's. Refuses (`statement_value_refused`) what a field
 * cannot hold: nothing is ever cut.
 */
export class StatementWriter<S extends Stage> {
  readonly #layout: StatementLayout<S>;
  readonly #head: StatementHead;
  readonly #emit: (block: Buffer) => void;
  readonly #to = new RecordBuffer();
  readonly #data: readonly { readonly layout: DataLayout; readonly plan: RecordPlan }[];
  readonly #sums = new SumTable();
  readonly #summed: readonly (readonly [name: WonColumn, column: number])[];
  #rows = 0;

  constructor(layout: StatementLayout<S>, head: StatementHead, emit: (block: Buffer) => void) {
    this.#layout = layout;
    this.#head = head;
    this.#emit = emit;
    this.#data = layout.data.map((variant) => ({ layout: variant, plan: planRecord(variant.fields, layout.format) }));
    this.#summed = wonColumns
      .map((name, column) => [name, column] as const)
      .filter(([name]) => layout.totals.some((total) => total.of === name));
    const values = { on: head.on.toString(), mid: head.mid };
    this.#record(planRecord(layout.header.fields, layout.format), values, noExtras, '', undefined);
  }

  /** One line; `spoiled` names a field that is made unreadable, as the simulator needs it. */
  row(row: StatementRow<S>, spoiled?: string): void {
    this.#rows += 1;
    const values: Values = row;
    const kind = String(values['kind']);
    const { layout, plan } =
      this.#data.find(({ layout: { kinds } }) => kinds?.includes(kind) ?? true) ?? this.#refuseKind(kind);
    this.#checkDerived(layout, values);
    this.#record(plan, values, row.extras ?? noExtras, kind, spoiled);
    const slot = slotOf(kind, values['result'] as string | undefined);
    this.#sums.rows[slot] = (this.#sums.rows[slot] as number) + 1;
    for (const [name, column] of this.#summed) this.#sums.addExact(slot, column, values[name] as bigint);
  }

  /** The trailer; the writer is then of no more use. */
  end(): void {
    const sums = this.#sums.sums();
    const values: Record<string, FieldValue> = {};
    for (const total of this.#layout.totals) {
      const value = totalOf(total, sums);
      values[total.name] = total.of === 'rows' ? Number(value) : value;
    }
    this.#record(planRecord(this.#layout.trailer.fields, this.#layout.format), values, noExtras, '', undefined);
    this.#emit(this.#to.take());
  }

  #record(
    plan: RecordPlan,
    values: Values,
    extras: Readonly<Record<string, string>>,
    kind: string,
    spoiled?: string,
  ): void {
    const to = this.#to;
    for (const field of plan.fields) {
      to.put(field.open);
      const start = to.at;
      const value = (values[field.name] ?? extras[field.name] ?? (field.field.type === 'text' ? '' : undefined)) as
        | FieldValue
        | undefined;
      if (!field.write(to, value, kind)) this.#refuse(field.name, value);
      if (field.isQuoted && !quote(to, start, this.#layout.format)) this.#refuse(field.name, value);
      if (field.name === spoiled) spoil(to, start, field, this.#layout);
    }
    to.put(plan.close);
    if (to.at > recordBufferBytes - roomBytes) this.#emit(to.take());
  }

  /** A column that is not written as such must still agree with what will be read. */
  #checkDerived(layout: DataLayout, values: Values): void {
    for (const { name, source } of layout.columns) {
      if (source.from === 'field') continue;
      const value = values[name];
      const read =
        source.from === 'constant'
          ? source.value === ''
            ? value
            : source.value
          : source.from === 'header'
            ? source.name === 'mid'
              ? this.#head.mid
              : this.#head.on.toString()
            : source.codes[String(values[(layout.fields[source.index] as PlacedField).name])];
      if (read === value) continue;
      this.#to.fault = 'not_constant';
      this.#refuse(name, value as FieldValue | undefined);
    }
  }

  #refuseKind(kind: string): never {
    this.#to.fault = 'unknown_code';
    return this.#refuse('kind', kind);
  }

  #refuse(field: string, value: FieldValue | undefined): never {
    throw new Problem('statement_value_refused', {
      row: this.#rows,
      field,
      value: value === undefined ? null : String(value),
      problem: this.#to.fault,
    });
  }
}

/** Overwrites a field with bytes that it cannot hold: none of its characters, or for text no characters at all. */
function spoil(to: RecordBuffer, start: number, { field, width }: FieldPlan, { format }: StatementLayout): void {
  const garbage = field.type === 'text' ? 0xff : 0x3f;
  const isJson = format.kind === 'json';
  to.at = start;
  if (isJson) to.put('"');
  for (let left = Math.max(1, width); left > 0; left -= 1) to.bytes[to.at++] = garbage;
  if (isJson) to.put('"');
}
