// What was said before and is said again: bytes that come back, words about a try that is over, channels that share TIDs.
import { expect, test } from 'vitest';
import { countsText, createAnswerBooks } from './answers.fixture.ts';
import { books, database, keepVerifiedBooks } from './verified-books.fixture.ts';

keepVerifiedBooks();

test('bytes of an older version that come back are what holds now', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  const first = await books.answer(file, [{ tid: 'T1', won: 120n }]);
  await books.answer(file, [{ tid: 'T1', won: 118n }]);
  const back = await books.answer(file, [{ tid: 'T1', won: 120n }]);
  expect(back.answerId).not.toBe(first.answerId);
  // +120, −2 (owed), +2 that repay it.
  expect(countsText(back)).toBe('1 1 0 0 0 2');
  await books.answer(file, [{ tid: 'T1', code: '09' }]);
  expect(await books.standing()).toEqual(['T1/0 held welcome:09']);
  await books.answer(file, [{ tid: 'T1', won: 118n }]);
  expect(await books.standing()).toEqual(['T1/0 paid 118']);
  expect(await books.balances()).toEqual(['debt:M1 -2', 'refund_receivable:welcome -118', 'wallet:M1 120']);
  expect(await books.texts('select version::text as text from answer_file order by 1')).toEqual([...'12345']);
});

test('the bytes that came last, once more, are no version of their own', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  const first = await books.register(file, [{ tid: 'T1' }], 'answer');
  expect(await books.register(file, [{ tid: 'T1' }], 'answer')).toBe(first);
});

/** Leaves T1 as `resend` and the next batch do: rejected with 09 in the first file, accepted in the second. */
async function acceptedAtTheSecondTry() {
  const first = await books.file('2026-11-20');
  await books.claim(first, { tid: 'T1' });
  await books.answer(first, [{ tid: 'T1', code: '09' }]);
  await books.rows(
    `insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason, detail)
     select channel, traded_on, provider_tid, cancel_seq, kind, 'kim', 'queued', reason,
            jsonb_build_object('fileId', file_id, 'attempt', attempt) from claim`,
  );
  const second = await books.file('2026-11-24');
  await books.rows(`update claim set state = 'P', reason = null, attempt = 2, file_id = $1, batch_id = $2`, [
    second.fileId,
    second.batchId,
  ]);
  await books.rows(`insert into differential_day values ($1, 'welcome-online', '2026-11-20')`, [second.batchId]);
  await books.answer(second, [{ tid: 'T1', tradedOn: '2026-11-20' }]);
  return { first, second };
}

test('what the first try was rejected with, said once more after the second was accepted, is nothing new', async () => {
  const { first } = await acceptedAtTheSecondTry();
  await books.claim(first, { tid: 'T2' });
  // The first file's answer is completed by T2; of T1 it says what it said before.
  expect(countsText(await books.answer(first, [{ tid: 'T1', code: '09' }, { tid: 'T2' }]))).toBe('2 1 0 1 0 176');
  expect(await books.breaks()).toEqual([]);
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T2/0 paid 176']);
});

test('what the first try is rejected with otherwise, after the second was accepted, is for a person', async () => {
  const { first } = await acceptedAtTheSecondTry();
  expect(countsText(await books.answer(first, [{ tid: 'T1', code: '13' }]))).toBe('1 0 0 0 1 0');
  expect(await books.breaks()).toEqual(['answered_twice welcome-online:T1/0 176']);
  expect(await books.standing()).toEqual(['T1/0 paid 176']);
});

test('a validation that is corrected does not undo what the answer rejected with the same code', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1', code: '09' }], 'validation');
  await books.answer(file, [{ tid: 'T1', code: '09' }]);
  expect(countsText(await books.answer(file, [{ tid: 'T1' }], 'validation'))).toBe('1 0 0 0 0 0');
  expect(await books.standing()).toEqual(['T1/0 held welcome:09']);
});

test('won beyond all that is ever charged are a difference that cannot be, and the others are paid', async () => {
  const ksnet = createAnswerBooks(database.pool, 'ksnet');
  try {
    const file = await ksnet.file();
    for (const tid of ['T1', 'T2', 'T3']) await ksnet.claim(file, { tid });
    const lines = [
      { tid: 'T1', won: 9_223_372_036_854_775_807n },
      { tid: 'T2', won: 5_000_000_000_000_000_000n },
    ];
    expect(countsText(await ksnet.answer(file, [...lines, { tid: 'T3' }]))).toBe('3 1 0 0 2 176');
    expect(await ksnet.standing()).toEqual([
      'T1/0 held difference_impossible',
      'T2/0 held difference_impossible',
      'T3/0 paid 176',
    ]);
  } finally {
    ksnet.close();
  }
});

test('one TID of two channels, with MIDs of their own, is two claims', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1', merchantId: 'M1' });
  await books.claim(file, { tid: 'T1', merchantId: 'M2', channel: 'welcome-offline' });
  await books.rows(`update claim set mid = 'MID2' where channel = 'welcome-offline'`);
  const lines = [{ tid: 'T1' }, { tid: 'T1', mid: 'MID2', won: 175n }];
  expect(countsText(await books.answer(file, lines))).toBe('2 2 0 0 0 351');
  expect(await books.balances()).toEqual(['refund_receivable:welcome -351', 'wallet:M1 176', 'wallet:M2 175']);
});

test('a line that two claims answer to pays neither', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1', merchantId: 'M1' });
  await books.claim(file, { tid: 'T1', merchantId: 'M2', channel: 'welcome-offline' });
  await books.answer(file, [{ tid: 'T1' }]);
  expect(await books.balances()).toEqual([]);
});

test('answers that are applied at the same time are applied one after another', async () => {
  const sales = await books.file('2026-11-20');
  const cancels = await books.file('2026-11-21');
  for (const n of [1, 2, 3]) {
    await books.claim(sales, { tid: `T${n}`, merchantId: `M${n}` });
    await books.cancel(cancels, { tid: `T${n}`, merchantId: `M${n}`, originalOn: '2026-11-20' });
  }
  const said = [1, 2, 3].map((n) => ({ tid: `T${n}` }));
  const one = await books.register(
    cancels,
    said.map((line) => ({ ...line, seq: 1 })),
    'answer',
  );
  const other = await books.register(sales, said, 'answer');
  await Promise.all([books.apply(one), books.apply(other)]);
  expect(await books.standing()).toEqual([1, 2, 3].flatMap((n) => [`T${n}/0 paid 176`, `T${n}/1 clawed_back -176`]));
});

test('of several lines to a claim that nobody made the first tells, whatever order they are looked at in', async () => {
  const file = await books.file();
  const tids = Array.from({ length: 40 }, (_, n) => `T${String(n).padStart(2, '0')}`);
  const said = [170n, 171n, 172n, 173n].flatMap((won) => tids.map((tid) => ({ tid, won })));
  await books.claim(file, { tid: 'OURS' });
  await books.answer(file, [...said, { tid: 'OURS' }]);
  const first = await books.texts(
    `select concat_ws(' ', provider_tid, line_no, theirs_won) as text from claim_break order by provider_tid`,
  );
  expect(first).toEqual(tids.map((tid, n) => `${tid} ${n + 3} 170`));
});
