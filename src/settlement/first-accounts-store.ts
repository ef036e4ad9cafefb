import type { PoolClient } from 'pg';
import { check } from '../kernel/check.ts';

/** So many locks at most, however many merchants come for the first time: the server holds those of all in memory. */
const buckets = 1024;

/**
 * Keeps who takes back from a merchant to whom nothing came yet, and who credits it, from one another until the transaction
 * ends: there is no row that both would lock, and a credit would come to stand beside a debt. The merchants are those of a
 * temporary table (merchant_id, net_won) of which `which` holds, SQL on `m`; any number may credit at once. To be called
 * after holds are locked, by which it is known where a credit goes, and before any account is.
 */
export async function holdFirstAccounts(
  tx: PoolClient,
  { from, which }: { readonly from: string; readonly which: 'net_won > 0' | 'net_won < 0' },
): Promise<void> {
  check(/^[a-z_][a-z0-9_]*$/.test(from), `not the name of a table: ${from}`);
  const hasNo = (kind: 'wallet' | 'held', merchantId: string) =>
    `not exists (select from ledger_balance b where b.account = '${kind}:' || ${merchantId} collate "C" and b.shard = 0)`;
  const lock = which === 'net_won > 0' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  // In order, so that two who lock do not dead-lock.
  await tx.query(`
    with first as materialized (
      select m.merchant_id from pg_temp.${from} m where m.${which} and ${hasNo('wallet', 'm.merchant_id')}
      union all
      select m.merchant_id from settlement_hold h join pg_temp.${from} m using (merchant_id)
       where h.released_at is null and h.amount_won is null and m.${which} and ${hasNo('held', 'm.merchant_id')}
    ), bucket as materialized (
      select distinct hashtext(merchant_id) & ${buckets - 1} as no from first order by no
    )
    select ${lock}(hashtext('jeongsan:first-accounts'), no) from bucket`);
}
