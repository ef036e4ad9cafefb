import type { ExchangeWritten } from './exchange-facts.ts';
import type { ExchangeHead, ExchangeLayout } from './exchange-layout.ts';

export type ExchangeWriteOptions = {
  /** Takes blocks of at most 256 KiB; each is the taker's. */
  readonly emit: (block: Buffer) => void;
  /** So many refused rows are kept; one more ends the file. 10,000 unless told otherwise. */
  readonly maxRefused?: number;
};

/**
 * 전문 쓰기. The hot path: what PostgreSQL gives for `copy (select …) to stdout with (format binary)`, columns exactly
 * `exchangeColumns[record]` in their order (text, "char", date, int2, int8), becomes the bytes of a file. Rows of a MID
 * must come together where the layout has a header for each. A row that the layout cannot hold is left out, alone.
 * @throws Problem `exchange_too_many_refused`
 */
export class ExchangeWriter {
  constructor(_layout: ExchangeLayout, _head: ExchangeHead, _options: ExchangeWriteOptions) {
    throw new Error('not yet');
  }

  /** The next bytes of PostgreSQL's stream, its header and trailer included, cut anywhere; not kept. */
  push(_chunk: Uint8Array): void {
    throw new Error('not yet');
  }

  /** The stream has ended: the last block goes out. */
  end(): ExchangeWritten {
    throw new Error('not yet');
  }
}
