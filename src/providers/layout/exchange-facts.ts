import type { FieldFault } from '../../kernel/field-fault.ts';
import type { ExchangeHead, ExchangeSums } from './exchange-layout.ts';
import type { UnreadableLine } from './facts.ts';

/** A file of the exchange as we expect it; `biz` '' where it is not known, since the request's name does not hold it: not compared. */
export type ExpectedExchange = ExchangeHead & { readonly provider: string; readonly fileName: string };

/** What a file says as a whole, once every line has been read: sums are over the readable lines. */
export type ExchangeFacts = ExchangeSums & {
  /** All records, frame included. */
  readonly records: number;
  /** In the order of their first line; none where the record has no MID. */
  readonly mids: readonly string[];
  readonly unreadable: readonly UnreadableLine[];
};

/** A row that the layout cannot hold: it is in none of the bytes and totals. */
export type ExchangeRefusal = {
  /** Counted from 0 in the order in which the rows came. */
  readonly row: number;
  readonly column: string;
  /** What it holds, the first 200 characters; null where it is null. */
  readonly value: string | null;
  readonly fault: FieldFault;
  /** The character that the encoding lacks, or that is a control character. */
  readonly character?: string;
};

/** What a file that was written holds. */
export type ExchangeWritten = ExchangeSums & {
  readonly records: number;
  readonly bytes: number;
  readonly refused: readonly ExchangeRefusal[];
};
