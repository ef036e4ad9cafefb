import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { countsText, createAnswerBooks } from './answers.fixture.ts';

let database: TestDatabase;
let books: ReturnType<typeof createAnswerBooks>;
beforeEach(async () => {
  database = await testDatabase();
  books = createAnswerBooks(database.pool);
});
afterEach(async () => {
  books.close();
  await database.close();
});

test('what is accepted is paid: one entry a merchant, nothing written of a claim but its result', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'A1' });
  await books.claim(file, { tid: 'A2', merchantId: 'M2' });
  await books.claim(file, { tid: 'A3' });
  const applied = await books.answer(file, [{ tid: 'A1' }, { tid: 'A2' }, { tid: 'A3' }]);
  // 3 × 176
  expect(countsText(applied)).toBe('3 3 0 0 0 528');
  expect(await books.standing()).toEqual(['A1/0 paid 176', 'A2/0 paid 176', 'A3/0 paid 176']);
  expect(await books.balances()).toEqual(['refund_receivable:welcome -528', 'wallet:M1 352', 'wallet:M2 176']);
  expect(await books.refunds()).toEqual([
    `differential:${applied.answerId}:M1 2 352 0 0 0 0 352`,
    `differential:${applied.answerId}:M2 1 176 0 0 0 0 176`,
  ]);
  expect(await books.breaks()).toEqual([]);
  expect(await books.events()).toEqual([]);
  expect(
    await books.texts(
      `select concat_ws(' ', provider_tid, line_no, answer_id = $1, supply_won, vat_won, pay_on, tier, card_type) as text
                         from claim_result order by 1`,
      [applied.answerId],
    ),
  ).toEqual(['A1 3 t 160 16 2026-11-27 0 C', 'A2 4 t 160 16 2026-11-27 0 C', 'A3 5 t 160 16 2026-11-27 0 C']);
});

test('applied again, nothing changes', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'A1' });
  await books.claim(file, { tid: 'A2' });
  await books.claim(file, { tid: 'A3' });
  await books.cancel(file, { tid: 'A3' });
  const { answerId } = await books.answer(file, [
    { tid: 'A1' },
    { tid: 'A2', code: '09' },
    { tid: 'A3', won: 175n },
    { tid: 'A3', seq: 1 },
  ]);
  const before = [await books.standing(), await books.balances(), await books.breaks(), await books.events()];
  expect(countsText(await books.apply(answerId))).toBe('4 0 0 4 0 0');
  expect([await books.standing(), await books.balances(), await books.breaks(), await books.events()]).toEqual(before);
});
