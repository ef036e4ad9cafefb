import type { Pool, PoolClient } from '../../src/platform/database/pool.ts';
import { linesLeaf, paymentLeaf } from './data.ts';
import { copyFile } from './floor.ts';

const chunk = 1000;

/** A history row as the reader turns it into an object: all of its columns. */
type Line = { line_no: number; provider_tid: string; cancel_seq: number; kind: string; amount_won: bigint };
type Payment = { provider_tid: string; cancel_seq: number; kind: string; amount_won: bigint };

/** Seconds that the whole file took to load, and those that `processed` of its lines took afterwards. */
export type Chunked = { readonly loadSeconds: number; readonly processSeconds: number; readonly processed: number };

/**
 * The way of chunks, written as well as its shape allows: the file's lines are copied into a history table of whole lines,
 * unique by their identity, with a mark for what is processed and the index that finds what is not; they are read in
 * chunks of 1,000 into objects, our records looked up by key, judged in TypeScript; and for each chunk, in one transaction
 * of batched statements, its writers: the result of each transaction saved, our record updated (a table with the indexes
 * that operators look things up by), the history rows marked. At least `rows` lines are processed, if there are so many.
 * Making the tables and their statistics is not counted.
 */
export async function chunkedBaseline(pool: Pool, file: string, rows: number): Promise<Chunked> {
  await makeTables(pool);
  const loadSeconds = await copyFile(pool, file, 'bench_history');
  await pool.query('analyze bench_history');
  await pool.query('checkpoint');
  const client = await pool.connect();
  try {
    const began = performance.now();
    let after = -1;
    let processed = 0;
    while (processed < rows) {
      const { rows: lines } = await client.query<Line>(
        `select * from bench_history where not processed and line_no > $1 order by line_no limit ${chunk}`,
        [after],
      );
      const last = lines.at(-1);
      if (last === undefined) break;
      after = last.line_no;
      await processChunk(client, lines);
      processed += lines.length;
    }
    return { loadSeconds, processSeconds: (performance.now() - began) / 1000, processed };
  } finally {
    client.release();
    await pool.query('drop table bench_history, bench_payment, bench_result');
  }
}

async function makeTables(pool: Pool): Promise<void> {
  await pool.query(`
    create table bench_history (like ${linesLeaf} including defaults, processed boolean not null default false, verdict text,
      primary key (line_no), unique (provider_tid, cancel_seq));
    create index on bench_history (line_no) where not processed;
    create table bench_payment as
      select *, null::text as verdict, null::bigint as difference_won from ${paymentLeaf};
    alter table bench_payment add primary key (provider_tid, cancel_seq);
    create index on bench_payment (order_no);
    create index on bench_payment (approval_no);
    create index on bench_payment (merchant_id, traded_at);
    create table bench_result (line_no int primary key, provider_tid text not null, cancel_seq smallint not null,
      verdict text not null, difference_won bigint not null, made_at timestamptz not null default now());
    create index on bench_result (provider_tid, cancel_seq);
    analyze bench_payment`);
  await pool.query('checkpoint');
}

async function processChunk(client: PoolClient, lines: readonly Line[]): Promise<void> {
  const tids = lines.map((line) => line.provider_tid);
  const seqs = lines.map((line) => line.cancel_seq);
  const { rows: payments } = await client.query<Payment>(
    `select p.* from bench_payment p join unnest($1::text[], $2::smallint[]) k (tid, seq)
       on p.provider_tid = k.tid and p.cancel_seq = k.seq`,
    [tids, seqs],
  );
  const known = new Map(payments.map((payment) => [`${payment.provider_tid}/${payment.cancel_seq}`, payment]));
  const verdicts = lines.map((line) => judge(line, known.get(`${line.provider_tid}/${line.cancel_seq}`)));
  const names = verdicts.map((each) => each.verdict);
  const wons = verdicts.map((each) => each.differenceWon);
  const numbers = lines.map((line) => line.line_no);
  await client.query('begin');
  await client.query(
    `insert into bench_result (line_no, provider_tid, cancel_seq, verdict, difference_won)
     select * from unnest($1::int[], $2::text[], $3::smallint[], $4::text[], $5::bigint[])`,
    [numbers, tids, seqs, names, wons],
  );
  await client.query(
    `update bench_payment p set verdict = v.verdict, difference_won = v.won
     from unnest($1::text[], $2::smallint[], $3::text[], $4::bigint[]) v (tid, seq, verdict, won)
     where p.provider_tid = v.tid and p.cancel_seq = v.seq`,
    [tids, seqs, names, wons],
  );
  await client.query(
    `update bench_history h set processed = true, verdict = v.verdict
     from unnest($1::int[], $2::text[]) v (line_no, verdict) where h.line_no = v.line_no`,
    [numbers, names],
  );
  await client.query('commit');
}

function judge(line: Line, payment: Payment | undefined): { verdict: string; differenceWon: bigint } {
  if (payment === undefined) return { verdict: 'missing_here', differenceWon: line.amount_won };
  if (payment.kind !== line.kind)
    return { verdict: 'status_differs', differenceWon: line.amount_won - payment.amount_won };
  if (payment.amount_won !== line.amount_won) {
    return { verdict: 'amount_differs', differenceWon: line.amount_won - payment.amount_won };
  }
  return { verdict: 'matched', differenceWon: 0n };
}
