import type { ExchangeFacts, ExchangeRefusal, ExpectedExchange } from './exchange-facts.ts';
import type { ExchangeHead, ExchangeLayout, ExchangeRecord, ExchangeRow } from './exchange-layout.ts';

/**
 * Writes typed rows, in any order, as one file: simple rather than fast, and the measure of `ExchangeWriter`. Rows of a
 * MID stand together where there is a header for each; MIDs come in the order of their first row.
 * @throws Problem `statement_value_refused`, unless `refused` is given, which then takes what could not be written
 */
export function encodeExchange<R extends ExchangeRecord>(
  _layout: ExchangeLayout<R>,
  _head: ExchangeHead,
  _rows: Iterable<ExchangeRow<R>>,
  _refused?: ExchangeRefusal[],
): Buffer {
  throw new Error('not yet');
}

/** A row and the line of the file on which it stands; the first is 1. */
export type DecodedExchangeRow<R extends ExchangeRecord> = ExchangeRow<R> & { readonly lineNo: number };

/**
 * Reads a file as typed rows: simple rather than fast, and the measure of `ExchangeReader`. Lines that cannot be read
 * are left out and named in the facts.
 * @throws Problem as `ExchangeReader` does
 */
export function decodeExchange<R extends ExchangeRecord>(
  _layout: ExchangeLayout<R>,
  _expected: ExpectedExchange,
  _bytes: Uint8Array | Iterable<Uint8Array>,
): { readonly rows: readonly DecodedExchangeRow<R>[]; readonly facts: ExchangeFacts } {
  throw new Error('not yet');
}
