import type { ProblemCode, ProblemDetails } from '../../kernel/problem.ts';
import type { RecordLayout, StatementLayout } from './layout.ts';

/** Refuses the file because of the bytes from `from` up to `to`, counted in the buffer. */
export type Refuse = (code: ProblemCode, from: number, to: number, details: ProblemDetails) => never;

/** Told by `next` when the record goes on behind the bytes at hand. */
export const needsMore = -1;

/** No record is longer than this, so that memory stays bounded whatever a file holds. */
export const maxRecordBytes = 65_536;

/**
 * Cuts bytes into records and records into fields. `next` finds a record and the field that marks its type; `open`
 * then lays out the fields of the record it turned out to be: field `i` is at `base + starts[i]` up to `base + ends[i]`.
 */
export interface Framing {
  /** The record, without its line break, is at `from` up to `end`. Returns where the next begins, or `needsMore`. */
  next(bytes: Buffer, from: number, to: number, isLast: boolean): number;
  open(bytes: Buffer, record: number): void;
  from: number;
  end: number;
  markStart: number;
  markEnd: number;
  base: number;
  starts: Int32Array;
  ends: Int32Array;
  /** Where in the file's own bytes a field stands that had to be unescaped elsewhere; else as in `starts`, `ends`. */
  original(field: number): { readonly start: number; readonly end: number };
}

/** All records of a layout: header 0, trailer 1, then the data records. */
export function recordsOf(layout: StatementLayout): readonly RecordLayout[] {
  return [layout.header, layout.trailer, ...layout.data];
}
