// Batches that fail, overlap, or come in another order than their days, and facts that come in while they are selected.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { failBatch } from './batch-end-store.ts';
import { openBatch } from './batch-store.ts';
import { closeSelection, planSelection } from './plan-store.ts';
import { selectPart } from './select-store.ts';
import { createClaimBooks, unregistered } from './selection.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
const provider = unregistered('ksnet');

beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
  await books.merchant('M1', { '2026H1': 1, '2026H2': 1 });
});
afterAll(() => db.close());

/** 10,000 won charged 253: 110 preferential, 143 claimed; 3,000 of it are 42, and 101 remain. */
const sale = (tid: string, on: string) => ({ tid, won: 10_000, fee: 230, vat: 23, on });
const cancel = (tid: string, on: string, seq = 1, won = 10_000, fee = 230, vat = 23) => ({
  ...{ tid, on, seq, won: -won, fee: -fee, vat: -vat, type: won === 10_000 ? ('C' as const) : ('P' as const) },
});

/** The steps of a selection, one by one. */
async function open(on: string): Promise<bigint> {
  const { batchId } = await inTransaction(db.pool, (tx) =>
    openBatch(tx, { provider, on, runId: `differential:ksnet:${on}`, who: 'test' }),
  );
  return batchId;
}
const plan = (batchId: bigint) => inTransaction(db.pool, (tx) => planSelection(tx, batchId, provider, 200_000));
const part = (batchId: bigint) =>
  inTransaction(db.pool, (tx) => selectPart(tx, { batchId, provider, part: 0, parts: 1 }));
const close = (batchId: bigint) => inTransaction(db.pool, (tx) => closeSelection(tx, batchId, provider));

/** Claims that no file will ever hold: on their way, but of no file, or of a day where nobody looks for its claims. */
async function lostClaims(): Promise<unknown[]> {
  const { rows } = await db.pool.query(
    `select provider_tid, cancel_seq from claim c
      where state = 'P' and (not exists (select from differential_file_number n
                                          where n.file_id = c.file_id and n.batch_id = c.batch_id and n.mid = c.mid)
             or not exists (select from differential_day d where d.batch_id = c.batch_id and d.channel = c.channel
                               and d.traded_on = c.traded_on))`,
  );
  return rows;
}

test('a selection that failed before its end is ended when the run goes on', async () => {
  await books.sales([{ ...sale('HELD', '2026-09-01'), card: '999999' }]);
  await books.select(provider, '2026-09-01');
  await books.card('999999', 'C');
  await books.sales([sale('FAIL', '2026-09-02')]);
  const batchId = await open('2026-09-02');
  await plan(batchId);
  await part(batchId);
  await inTransaction(db.pool, (tx) => failBatch(tx, { provider: 'ksnet', on: '2026-09-02', reason: 'no space' }));
  expect(await close(batchId)).toMatchObject({ candidates: 1n, claims: 1n, differenceWon: 143n });
  expect(await books.claims(`provider_tid in ('HELD', 'FAIL')`)).toEqual([
    'FAIL/0 P 1C 10000 110 143 R',
    'HELD/0 P 1C 10000 110 143 R',
  ]);
  const { rows } = await db.pool.query('select state, reason from differential_batch where batch_id = $1', [batchId]);
  expect(rows).toEqual([{ state: 'selected', reason: null }]);
});

test('what comes in between the plan and the selection, of another day or MID, is left to the next batch', async () => {
  await books.sales([sale('SEEN', '2026-09-05')]);
  const batchId = await open('2026-09-05');
  await plan(batchId);
  await books.sales([
    { ...sale('OTHERDAY', '2026-09-03'), captured: '2026-09-05' },
    { ...sale('OTHERMID', '2026-09-05'), mid: 'MID2' },
  ]);
  await part(batchId);
  await close(batchId);
  expect(await books.claims(`provider_tid in ('SEEN', 'OTHERDAY', 'OTHERMID')`)).toEqual([
    'SEEN/0 P 1C 10000 110 143 R',
  ]);
  await books.select(provider, '2026-09-06');
  expect(await books.claims(`provider_tid in ('SEEN', 'OTHERDAY', 'OTHERMID')`)).toHaveLength(3);
  expect(await lostClaims()).toEqual([]);
});

test('what another batch puts down as waiting in between waits for the next', async () => {
  const later = await open('2026-09-09');
  await plan(later);
  await books.sales([{ ...sale('WAITS', '2026-09-08'), mid: 'MID3', paid: false }]);
  await books.select(provider, '2026-09-08');
  await books.sales([{ ...sale('WAITS', '2026-09-08'), mid: 'MID3', captures: false }]);
  await part(later);
  await close(later);
  expect(await lostClaims()).toEqual([]);
  await books.select(provider, '2026-09-10');
  expect(await books.claims(`provider_tid = 'WAITS'`)).toEqual(['WAITS/0 P 1C 10000 110 143 R']);
  expect(await lostClaims()).toEqual([]);
});

test('a cancel waits while the payment of its approval is missing', async () => {
  await books.sales([{ ...sale('HALF', '2026-09-12'), paid: false }, cancel('HALF', '2026-09-12')]);
  await books.select(provider, '2026-09-12');
  await books.sales([{ ...sale('HALF', '2026-09-12'), captures: false }]);
  await books.select(provider, '2026-09-13');
  expect(await books.claims(`provider_tid = 'HALF'`)).toEqual([
    'HALF/0 P 1C 10000 110 143 R',
    'HALF/1 P 1C 10000 -110 -143 R',
  ]);
});

test('a cancel waits for a batch that has been planned and not selected', async () => {
  await books.sales([sale('KILLED', '2026-09-15'), cancel('KILLED', '2026-09-16')]);
  const killed = await open('2026-09-15');
  await plan(killed);
  await books.select(provider, '2026-09-16');
  expect(await books.claims(`provider_tid = 'KILLED'`)).toEqual([]);
  await part(killed);
  await close(killed);
  await books.select(provider, '2026-09-17');
  expect(await books.claims(`provider_tid = 'KILLED'`)).toEqual([
    'KILLED/0 P 1C 10000 110 143 R',
    'KILLED/1 P 1C 10000 -110 -143 R',
  ]);
});

test('a cancel waits for its sale that came in late, after its own batch was planned', async () => {
  await books.sales([sale('OTHER', '2026-09-20')]);
  await books.select(provider, '2026-09-20');
  await books.sales([{ ...cancel('LATER', '2026-09-20'), captured: '2026-09-21' }]);
  const batchId = await open('2026-09-21');
  await plan(batchId);
  await books.sales([sale('LATER', '2026-09-20')]);
  await part(batchId);
  await close(batchId);
  await books.select(provider, '2026-09-22');
  expect(await books.claims(`provider_tid = 'LATER'`)).toEqual([
    'LATER/0 P 1C 10000 110 143 R',
    'LATER/1 P 1C 10000 -110 -143 R',
  ]);
});

test('a tier that is learned in the next half-year claims what was captured then of the one before', async () => {
  await books.merchant('M2', {}, '1048100994');
  const sales = [
    { ...sale('BORDER', '2026-08-13'), captured: '2026-08-14', merchant: 'M2' },
    { ...cancel('BORDER', '2026-08-14'), merchant: 'M2' },
  ];
  await books.sales(sales);
  expect(await books.select(provider, '2026-08-14')).toMatchObject({ claims: 0n, ineligible: 2n });
  await books.tier('1048100994', '2026H1', 1);
  await books.select(provider, '2026-08-15');
  expect(await books.claims(`provider_tid = 'BORDER'`)).toEqual([
    'BORDER/0 P 1C 10000 110 143 R',
    'BORDER/1 P 1C 10000 -110 -143 R',
  ]);
});

test('a tier that is written before a batch and committed after it claims with the next', async () => {
  await books.merchant('M3', {}, '1018100995');
  await books.sales([{ ...sale('SLOW', '2026-10-01'), merchant: 'M3' }]);
  await inTransaction(db.pool, async (tx) => {
    await tx.query(
      `insert into merchant_tier (business_no, half, tier, recorded_by) values ('1018100995', '2026H2', 1, 'test')`,
    );
    expect(await books.select(provider, '2026-10-01')).toMatchObject({ ineligible: 1n });
  });
  await books.select(provider, '2026-10-02');
  expect(await books.claims(`provider_tid = 'SLOW'`)).toEqual(['SLOW/0 P 1C 10000 110 143 R']);
});

test('batches that go side by side take no more back than was claimed, and count what they claim', async () => {
  const tids = Array.from({ length: 20 }, (_, n) => `SIDE${n}`);
  await books.sales(tids.map((tid) => sale(tid, '2026-10-10')));
  await books.select(provider, '2026-10-10');
  // 6,000 won, charged 253 again: by the rate 253 − 66 = 187, more than the 143 there are.
  await books.sales(
    tids.flatMap((tid) => [
      cancel(tid, '2026-10-11', 1, 6_000, 230, 23),
      { ...cancel(tid, '2026-10-12', 2, 3_000, 230, 23) },
    ]),
  );
  const counts = await Promise.all(['2026-10-11', '2026-10-12'].map((on) => books.select(provider, on)));
  const { rows } = await db.pool.query(
    `select count(*) filter (where cancel_seq > 0)::int as cancels, sum(difference_won)::int as won
       from claim where provider_tid like 'SIDE%'`,
  );
  expect(rows).toEqual([{ cancels: 20, won: 0 }]);
  expect(counts.reduce((sum, { claims }) => sum + claims, 0n)).toBe(20n);
});

test('the cancel of an approval that is sent again at another tier takes back what that claims', async () => {
  await books.sales([sale('GRADE', '2026-10-15')]);
  await books.select(provider, '2026-10-15');
  await db.pool.query(`update claim set state = 'R', reason = 'ksnet:21' where provider_tid = 'GRADE'`);
  await books.sales([cancel('GRADE', '2026-10-16', 1, 3_000, 69, 6), cancel('GRADE', '2026-10-16', 2, 7_000, 161, 16)]);
  await books.select(provider, '2026-10-16');
  // 중소2, 1.15 %: 115 + 11.5 → 127, and 126 claimed. 3,000: 34.5 → 35 + 3.5 → 39 of 75: 36; 90 remain.
  await db.pool.query(
    `update claim set state = 'Q', reason = null, attempt = 2, tier = 2, rate_ppm = 11500, preferential_won = 127,
            difference_won = 126 where provider_tid = 'GRADE' and cancel_seq = 0`,
  );
  await books.select(provider, '2026-10-17');
  expect(await books.claims(`provider_tid = 'GRADE'`)).toEqual([
    'GRADE/0 P 2C 11500 127 126 R',
    'GRADE/1 P 2C 11500 -39 -36 R',
    'GRADE/2 P 2C 11500 -89 -90 M',
  ]);
});

test('a capture that comes in weeks later is claimed while its trade is not too old', async () => {
  await books.sales([sale('ONTIME', '2026-06-01')]);
  await books.select(provider, '2026-06-01');
  await books.sales([sale('WEEKS', '2026-06-01')]);
  expect(await books.select(provider, '2026-07-06')).toMatchObject({ candidates: 2n, claims: 1n });
  // The same captures are not looked at again.
  expect(await books.select(provider, '2026-07-07')).toMatchObject({ candidates: 0n });
  expect(await books.claims(`provider_tid = 'WEEKS'`)).toEqual(['WEEKS/0 P 1C 10000 110 143 R']);
});
