import type { CopySink } from './copy-reader.ts';
import { ExchangeBatch } from './exchange-batch.ts';
import type { ExchangeFacts, ExpectedExchange } from './exchange-facts.ts';
import type { ExchangeLayout } from './exchange-layout.ts';
import { ExchangeTuples } from './exchange-tuples.ts';

/**
 * 전문 읽기. The hot path: bytes of a file become COPY BINARY tuples (line_no int4, then `exchangeColumns[record]` in
 * their order), in constant memory; `copyBinaryHeader` and `copyBinaryTrailer` go around them. Lines with a field that
 * cannot be read are set aside; a file that is wrong as a whole is refused, and blocks already given out are void.
 * @throws Problem `statement_empty`, `statement_truncated`, `statement_width`, `statement_malformed`,
 * `statement_record_type`, `statement_header_missing`, `statement_trailer_missing`, `statement_field`,
 * `statement_totals_differ`, `statement_other_day`, `statement_other_file`, `statement_too_many_unreadable`
 */
export class ExchangeReader {
  readonly #lines: ExchangeTuples;
  readonly #batch: ExchangeBatch;

  /**
   * `sink` takes blocks of at most 256 KiB of whole tuples; each is the sink's, until it gives it back by `release`.
   * `expectedLines` is roughly how many there are: the filter for repeated transactions is made for so many.
   */
  constructor(layout: ExchangeLayout, expected: ExpectedExchange, sink: CopySink, expectedLines = 0) {
    this.#lines = new ExchangeTuples(layout, sink, expectedLines);
    this.#batch = new ExchangeBatch(layout, expected, this.#lines);
  }

  /** The next bytes of the file, cut anywhere; not kept. */
  push(chunk: Uint8Array): void {
    this.#batch.push(chunk);
  }

  /** The file has ended: the last block goes out, and the file as a whole is judged. */
  end(): ExchangeFacts {
    const facts = this.#batch.end();
    this.#lines.end();
    return facts;
  }

  /**
   * After `end`: the TIDs that more than one line perhaps has with the same sequence, all that are among them; undefined
   * where they are too many to be told.
   */
  repeats(): readonly string[] | undefined {
    return this.#lines.repeats();
  }

  /** Data lines read so far, for people who watch. */
  rows(): number {
    return this.#lines.rows;
  }

  /** Gives a block back to be filled again; optional. */
  release(block: Buffer): void {
    this.#lines.release(block);
  }
}
