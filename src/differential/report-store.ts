import type { Pool } from 'pg';
import { query } from '../platform/database/pool.ts';
import { readingByLeaf } from './list-store.ts';
import type { ClaimGroup, RefundSums } from './report-data.ts';

/** The claims of days of trade in groups, each leaf joined with its results and read once. */
export async function claimGroups(pool: Pool, from: string, to: string): Promise<ClaimGroup[]> {
  return readingByLeaf(pool, async (client) => {
    const { rows } = await client.query<ClaimGroup>(
      `select provider, to_char(traded_on, 'YYYY-MM') as month, kind, tier, status, status_reason as reason,
              case when status in ('held', 'waiting') then captured_on end as since, count(*) as claims,
              count(*) filter (where difference_won is null) as unpriced,
              coalesce(sum(difference_won), 0)::bigint as "claimedWon",
              coalesce(sum(accepted_won), 0)::bigint as "acceptedWon",
              count(*) filter (where accepted_won <> difference_won) as differing,
              coalesce(sum(accepted_won - difference_won), 0)::bigint as "differingWon"
         from claim_status where traded_on between $1::date and $2::date
        group by 1, 2, 3, 4, 5, 6, 7 order by 2, 1, 3, 4, 5, 6 nulls first, 7`,
      [from, to],
    );
    return rows;
  });
}

/** What was booked for merchants on these days, by provider. */
export async function refundSums(pool: Pool, from: string, to: string): Promise<RefundSums[]> {
  return query<RefundSums>(
    pool,
    `select provider, count(*) as bookings, sum(refund_won)::bigint as "refundWon",
            sum(clawback_won)::bigint as "clawbackWon", sum(offset_won)::bigint as "offsetWon",
            sum(carried_won)::bigint as "carriedWon", sum(held_won)::bigint as "heldWon",
            sum(wallet_won)::bigint as "walletWon"
       from claim_refund where booked_on between $1::date and $2::date group by provider order by provider`,
    [from, to],
  );
}
