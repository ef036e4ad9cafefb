// What answers come to one after another. An approval of 10,000 won claims 176, its cancel takes 176 back.
import { expect, test } from 'vitest';
import { inTransaction } from '../platform/database/pool.ts';
import { countsText } from './answers.fixture.ts';
import { queueResend } from './resend-store.ts';
import { books, database, keepVerifiedBooks } from './verified-books.fixture.ts';

keepVerifiedBooks();

test('a corrected answer books what changed alone: a won more, a won less', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  await books.answer(file, [{ tid: 'T1', won: 170n }, { tid: 'T2' }]);
  expect(await books.breaks()).toEqual(['difference_differs welcome-online:T1/0 176 170']);
  expect(countsText(await books.answer(file, [{ tid: 'T1' }, { tid: 'T2', won: 175n }]))).toBe('2 2 0 0 0 5');
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T2/0 paid 175']);
  expect(await books.balances()).toEqual(['refund_receivable:welcome -351', 'wallet:M1 351']);
  expect(await books.breaks()).toEqual([
    'difference_differs welcome-online:T1/0 176 170 (closed)',
    'difference_differs welcome-online:T2/0 176 175',
  ]);
  expect(
    await books.texts(
      `select concat_ws(' ', provider_tid, before_won, after_won) as text from claim_revision order by 1`,
    ),
  ).toEqual(['T1 170 176', 'T2 176 175']);
});

test('accepted, then rejected, then accepted again', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1' }]);
  expect(countsText(await books.answer(file, [{ tid: 'T1', code: '09' }]))).toBe('1 0 1 0 0 -176');
  expect(await books.standing()).toEqual(['T1/0 held welcome:09']);
  // What the wallet was given is owed: nothing is taken out of a wallet.
  expect(await books.balances()).toEqual(['debt:M1 -176', 'wallet:M1 176']);
  expect(countsText(await books.answer(file, [{ tid: 'T1', won: 177n }]))).toBe('1 1 0 0 0 177');
  expect(await books.standing()).toEqual(['T1/0 paid 177']);
  // The debt of 176 first, 1 won into the wallet.
  expect(await books.balances()).toEqual(['refund_receivable:welcome -177', 'wallet:M1 177']);
});

test('rejected, then accepted by a corrected answer', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  await books.answer(file, [
    { tid: 'T1', code: '13' },
    { tid: 'T2', code: '09' },
  ]);
  expect(await books.standing()).toEqual(['T1/0 rejected welcome:13', 'T2/0 held welcome:09']);
  await books.answer(file, [{ tid: 'T1' }, { tid: 'T2' }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T2/0 paid 176']);
});

test.each([
  ['a changed amount', { amountWon: 10_001n }],
  ['an unknown code', { code: 'Z9' }],
  ['an impossible difference', { won: 500n }],
])('held for %s, then answered plainly: paid, and the break ends', async (_, wrong) => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1', ...wrong }]);
  expect((await books.standing())[0]).toMatch(/held/);
  await books.answer(file, [{ tid: 'T1' }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176']);
  expect(await books.breaks()).toEqual([expect.stringMatching(/\(closed\)$/)]);
});

test('half an answer, then the rest: the same as the whole', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  await books.answer(file, [{ tid: 'T2' }]);
  expect(await books.standing()).toEqual(['T1/0 waiting', 'T2/0 paid 176']);
  await books.answer(file, [{ tid: 'T1' }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T2/0 paid 176']);
  expect(await books.balances()).toEqual(['refund_receivable:welcome -352', 'wallet:M1 352']);
});

test('a cancel in the same answer leaves nothing to book, and both stand', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.cancel(file, { tid: 'T1' });
  const { answerId, ...counts } = await books.answer(file, [{ tid: 'T1', seq: 1 }, { tid: 'T1' }]);
  expect(countsText(counts)).toBe('2 2 0 0 0 0');
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T1/1 clawed_back -176']);
  expect(await books.balances()).toEqual([]);
  expect(await books.refunds()).toEqual([`differential:${answerId}:M1 2 176 -176 0 0 0 0`]);
});

test('a cancel of another day takes back from what comes; what is short is owed and repaid first', async () => {
  const first = await books.file('2026-11-20');
  await books.claim(first, { tid: 'T1' });
  await books.answer(first, [{ tid: 'T1' }]);
  const second = await books.file('2026-11-21');
  await books.cancel(second, { tid: 'T1', originalOn: '2026-11-20' });
  const back = await books.answer(second, [{ tid: 'T1', seq: 1 }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T1/1 clawed_back -176']);
  expect(await books.balances()).toEqual(['debt:M1 -176', 'wallet:M1 176']);
  // Two refunds of 176 come: 176 repay the debt, 176 go to the wallet.
  const third = await books.file('2026-11-22');
  await books.claim(third, { tid: 'T3' });
  await books.claim(third, { tid: 'T4' });
  const repaid = await books.answer(third, [{ tid: 'T3' }, { tid: 'T4' }]);
  expect(await books.balances()).toEqual(['refund_receivable:welcome -352', 'wallet:M1 352']);
  expect((await books.refunds()).slice(1)).toEqual([
    `differential:${back.answerId}:M1 1 0 -176 0 176 0 0`,
    `differential:${repaid.answerId}:M1 2 352 0 176 0 0 176`,
  ]);
});

test('under a whole hold refunds are held', async () => {
  await books.rows(`insert into settlement_hold (merchant_id, reason, placed_by) values ('M1', 'complaint', 'kim')`);
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1' }]);
  expect(await books.balances()).toEqual(['held:M1 176', 'refund_receivable:welcome -176']);
});

test('a cancel whose approval is not refunded waits for it, and is applied with it', async () => {
  const first = await books.file('2026-11-20');
  await books.claim(first, { tid: 'T1' });
  const second = await books.file('2026-11-21');
  await books.cancel(second, { tid: 'T1', originalOn: '2026-11-20' });
  expect(countsText(await books.answer(second, [{ tid: 'T1', seq: 1, won: -175n }]))).toBe('1 0 0 0 1 0');
  expect(await books.standing()).toEqual(['T1/0 waiting', 'T1/1 held original_not_paid']);
  expect(await books.breaks()).toEqual(['clawback_without_refund welcome-online:T1/1 -176 -175']);
  // 176 − 175 = 1 won.
  expect(countsText(await books.answer(first, [{ tid: 'T1' }]))).toBe('1 1 0 0 0 1');
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T1/1 clawed_back -175']);
  expect(await books.breaks()).toEqual([
    'clawback_without_refund welcome-online:T1/1 -176 -175 (closed)',
    'difference_differs welcome-online:T1/1 -176 -175',
  ]);
  expect(await books.balances()).toEqual(['refund_receivable:welcome -1', 'wallet:M1 1']);
});

test('an approval that is rejected after all takes its clawback with it, and brings it back', async () => {
  const first = await books.file('2026-11-20');
  await books.claim(first, { tid: 'T1' });
  await books.answer(first, [{ tid: 'T1' }]);
  const second = await books.file('2026-11-21');
  await books.cancel(second, { tid: 'T1', originalOn: '2026-11-20' });
  await books.answer(second, [{ tid: 'T1', seq: 1 }]);
  await books.answer(first, [{ tid: 'T1', code: '09' }]);
  expect(await books.standing()).toEqual(['T1/0 held welcome:09', 'T1/1 held original_not_paid']);
  // +176 and −176 (owed) before; −176 + 176 now: the debt of the cancel stands against what the wallet got.
  expect(await books.balances()).toEqual(['debt:M1 -176', 'wallet:M1 176']);
  await books.answer(first, [{ tid: 'T1', won: 175n }]);
  expect(await books.standing()).toEqual(['T1/0 paid 175', 'T1/1 clawed_back -176']);
});

test('a merchant that the ledger refuses is held with what it was to get, the others go; the next answer tries again', async () => {
  await books.rows(`
    create function refuse_m2() returns trigger language plpgsql as $$
    begin raise exception 'no entry for M2' using errcode = 'check_violation'; end $$;
    create trigger refuse_m2 before insert on ledger_entry for each row when (new.event like '%:M2') execute function refuse_m2()`);
  const file = await books.file();
  for (const n of [1, 2, 3, 4]) await books.claim(file, { tid: `T${n}`, merchantId: `M${n}` });
  const said = [1, 2, 3, 4].map((n) => ({ tid: `T${n}` }));
  expect(countsText(await books.answer(file, said))).toBe('4 3 0 0 1 528');
  expect(await books.standing()).toEqual([
    'T1/0 paid 176',
    'T2/0 held booking_failed',
    'T3/0 paid 176',
    'T4/0 paid 176',
  ]);
  expect(await books.breaks()).toEqual(['booking_failed welcome-online:T2/0 176 176']);
  await books.rows('drop trigger refuse_m2 on ledger_entry');
  const next = await books.file('2026-11-21');
  await books.claim(next, { tid: 'T5' });
  await books.answer(next, [{ tid: 'T5' }]);
  expect((await books.standing())[1]).toBe('T2/0 paid 176');
  expect(await books.balances()).toContain('wallet:M2 176');
  expect(await books.breaks()).toEqual(['booking_failed welcome-online:T2/0 176 176 (closed)']);
});

test('a claim that was sent again and is accepted under both files is accepted once', async () => {
  const first = await books.file('2026-11-20');
  await books.claim(first, { tid: 'T1', merchantId: 'M1' });
  await books.answer(first, [{ tid: 'T1', code: '09' }]);
  await books.rows(`insert into import (kind, file_name, imported_by) values ('merchants', 'x', 'test')`);
  await books.rows(`insert into merchant select 'M1', 'M1', '1234567891', max(import_id) from import`);
  await books.rows(
    `insert into merchant_tier (business_no, half, tier, recorded_by) values ('1234567891', '2026H2', 0, 'test')`,
  );
  const act = { by: 'kim', because: 'the number was registered', on: '2026-11-24' };
  const [queued] = await inTransaction(database.pool, (tx) =>
    queueResend(tx, books.provider, { reason: 'welcome:09' }, act),
  );
  expect(queued).toMatchObject({ attempt: 2, beforeWon: 176n, afterWon: 176n, refused: null });
  expect(await books.standing()).toEqual(['T1/0 waiting']);
  const second = await books.file('2026-11-24');
  await books.rows(`update claim set state = 'P', file_id = $1, batch_id = $2`, [second.fileId, second.batchId]);
  await books.rows(`insert into differential_day values ($1, 'welcome-online', '2026-11-20')`, [second.batchId]);
  // The first file's answer is corrected meanwhile; the second one's says the same again.
  await books.answer(first, [{ tid: 'T1' }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176']);
  expect(countsText(await books.answer(second, [{ tid: 'T1', tradedOn: '2026-11-20' }]))).toBe('1 0 0 1 0 0');
  expect(await books.balances()).toEqual(['refund_receivable:welcome -176', 'wallet:M1 176']);
  // What the second file is told otherwise takes nothing back of what the first was paid.
  const other = { tid: 'T1', tradedOn: '2026-11-20', code: '03' };
  expect(countsText(await books.answer(second, [other]))).toBe('1 0 0 0 1 0');
  expect(await books.standing()).toEqual(['T1/0 paid 176']);
  expect(await books.breaks()).toEqual(['answered_twice welcome-online:T1/0 176']);
});
