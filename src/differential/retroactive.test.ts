import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { listFindings } from '../findings/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { openBatch } from './batch-store.ts';
import { planSelection } from './plan-store.ts';
import { addRetroactiveCommand } from './retroactive-commands.ts';
import { approveRefund, proposeRefund } from './retroactive-store.ts';
import { selectPart } from './select-store.ts';
import { createClaimBooks, unregistered } from './selection.fixture.ts';

let db: TestDatabase;
let books: ReturnType<typeof createClaimBooks>;
const ksnet = unregistered('ksnet');
const welcome = unregistered('welcome');
const providers = [ksnet, welcome];
const today = '2026-09-30';

/** 10,000 won charged 253. 중소1: ksnet rounds up, 110, so 143; Welcome's own rounding of these is the same. */
const sale = (tid: string, on: string, merchant = 'NEW') => ({ tid, won: 10_000, fee: 230, vat: 23, on, merchant });

beforeEach(async () => {
  db = await testDatabase();
  books = createClaimBooks(db.pool);
  await books.cards();
  await books.merchant('NEW', { '2026H2': 1 }, '1048100994');
  await books.merchant('OLD', { '2026H2': 1 }, '1018100995');
  await books.merchant('BIG', { '2026H2': 4 }, '2208100016');
  for (const [merchant, opened] of [
    ['NEW', '2026-03-10'],
    ['OLD', '2025-03-10'],
    ['BIG', '2026-03-10'],
  ]) {
    await db.pool.query(
      `insert into sub_merchant (merchant_id, valid_from, opened_on, recorded_by) values ($1, $2, $2, 'test')`,
      [merchant, opened],
    );
  }
  await books.sales([
    sale('BEFORE', '2026-03-09'),
    sale('FIRST', '2026-03-10'),
    { ...sale('WELCOME', '2026-08-13'), channel: 'welcome-online' },
    sale('AFTER', '2026-08-14'),
    sale('PART', '2026-05-01'),
    { ...sale('PART', '2026-05-01'), seq: 1, won: -3_000, fee: -69, vat: -6, type: 'P' },
    // A cancel of the next half-year, of a sale of this one.
    { ...sale('PART', '2026-09-01'), seq: 2, won: -7_000, fee: -161, vat: -16, type: 'P' },
    sale('OTHER', '2026-05-01', 'OLD'),
    sale('LARGE', '2026-05-01', 'BIG'),
  ]);
});
afterEach(() => db.close());

const balances = async (): Promise<string[]> =>
  (
    await db.pool.query(
      `select account || ' ' || balance_won as text from ledger_account where balance_won <> 0 order by 1`,
    )
  ).rows.map(({ text }) => text);

const propose = (by = 'kim') => proposeRefund(db.pool, { half: '2026H1', by, today, providers });
const approve = (refundId: bigint, by = 'lee') => approveRefund(db.pool, { refundId, by, today, providers });

test('what a merchant is owed for the half-year in which it opened, proposed by one and booked by another', async () => {
  const proposed = await propose();
  // FIRST 143; PART 143 − 42 − 101 = 0; WELCOME 143.
  expect(proposed).toMatchObject({
    state: 'waits',
    lines: [
      { provider: 'ksnet', merchantId: 'NEW', claims: 4n, refundWon: 286n, clawbackWon: -143n, differenceWon: 143n },
      { provider: 'welcome', merchantId: 'NEW', claims: 1n, refundWon: 143n, clawbackWon: 0n, differenceWon: 143n },
    ],
  });
  expect(await propose()).toEqual(proposed);
  expect(await balances()).toEqual([]);
  const refundId = proposed.refundId as bigint;
  await expect(approve(refundId, 'kim')).rejects.toMatchObject({ code: 'approval_four_eyes' });
  const posted = await approve(refundId);
  expect(posted.state).toBe('posted');
  expect(await balances()).toEqual([
    'refund_receivable:ksnet -143',
    'refund_receivable:welcome -143',
    'wallet:NEW 286',
  ]);
  expect(await approve(refundId)).toEqual(posted);
  await expect(propose()).rejects.toMatchObject({ code: 'retroactive_posted' });
  const { rows } = await db.pool.query(
    `select provider_tid || '/' || cancel_seq || ' ' || status || ' ' || accepted_won || ' ' || supply_won || ' ' || vat_won as text
       from claim_status where kind = 'R' order by 1`,
  );
  // 143 · 10/11 = 130; 42: 38.18; 101: 91.8.
  expect(rows.map(({ text }) => text)).toEqual([
    'FIRST/0 paid 143 130 13',
    'PART/0 paid 143 130 13',
    'PART/1 clawed_back -42 -38 -4',
    'PART/2 clawed_back -101 -92 -9',
    'WELCOME/0 paid 143 130 13',
  ]);
});

test('what was claimed daily is left out, with its cancels', async () => {
  await books.tier('1048100994', '2026H1', 1);
  await books.select(ksnet, '2026-05-01');
  await books.select(ksnet, '2026-09-01');
  expect((await propose()).lines).toMatchObject([
    { provider: 'ksnet', claims: 1n, differenceWon: 143n },
    { provider: 'welcome', claims: 1n, differenceWon: 143n },
  ]);
});

test('what was refunded is not claimed daily any more, when its day is selected only then or its tier is learned', async () => {
  await books.select(ksnet, '2026-03-10');
  const { refundId } = await propose();
  await approve(refundId as bigint);
  await books.tier('1048100994', '2026H1', 1);
  await books.select(ksnet, '2026-03-11');
  await books.select(ksnet, '2026-05-01');
  await books.select(welcome, '2026-08-13');
  expect(await books.claims(`kind = 'D'`)).toEqual([]);
});

test('a cancel that comes in after its sale was refunded is brought to a person, one that was taken off is not', async () => {
  const { refundId } = await propose();
  await approve(refundId as bigint);
  await books.sales([{ ...sale('FIRST', '2026-09-15'), seq: 1, won: -10_000, fee: -230, vat: -23, type: 'C' }]);
  await books.select(ksnet, '2026-09-01');
  expect(await listFindings(db.pool, { kind: 'differential_refunded_cancel' })).toEqual([]);
  await books.select(ksnet, '2026-09-15');
  expect(await listFindings(db.pool, { kind: 'differential_refunded_cancel' })).toMatchObject([
    {
      subject: 'ksnet:2026-09-15:ksnet:1',
      detail: {
        cancels: '1',
        amountWon: '-10000',
        first: [{ providerTid: 'FIRST', cancelSeq: 1, merchant: 'NEW', soldOn: '2026-03-10', refundedWon: '143' }],
      },
    },
  ]);
  expect(await balances()).toContain('wallet:NEW 286');
});

test('what came in since it was proposed is not booked', async () => {
  const { refundId } = await propose();
  await books.sales([sale('LATE', '2026-06-01')]);
  await expect(approve(refundId as bigint)).rejects.toMatchObject({
    code: 'retroactive_changed',
    details: { proposedWon: 286n, nowWon: 429n },
  });
  expect(await balances()).toEqual([]);
  const again = await propose();
  expect(again.refundId).not.toBe(refundId);
  expect((await approve(again.refundId as bigint)).state).toBe('posted');
  await expect(approve(refundId as bigint)).rejects.toMatchObject({ code: 'retroactive_posted' });
});

test('two who approve at the same time book once', async () => {
  const { refundId } = await propose();
  const ends = await Promise.allSettled([approve(refundId as bigint, 'lee'), approve(refundId as bigint, 'park')]);
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await balances()).toContain('wallet:NEW 286');
});

test('a batch that is being selected is waited for: what it claims is not refunded as well', async () => {
  const { refundId } = await propose();
  await books.tier('1048100994', '2026H1', 1);
  const provider = ksnet;
  const of = { provider, on: '2026-03-10', runId: 'run', who: 'test' } as const;
  const { batchId } = await inTransaction(db.pool, (tx) => openBatch(tx, of));
  await inTransaction(db.pool, (tx) => planSelection(tx, batchId, provider, 200_000));
  const selecting = await db.pool.connect();
  await selecting.query('begin');
  await selectPart(selecting, { batchId, provider, part: 0, parts: 1 });
  const approving = approve(refundId as bigint).catch((error: unknown) => error);
  await lockWaits(db.pool, 1);
  await selecting.query('commit');
  selecting.release();
  expect(await approving).toMatchObject({ code: 'retroactive_changed' });
  expect(await books.claims()).toEqual(['FIRST/0 P 1C 10000 110 143 R']);
});

test('a refund that is being booked is waited for by who selects: neither its sales nor their cancels pass it by', async () => {
  const { refundId } = await propose();
  // Its sale was looked at, and may be claimed now.
  await books.select(ksnet, '2026-03-10');
  await books.tier('1048100994', '2026H1', 1);
  const blocker = await db.pool.connect();
  await blocker.query('begin; lock table settlement_hold in access exclusive mode');
  const approving = approve(refundId as bigint);
  await lockWaits(db.pool, 1);
  const cancel = { seq: 1, won: -10_000, fee: -230, vat: -23, type: 'C', captured: '2026-03-12' } as const;
  await books.sales([{ ...sale('FIRST', '2026-03-10'), ...cancel }]);
  const selecting = books.select(ksnet, '2026-03-12');
  await lockWaits(db.pool, 2);
  await blocker.query('rollback');
  blocker.release();
  await Promise.all([approving, selecting]);
  expect(await books.claims(`kind = 'D'`)).toEqual([]);
  expect(await listFindings(db.pool, { kind: 'differential_refunded_cancel' })).toMatchObject([
    { subject: 'ksnet:2026-03-12:ksnet:1', detail: { cancels: '1', first: [{ providerTid: 'FIRST', cancelSeq: 1 }] } },
  ]);
});

test('one who is cut off in the middle leaves nothing behind', async () => {
  const { refundId } = await propose();
  const blocker = await db.pool.connect();
  await blocker.query('begin; lock table settlement_hold in access exclusive mode');
  const cutOff = approve(refundId as bigint).catch((error: unknown) => error);
  const waiting = `select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%settlement_hold%'`;
  await expect.poll(async () => (await db.pool.query(waiting)).rows.length, { timeout: 10_000 }).toBe(1);
  await db.pool.query(`select pg_terminate_backend(pid) from (${waiting}) w`);
  expect(await cutOff).toBeInstanceOf(Error);
  await blocker.query('rollback');
  blocker.release();
  const { rows } = await db.pool.query(`select count(*)::int as claims from claim where kind = 'R'`);
  expect([rows[0].claims, await balances()]).toEqual([0, []]);
  expect((await approve(refundId as bigint)).state).toBe('posted');
});

test('the database takes no entry of a refund that nobody approved', async () => {
  const { refundId } = await propose();
  await expect(
    db.pool.query(
      `insert into ledger_entry (event, kind, posted_on, posted_by) values ($1, 'retroactive', '2026-09-30', 'x')`,
      [`retroactive:${refundId}:ksnet:NEW`],
    ),
  ).rejects.toMatchObject({ constraint: 'retroactive_refund_approved' });
});

test('a half-year that is not over yet', async () => {
  await expect(proposeRefund(db.pool, { half: '2027H1', by: 'kim', today, providers })).rejects.toMatchObject({
    code: 'retroactive_half_unknown',
  });
});

test('the command shows what is owed and who has to approve it', async () => {
  const now = () => Temporal.Instant.from('2026-09-30T03:00:00Z');
  const run = (...line: string[]) =>
    runCommand(db.pool, line, (program, context, output) => addRetroactiveCommand(program, context, { output, now }));
  const { said } = await run('retroactive', '--half', '2026H1', '--by', 'kim');
  expect(said).toMatch(/ksnet +NEW +4 +286 +-143 +143\n/);
  expect(said).toContain('--approve 1');
  const { said: json } = await run('retroactive', '--approve', '1', '--by', 'lee', '--json');
  expect(JSON.parse(json)).toMatchObject({ half: '2026H1', state: 'posted', subject: 'retroactive:1' });
});
