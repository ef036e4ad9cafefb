import { type Queryable, query } from '../platform/database/pool.ts';
import type { PayoutState } from './states.ts';

/** Payouts of one state, and what they are worth. */
export type PayoutTotal = { readonly state: PayoutState; readonly payouts: bigint; readonly amountWon: bigint };

/** 지급 현황. How many payouts are in which state, the most first. */
export async function payoutTotals(db: Queryable): Promise<PayoutTotal[]> {
  return await query<PayoutTotal>(
    db,
    `select state, count(*) as payouts, sum(amount_won)::bigint as "amountWon" from payout group by state order by 2 desc, 1`,
  );
}
