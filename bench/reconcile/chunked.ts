import type { Pool } from '../../src/platform/database/pool.ts';
import { paymentLeaf } from './data.ts';

const chunk = 1000;

/** A history row as the reader turns it into an object: all of its columns. */
type Line = { line_no: number; provider_tid: string; cancel_seq: number; kind: string; amount_won: bigint };
type Payment = { provider_tid: string; cancel_seq: number; kind: string; amount_won: bigint };

/**
 * Seed 1's way, written as well as its shape allows: a history table of whole lines with a mark for what is processed
 * and the index that finds what is not, read in chunks of 1,000 into objects, our records looked up by key, judged in
 * TypeScript, and each chunk's results and marks written in two batched statements and one transaction. Returns seconds;
 * loading the history table is not counted.
 */
export async function chunkedBaseline(pool: Pool, rows: number): Promise<number> {
  await pool.query('drop table if exists bench_history, bench_result');
  await pool.query(
    `create table bench_history as select *, false as processed, null::text as verdict from bench_copy
     order by line_no limit ${rows}`,
  );
  await pool.query('alter table bench_history add primary key (line_no)');
  await pool.query('create index on bench_history (line_no) where not processed');
  await pool.query('create table bench_result (line_no int primary key, verdict text not null, difference_won bigint)');
  await pool.query('analyze bench_history');
  const client = await pool.connect();
  try {
    const began = performance.now();
    for (let after = -1; ; ) {
      const { rows: lines } = await client.query<Line>(
        `select * from bench_history where not processed and line_no > $1 order by line_no limit ${chunk}`,
        [after],
      );
      if (lines.length === 0) break;
      after = lines.at(-1)?.line_no ?? after;
      const { rows: payments } = await client.query<Payment>(
        `select p.* from ${paymentLeaf} p
         join unnest($1::text[], $2::smallint[]) k (tid, seq) on p.provider_tid = k.tid and p.cancel_seq = k.seq
         where p.provider = 'welcome-online' and p.traded_on = '2026-11-20'`,
        [lines.map((line) => line.provider_tid), lines.map((line) => line.cancel_seq)],
      );
      const known = new Map(payments.map((payment) => [`${payment.provider_tid}/${payment.cancel_seq}`, payment]));
      const verdicts = lines.map((line) => judge(line, known.get(`${line.provider_tid}/${line.cancel_seq}`)));
      await client.query('begin');
      await client.query('insert into bench_result select * from unnest($1::int[], $2::text[], $3::bigint[])', [
        lines.map((line) => line.line_no),
        verdicts.map((verdict) => verdict.verdict),
        verdicts.map((verdict) => verdict.differenceWon),
      ]);
      await client.query(
        `update bench_history h set processed = true, verdict = v.verdict
         from unnest($1::int[], $2::text[]) v (line_no, verdict) where h.line_no = v.line_no`,
        [lines.map((line) => line.line_no), verdicts.map((verdict) => verdict.verdict)],
      );
      await client.query('commit');
    }
    return (performance.now() - began) / 1000;
  } finally {
    client.release();
    await pool.query('drop table if exists bench_history, bench_result');
  }
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
