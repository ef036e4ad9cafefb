/** Merchants with contracts and terms, and imports of payments with their captures, made by the set. */
import { type Pool, query } from '../../src/platform/database/pool.ts';

export const provider = 'ksnet';
export const on = '2026-11-20';
const merchantName = `'M' || lpad(n::text, 6, '0')`;

/** Merchants of the usual contract and a cycle of five minutes; every twentieth has tiers by volume. */
export async function makeMerchants(pool: Pool, merchants: number): Promise<void> {
  const importId = await newImport(pool, 'merchants');
  await pool.query(
    `insert into merchant select ${merchantName}, 'shop ' || n, '1234567890', $2 from generate_series(1, $1::int) n`,
    [merchants, importId],
  );
  await pool.query(
    `insert into fee_contract (merchant_id, method, valid_from, rate_ppm, rounding, vat, tier_volume, cancel_fee, recorded_by)
     select ${merchantName}, 'card_online', '2026-01-01', 11500, 'floor', 'added',
            case when n % 20 = 0 then 'month_to_date' end, 'returned', 'bench' from generate_series(1, $1::int) n`,
    [merchants],
  );
  await pool.query(
    `insert into fee_contract_tier select contract_id, 10000000, 9500 from fee_contract where tier_volume is not null`,
  );
  await pool.query(
    `insert into settlement_terms (merchant_id, valid_from, cycle, roll, payout, recorded_by)
     select ${merchantName}, '2026-01-01', 'M5', 'forward', 'on_request', 'bench' from generate_series(1, $1::int) n`,
    [merchants],
  );
  await pool.query('analyze merchant, fee_contract, fee_contract_tier, settlement_terms');
}

export type Batch = {
  readonly name: string;
  readonly day: string;
  readonly captures: number;
  readonly merchants: number;
  /** So many of the captures cannot be settled. */
  readonly poisoned?: number;
};

/** One import of sales, of which every tenth is cancelled in full, with its arrival; returns its id. */
export async function makeBatch(pool: Pool, batch: Batch): Promise<bigint> {
  const { name, day, captures, merchants, poisoned = 0 } = batch;
  const importId = await newImport(pool, 'payments');
  for (const table of ['payment', 'capture'])
    await pool.query('select ensure_leaf($1, $2, $3)', [table, provider, day]);
  // A sale and its cancel, the tenth, share the transaction id and the merchant. Sales go round the merchants.
  const rows = `
    select '${name}' || lpad(sale::text, 12, '0') as tid, (n % 10 = 0)::int as seq,
           (1000 + sale * 37 % 90000) * case when n % 10 = 0 then -1 else 1 end as won,
           'M' || lpad((1 + (sale - 1 - sale / 10) % ${merchants})::text, 6, '0') as merchant, n,
           case when n % 10 = 3 and n / 10 < ${poisoned} then n / 10 % 2 end as poison
      from (select n, n - (n % 10 = 0)::int as sale from generate_series(1, ${captures}) n) numbered`;
  await pool.query(
    `insert into payment select '${provider}', $1::text::date, tid, seq, case seq when 0 then 'A'::"char" else 'C' end, won,
            $1::text::timestamp, 'MID' || n % 50,
            case poison when 1 then 'nobody' else merchant end,
            'ORD' || n, 'A' || n, '04', '04', 'CM', '', 0, $2
       from (${rows}) r where poison is distinct from 0`,
    [day, importId],
  );
  await pool.query(
    `insert into capture select '${provider}', $1::text::date, tid, seq, case seq when 0 then 'A'::"char" else 'C' end, won, 0, 0,
            $1::text::date, 'MID' || n % 50, $2 from (${rows}) r`,
    [day, importId],
  );
  // Both ways plan with what is true of the leaves.
  await pool.query('analyze payment, capture');
  await pool.query('insert into capture_arrival values ($1, $2, $3, $4)', [importId, provider, day, captures]);
  return importId;
}

async function newImport(pool: Pool, kind: string): Promise<bigint> {
  const [row] = await query<{ import_id: bigint }>(
    pool,
    `insert into import (kind, file_name, imported_by) values ($1, 'bench', 'bench') returning import_id`,
    [kind],
  );
  return row?.import_id ?? 0n;
}
