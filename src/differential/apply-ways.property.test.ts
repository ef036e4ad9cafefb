// However an answer is applied, it comes to the same: as a whole or in parts, its plain lines as a set or each looked at, and
// lines that are said twice told by the reader or looked for.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import type { AnswerStage } from './answer-store.ts';
import { type AnswerBooks, countsText, createAnswerBooks, type SaidLine } from './answers.fixture.ts';
import { partialCancel } from './verified-books.fixture.ts';
import { verifyClaims } from './verify-store.ts';

const linesPerPart = 3;
/** Which TIDs the reader says are repeated, of those that it says: none are known where they are too many. */
const ways = {
  'as a whole': {},
  'in parts': { linesPerPart },
  'in parts, repeats looked for': { linesPerPart, repeats: () => null },
  'line by line': { repeats: (tids: readonly string[]) => tids },
} as const;
type Way = { readonly name: string; readonly database: TestDatabase; readonly books: AnswerBooks };

let all: Way[];
beforeAll(async () => {
  all = await Promise.all(
    Object.entries(ways).map(async ([name, way]) => {
      const database = await testDatabase();
      const books = createAnswerBooks(database.pool, 'welcome', way);
      await books.rows(`
        create table refused (merchant_id text);
        create function refuse_some() returns trigger language plpgsql as $$
        begin
          if exists (select from refused where new.event like '%:' || merchant_id) then
            raise exception 'no entry for %', new.event using errcode = 'check_violation';
          end if;
          return new;
        end $$;
        create trigger refuse_some before insert on ledger_entry for each row execute function refuse_some()`);
      return { name, database, books };
    }),
  );
}, 60_000);
afterAll(async () => {
  for (const { books, database } of all) {
    books.close();
    await database.close();
  }
});

const sayings = [
  'accepted',
  'more',
  'less',
  'split',
  'other tier',
  'not small',
  'correct',
  'final',
  'unknown',
  'amount',
  'impossible',
  'none',
  'twice',
  'thrice',
  'contradicted',
] as const;
type Saying = (typeof sayings)[number];
/** A sale with its cancels: none, all of it, or several parts; with the sale's file or the next. */
type Sale = {
  readonly merchant: number;
  readonly cancels: 'none' | 'whole' | 'part' | 'parts';
  readonly isLater: boolean;
  /** Of Welcome's other channel, which makes the reader's word of no use: two claims may have one line. */
  readonly isOffline: boolean;
};
type Step =
  | { readonly do: 'resend' }
  | {
      readonly do: 'answer';
      readonly file: 0 | 1 | 2;
      readonly stage: AnswerStage;
      readonly says: readonly Saying[];
      readonly refused: number;
      readonly isReversed: boolean;
    };

const saying = fc.oneof(
  { weight: 3, arbitrary: fc.constant('accepted' as const) },
  { weight: 2, arbitrary: fc.constantFrom(...sayings) },
);
const sale: fc.Arbitrary<Sale> = fc.record({
  merchant: fc.integer({ min: 1, max: 4 }),
  cancels: fc.constantFrom('none', 'whole', 'part', 'parts'),
  isLater: fc.boolean(),
  isOffline: fc.constantFrom(false, false, false, true),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ do: 'resend' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      file: fc.constantFrom(0, 0, 1, 2),
      stage: fc.constantFrom('answer', 'answer', 'answer', 'validation'),
      says: fc.array(saying, { minLength: 7, maxLength: 7 }),
      refused: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
      ),
      isReversed: fc.boolean(),
    }),
  },
);

/** A claim as its lines echo it; of an approval of 10,000 won 176 are claimed. */
type Claimed = {
  readonly tid: string;
  readonly seq: number;
  readonly file: 0 | 1;
  readonly amountWon: bigint;
  readonly won: bigint;
};

function linesOf({ tid, seq, amountWon, won }: Claimed, on: string, said: Saying): SaidLine[] {
  const line = { tid, seq, amountWon, won, tradedOn: on };
  const sign = seq === 0 ? 1n : -1n;
  switch (said) {
    case 'accepted':
      return [line];
    case 'more':
      return [{ ...line, won: won + sign }];
    case 'less':
      return [{ ...line, won: won - sign }];
    case 'split':
      return [{ ...line, supplyWon: won }];
    case 'other tier':
      return [{ ...line, tier: '2', cardType: '1' }];
    case 'not small':
      return [{ ...line, tier: '4' }];
    case 'correct':
      return [{ ...line, won: null, code: '09' }];
    case 'final':
      return [{ ...line, won: null, code: '13' }];
    case 'unknown':
      return [{ ...line, code: 'Z9' }];
    case 'amount':
      return [{ ...line, amountWon: amountWon + sign }];
    case 'impossible':
      return [{ ...line, won: -won }];
    case 'none':
      return [];
    case 'twice':
      return [line, line];
    case 'thrice':
      return [line, line, line];
    case 'contradicted':
      return [line, { ...line, code: '01' }];
  }
}

let run = 0;
/** Days of their own: no claim of another run is of them. */
const dayOf = (n: number) =>
  Temporal.PlainDate.from('2026-01-01')
    .add({ days: 3 * run + n })
    .toString();

type World = { readonly files: Awaited<ReturnType<AnswerBooks['file']>>[]; readonly claims: Claimed[] };

async function create(books: AnswerBooks, sales: readonly Sale[]): Promise<World> {
  const files = [await books.file(dayOf(0)), await books.file(dayOf(1)), await books.file(dayOf(2))];
  const claims: Claimed[] = [];
  for (const [n, { merchant, cancels, isLater, isOffline }] of sales.entries()) {
    const [tid, merchantId] = [`R${run}-${n}`, `R${run}-M${merchant}`];
    const channel = isOffline ? 'welcome-offline' : 'welcome-online';
    const [first, second] = files as [World['files'][0], World['files'][0]];
    await books.claim(first, { tid, merchantId, channel });
    claims.push({ tid, seq: 0, file: 0, amountWon: 10_000n, won: 176n });
    const file = isLater ? 1 : 0;
    for (let seq = 1; seq <= { none: 0, whole: 1, part: 1, parts: 3 }[cancels]; seq += 1) {
      const own = {
        tid,
        seq,
        merchantId,
        channel,
        originalOn: first.on,
        ...(cancels === 'whole' ? {} : partialCancel),
      };
      await books.cancel(file === 1 ? second : first, own);
      const [amountWon, won] = cancels === 'whole' ? [-10_000n, -176n] : [-3_000n, -53n];
      claims.push({ tid, seq, file, amountWon, won });
    }
  }
  await books.rows(`insert into settlement_hold (merchant_id, reason, placed_by) values ($1, 'complaint', 'kim')`, [
    `R${run}-M3`,
  ]);
  return { files, claims };
}

/** As a person and the next batch do: what may be corrected goes with the third file, an attempt more. */
async function resend(books: AnswerBooks, { files }: World): Promise<void> {
  const [, , third] = files;
  const which = `state = 'R' and reason = 'welcome:09' and provider_tid like 'R${run}-%'`;
  await books.rows(`
    insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason, detail)
    select channel, traded_on, provider_tid, cancel_seq, kind, 'kim', 'queued', reason,
           jsonb_build_object('fileId', file_id, 'attempt', attempt) from claim where ${which}`);
  await books.rows(
    `insert into differential_day select distinct $1::bigint, channel, traded_on from claim where ${which} on conflict do nothing`,
    [third?.batchId],
  );
  await books.rows(
    `update claim set state = 'P', reason = null, attempt = attempt + 1, file_id = $1, batch_id = $2 where ${which}`,
    [third?.fileId, third?.batchId],
  );
}

async function take(books: AnswerBooks, world: World, step: Step): Promise<string> {
  if (step.do === 'resend') {
    await resend(books, world);
    return 'resent';
  }
  const { file, stage, says, refused, isReversed } = step;
  await books.rows('delete from refused');
  if (refused > 0) await books.rows('insert into refused values ($1)', [`R${run}-M${refused}`]);
  const lines = world.claims
    .filter((claim) => file === 2 || claim.file === file)
    .flatMap((claim, n) => linesOf(claim, world.files[claim.file]?.on ?? '', says[n % says.length] ?? 'none'));
  if (lines.length === 0) return 'nothing';
  const target = world.files[file];
  if (target === undefined) return 'nothing';
  return countsText(await books.answer(target, isReversed ? lines.reverse() : lines, stage));
}

/** All that is of the run, without the numbers that rows happen to get. */
async function whatIs(books: AnswerBooks): Promise<Record<string, string[]>> {
  const own = `provider_tid like 'R${run}-%'`;
  const rows = (table: string, without: string, where = own) =>
    books.texts(`select (to_jsonb(t) - array[${without}])::text as text from ${table} t where ${where} order by 1`);
  return {
    claims: await rows('claim_status', `'sent_at'`),
    results: await rows('claim_result', `''`),
    revisions: await rows('claim_revision', `'revision_id', 'revised_at'`),
    rejections: await rows('claim_rejection', `'rejected_at'`),
    events: await rows('claim_event', `'event_id', 'at'`),
    breaks: await rows('claim_break', `'break_id', 'opened_at', 'closed_at'`),
    refunds: await rows('claim_refund', `''`, `merchant_id like 'R${run}-%'`),
    balances: await rows('ledger_account', `''`, `owner like 'R${run}-%'`),
  };
}

test('an answer comes to the same, whichever way it is applied', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sale, { minLength: 1, maxLength: 4 }),
      fc.array(step, { minLength: 2, maxLength: 5 }),
      async (sales, steps) => {
        run += 1;
        const lives = await Promise.all(
          all.map(async ({ name, books }) => {
            const world = await create(books, sales);
            const came = [];
            for (const step of steps) came.push({ counts: await take(books, world, step), ...(await whatIs(books)) });
            return { name, came };
          }),
        );
        const [first] = lives;
        for (const { name, came } of lives) expect({ name, came }).toEqual({ name, came: first?.came });
        for (const { database } of all.slice(0, 2)) {
          expect((await verifyClaims(database.pool)).deviations).toEqual([]);
        }
      },
    ),
    { numRuns: 10 },
  );
}, 600_000);
