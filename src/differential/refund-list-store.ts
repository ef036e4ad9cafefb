import { keysetPage } from '../platform/database/keyset.ts';
import type { Queryable } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

/** 환급 내역. What an answer, or a retroactive refund, did for a merchant: its wallet, what is held, and its debt. */
export type ClaimRefund = {
  readonly event: string;
  readonly provider: string;
  readonly merchantId: string;
  readonly bookedOn: string;
  readonly claims: number;
  readonly refundWon: bigint;
  readonly clawbackWon: bigint;
  readonly offsetWon: bigint;
  readonly carriedWon: bigint;
  readonly heldWon: bigint;
  readonly walletWon: bigint;
};

export type RefundFilter = {
  readonly on?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly provider?: readonly string[] | undefined;
  readonly merchant?: string | undefined;
};

/** A page of what was booked for merchants. @throws Problem `cursor_invalid` */
export async function pageOfRefunds(
  db: Queryable,
  { on, from, to, provider, merchant }: RefundFilter,
  request: PageRequest<'bookedOn'>,
): Promise<Page<ClaimRefund>> {
  return keysetPage<ClaimRefund>(
    db,
    [
      { sql: 'booked_on', type: 'date' },
      { sql: 'event', type: 'text' },
    ],
    request,
    [on ?? null, from ?? null, to ?? null, provider ?? null, merchant ?? null],
    ({ key, after, order, limit }) =>
      `select event, provider, merchant_id as "merchantId", booked_on as "bookedOn", claims, refund_won as "refundWon",
              clawback_won as "clawbackWon", offset_won as "offsetWon", carried_won as "carriedWon",
              held_won as "heldWon", wallet_won as "walletWon", ${key}
         from claim_refund
        where ($1::date is null or booked_on = $1) and ($2::date is null or booked_on >= $2)
          and ($3::date is null or booked_on <= $3) and ($4::text[] is null or provider = any ($4))
          and ($5::text is null or merchant_id = $5) and ${after} order by ${order} limit ${limit}`,
  );
}
