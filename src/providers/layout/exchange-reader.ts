import type { CopySink } from './copy-reader.ts';
import type { ExchangeFacts, ExpectedExchange } from './exchange-facts.ts';
import type { ExchangeLayout } from './exchange-layout.ts';

/**
 * 전문 읽기. The hot path: bytes of a file become COPY BINARY tuples (line_no int4, then `exchangeColumns[record]` in
 * their order), in constant memory; `copyBinaryHeader` and `copyBinaryTrailer` go around them. Lines with a field that
 * cannot be read are set aside; a file that is wrong as a whole is refused, and blocks already given out are void.
 * @throws Problem `statement_empty`, `statement_truncated`, `statement_width`, `statement_malformed`,
 * `statement_record_type`, `statement_header_missing`, `statement_trailer_missing`, `statement_field`,
 * `statement_totals_differ`, `statement_other_day`, `statement_other_file`, `statement_too_many_unreadable`
 */
export class ExchangeReader {
  constructor(_layout: ExchangeLayout, _expected: ExpectedExchange, _sink: CopySink) {
    throw new Error('not yet');
  }

  /** The next bytes of the file, cut anywhere; not kept. */
  push(_chunk: Uint8Array): void {
    throw new Error('not yet');
  }

  /** The file has ended: the last block goes out, and the file as a whole is judged. */
  end(): ExchangeFacts {
    throw new Error('not yet');
  }

  /** Data lines read so far, for people who watch. */
  rows(): number {
    throw new Error('not yet');
  }

  /** Gives a block back to be filled again; optional. */
  release(_block: Buffer): void {
    throw new Error('not yet');
  }
}
