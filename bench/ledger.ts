/**
 * `npm run bench -- ledger [--entries 200000] [--naive 8000] [--wallets 10000] [--repeat 3] [--json]`: entries a second
 * onto one hot account, in batches and one by one, against one transfer a transaction over 16 connections, in one run on
 * one server.
 */
import { parseArgs } from 'node:util';
import { ensureLedgerDay } from '../src/ledger/store.ts';
import type { Pool } from '../src/platform/database/pool.ts';
import { type Bench, median, onServer, print } from './harness.ts';
import { postNaively, prepareNaive } from './ledger/naive.ts';
import { postBatch, postOne } from './ledger/ours.ts';
import { postedOn, type Transfer, transfers, walletNames } from './ledger/transfers.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '200000' },
    naive: { type: 'string', default: '8000' },
    wallets: { type: 'string', default: '10000' },
    repeat: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const connections = 16;
const batchSizes = [1000, 8000] as const;
/** As settlement books a slot: two parts at a time, a merchant in one of them, all onto the same hot account. */
const writers = 2;
print(await onServer(connections, measure), values.json);

async function measure({ pool }: Bench) {
  const wallets = walletNames(Number(values.wallets));
  const [entries, few, repeat] = [Number(values.entries), Number(values.naive), Number(values.repeat)];
  await ensureLedgerDay(pool, postedOn);
  await prepareNaive(pool, wallets);
  // Each wallet has its row before anything is measured, in the baseline and here.
  await postBatch(pool, transfers('first', wallets.length, wallets));
  const rates = {
    batched1000: [] as number[],
    batched8000: [] as number[],
    oneWriter: [] as number[],
    single: [] as number[],
    naive: [] as number[],
  };
  for (let n = 0; n < repeat; n += 1) {
    rates.naive.push(await concurrently(pool, transfers(`naive:${n}`, few, wallets), postNaively));
    for (const size of batchSizes)
      rates[`batched${size}`].push(
        await inBatches(pool, transfers(`batch:${size}:${n}`, entries, wallets), size, writers),
      );
    rates.oneWriter.push(await inBatches(pool, transfers(`one:${n}`, entries, wallets), 8000, 1));
    rates.single.push(await concurrently(pool, transfers(`single:${n}`, few, wallets), postOne));
  }
  const middle = (list: readonly number[]) => Math.round(median(list, (rate) => rate));
  const naivePerSecond = middle(rates.naive);
  const batchedPerSecond = middle(rates.batched8000);
  return {
    entriesPerRound: entries,
    wallets: wallets.length,
    connections,
    naivePerSecond,
    singlePostPerSecond: middle(rates.single),
    batchedBy1000PerSecond: middle(rates.batched1000),
    batchedPerSecond,
    batchedOneWriterPerSecond: middle(rates.oneWriter),
    writers,
    ratioBy1000: Number((middle(rates.batched1000) / naivePerSecond).toFixed(1)),
    ratio: Number((batchedPerSecond / naivePerSecond).toFixed(1)),
  };
}

/** Transfers a second when all connections take the next one as soon as they are free. */
async function concurrently(
  pool: Pool,
  list: readonly Transfer[],
  book: (pool: Pool, transfer: Transfer) => Promise<void>,
): Promise<number> {
  const queue = list.values();
  const from = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (const transfer of queue) await book(pool, transfer);
    }),
  );
  return (list.length * 1000) / (performance.now() - from);
}

/** Transfers a second in batches, one batch a transaction, each writer with the wallets that are its own. */
async function inBatches(pool: Pool, list: readonly Transfer[], size: number, many: number): Promise<number> {
  const shares = Array.from({ length: many }, (_, writer) =>
    list.filter(({ to }) => Number(to.slice(-1)) % many === writer),
  );
  const from = performance.now();
  await Promise.all(
    shares.map(async (share) => {
      for (let at = 0; at < share.length; at += size) await postBatch(pool, share.slice(at, at + size));
    }),
  );
  return (list.length * 1000) / (performance.now() - from);
}
