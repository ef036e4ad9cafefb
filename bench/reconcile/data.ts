import { createWriteStream } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inTransaction, type Pool } from '../../src/platform/database/pool.ts';
import { encodeStatement } from '../../src/providers/layout/encode.ts';
import { transactionMatching } from '../../src/providers/matching.ts';
import { providerOf } from '../../src/providers/registry.ts';
import { matchStage } from '../../src/reconciliation/match-store.ts';

export const provider = 'welcome-online';
export const on = '2026-11-20';
export const linesLeaf = 'transaction_line_welcome_online_20261120';
export const paymentLeaf = 'payment_welcome_online_20261120';

/** Of each 1,500 payments one is missing at the provider, one has another amount, one is followed by a stranger: 0.2 %. */
const every = 1500;

/** Our records, by the set; `traded_on` is filled by the leaf's default. */
export async function makeBooks(pool: Pool, rows: number): Promise<void> {
  for (const table of ['payment', 'transaction_line']) {
    await pool.query('select ensure_leaf($1, $2, $3)', [table, provider, on]);
  }
  await addPayments(pool, on, rows);
}

/**
 * So many days before the measured one, each of `rowsPerDay` payments and lines, reconciled by the product itself: their
 * leaves, breaks, open items and control totals are what the measured day has to live with.
 */
export async function addHistory(pool: Pool, days: number, rowsPerDay: number): Promise<void> {
  for (let back = days; back >= 1; back -= 1) {
    const day = Temporal.PlainDate.from(on).subtract({ days: back });
    for (const table of ['payment', 'transaction_line']) {
      await pool.query('select ensure_leaf($1, $2, $3)', [table, provider, day.toString()]);
    }
    await addPayments(pool, day.toString(), rowsPerDay);
    await addLines(pool, day.toString());
    const stageDay = { provider, stage: 'transaction', on: day } as const;
    await inTransaction(pool, (tx) => matchStage(tx, stageDay, transactionMatching, { runId: 'history', mids: null }));
  }
}

/** A statement of the day that lacks one payment of 1,500 and differs in the amount of another. */
async function addLines(pool: Pool, day: string): Promise<void> {
  const { rows } = await pool.query<{ load_id: number }>(
    `with s as (
       insert into statement (provider, stage, business_on, file_name, version, sha256, bytes, archive_path, source,
         received_by)
       values ($1, 'transaction', $2::date, $2::date::text, 1, repeat('0', 64), 1, '', 'folder', 'bench') returning statement_id)
     insert into statement_load (statement_id) select statement_id from s returning load_id`,
    [provider, day],
  );
  const loadId = rows[0]?.load_id;
  await pool.query(
    `insert into transaction_line (provider, statement_on, load_id, line_no, kind, cancel_seq, instalments, traded_on,
       amount_won, traded_time, provider_tid, mid, approval_no, order_no, acquirer, card_merchant_no, card_no)
     select provider, traded_on, $3, n + 1, kind, cancel_seq, instalments, traded_on,
       amount_won + case when n % ${every} = 1 then 10 else 0 end, '12:00', provider_tid, mid, approval_no, order_no,
       acquirer, card_merchant_no, card_no
     from (select *, row_number() over (order by provider_tid) as n from payment
           where provider = $1 and traded_on = $2) p where n % ${every} <> 0`,
    [provider, day, loadId],
  );
  await pool.query(
    `with sums as (select count(*) as lines, sum(amount_won) as won from transaction_line
                   where provider = $1 and statement_on = $2 and load_id = $3),
          loaded as (update statement_load l set finished_at = now(), lines = s.lines, amount_won = s.won, fee_won = 0,
                       vat_won = 0, net_won = 0, declared_won = s.won, unreadable = 0 from sums s where load_id = $3)
     update statement set state = 'imported', load_id = $3
     where statement_id = (select statement_id from statement_load where load_id = $3)`,
    [provider, day, loadId],
  );
}

async function addPayments(pool: Pool, day: string, rows: number): Promise<void> {
  const { rows: imports } = await pool.query<{ import_id: bigint }>(
    `insert into import (kind, file_name, imported_by) values ('payments', 'bench', 'bench') returning import_id`,
  );
  await pool.query(
    `insert into payment (provider, traded_on, provider_tid, cancel_seq, kind, amount_won, traded_at, mid, merchant_id,
       order_no, approval_no, acquirer, issuer, card_merchant_no, card_no, instalments, import_id)
     select $1, $2::date, 'WP' || to_char($2::date, 'YYYYMMDD') || lpad(i::text, 10, '0'), 0, 'A', 1000 + i % 90000,
       ($2::date + time '12:00') at time zone 'Asia/Seoul', 'wponmid01', 'M000001', 'ORD' || lpad(i::text, 12, '0'),
       lpad((i % 100000000)::text, 8, '0'), '04', '04', '00951234567', '540926******1234', 0, $4
     from generate_series(1, $3::int) i`,
    [provider, day, rows, imports[0]?.import_id],
  );
  await pool.query(
    `insert into payment_total select provider, traded_on, mid, import_id, count(*), sum(amount_won), 0
     from payment where provider = $1 and traded_on = $2 group by 1, 2, 3, 4`,
    [provider, day],
  );
  await pool.query(`analyze payment_${provider.replaceAll('-', '_')}_${day.replaceAll('-', '')}`);
}

function* lines(rows: number) {
  for (let i = 1; i <= rows; i += 1) {
    if (i % every === 0) continue;
    yield line(`WP20261120${String(i).padStart(10, '0')}`, i, 1000 + (i % 90000) + (i % every === 1 ? 10 : 0));
    if (i % every === 2) yield line(`WX20261120${String(i).padStart(10, '0')}`, i + 500_000_000, 777);
  }
}

function line(providerTid: string, i: number, amountWon: number) {
  return {
    kind: 'A',
    cancelSeq: 0,
    instalments: 0,
    tradedOn: on,
    amountWon: BigInt(amountWon),
    tradedTime: '12:00:00',
    providerTid,
    mid: 'wponmid01',
    approvalNo: String(i % 100_000_000).padStart(8, '0'),
    orderNo: `ORD${String(i).padStart(12, '0')}`,
    acquirer: '04',
    cardMerchantNo: '00951234567',
    cardNo: '540926******1234',
  };
}

/** The provider's file as it would lie in its folder for a while; returns its path. */
export async function writeStatement(folder: string, rows: number): Promise<string> {
  const spec = providerOf(provider).statements.transaction;
  if (spec === undefined) throw new Error('no transaction statement');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, spec.fileName.replace('{day}', on.replaceAll('-', '')));
  const day = Temporal.PlainDate.from(on);
  const bytes = encodeStatement(spec.layout, 'transaction', { on: day, mid: 'wponmid01', rows: lines(rows) } as never);
  await pipeline(Readable.from(bytes as AsyncIterable<Buffer>), createWriteStream(file));
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(file, anHourAgo, anHourAgo);
  return file;
}
