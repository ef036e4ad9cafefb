import { Problem } from '../../kernel/problem.ts';
import { ExchangeBatch, type ExchangeLines, verdict } from './exchange-batch.ts';
import type { ExchangeFacts, ExchangeRefusal, ExpectedExchange } from './exchange-facts.ts';
import { FrameWriter } from './exchange-frame-write.ts';
import {
  type ExchangeHead,
  type ExchangeLayout,
  type ExchangeRecord,
  type ExchangeRow,
  isGrouped,
  summedColumns,
} from './exchange-layout.ts';
import { type ExchangeHeadValues, readExchangeLine } from './exchange-line-read.ts';
import { derivedFault, maxTextBytes, refusalOf, type Unwritable, writeDataField } from './exchange-row-write.ts';
import { LineSums } from './exchange-sums.ts';
import { type FieldValue, RecordBuffer, recordBufferBytes } from './field-write.ts';
import type { Framing } from './framing.ts';
import { planRecord } from './record-write.ts';

type Values = Readonly<Record<string, FieldValue | null>>;

/** No row is written that would not leave this much room. */
const roomBytes = 131_072;

/**
 * Writes typed rows, in any order, as one file: simple rather than fast, and the measure of `ExchangeWriter`. Rows of a
 * MID stand together where there is a header for each; MIDs come in the order of their first row.
 * @throws Problem `statement_value_refused`, unless `refused` is given, which then takes what could not be written
 */
export function encodeExchange<R extends ExchangeRecord>(
  layout: ExchangeLayout<R>,
  head: ExchangeHead,
  rows: Iterable<ExchangeRow<R>>,
  refused?: ExchangeRefusal[],
): Buffer {
  const to = new RecordBuffer();
  const blocks: Buffer[] = [];
  const frame = new FrameWriter(layout, head, to);
  const write = rowWriter(layout, head, frame, to);
  frame.start();
  for (const [mid, group] of groupsOf(layout, rows)) {
    for (const [row, { extras = {}, ...columns }] of group) {
      const start = to.at;
      const values = columns as Values;
      const wrong = write(values, extras, mid);
      if (wrong === undefined) {
        frame.keep();
        addUp(frame.group, values);
      } else {
        to.at = start;
        const refusal = refusalOf(
          row,
          wrong,
          values[wrong.column] ?? extras[wrong.column] ?? null,
          layout.format.encoding,
        );
        if (refused === undefined) throw refusedRow(refusal);
        refused.push(refusal);
      }
      if (to.at > recordBufferBytes - roomBytes) blocks.push(to.take());
    }
    if (isGrouped(layout)) frame.close();
  }
  frame.end();
  return Buffer.concat([...blocks, to.take()]);
}

/** The rows with their numbers, by MID where there are groups. */
function groupsOf<R extends ExchangeRecord>(
  layout: ExchangeLayout<R>,
  rows: Iterable<ExchangeRow<R>>,
): Map<string, [row: number, ExchangeRow<R>][]> {
  const groups = new Map<string, [number, ExchangeRow<R>][]>();
  let number = 0;
  for (const row of rows) {
    const mid = isGrouped(layout) ? ('mid' in row ? row.mid : '') : '';
    const group = groups.get(mid) ?? [];
    group.push([number, row]);
    groups.set(mid, group);
    number += 1;
  }
  return groups;
}

/** Writes a row behind `to.at`, a header before it where its group is not open; says what cannot be written. */
function rowWriter(layout: ExchangeLayout, head: ExchangeHead, frame: FrameWriter, to: RecordBuffer) {
  const { fields, close } = planRecord(layout.data.fields, layout.format);
  return (values: Values, extras: Readonly<Record<string, FieldValue>>, mid: string): Unwritable | undefined => {
    for (const column of layout.data.columns) {
      const value = values[column.name] ?? null;
      const isLong = column.type === 'text' && Buffer.byteLength(String(value ?? '')) > maxTextBytes;
      const fault = isLong ? 'too_long' : derivedFault(column, value, head, isGrouped(layout));
      if (fault !== undefined) return { column: column.name, fault };
    }
    const fault = frame.open(mid);
    if (fault !== undefined) return { column: 'mid', fault };
    const type = String(values['type'] ?? '');
    for (const plan of fields) {
      const { name, from, open } = plan;
      to.put(open);
      const value = from === null ? extras[name] : values[from];
      if (!writeDataField(to, plan, value, type, layout.format)) return { column: from ?? name, fault: to.fault };
    }
    to.put(close);
    return undefined;
  };
}

function addUp(sums: LineSums, values: Values): void {
  summedColumns.forEach((name, column) => {
    sums.addBig(column, BigInt(values[name] ?? 0n));
  });
}

function refusedRow({ row, column, value, fault }: ExchangeRefusal): Problem {
  return new Problem('statement_value_refused', { row: row + 1, field: column, value, problem: fault });
}

/** A row and the line of the file on which it stands; the first is 1. */
export type DecodedExchangeRow<R extends ExchangeRecord> = ExchangeRow<R> & { readonly lineNo: number };

/**
 * Reads a file as typed rows: simple rather than fast, and the measure of `ExchangeReader`. Lines that cannot be read
 * are left out and named in the facts.
 * @throws Problem as `ExchangeReader` does
 */
export function decodeExchange<R extends ExchangeRecord>(
  layout: ExchangeLayout<R>,
  expected: ExpectedExchange,
  bytes: Uint8Array | Iterable<Uint8Array>,
): { readonly rows: readonly DecodedExchangeRow<R>[]; readonly facts: ExchangeFacts } {
  const lines = new RowLines(layout);
  const batch = new ExchangeBatch(layout, expected, lines);
  for (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) batch.push(chunk);
  const facts = batch.end();
  return { rows: lines.rows as DecodedExchangeRow<R>[], facts };
}

class RowLines implements ExchangeLines {
  readonly group = new LineSums();
  readonly rows: unknown[] = [];
  readonly #layout: ExchangeLayout;
  readonly #mids = new Set<string>();
  readonly #hasMid: boolean;
  #head: ExchangeHeadValues = { on: '', biz: '', mid: '' };

  constructor(layout: ExchangeLayout) {
    this.#layout = layout;
    this.#hasMid = layout.data.fields.some(({ from }) => from === 'mid');
  }

  begin(head: ExchangeHeadValues): void {
    this.#head = head;
  }

  line(framing: Framing, bytes: Buffer, lineNo: number): number {
    const { columns, extras, fault } = readExchangeLine(this.#layout, framing, bytes, this.#head);
    if (fault !== undefined) return verdict.unreadable;
    this.group.lines += 1;
    addUp(this.group, columns);
    this.rows.push({ lineNo, ...columns, ...(Object.keys(extras).length > 0 ? { extras } : {}) });
    const mid = String(columns['mid']);
    if (!this.#hasMid || this.#mids.has(mid)) return verdict.read;
    this.#mids.add(mid);
    return verdict.newMid;
  }

  mids(): readonly string[] {
    return [...this.#mids];
  }
}
