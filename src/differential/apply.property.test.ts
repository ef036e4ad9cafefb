// Random answers to random claims, against a model that knows what a single line means and nothing of how it is applied.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createAnswerBooks, type SaidLine } from './answers.fixture.ts';
import { verifyClaims } from './verify-store.ts';

let database: TestDatabase;
let books: ReturnType<typeof createAnswerBooks>;
let inParts: ReturnType<typeof createAnswerBooks>;
beforeAll(async () => {
  database = await testDatabase();
  books = createAnswerBooks(database.pool);
  inParts = createAnswerBooks(database.pool, 'welcome', { linesPerPart: 1 });
});
afterAll(async () => {
  books.close();
  inParts.close();
  await database.close();
});

/** What may be said of a claim; `none`: nothing at all. */
const sayings = [
  'exact',
  'more',
  'less',
  'correct',
  'final',
  'unknown',
  'amount',
  'impossible',
  'none',
  'twice',
] as const;
type Saying = (typeof sayings)[number];
type Pair = { readonly approval: Saying; readonly cancel: Saying | undefined; readonly merchant: number };

/** Approvals of 10,000 won: 176 of 220 won claimed. Their cancels: −176. What each saying comes to, by hand. */
const ends: Readonly<Record<Saying, readonly [refund: string, clawback: string]>> = {
  exact: ['paid 176', 'clawed_back -176'],
  more: ['paid 177', 'clawed_back -177'],
  less: ['paid 175', 'clawed_back -175'],
  correct: ['held welcome:09', 'held welcome:09'],
  final: ['rejected welcome:13', 'rejected welcome:13'],
  unknown: ['held unknown_code', 'held unknown_code'],
  amount: ['held amount_changed', 'held amount_changed'],
  impossible: ['held difference_impossible', 'held difference_impossible'],
  none: ['waiting', 'waiting'],
  twice: ['held answered_twice', 'held answered_twice'],
};

function linesOf(tid: string, seq: number, saying: Saying): SaidLine[] {
  const sign = seq === 0 ? 1n : -1n;
  const line = { tid, seq };
  switch (saying) {
    case 'exact':
      return [line];
    case 'more':
      return [{ ...line, won: sign * 177n }];
    case 'less':
      return [{ ...line, won: sign * 175n }];
    case 'correct':
      return [{ ...line, code: '09' }];
    case 'final':
      return [{ ...line, code: '13' }];
    case 'unknown':
      return [{ ...line, code: 'Z9' }];
    case 'amount':
      return [{ ...line, amountWon: sign * 9_000n }];
    case 'impossible':
      return [{ ...line, won: sign * 221n }];
    case 'none':
      return [];
    case 'twice':
      return [line, { ...line, code: '01' }];
  }
}

function modelOf({ approval, cancel }: Pair): string[] {
  const [refund] = ends[approval];
  if (cancel === undefined) return [refund];
  const [, clawback] = ends[cancel];
  return [refund, clawback.startsWith('clawed') && !refund.startsWith('paid') ? 'held original_not_paid' : clawback];
}

let day = Temporal.PlainDate.from('2026-01-01');
let run = 0;

type Played = { readonly stands: string[]; readonly wonByMerchant: Map<string, bigint> };

/** Lives through it: approvals in one file, their cancels in another, each answered in so many pieces, in this order. */
async function play(
  books: ReturnType<typeof createAnswerBooks>,
  pairs: readonly Pair[],
  order: readonly number[],
  pieces: number,
): Promise<Played> {
  run += 1;
  const first = await books.file(day.toString());
  const second = await books.file(day.add({ days: 1 }).toString());
  day = day.add({ days: 2 });
  const [sales, cancels]: [SaidLine[][], SaidLine[][]] = [[], []];
  for (const [n, { approval, cancel, merchant }] of pairs.entries()) {
    const tid = `R${run}-${String(n).padStart(3, '0')}`;
    const merchantId = `R${run}-M${merchant}`;
    await books.claim(first, { tid, merchantId });
    sales.push(linesOf(tid, 0, approval));
    if (cancel === undefined) continue;
    await books.cancel(second, { tid, merchantId, originalOn: first.on });
    cancels.push(linesOf(tid, 1, cancel));
  }
  const answers = [
    ...Array.from({ length: pieces }, (_, at) => [first, sales.filter((_, n) => n % pieces === at).flat()] as const),
    ...Array.from({ length: pieces }, (_, at) => [second, cancels.filter((_, n) => n % pieces === at).flat()] as const),
  ].filter(([, lines]) => lines.length > 0);
  const shuffled = answers
    .map((answer, n) => ({ answer, at: order[n % order.length] ?? 0, n }))
    .sort((a, b) => a.at - b.at || a.n - b.n);
  const applied: bigint[] = [];
  for (const { answer } of shuffled) {
    const lines = (order[0] ?? 0) % 2 === 0 ? answer[1] : [...answer[1]].reverse();
    applied.push((await books.answer(answer[0], lines)).answerId);
  }
  const last = applied.at(-1);
  if (last !== undefined) {
    const before = await standing();
    const again = await books.apply(last);
    expect([again.accepted, again.rejected, again.differenceWon]).toEqual([0n, 0n, 0n]);
    expect(await standing()).toEqual(before);
  }
  return { stands: await standing(), wonByMerchant: await won() };
}

const standing = () =>
  books.texts(
    `select concat_ws(' ', status, accepted_won, status_reason) as text from claim_status where provider_tid like $1
      order by provider_tid, cancel_seq`,
    [`R${run}-%`],
  );

/** What a merchant has, less what it owes. */
async function won(): Promise<Map<string, bigint>> {
  const rows = await books.rows(
    `select substr(owner, position('-' in owner) + 1) as merchant, sum(balance_won)::bigint as won from ledger_account
      where owner like $1 group by 1 having sum(balance_won) <> 0 order by 1`,
    [`R${run}-M%`],
  );
  return new Map(rows.map((row) => [row.merchant, row.won]));
}

const saying = fc.constantFrom(...sayings);
const pair = fc.record({
  approval: fc.oneof({ weight: 2, arbitrary: fc.constant('exact' as const) }, { weight: 3, arbitrary: saying }),
  cancel: fc.option(saying, { nil: undefined }),
  merchant: fc.integer({ min: 1, max: 3 }),
});

test('every claim ends in one place, in any order of the answers, as a whole or in parts, applied once or twice, and the ledger agrees', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(pair, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
      fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
      async (pairs, order, other) => {
        const one = await play(books, pairs, order, 2);
        expect(one.stands).toEqual(pairs.flatMap(modelOf));
        const expected = new Map<string, bigint>();
        for (const each of pairs) {
          for (const end of modelOf(each)) {
            const [, amount] = /^(?:paid|clawed_back) (-?\d+)$/.exec(end) ?? [];
            const merchant = `M${each.merchant}`;
            expected.set(merchant, (expected.get(merchant) ?? 0n) + BigInt(amount ?? 0));
          }
        }
        const moved = new Map([...expected].filter(([, amount]) => amount !== 0n).sort());
        expect(new Map([...one.wonByMerchant].sort())).toEqual(moved);
        const two = await play(inParts, pairs, other, 1);
        expect(two).toEqual(one);
        expect((await verifyClaims(database.pool)).deviations).toEqual([]);
      },
    ),
    { numRuns: 8 },
  );
}, 240_000);
