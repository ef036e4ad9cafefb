import { createWriteStream } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool } from '../../src/platform/database/pool.ts';
import { encodeStatement } from '../../src/providers/layout/encode.ts';
import { providerOf } from '../../src/providers/registry.ts';

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

/** Earlier days of 400,000 payments and lines each, so that a day can be measured on top of them. */
export async function addHistory(pool: Pool, history: number, _rows: number): Promise<void> {
  const perDay = 400_000;
  for (let done = 0, back = 2; done < history; done += perDay, back += 1) {
    const day = Temporal.PlainDate.from(on).subtract({ days: back }).toString();
    for (const table of ['payment', 'transaction_line']) {
      await pool.query('select ensure_leaf($1, $2, $3)', [table, provider, day]);
    }
    await addPayments(pool, day, Math.min(perDay, history - done));
  }
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
  await pool.query('analyze payment');
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
