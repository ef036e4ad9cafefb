import type { PoolClient } from 'pg';
import { check } from '../kernel/check.ts';

/** So many locks at most, however many merchants come for the first time: the server holds those of all in memory. */
const buckets = 1024;

/**
 * Keeps merchants of a temporary table (merchant_id, net_won) to whom nothing came yet from anybody else who is at their
 * first accounts, until the transaction ends: there is no row that who credits them and who takes back from them would
 * both lock, and a credit would come to stand beside a debt. To be called after holds are locked, by which it is known
 * where a credit goes, and before any account is. `which`: SQL on `m`.
 */
export async function holdFirstAccounts(
  tx: PoolClient,
  { from, which }: { readonly from: string; readonly which: 'net_won > 0' | 'net_won < 0' },
): Promise<void> {
  check(/^[a-z_][a-z0-9_]*$/.test(from), `not the name of a table: ${from}`);
  const hasNo = (kind: 'wallet' | 'held', merchantId: string) =>
    `not exists (select from ledger_balance b where b.account = '${kind}:' || ${merchantId} collate "C" and b.shard = 0)`;
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
    select pg_advisory_xact_lock(hashtext('jeongsan:first-accounts'), no) from bucket`);
}
