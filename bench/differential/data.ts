/** Small merchants, their tiers, BINs and registrations, and a day of captures that were charged too much, made by the set. */
import { type Pool, query } from '../../src/platform/database/pool.ts';

export const channel = 'welcome-online';
export const provider = 'welcome';
export const businessNo = '1248100998';
const [general, checkBin, creditBin] = [23_000, '470587', '540926'];

/** Merchants with a business number each (made by the set, so without its check digit), small ones of all four tiers. */
export async function makeMerchants(pool: Pool, merchants: number): Promise<void> {
  const [row] = await query<{ id: bigint }>(
    pool,
    `insert into import (kind, file_name, imported_by) values ('merchants', 'bench', 'bench') returning import_id as id`,
  );
  const of = `from generate_series(1, ${merchants}) n`;
  const [merchant, businessNo] = [`'M' || lpad(n::text, 6, '0')`, `lpad((1000000000 + n * 7)::text, 10, '0')`];
  await pool.query(`insert into merchant select ${merchant}, 'shop ' || n, ${businessNo}, ${row?.id} ${of}`);
  await pool.query(
    `insert into merchant_tier (business_no, half, tier, recorded_by) select ${businessNo}, '2026H2', n % 4, 'bench' ${of}`,
  );
  await pool.query(
    `insert into sub_merchant (merchant_id, valid_from, opened_on, recorded_by)
     select ${merchant}, '2020-01-01', '2020-01-01', 'bench' ${of}`,
  );
  await pool.query(
    `insert into card_bin (bin, card_type, valid_from, recorded_by)
     values ('${checkBin}', 'K', '2020-01-01', 'bench'), ('${creditBin}', 'C', '2020-01-01', 'bench')`,
  );
  const [file] = await query<{ id: bigint }>(
    pool,
    `insert into claim_file (provider, kind, on_day, mid, file_name, state, lines, amount_won, difference_won, bytes, sha256,
       archive_path) values ($1, 'registration', '2020-01-01', '', 'bench', 'answered', 0, 0, 0, 0, repeat('0', 64), '')
     returning file_id as id`,
    [provider],
  );
  await pool.query(
    `insert into registration (provider, merchant_id, acquirer, action, final_no, shop_name, state, file_id, requested_by, answered_at)
     select '${provider}', ${merchant}, '04', 'N', ${businessNo}, 'shop ' || n, 'accepted', ${file?.id}, 'bench', now() ${of}`,
  );
  await pool.query('analyze merchant, merchant_tier, sub_merchant, card_bin, registration');
}

/** The day of a round. */
export function dayOf(n: number): string {
  return Temporal.PlainDate.from('2026-10-05').add({ days: n }).toString();
}

/** Sales of small merchants at the general rate, and of every 25th its cancel; all of them are candidates. */
export async function makeCaptures(
  pool: Pool,
  { on, captures, merchants }: { readonly on: string; readonly captures: number; readonly merchants: number },
): Promise<void> {
  const compact = on.replaceAll('-', '');
  const [row] = await query<{ id: bigint }>(
    pool,
    `insert into import (kind, file_name, imported_by) values ('payments', 'bench', 'bench') returning import_id as id`,
  );
  for (const table of ['payment', 'capture']) {
    await pool.query('select ensure_leaf($1, $2, $3)', [table, channel, on]);
  }
  const rows = `
    select 'WP${compact}' || lpad(sale::text, 14, '0') as tid, (n % 25 = 0)::int as seq,
           (2900 + sale * 37 % 90000) * case when n % 25 = 0 then -1 else 1 end as won,
           'M' || lpad((1 + sale % ${merchants})::text, 6, '0') as merchant, sale, n
      from (select n, n - (n % 25 = 0)::int as sale from generate_series(1, ${captures}) n) numbered`;
  const kind = `case seq when 0 then 'A'::"char" else 'C' end`;
  await pool.query(
    `insert into payment select '${channel}', '${on}', tid, seq, ${kind}, won, '${on}'::timestamp, 'wpon00000' || 1 + sale % 2,
            merchant, 'ORD${compact}' || lpad(sale::text, 10, '0'), lpad((sale % 80000000)::text, 8, '0'), '04', '04', 'CM1',
            case when sale % 3 = 0 then '${checkBin}' else '${creditBin}' end || '******1234', 0, ${row?.id} from (${rows}) r`,
  );
  const sign = `(case when won < 0 then -1 else 1 end)`;
  const fee = `abs(won) * ${general} / 1000000`;
  await pool.query(
    `insert into capture select '${channel}', '${on}', tid, seq, ${kind}, won, ${sign} * (${fee}), ${sign} * (${fee} / 10),
            '${on}', 'wpon00000' || 1 + sale % 2, ${row?.id} from (${rows}) r`,
  );
  await pool.query(
    `insert into capture_total
     select provider, captured_on, traded_on, mid, import_id, count(*), sum(amount_won), sum(fee_won), sum(vat_won)
       from capture where provider = '${channel}' and captured_on = '${on}' group by 1, 2, 3, 4, 5`,
  );
  await pool.query('analyze payment, capture');
}
