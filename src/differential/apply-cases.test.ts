// What an answer may say of a claim, case by case. An approval of 10,000 won was charged 220 won (1 % and its VAT twice over)
// and may be charged 44 (0.4 % and its VAT): 176 won are claimed, 160 of supply and 16 of VAT.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { countsText, createAnswerBooks, type SaidLine } from './answers.fixture.ts';
import type { PlantedClaim } from './claims.fixture.ts';

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

type Case = {
  readonly what: string;
  readonly claim?: Partial<PlantedClaim>;
  readonly says: readonly Partial<SaidLine>[];
  readonly counts: string;
  readonly stands: string;
  readonly wallet: string[];
  readonly breaks: string[];
};
const paid = ['refund_receivable:welcome -176', 'wallet:M1 176'];
const subject = 'welcome-online:T1/0';

const cases: readonly Case[] = [
  { what: 'accepted', says: [{}], counts: '1 1 0 0 0 176', stands: 'T1/0 paid 176', wallet: paid, breaks: [] },
  {
    what: 'one won less than ours: theirs is paid, and a break',
    says: [{ won: 175n }],
    counts: '1 1 0 0 0 175',
    stands: 'T1/0 paid 175',
    wallet: ['refund_receivable:welcome -175', 'wallet:M1 175'],
    // 175 · 10 / 11 = 159.09…, so 159 and 16: as Welcome splits.
    breaks: [`difference_differs ${subject} 176 175`],
  },
  {
    what: 'one won more than ours',
    says: [{ won: 177n }],
    counts: '1 1 0 0 0 177',
    stands: 'T1/0 paid 177',
    wallet: ['refund_receivable:welcome -177', 'wallet:M1 177'],
    breaks: [`difference_differs ${subject} 176 177`],
  },
  {
    what: 'as much as was charged: still possible',
    says: [{ won: 220n }],
    counts: '1 1 0 0 0 220',
    stands: 'T1/0 paid 220',
    wallet: ['refund_receivable:welcome -220', 'wallet:M1 220'],
    breaks: [`difference_differs ${subject} 176 220`],
  },
  {
    what: 'more than was charged',
    says: [{ won: 221n }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held difference_impossible',
    wallet: [],
    breaks: [`difference_impossible ${subject} 176 221`],
  },
  {
    what: 'the wrong sign',
    says: [{ won: -176n }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held difference_impossible',
    wallet: [],
    breaks: [`difference_impossible ${subject} 176 -176`],
  },
  {
    what: 'no difference at all',
    says: [{ won: null }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held difference_impossible',
    wallet: [],
    breaks: [`difference_impossible ${subject} 176`],
  },
  {
    what: 'split otherwise: 161 and 15',
    says: [{ supplyWon: 161n }],
    counts: '1 1 0 0 0 176',
    stands: 'T1/0 paid 176',
    wallet: paid,
    breaks: [`split_differs ${subject} 176 176`],
  },
  {
    what: 'another tier and card type',
    says: [{ tier: '2', cardType: '1' }],
    counts: '1 1 0 0 0 176',
    stands: 'T1/0 paid 176',
    wallet: paid,
    breaks: [`card_type_differs ${subject} 176 176`, `tier_differs ${subject} 176 176`],
  },
  {
    what: 'no tier stated, by a provider that states tiers',
    says: [{ tier: null }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held tier_differs',
    wallet: [],
    breaks: [`tier_differs ${subject} 176 176`],
  },
  {
    what: 'no card type stated',
    says: [{ cardType: null }],
    counts: '1 1 0 0 0 176',
    stands: 'T1/0 paid 176',
    wallet: paid,
    breaks: [],
  },
  {
    what: 'accepted for a merchant that is not small',
    says: [{ tier: '4' }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held tier_differs',
    wallet: [],
    breaks: [`tier_differs ${subject} 176 176`],
  },
  {
    what: 'a changed amount',
    says: [{ amountWon: 10_010n }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held amount_changed',
    wallet: [],
    breaks: [`amount_changed ${subject} 10000 10010`],
  },
  {
    what: 'a changed amount of the original',
    says: [{ originalWon: 20_000n }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held amount_changed',
    wallet: [],
    breaks: [`amount_changed ${subject} 10000 10000`],
  },
  {
    what: 'a code that nobody listed',
    says: [{ code: 'Z9' }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 held unknown_code',
    wallet: [],
    breaks: [`unknown_code ${subject} 176`],
  },
  {
    what: 'a code that may be corrected',
    says: [{ code: '09' }],
    counts: '1 0 1 0 0 0',
    stands: 'T1/0 held welcome:09',
    wallet: [],
    breaks: [],
  },
  {
    what: 'a final code',
    says: [{ code: '13' }],
    counts: '1 0 1 0 0 0',
    stands: 'T1/0 rejected welcome:13',
    wallet: [],
    breaks: [],
  },
  {
    what: 'a code that may be corrected, at the third and last try',
    claim: { attempt: 3 },
    says: [{ code: '09' }],
    counts: '1 0 1 0 0 0',
    stands: 'T1/0 rejected welcome:09',
    wallet: [],
    breaks: [],
  },
  {
    what: 'the same line twice',
    says: [{}, {}],
    counts: '2 1 0 1 0 176',
    stands: 'T1/0 paid 176',
    wallet: paid,
    breaks: [],
  },
  {
    what: 'two lines that contradict each other',
    says: [{}, { code: '01' }],
    counts: '2 0 0 0 2 0',
    stands: 'T1/0 held answered_twice',
    wallet: [],
    breaks: [`answered_twice ${subject} 176 176`],
  },
  {
    what: 'a claim that nobody made, beside ours',
    says: [{}, { tid: 'T9' }],
    counts: '2 1 0 0 1 176',
    stands: 'T1/0 paid 176',
    wallet: paid,
    breaks: ['unknown_claim daff_welcome_1234567891_20261120_req:T9/0 176'],
  },
  {
    what: 'our claim on another day of trade: it is another',
    says: [{ tradedOn: '2026-11-19' }],
    counts: '1 0 0 0 1 0',
    stands: 'T1/0 waiting',
    wallet: [],
    breaks: ['unknown_claim daff_welcome_1234567891_20261120_req:T1/0 176'],
  },
  {
    what: 'late, after the claim was given up as unanswered',
    claim: {},
    says: [{}],
    counts: '1 1 0 0 0 176',
    stands: 'T1/0 paid 176',
    wallet: paid,
    breaks: [],
  },
];

test.each(cases)('$what', async ({ claim, says, counts, stands, wallet, breaks, what }) => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1', ...claim });
  if (what.startsWith('late')) {
    await books.rows(`update claim_file set state = 'expired'`);
    expect(await books.standing()).toEqual(['T1/0 held unanswered']);
  }
  const applied = await books.answer(
    file,
    says.map((line) => ({ tid: 'T1', ...line })),
  );
  expect(countsText(applied)).toBe(counts);
  expect(await books.standing()).toEqual([stands]);
  expect(await books.balances()).toEqual(wallet);
  expect((await books.breaks()).sort()).toEqual(breaks);
});

describe('a validation', () => {
  test.each([
    ['that lets a claim go on says nothing more', '00', '1 0 0 0 0 0', 'T1/0 waiting'],
    ['rejects what may be corrected', '05', '1 0 1 0 0 0', 'T1/0 held welcome:05'],
    ['rejects for good', '03', '1 0 1 0 0 0', 'T1/0 rejected welcome:03'],
    ['with a code that nobody listed', 'Z9', '1 0 0 0 1 0', 'T1/0 held unknown_code'],
  ])('%s', async (_, code, counts, stands) => {
    const file = await books.file();
    await books.claim(file, { tid: 'T1' });
    expect(countsText(await books.answer(file, [{ tid: 'T1', code }], 'validation'))).toBe(counts);
    expect(await books.standing()).toEqual([stands]);
    // A corrected validation, or the answer itself, has the last word.
    await books.answer(file, [{ tid: 'T1' }], 'validation');
    expect(await books.standing()).toEqual(['T1/0 waiting']);
    await books.answer(file, [{ tid: 'T1' }]);
    expect(await books.standing()).toEqual(['T1/0 paid 176']);
  });
});

test('a line that cannot be read is a break, the others are applied, and the whole answer ends it', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  const right = books.bytes(file.on, [{ tid: 'T1' }, { tid: 'T2' }]);
  // The last digit of the first claim's amount: offset 155 + 14 of the third record of 351 bytes.
  const garbled = Buffer.from(right);
  const amountAt = 2 * 351 + 2 + 1 + 8 + 10 + 10 + 40 + 40 + 64 + 14;
  expect(String.fromCharCode(garbled[amountAt] ?? 0)).toBe('0');
  garbled[amountAt] = 0x3f;
  expect(countsText(await books.answer(file, garbled))).toBe('2 1 0 0 1 176');
  expect(await books.breaks()).toEqual(['unreadable daff_welcome_1234567891_20261120_req:answer:3']);
  expect(await books.standing()).toEqual(['T1/0 waiting', 'T2/0 paid 176']);
  expect(countsText(await books.answer(file, right))).toBe('2 1 0 1 0 176');
  expect(await books.breaks()).toEqual(['unreadable daff_welcome_1234567891_20261120_req:answer:3 (closed)']);
});

test('an answer that is wrong as a whole changes nothing', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  const bytes = books.bytes(file.on, [{ tid: 'T1' }]);
  await expect(books.answer(file, bytes.subarray(0, 900))).rejects.toMatchObject({ code: 'statement_width' });
  await expect(books.answer(file, books.bytes('2026-11-19', [{ tid: 'T1' }]))).rejects.toMatchObject({
    code: 'statement_other_day',
  });
  expect(await books.standing()).toEqual(['T1/0 waiting']);
});
