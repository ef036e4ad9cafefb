import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { openBatch } from './batch-store.ts';
import { closeSelection, planSelection } from './plan-store.ts';
import { selectPart } from './select-store.ts';
import { createClaimBooks, unregistered } from './selection.fixture.ts';
import { halfOf, type Item, SelectionModel } from './selection-model.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
});
afterAll(() => db.close());

/** The first days of the runs: around each change of half-years and rates, and between them. */
const firstDays = [
  ...['2022-01-29', '2022-04-01', '2022-07-28', '2022-11-01', '2023-01-28', '2023-05-01', '2023-07-29', '2023-11-01'],
  ...['2024-01-29', '2024-05-01', '2024-08-11', '2024-11-01', '2025-02-12', '2025-05-01', '2025-08-12', '2025-11-01'],
];
/** Sales and cancels are traded on the first days, batches are run in any order; then day after day. */
const [tradedMost, shuffled, days] = [4, 6, 10];
const merchants = ['A', 'B', 'C'];

/** Most comes in before any batch. */
const slot = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(shuffled) });
const when = fc.record({ paid: slot, captured: slot, traded: fc.nat(2), late: fc.nat(2) });
const cancel = fc.record({
  when,
  share: fc.integer({ min: 10, max: 60 }),
  chargedPpm: fc.constantFrom(0n, 15_000n, 23_000n, 60_000n),
});
const sale = fc.record({
  when,
  won: fc.oneof(fc.bigInt(1n, 500n), fc.bigInt(1_000n, 1_000_000n), fc.bigInt(10n ** 11n, 10n ** 12n)),
  chargedPpm: fc.constantFrom(0n, 5_000n, 15_000n, 23_000n, 30_000n),
  merchant: fc.constantFrom(...merchants),
  card: fc.constantFrom(0, 0, 1, 1, 2, 3),
  cancels: fc.array(cancel, { maxLength: 3 }),
  isWhole: fc.constantFrom(true, true, true, false),
  isTwice: fc.boolean(),
});
const history = fc.record({
  sales: fc.array(sale, { minLength: 5, maxLength: 9 }),
  tiers: fc.array(fc.record({ merchant: fc.constantFrom(...merchants), half: fc.nat(1), tier: fc.nat(4), at: slot }), {
    minLength: 9,
    maxLength: 14,
  }),
  /** When each card becomes known: the last never. */
  cards: fc.tuple(fc.constant(0), fc.constant(0), slot),
  order: fc.oneof(fc.constant([0, 1, 2, 3, 4, 5]), fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 })),
  /** Which batches stop after so many parts, and between which others they go on. */
  kills: fc.array(fc.record({ day: fc.nat(5), parts: fc.nat(2), resumed: fc.nat(shuffled) }), { maxLength: 3 }),
  rounding: fc.record({
    fee: fc.constantFrom('floor' as const, 'half_up' as const, 'half_even' as const),
    lastCancel: fc.constantFrom('remainder' as const, 'remainder' as const, 'rate' as const),
  }),
  perPart: fc.constantFrom(5, 1000),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

let runs = 0;
let claims = 0;
test('whatever comes in when, and in whichever order days are selected, each claim is what it is by hand', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (each) => {
      await live(each, runs);
      runs += 1;
    }),
    { numRuns: firstDays.length, endOnFailure: true },
  );
  expect(claims).toBeGreaterThan(40);
}, 120_000);

async function live(each: History, run: number): Promise<void> {
  const first = Temporal.PlainDate.from(firstDays[run] as string);
  const dayOf = (day: number) => first.add({ days: day }).toString();
  const provider = unregistered('ksnet', each.rounding);
  const model = new SelectionModel({ dayOf, ...each.rounding, lookBack: 14 });
  const [nameOf, bins] = [(m: string) => `${m}${run}`, [0, 1, 2, 3].map((n) => String(400_000 + run * 10 + n))];
  for (const [n, m] of merchants.entries()) await books.merchant(nameOf(m), {}, String(2_000_000_000 + run * 10 + n));
  const items = each.sales.flatMap((s, n) => itemsOf(s, `R${run}-${n}`, nameOf(s.merchant), bins[s.card] as string));
  const open = new Map<number, { batchId: bigint; parts: number; done: number }>();

  const begin = async (day: number) => {
    const { batchId } = await inTransaction(db.pool, (tx) =>
      openBatch(tx, { provider, on: dayOf(day), runId: `differential:ksnet:${dayOf(day)}`, who: 'test' }),
    );
    const parts = await inTransaction(db.pool, (tx) => planSelection(tx, batchId, provider, each.perPart));
    model.plan(day);
    open.set(day, { batchId, parts, done: 0 });
  };
  const goOn = async (day: number, upTo?: number) => {
    const batch = open.get(day);
    if (batch === undefined) return;
    const { batchId, parts } = batch;
    const last = Math.min(parts, upTo ?? parts);
    for (; batch.done < last; batch.done += 1) {
      const part = batch.done;
      await inTransaction(db.pool, (tx) => selectPart(tx, { batchId, provider, part, parts }));
      const partOf = await partsOf(items, parts);
      model.select(day, (tid) => partOf.get(tid) === part);
    }
    if (upTo !== undefined) return;
    await inTransaction(db.pool, (tx) => closeSelection(tx, batchId, provider));
    model.close(day);
    open.delete(day);
  };

  const halves = [halfOf(dayOf(0)), halfOf(dayOf(tradedMost))] as const;
  for (let at = 0; at <= shuffled; at += 1) {
    for (const { merchant, half, tier } of each.tiers.filter((t) => t.at === at)) {
      const businessNo = String(2_000_000_000 + run * 10 + merchants.indexOf(merchant));
      await books.tier(businessNo, halves[half] as string, tier);
      model.learnTier(nameOf(merchant), halves[half] as string, tier);
    }
    for (const [n, known] of each.cards.entries()) {
      if (known !== at) continue;
      await books.card(bins[n] as string, n === 1 ? 'K' : 'C');
      model.cards.set(bins[n] as string, n === 1 ? 'K' : 'C');
    }
    for (const { item, paid, captured, again } of items) {
      if (paid === at) await put(item, dayOf, { captures: false });
      if (paid === at) model.pay(item);
      if (captured === at) await put(item, dayOf, { paid: false });
      if (captured === at) model.capture(item, item.captured);
      if (again !== undefined && captured === at) {
        await put({ ...item, captured: again }, dayOf, { paid: false });
        model.capture(item, again);
      }
    }
    for (const kill of each.kills) if (kill.resumed === at) await goOn(kill.day);
    const day = each.order[at];
    if (day === undefined) continue;
    await begin(day);
    await goOn(day, each.kills.find((kill) => kill.day === day)?.parts);
  }
  for (const day of [...open.keys()]) await goOn(day);
  for (let day = shuffled; day < days; day += 1) {
    await begin(day);
    await goOn(day);
  }
  expect(await books.claims(`provider_tid like 'R${run}-%'`)).toEqual(model.lines());
  claims += model.claims.size;
  await expectLaws(run, each.rounding.lastCancel);
}

type Timed = { readonly item: Item; readonly paid: number; readonly captured: number; readonly again?: number };

/** A sale with its cancels, of which the last leaves nothing where it is taken back whole. */
function itemsOf(s: History['sales'][number], tid: string, merchant: string, bin: string): Timed[] {
  const traded = Math.min(s.when.traded, tradedMost);
  const charged = (won: bigint, ppm: bigint) => (((won * ppm) / 1_000_000n) * 11n) / 10n;
  const of = { tid, merchant, bin };
  const sold: Item = {
    ...{ ...of, seq: 0, type: 'A', wonSigned: s.won, chargedWon: charged(s.won, s.chargedPpm) },
    ...{ traded, captured: traded + s.when.late },
  };
  const again = s.isTwice ? { again: sold.captured + 1 } : {};
  const timed: Timed[] = [{ item: sold, paid: s.when.paid, captured: s.when.captured, ...again }];
  let left = s.won;
  for (const [n, c] of s.cancels.entries()) {
    const isLast = n === s.cancels.length - 1;
    const won = isLast && s.isWhole ? left : (left * BigInt(c.share)) / 101n;
    if (won === 0n) continue;
    left -= won;
    const on = Math.min(traded + c.when.traded + n, tradedMost + 1);
    const item: Item = {
      ...{
        ...of,
        seq: n + 1,
        type: won === s.won ? 'C' : 'P',
        wonSigned: -won,
        chargedWon: -charged(won, c.chargedPpm),
      },
      ...{ traded: on, captured: on + c.when.late },
    };
    timed.push({ item, paid: c.when.paid, captured: c.when.captured });
  }
  return timed;
}

async function put(
  item: Item,
  dayOf: (day: number) => string,
  what: { paid?: false; captures?: false },
): Promise<void> {
  const { tid, seq, type, wonSigned: won, chargedWon: fee, merchant, bin: card } = item;
  const [on, captured] = [dayOf(item.traded), dayOf(item.captured)];
  await books.sales([
    { tid, seq, type, won, fee, vat: 0, on, captured, merchant, card, mid: `MID-${merchant}`, ...what },
  ]);
}

async function partsOf(items: readonly Timed[], parts: number): Promise<Map<string, number>> {
  const { rows } = await db.pool.query<{ tid: string; part: string }>(
    `select tid, (hashtextextended(tid, 0) & 1073741823) % $2 as part from unnest($1::text[]) tid`,
    [items.map(({ item }) => item.tid), parts],
  );
  return new Map(rows.map(({ tid, part }) => [tid, Number(part)]));
}

/** No claim without a file that is written with it, and cancels never take back more than was claimed. */
async function expectLaws(run: number, lastCancel: string): Promise<void> {
  const { rows: lost } = await db.pool.query(
    `select provider_tid, cancel_seq from claim c
      where provider_tid like 'R${run}-%' and state = 'P'
        and (not exists (select from differential_file_number n
                          where n.file_id = c.file_id and n.batch_id = c.batch_id and n.mid = c.mid)
             or not exists (select from differential_day d where d.batch_id = c.batch_id and d.channel = c.channel
                               and d.traded_on = c.traded_on))`,
  );
  expect(lost).toEqual([]);
  const { rows: wrong } = await db.pool.query(
    `select provider_tid, sum(difference_won) as left_won
       from claim c where provider_tid like 'R${run}-%' and state = 'P' group by 1
     having sum(difference_won) < 0
         or ($1 and sum(c.amount_won) = 0 and sum(difference_won) <> 0)`,
    [lastCancel === 'remainder'],
  );
  expect(wrong).toEqual([]);
}
