import { check } from '../../kernel/check.ts';
import type { Stage } from '../stage.ts';
import type { ExpectedStatement, UnreadableLine } from './facts.ts';
import type { FieldValue } from './field-write.ts';
import type { Framing } from './framing.ts';
import type { DataLayout, StatementLayout, StatementRow } from './layout.ts';
import { wonColumns } from './layout.ts';
import { type HeadValues, readLine } from './line-read.ts';
import { type LineReader, StatementBatch } from './statement-batch.ts';
import { emptySums, type Sums, slotOf } from './totals.ts';

/** A row and where it stands; the header is line 1. */
export type DecodedRow<S extends Stage> = StatementRow<S> & { readonly lineNo: number };

/** What a decoded statement says as a whole. */
export type DecodedFacts = { readonly declaredWon: bigint; readonly unreadable: readonly UnreadableLine[] };

/** The same statement as typed rows: simple rather than fast, and the measure of the hot path. */
class RowReader implements LineReader {
  readonly #layout: StatementLayout;
  readonly #sums = emptySums();
  #head: HeadValues = { on: '', mid: '' };
  rows: unknown[] = [];

  constructor(layout: StatementLayout) {
    this.#layout = layout;
  }

  begin(head: HeadValues): void {
    this.#head = head;
  }

  line(record: number, framing: Framing, bytes: Buffer, lineNo: number): boolean {
    const layout = this.#layout.data[record] as DataLayout;
    const { columns, extras, fault } = readLine(this.#layout, layout, framing, bytes, this.#head);
    if (fault !== undefined) return false;
    this.#addUp(columns);
    this.rows.push({ lineNo, ...columns, ...(Object.keys(extras).length > 0 ? { extras } : {}) });
    return true;
  }

  sums(): Sums {
    return this.#sums;
  }

  #addUp(columns: Readonly<Record<string, FieldValue>>): void {
    const slot = slotOf(String(columns['kind']), columns['result'] as string | undefined);
    this.#sums.rows[slot] = (this.#sums.rows[slot] as bigint) + 1n;
    for (const name of wonColumns) {
      const sums = this.#sums.won[name];
      sums[slot] = (sums[slot] as bigint) + BigInt(columns[name] ?? 0n);
    }
  }
}

/**
 * Reads a statement as typed rows, for people and tests; what the file says as a whole is the generator's return value.
 * Lines that cannot be read are left out and named there.
 * @throws Problem as `readStatement` does
 */
export function* decodeStatement<S extends Stage>(
  layout: StatementLayout<S>,
  stage: S,
  expected: ExpectedStatement,
  bytes: Uint8Array | Iterable<Uint8Array>,
): Generator<DecodedRow<S>, DecodedFacts, undefined> {
  check(layout.stage === stage, `a ${layout.stage} layout for a ${stage} statement`);
  const lines = new RowReader(layout);
  const batch = new StatementBatch(layout, expected, lines);
  for (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
    batch.push(chunk);
    yield* lines.rows.splice(0) as DecodedRow<S>[];
  }
  const facts = batch.end();
  yield* lines.rows as DecodedRow<S>[];
  return facts;
}
