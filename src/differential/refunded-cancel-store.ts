import type { PoolClient } from 'pg';
import { openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import { leavesOf, lookingUp } from './candidate-store.ts';
import type { Selection } from './selection-store.ts';

/** So many are named to people; of what is more they are told how many there are. */
const namedMost = 20;

/**
 * Tells people of the cancels of `part_cancel` whose sale was refunded retroactively, on one of `days`: a half-year is
 * posted once, so a person takes the refund back. What came in before it was posted is in it already.
 */
export async function tellOfRefunded(tx: PoolClient, selection: Selection, days: readonly string[]): Promise<void> {
  const { channel, provider, claimedOn, part } = selection;
  const traded = await query<{ day: string }>(tx, 'select distinct traded_on::text as day from part_cancel order by 1');
  const key = 'traded_on, provider_tid, cancel_seq, difference_won, amount_won';
  const refunded = leavesOf(
    'claim',
    channel,
    [...new Set([...days, ...traded.map(({ day }) => day)])],
    key,
    `kind = 'R'`,
  );
  await lookingUp(
    tx,
    `create temp table refunded_cancel on commit drop as
     select c.provider_tid, c.cancel_seq, c.merchant_id, c.amount_won, o.original_on, r.difference_won, r.amount_won as original_won
       from part_cancel c join original o using (provider_tid)
      cross join lateral (select * from (${refunded}) r
                           where r.traded_on = o.original_on and r.provider_tid = c.provider_tid and r.cancel_seq = 0 offset 0) r
       left join lateral (select true as is_in from (${refunded}) k
                           where k.traded_on = c.traded_on and k.provider_tid = c.provider_tid and k.cancel_seq = c.cancel_seq
                          offset 0) k on true
      where o.state is null and k.is_in is null`,
  );
  const [some] = await query<{ cancels: bigint; amountWon: bigint }>(
    tx,
    `select count(*) as cancels, coalesce(sum(amount_won), 0)::bigint as "amountWon" from refunded_cancel`,
  );
  check(some, 'an aggregate returns a row');
  if (some.cancels > 0n) {
    const first = await query(
      tx,
      `select provider_tid as "providerTid", cancel_seq as "cancelSeq", merchant_id as merchant, amount_won as "amountWon",
              original_on::text as "soldOn", difference_won as "refundedWon", original_won as "originalWon"
         from refunded_cancel order by provider_tid, cancel_seq limit ${namedMost}`,
    );
    await openFinding(tx, {
      kind: 'differential_refunded_cancel',
      subject: `${provider.id}:${claimedOn}:${channel}:${part + 1}`,
      audience: 'in_charge',
      detail: { ...some, first },
    });
  }
  await tx.query('drop table refunded_cancel');
}
