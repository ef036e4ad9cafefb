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
} from './exchange-layout.ts';
import { type ExchangeHeadValues, readExchangeLine } from './exchange-line-read.ts';
import { addRow, type RowValues, refusalOf, roomBytes, rowWriter } from './exchange-row-write.ts';
import { LineSums } from './exchange-sums.ts';
import { RecordBuffer, recordBufferBytes } from './field-write.ts';
import type { Framing } from './framing.ts';

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
      const values = columns as RowValues;
      const wrong = write(values, mid, extras);
      if (wrong === undefined) {
        frame.keep();
        addRow(frame.group, values);
      } else {
        to.at = start;
        const value = values[wrong.column] ?? extras[wrong.column] ?? null;
        const refusal = refusalOf(row, wrong, value, layout.format.encoding);
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
    addRow(this.group, columns);
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
