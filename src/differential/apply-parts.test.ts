// A large answer is applied in parts, each merchant in one: what is there between two of them, and after each has been tried
// again, by two processes at once, or not at all.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { countsText, createAnswerBooks, type SaidLine } from './answers.fixture.ts';
import { verifyClaims } from './verify-store.ts';

let database: TestDatabase;
let books: ReturnType<typeof createAnswerBooks>;
beforeEach(async () => {
  database = await testDatabase();
  books = createAnswerBooks(database.pool, 'welcome', { linesPerPart: 100 });
});
afterEach(async () => {
  books.close();
  await database.close();
});

type File = Awaited<ReturnType<typeof books.file>>;
const shopsMost = 120;
const shops = Array.from({ length: shopsMost }, (_, n) => `M${String(n).padStart(3, '0')}`);

/** A sale of each shop, of the first ten also its cancel, and the provider's answer: all accepted, as bytes in the archive. */
async function answered(more: readonly SaidLine[] = []): Promise<{ readonly file: File; readonly answerId: bigint }> {
  const file = await books.file();
  const lines: SaidLine[] = [];
  for (const [n, merchantId] of shops.entries()) {
    await books.claim(file, { tid: `T${merchantId}`, merchantId });
    lines.push({ tid: `T${merchantId}` });
    if (n >= 10) continue;
    await books.cancel(file, { tid: `T${merchantId}`, merchantId });
    lines.push({ tid: `T${merchantId}`, seq: 1 });
  }
  return { file, answerId: await books.register(file, [...lines, ...more], 'answer') };
}

const isOfPart = (part: number) => `(hashtextextended(merchant_id, 0) & 1073741823) % 2 = ${part}`;
const merchantsOf = (part: number) =>
  books.texts(`select distinct merchant_id as text from claim where ${isOfPart(part)} order by 1`);
const booked = () => books.texts('select distinct merchant_id as text from claim_refund order by 1');
const keptTables = () => books.texts(`select relname as text from pg_class where relname ~ '^answer_line_[0-9]+$'`);

/** 110 sales of 176 won are left: those of the first ten shops are taken back by their cancels. */
async function expectAllOnce(answerId: bigint): Promise<void> {
  expect(await books.balances()).toEqual([
    `refund_receivable:welcome ${-176 * 110}`,
    ...shops.slice(10).map((shop) => `wallet:${shop} 176`),
  ]);
  expect(await booked()).toEqual(shops);
  const standing = await books.standing();
  expect(standing.filter((text) => text.includes(' paid 176'))).toHaveLength(120);
  expect(standing.filter((text) => text.includes(' clawed_back -176'))).toHaveLength(10);
  expect(await books.texts(`select state as text from answer_file where answer_id = $1`, [answerId])).toEqual([
    'applied',
  ]);
  expect((await verifyClaims(database.pool)).deviations).toEqual([]);
  expect(await keptTables()).toEqual([]);
}

test('between two parts, the merchants of one have all that is theirs, those of the other nothing, and it is not applied', async () => {
  const { answerId } = await answered();
  expect(await books.load(answerId)).toBe(2);
  await books.applyPart(answerId, { part: 1, parts: 2 });
  const [first, second] = [await merchantsOf(1), await merchantsOf(0)];
  expect(first.length).toBeGreaterThan(10);
  expect(second.length).toBeGreaterThan(10);
  expect(await booked()).toEqual(first);
  // Whoever cancelled everything has nothing, of which the balances do not tell.
  const paid = first.filter((shop) => shops.indexOf(shop) >= 10);
  expect(await books.balances()).toEqual([
    `refund_receivable:welcome ${-176 * paid.length}`,
    ...paid.map((shop) => `wallet:${shop} 176`),
  ]);
  expect(await books.texts(`select distinct status as text from claim_status where ${isOfPart(0)} order by 1`)).toEqual(
    ['waiting'],
  );
  expect(
    await books.texts(`select distinct status as text from claim_status where ${isOfPart(1)} order by 1`),
  ).not.toContain('waiting');
  expect(await books.texts('select state as text from answer_file')).toEqual(['received']);
  // Who takes over loads it, as it is, and applies what is left.
  expect(await books.load(answerId)).toBe(2);
  expect(countsText(await books.apply(answerId))).toBe(`130 130 0 0 0 ${176 * 110}`);
  await expectAllOnce(answerId);
});

test('the same answer twice, while a part is applied and after another was: each part is applied once', async () => {
  const { answerId } = await answered();
  await books.load(answerId);
  await books.applyPart(answerId, { part: 0, parts: 2 });
  const again = [0, 1, 1, 0].map((part) => books.applyPart(answerId, { part, parts: 2 }));
  await Promise.all([...again, books.load(answerId)]);
  expect(await books.texts('select part::text from answer_part order by part')).toHaveLength(2);
  expect(countsText(await books.apply(answerId))).toBe(`130 130 0 0 0 ${176 * 110}`);
  await expectAllOnce(answerId);
  // The straggler comes when all is done.
  await books.applyPart(answerId, { part: 1, parts: 2 });
  expect(await books.load(answerId)).toBe(0);
  await expectAllOnce(answerId);
});

test('it is not summed up before all parts are applied, and applied again it changes nothing', async () => {
  const { answerId } = await answered();
  await books.load(answerId);
  await books.applyPart(answerId, { part: 0, parts: 2 });
  const whole = createAnswerBooks(database.pool);
  await expect(whole.apply(answerId)).rejects.toThrow('1 parts of 2 are applied');
  whole.close();
  await books.apply(answerId);
  expect(countsText(await books.apply(answerId))).toBe('130 0 0 130 0 0');
  await expectAllOnce(answerId);
});

test('lines to no claim of ours, lines said twice, and otherwise than we computed, each come to what they do as a whole', async () => {
  const { answerId } = await answered([
    { tid: 'NOBODY' },
    { tid: 'NOBODY2', code: '09' },
    { tid: 'TM020' },
    { tid: 'TM021', won: 175n },
  ]);
  await books.load(answerId);
  // TM020 is said once more with the same words: a copy. TM021 with other won: both lines are aside.
  expect(countsText(await books.apply(answerId))).toBe(`134 129 0 1 4 ${176 * 109}`);
  expect(await books.breaks()).toEqual([
    'answered_twice welcome-online:TM021/0 176 176',
    'unknown_claim daff_welcome_1234567891_20261120_req:NOBODY/0 176',
    'unknown_claim daff_welcome_1234567891_20261120_req:NOBODY2/0',
  ]);
  expect(await keptTables()).toEqual([]);
});

test('a line said more often than the reader tells is looked for in the database, and comes to the same', async () => {
  const copies = Array.from({ length: 10_001 }, () => ({ tid: 'TM020' }));
  for (const many of [copies, copies.slice(0, 5)]) {
    const { answerId } = await answered(many);
    await books.load(answerId);
    const [told] = await books.texts('select coalesce(repeats::text, $1) as text from answer_load', ['too many']);
    expect(told).toBe(many === copies ? 'too many' : '{TM020}');
    expect(countsText(await books.apply(answerId))).toBe(`${130 + many.length} 130 0 ${many.length} 0 ${176 * 110}`);
    await expectAllOnce(answerId);
    await database.close();
    database = await testDatabase();
    books.close();
    books = createAnswerBooks(database.pool, 'welcome', { linesPerPart: 100 });
  }
});

test('a cancel for which another merchant is named than for its sale lets the answer be applied as a whole', async () => {
  const { file, answerId } = await answered();
  const [other = ''] = await merchantsOf(0);
  const [own = ''] = (await merchantsOf(1)).filter((shop) => shops.indexOf(shop) >= 10);
  await books.cancel(file, { tid: `T${own}`, merchantId: other });
  expect(await books.load(answerId)).toBe(0);
  await books.apply(answerId);
  await expect(keptTables()).resolves.toEqual([]);
});

test('what two channels claim under one TID, MID and day lets the answer be applied as a whole', async () => {
  const { file, answerId } = await answered();
  await books.claim(file, { tid: 'TM050', channel: 'welcome-offline' });
  expect(await books.load(answerId)).toBe(0);
});

test('a claim that a batch makes of a line to none, between two parts or after the last, is not of the answer', async () => {
  const { file, answerId } = await answered([{ tid: 'NOBODY' }, { tid: 'NONE' }]);
  const parts = await books.load(answerId);
  const next = await books.file('2026-11-21');
  await books.claim(next, { tid: 'NONE', merchantId: shops[0] ?? '', on: file.on });
  for (let part = 0; part < parts; part += 1) await books.applyPart(answerId, { part, parts });
  await books.claim(next, { tid: 'NOBODY', on: file.on });
  expect(countsText(await books.apply(answerId))).toBe(`132 130 0 0 2 ${176 * 110}`);
  await expectAllOnce(answerId);
  expect((await books.breaks()).sort()).toEqual([
    'unknown_claim daff_welcome_1234567891_20261120_req:NOBODY/0 176 176',
    'unknown_claim daff_welcome_1234567891_20261120_req:NONE/0 176 176',
  ]);
});

test('bytes that are refused leave nothing behind', async () => {
  const { file } = await answered();
  const lines = shops.map((shop) => ({ tid: `T${shop}` }));
  const cut = books.bytes(file.on, lines).subarray(0, -40);
  const answerId = await books.register(file, cut, 'answer');
  expect(await books.load(answerId)).toBe(0);
  expect(await keptTables()).toEqual([]);
  await expect(books.apply(answerId)).rejects.toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^statement_/) }),
  );
});

test('a line that nobody can read is one break, once all parts are applied', async () => {
  const file = await books.file();
  for (const merchantId of shops) await books.claim(file, { tid: `T${merchantId}`, merchantId });
  const garbled = books.bytes(
    file.on,
    shops.map((shop) => ({ tid: `T${shop}` })),
  );
  // The last digit of the first claim's amount, in the third record of 351 bytes.
  const amountAt = 2 * 351 + 2 + 1 + 8 + 10 + 10 + 40 + 40 + 64 + 14;
  expect(String.fromCharCode(garbled[amountAt] ?? 0)).toBe('0');
  garbled[amountAt] = 0x3f;
  const answerId = await books.register(file, garbled, 'answer');
  expect(await books.load(answerId)).toBe(2);
  expect(await books.breaks()).toEqual([]);
  expect(countsText(await books.apply(answerId))).toBe(`120 119 0 0 1 ${176 * 119}`);
  expect(await books.breaks()).toEqual(['unreadable daff_welcome_1234567891_20261120_req:answer:3']);
  expect(await keptTables()).toEqual([]);
});
