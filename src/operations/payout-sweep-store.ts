import { type Queryable, query } from '../platform/database/pool.ts';

/** Payouts of a bank that are due and in nobody's hands. */
export type Neglected = { readonly bank: string; readonly payouts: number; readonly since: string };

/** Those that have been due for so long, where the bank has room and nobody paused anything. */
export async function neglectedPayouts(
  db: Queryable,
  { banks, afterMinutes }: { readonly banks: readonly string[]; readonly afterMinutes: number },
): Promise<readonly Neglected[]> {
  return await query<Neglected>(
    db,
    `select p.bank, count(*)::int as payouts, min(p.next_at)::text as since
       from payout p join bank_control c using (bank)
      where p.bank = any ($1) and p.claimed_by is null and p.state in ('created', 'holder_checked', 'sent', 'unknown')
        and p.next_at < clock_timestamp() - make_interval(mins => $2)
        and not c.paused and not payouts_wait() and (c.open_until is null or c.open_until < clock_timestamp())
        and (select count(*) from payout h where h.bank = c.bank and h.claimed_by is not null) < c.transfer_limit
      group by p.bank order by p.bank`,
    [banks, afterMinutes],
  );
}
