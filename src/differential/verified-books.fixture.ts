// What tests of answers share: books in a database of each test's own, of which claims and ledger agree in the end.
import { afterEach, beforeEach, expect } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type AnswerBooks, createAnswerBooks } from './answers.fixture.ts';
import { verifyClaims } from './verify-store.ts';

export let database: TestDatabase;
export let books: AnswerBooks;

/** New books for each test of the calling file; whatever it lived through, claims and ledger agree afterwards. */
export function keepVerifiedBooks(): void {
  beforeEach(async () => {
    database = await testDatabase();
    books = createAnswerBooks(database.pool);
  });
  afterEach(async () => {
    try {
      expect((await verifyClaims(database.pool)).deviations).toEqual([]);
    } finally {
      books.close();
      await database.close();
    }
  });
}

/** A partial cancel of 3,000 of 10,000 won: by the rate 53 won are taken back. */
export const partialCancel = {
  amountWon: -3_000n,
  chargedWon: -66n,
  preferentialWon: -13n,
  originalWon: 10_000n,
  type: 'P',
} as const;
