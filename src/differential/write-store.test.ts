import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type Archive, openArchive } from '../platform/archive.ts';
import { inTransaction } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { decodeExchange } from '../providers/layout/exchange-typed.ts';
import { type Charged, createClaimBooks, unregistered } from './selection.fixture.ts';
import { fileNumbers, unansweredClaims, type WrittenClaims, writeClaims } from './write-store.ts';

const on = '2026-11-20';
const businessNo = '1234567891';

let db: TestDatabase;
let home: string;
let archive: Archive;
let books: ReturnType<typeof createClaimBooks>;

beforeEach(async () => {
  db = await testDatabase();
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-write-'));
  archive = openArchive(home);
  books = createClaimBooks(db.pool);
  await books.cards();
  await books.merchant('M1', { '2026H2': 1 });
});
afterEach(async () => {
  await db.close();
  await rm(home, { recursive: true });
});

const sale = (tid: string, more: Partial<Charged> = {}): Charged => ({
  tid,
  won: 10_000,
  fee: 230,
  vat: 23,
  on,
  ...more,
});
const cancel = (tid: string, more: Partial<Charged> = {}): Charged =>
  sale(tid, { seq: 1, won: -10_000, fee: -230, vat: -23, ...more });

async function write(provider: DifferentialProvider, batchId: bigint): Promise<(WrittenClaims | null)[]> {
  const written: (WrittenClaims | null)[] = [];
  for (const { fileId, mid } of await inTransaction(db.pool, (tx) => fileNumbers(tx, batchId))) {
    const file = { batchId, provider, on: Temporal.PlainDate.from(on), businessNo, fileId, mid };
    written.push(await inTransaction(db.pool, (tx) => writeClaims(tx, archive, file)));
  }
  return written;
}

const files = async () => (await db.pool.query('select * from claim_file order by file_name')).rows;
const bytesOf = async (name: string): Promise<Buffer> => {
  const { archive_path } = (await files()).find(({ file_name }) => file_name === name);
  return await readFile(archive_path);
};
const linesOf = (provider: DifferentialProvider, bytes: Buffer) =>
  decodeExchange(
    provider.differential.claims.layout,
    {
      provider: provider.id,
      fileName: 'x',
      on: Temporal.PlainDate.from(on),
      biz: businessNo,
    },
    bytes,
  ).rows.map(({ mid, type, providerTid, cancelSeq, amountWon }) => [mid, type, providerTid, cancelSeq, amountWon]);
const state = async (tid: string, seq = 0) => {
  const { rows } = await db.pool.query(
    'select state, reason, file_id from claim where provider_tid = $1 and cancel_seq = $2',
    [tid, seq],
  );
  return rows[0];
};

test('claims stand by MID and TID, a cancel behind its approval, and the file knows what it holds', async () => {
  const nice = unregistered('nice');
  await books.sales([
    sale('B', { channel: 'nice', mid: 'MID2' }),
    sale('C', { channel: 'nice' }),
    cancel('A', { channel: 'nice' }),
    sale('A', { channel: 'nice' }),
  ]);
  const { batchId } = await books.select(nice, on);
  const [written] = await write(nice, batchId);
  // 10,000 won at 1.00 %: 100 and 10 of VAT; charged 253, so 143 each. Two sales and one that was cancelled remain.
  const bytes = await bytesOf('daff_nice_1234567891_20261120_req');
  expect(linesOf(nice, bytes)).toEqual([
    ['MID1', 'A', 'A', 0, 10_000n],
    ['MID1', 'C', 'A', 1, -10_000n],
    ['MID1', 'A', 'C', 0, 10_000n],
    ['MID2', 'A', 'B', 0, 10_000n],
  ]);
  expect(written).toMatchObject({ lines: 4n, amountWon: 20_000n, differenceWon: 286n, held: 0, bytes: bytes.length });
  expect(await files()).toMatchObject([
    {
      state: 'written',
      lines: 4n,
      amount_won: 20_000n,
      difference_won: 286n,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
  ]);
  expect(await inTransaction(db.pool, (tx) => unansweredClaims(tx, batchId, written?.fileId ?? 0n))).toBe(4n);
});

test('the same claims are the same bytes, in whatever order they came in and however often they are written', async () => {
  const nice = unregistered('nice');
  const sales = Array.from({ length: 60 }, (_, n) => sale(`T${n}`, { channel: 'nice', mid: `MID${n % 7}` }));
  const digests = new Set<string>();
  for (const order of [sales, sales.toReversed()]) {
    await db.close();
    db = await testDatabase();
    books = createClaimBooks(db.pool);
    await books.cards();
    await books.merchant('M1', { '2026H2': 1 });
    await books.sales(order);
    const { batchId } = await books.select(nice, on);
    const undone = new Error('undone');
    const [number] = await inTransaction(db.pool, (tx) => fileNumbers(tx, batchId));
    const file = {
      batchId,
      provider: nice,
      on: Temporal.PlainDate.from(on),
      businessNo,
      fileId: number?.fileId ?? 0n,
      mid: '',
    };
    const twice = inTransaction(db.pool, async (tx) => {
      await writeClaims(tx, archive, file);
      digests.add((await tx.query('select sha256 from claim_file')).rows[0].sha256);
      throw undone;
    });
    await expect(twice).rejects.toBe(undone);
    await write(nice, batchId);
    digests.add((await files())[0].sha256);
  }
  expect(digests.size).toBe(1);
});

test('a claim that the layout cannot hold stays behind with its cancels, is named to people, and the others go', async () => {
  const nice = unregistered('nice');
  await books.sales(['A', 'B', 'C', 'D'].map((tid) => sale(tid, { channel: 'nice' })));
  await books.sales([cancel('B', { channel: 'nice' }), cancel('C', { channel: 'nice' })]);
  const { batchId } = await books.select(nice, on);
  // 뷁 is in CP949 (not in EUC-KR); ✂ is not.
  await db.pool.query(`update claim set order_no = '뷁' where provider_tid = 'A'`);
  await db.pool.query(`update claim set order_no = '가위 ✂' where provider_tid = 'B' and cancel_seq = 0`);
  const [written] = await write(nice, batchId);
  expect(written).toMatchObject({ lines: 4n, amountWon: 20_000n, held: 2 });
  expect(
    linesOf(nice, await bytesOf('daff_nice_1234567891_20261120_req')).map(([, , tid, seq]) => `${tid}/${seq}`),
  ).toEqual(['A/0', 'C/0', 'C/1', 'D/0']);
  expect(await state('B')).toEqual({ state: 'H', reason: 'not_encodable', file_id: null });
  expect(await state('B', 1)).toEqual({ state: 'H', reason: 'original_held', file_id: null });
  const { rows: events } = await db.pool.query(
    `select cancel_seq, event, reason, detail from claim_event where provider_tid = 'B' order by cancel_seq`,
  );
  expect(events).toMatchObject([
    {
      cancel_seq: 0,
      event: 'held',
      reason: 'not_encodable',
      detail: { column: 'orderNo', value: '가위 ✂', character: '✂' },
    },
    { cancel_seq: 1, event: 'held', reason: 'original_held', detail: {} },
  ]);
  const { rows: findings } = await db.pool.query('select subject, detail from finding');
  expect(findings).toHaveLength(1);
  expect(findings[0].detail).toMatchObject({
    claims: 2,
    first: [{ merchantId: 'M1', providerTid: 'B', character: '✂' }, {}],
  });
  const { rows: batches } = await db.pool.query('select held from differential_batch');
  expect(batches).toEqual([{ held: 2n }]);
});

test('where nothing can be written there is no file, and people are told all the same', async () => {
  const nice = unregistered('nice');
  await books.sales([sale('A', { channel: 'nice' })]);
  const { batchId } = await books.select(nice, on);
  await db.pool.query(`update claim set order_no = '✂'`);
  expect(await write(nice, batchId)).toEqual([null]);
  expect(await files()).toEqual([]);
  expect((await db.pool.query('select kind from finding')).rows).toEqual([{ kind: 'differential_not_encodable' }]);
});

test('a file for each MID that claims anything', async () => {
  const ksnet = unregistered('ksnet');
  await books.sales([
    sale('A', { mid: 'MID1' }),
    sale('B', { mid: 'MID2' }),
    sale('C', { mid: 'MID3', fee: 100, vat: 10 }),
  ]);
  const { batchId } = await books.select(ksnet, on);
  await write(ksnet, batchId);
  expect((await files()).map(({ file_name, mid, lines }) => [file_name, mid, lines])).toEqual([
    ['daff_ksnet_1234567891_MID1_20261120_req.csv', 'MID1', 1n],
    ['daff_ksnet_1234567891_MID2_20261120_req.csv', 'MID2', 1n],
  ]);
  const bytes = await bytesOf('daff_ksnet_1234567891_MID2_20261120_req.csv');
  expect(linesOf(ksnet, bytes)).toEqual([['MID2', 'A', 'B', 0, 10_000n]]);
});

test.each(['a/b', '../../x', 'a b', 'a\\b', '가맹', 'a\tb', 'x'.repeat(101)])(
  'a MID that leads elsewhere or cannot stand in a name (%j) is held alone, naming it',
  async (mid) => {
    const ksnet = unregistered('ksnet');
    await books.sales([sale('A', { mid }), sale('B', { mid: 'MID2' })]);
    await books.sales([cancel('A', { mid })]);
    const { batchId } = await books.select(ksnet, on);
    await write(ksnet, batchId);
    expect((await files()).map(({ file_name }) => file_name)).toEqual(['daff_ksnet_1234567891_MID2_20261120_req.csv']);
    expect(await state('A')).toEqual({ state: 'H', reason: 'not_encodable', file_id: null });
    expect(await state('A', 1)).toMatchObject({ state: 'H', file_id: null });
    const { rows } = await db.pool.query('select subject, detail from finding');
    expect(rows).toMatchObject([{ subject: `ksnet ${on} ${mid}`, detail: { claims: 2 } }]);
    expect(rows[0].detail.first[0]).toMatchObject({ column: 'mid', value: mid });
  },
);

test('a day without captures writes nothing', async () => {
  const nice = unregistered('nice');
  const { batchId } = await books.select(nice, on);
  for (const written of await write(nice, batchId)) expect(written).toBeNull();
  expect(await files()).toEqual([]);
});
