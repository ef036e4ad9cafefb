import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createBooks } from '../../test/support/books.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';

/** A database for a file of tests, and in it for each test the books of a provider `provider-<n>` of its own. */
export let db: TestDatabase;
export let books: ReturnType<typeof createBooks>;
export let provider = 0;

/** Call once, at the top of a file. */
export function keepOwnBooks(): void {
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.close());
  beforeEach(() => {
    provider += 1;
    books = createBooks(db.pool, `provider-${provider}`);
  });
}
