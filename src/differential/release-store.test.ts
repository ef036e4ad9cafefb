import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import { createClaimBooks, unregistered } from './selection.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
const ksnet = unregistered('ksnet');

beforeAll(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
  await books.merchant('M1', { '2026H1': 1, '2026H2': 1 });
});
afterAll(() => db.close());

/** 10,000 won charged 253: 110 preferential, 143 claimed; of a check card 83 and 170. */
const sale = (tid: string, on: string) => ({ tid, won: 10_000, fee: 230, vat: 23, on });
const cancel = (tid: string, on: string, seq: number, won: number, fee: number, vat: number) => ({
  ...{ tid, on, seq, won: -won, fee: -fee, vat: -vat, type: 'P' as const },
});
const fileOf = async (tid: string): Promise<unknown[]> =>
  (
    await db.pool.query(
      'select file_id is not null as filed, batch_id from claim where provider_tid = $1 order by cancel_seq',
      [tid],
    )
  ).rows;

test('a claim of an unknown card waits, with its cancels, until the card is known', async () => {
  await books.sales([
    { ...sale('CARD', '2026-09-01'), card: '999999' },
    { ...cancel('CARD', '2026-09-01', 1, 3_000, 69, 6), card: '999999' },
  ]);
  expect(await books.select(ksnet, '2026-09-01')).toMatchObject({ claims: 2n, held: 2n, differenceWon: 0n });
  await books.sales([{ ...cancel('CARD', '2026-09-02', 2, 7_000, 161, 16), card: '999999' }]);
  await books.select(ksnet, '2026-09-02');
  expect(await books.claims(`provider_tid = 'CARD'`)).toEqual([
    'CARD/0 H 1? - - card_type_unknown',
    'CARD/1 H 1? - - original_held',
    'CARD/2 H 1? - - original_held',
  ]);
  // 0.75 %: 75 + 7.5 → 83, 170 claimed. 3,000: 22.5 → 23 + 2 = 25 of 75: 50. What remains is 120.
  await books.card('999999', 'K');
  const { batchId } = await books.select(ksnet, '2026-09-03');
  expect(await books.claims(`provider_tid = 'CARD'`)).toEqual([
    'CARD/0 P 1K 7500 83 170 R',
    'CARD/1 P 1K 7500 -25 -50 R',
    'CARD/2 P 1K 7500 -58 -120 M',
  ]);
  expect(await fileOf('CARD')).toEqual(Array(3).fill({ filed: true, batch_id: batchId }));
  expect(await books.events()).toEqual([
    'CARD/0 held card_type_unknown',
    'CARD/1 held original_held',
    'CARD/2 held original_held',
    'CARD/0 released card_type_unknown',
    'CARD/1 released original_held',
    'CARD/2 released original_held',
  ]);
});

test('a claim that turns out to be none once its card is known ends there', async () => {
  await books.sales([{ ...sale('NONE', '2026-09-04'), fee: 100, vat: 10, card: '888888' }]);
  await books.select(ksnet, '2026-09-04');
  await books.card('888888', 'C');
  await books.sales([{ ...cancel('NONE', '2026-09-05', 1, 3_000, 30, 3), card: '888888' }]);
  await books.select(ksnet, '2026-09-05');
  await books.select(ksnet, '2026-09-06');
  expect(await books.claims(`provider_tid = 'NONE'`)).toEqual([
    'NONE/0 X 1C 10000 110 0 R not_overcharged',
    'NONE/1 X 1C 10000 -33 0 R not_overcharged',
  ]);
});

/** Registers a merchant with a card company. */
async function register(merchantId: string, acquirer: string): Promise<void> {
  await db.pool.query(
    `with file as (
       insert into claim_file (provider, kind, on_day, mid, file_name, state, lines, amount_won, difference_won, bytes, sha256,
         archive_path) values ('ksnet', 'registration', '2026-09-10', $1, 'r' || $1, 'answered', 1, 0, 0, 1, repeat('0', 64), 'x')
       returning file_id)
     insert into registration (provider, merchant_id, acquirer, action, final_no, shop_name, state, file_id, requested_by)
     select 'ksnet', $1, $2, 'N', '1234567891', $1, 'accepted', file_id, 'test' from file`,
    [merchantId, acquirer],
  );
}

test('a claim for who is not registered waits until registered', async () => {
  const own = differentialProviderOf('ksnet');
  await books.sales([{ ...sale('REG', '2026-09-10'), acquirer: '07' }, cancel('REG', '2026-09-10', 1, 3_000, 69, 6)]);
  expect(await books.select(own, '2026-09-10')).toMatchObject({ claims: 2n, held: 2n, differenceWon: 101n });
  expect(await books.claims(`provider_tid = 'REG'`)).toEqual([
    'REG/0 H 1C 10000 110 143 R not_registered',
    'REG/1 H 1C 10000 -33 -42 R original_held',
  ]);
  await register('M1', '07');
  await books.select(own, '2026-09-11');
  // The sale may go; its cancel was at another card company, where the merchant is not registered.
  expect(await books.claims(`provider_tid = 'REG'`)).toEqual([
    'REG/0 P 1C 10000 110 143 R',
    'REG/1 H 1C 10000 -33 -42 R not_registered',
  ]);
});

test('who is registered still, but not small any more, has the cancels of sales claimed from when it was', async () => {
  const own = differentialProviderOf('ksnet');
  await books.merchant('LARGE', { '2026H1': 1, '2026H2': 4 }, '2208162517');
  await register('LARGE', '04');
  await books.sales([{ ...sale('WAS', '2026-07-20'), merchant: 'LARGE' }]);
  await books.select(own, '2026-07-20');
  await books.sales([
    { ...cancel('WAS', '2026-09-12', 1, 10_000, 230, 23), merchant: 'LARGE' },
    { ...sale('NOW', '2026-09-12'), merchant: 'LARGE' },
  ]);
  expect(await books.select(own, '2026-09-12')).toMatchObject({ claims: 1n, held: 0n, ineligible: 1n });
  expect(await books.claims(`merchant_id = 'LARGE'`)).toEqual([
    'WAS/0 P 1C 10000 110 143 R',
    'WAS/1 P 1C 10000 -110 -143 R',
  ]);
});

test('what was queued goes with the batch, and a cancel with its approval that was rejected', async () => {
  await books.sales([sale('AGAIN', '2026-09-15')]);
  const first = await books.select(ksnet, '2026-09-15');
  await db.pool.query(`update claim set state = 'R', reason = 'ksnet:09' where provider_tid = 'AGAIN'`);
  await books.sales([cancel('AGAIN', '2026-09-16', 1, 10_000, 230, 23)]);
  await books.select(ksnet, '2026-09-16');
  expect(await books.claims(`provider_tid = 'AGAIN'`)).toEqual([
    'AGAIN/0 R 1C 10000 110 143 R ksnet:09',
    'AGAIN/1 H 1C 10000 -110 -143 R original_rejected',
  ]);
  await db.pool.query(
    `update claim set state = 'Q', reason = null, attempt = 2 where provider_tid = 'AGAIN' and cancel_seq = 0`,
  );
  const { batchId } = await books.select(ksnet, '2026-09-17');
  expect(batchId).not.toBe(first.batchId);
  expect(await books.claims(`provider_tid = 'AGAIN'`)).toEqual([
    'AGAIN/0 P 1C 10000 110 143 R',
    'AGAIN/1 P 1C 10000 -110 -143 R',
  ]);
  expect(await fileOf('AGAIN')).toEqual(Array(2).fill({ filed: true, batch_id: batchId }));
});

test('a sale that is too old is held and brought to a person', async () => {
  await books.sales([{ ...sale('OLD', '2026-03-01'), captured: '2026-09-20' }]);
  await books.select(ksnet, '2026-09-20');
  expect(await books.claims(`provider_tid = 'OLD'`)).toEqual(['OLD/0 H 1C 10000 110 143 R too_old']);
  const [finding] = await listFindings(db.pool, { kind: 'differential_too_old' });
  expect(finding).toMatchObject({ subject: 'ksnet:2026-09-20', detail: { claims: '1', differenceWon: '143' } });
});

test('what was held for so long that it is too old is brought to a person, too', async () => {
  await books.sales([{ ...sale('AGED', '2026-05-01'), card: '777777' }]);
  await books.select(ksnet, '2026-05-01');
  await books.card('777777', 'C');
  await books.select(ksnet, '2026-09-21');
  expect(await books.claims(`provider_tid = 'AGED'`)).toEqual(['AGED/0 H 1C 10000 110 143 R too_old']);
  const found = await listFindings(db.pool, { kind: 'differential_too_old', subject: 'ksnet:2026-09-21' });
  expect(found).toMatchObject([{ detail: { claims: '1', differenceWon: '143' } }]);
});

test('captures that come in after their day was looked at, and tiers that are learned then, are claimed by the next batch', async () => {
  await books.merchant('M2', {}, '1048100994');
  await books.sales([sale('DAY', '2026-09-25'), { ...sale('TIER', '2026-09-25'), merchant: 'M2' }]);
  expect(await books.select(ksnet, '2026-09-25')).toMatchObject({ candidates: 2n, claims: 1n, ineligible: 1n });
  await books.sales([sale('LATE', '2026-09-25')]);
  expect(await books.select(ksnet, '2026-09-26')).toMatchObject({ claims: 1n });
  await books.tier('1048100994', '2026H2', 0);
  expect(await books.select(ksnet, '2026-09-27')).toMatchObject({ claims: 1n });
  expect(await books.claims(`traded_on = '2026-09-25'`)).toEqual([
    'DAY/0 P 1C 10000 110 143 R',
    'LATE/0 P 1C 10000 110 143 R',
    'TIER/0 P 0C 4000 44 209 R',
  ]);
});

test('a tier that is corrected after the sale was claimed changes no claim, and its cancel goes by the claim', async () => {
  await books.merchant('M3', { '2026H2': 1 }, '1018100995');
  await books.sales([{ ...sale('WRONG', '2026-10-01'), merchant: 'M3' }]);
  await books.select(ksnet, '2026-10-01');
  await books.tier('1018100995', '2026H2', 3);
  await books.sales([
    { ...cancel('WRONG', '2026-10-02', 1, 10_000, 230, 23), merchant: 'M3' },
    { ...sale('RIGHT', '2026-10-02'), merchant: 'M3' },
  ]);
  await books.select(ksnet, '2026-10-02');
  // 중소3 is 1.45 %: 145 + 14.5 → 160.
  expect(await books.claims(`merchant_id = 'M3'`)).toEqual([
    'RIGHT/0 P 3C 14500 160 93 R',
    'WRONG/0 P 1C 10000 110 143 R',
    'WRONG/1 P 1C 10000 -110 -143 R',
  ]);
});

test('a payment that comes in after its capture is claimed then', async () => {
  await books.sales([{ ...sale('UNPAID', '2026-10-05'), paid: false }]);
  expect(await books.select(ksnet, '2026-10-05')).toMatchObject({ candidates: 1n, claims: 0n });
  await books.sales([{ ...sale('UNPAID', '2026-10-05'), captures: false }]);
  await books.select(ksnet, '2026-10-06');
  expect(await books.claims(`provider_tid = 'UNPAID'`)).toEqual(['UNPAID/0 P 1C 10000 110 143 R']);
});

test('parts that are selected at the same time, and again, claim everything once', async () => {
  const tids = Array.from({ length: 60 }, (_, n) => `PART${n}`);
  await books.sales(tids.flatMap((tid) => [sale(tid, '2026-10-10'), cancel(tid, '2026-10-10', 1, 3_000, 69, 6)]));
  const counts = await books.select(ksnet, '2026-10-10', 20);
  expect(counts).toMatchObject({ parts: 6, candidates: 120n, claims: 120n, differenceWon: 60n * (143n - 42n) });
  expect(await books.select(ksnet, '2026-10-10', 20)).toEqual(counts);
  // A capture of a transaction that was claimed before is looked at and nothing else.
  await books.sales([{ ...sale('PART1', '2026-10-10'), captured: '2026-10-11', paid: false }]);
  expect(await books.select(ksnet, '2026-10-11')).toMatchObject({ candidates: 1n, claims: 0n });
});

test('two batches that look at the same late captures at the same time claim them once', async () => {
  const tids = Array.from({ length: 30 }, (_, n) => `BOTH${n}`);
  await books.select(ksnet, '2026-10-20');
  await books.sales(tids.flatMap((tid) => [sale(tid, '2026-10-20'), cancel(tid, '2026-10-20', 1, 3_000, 69, 6)]));
  await Promise.all([books.select(ksnet, '2026-10-21', 10), books.select(ksnet, '2026-10-22', 10)]);
  const { rows } = await db.pool.query(
    `select count(*)::int as claims, sum(difference_won)::int as won from claim where provider_tid like 'BOTH%'`,
  );
  expect(rows).toEqual([{ claims: 60, won: 30 * (143 - 42) }]);
});
