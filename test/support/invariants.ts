import { type Queryable, query } from '../../src/platform/database/pool.ts';

/** What a bank has in its own books of a message. */
export type BankTruth = {
  readonly messageNo: string;
  readonly amountWon: bigint;
  readonly outcome: 'succeeded' | 'rejected';
};

/**
 * What has to be true of the ledger, settlement and payouts at any moment, whatever happened before:
 * 1. the lines of every entry sum to 0;
 * 2. a balance is the sum of its account's lines;
 * 3. a capture that a slot took is settled, waits or was dismissed, never two of them, and it is settled once;
 * 4. a payout left the bank at most once, and exactly once where it succeeded; nothing else left it;
 * 5. what is in flight are the payouts that are not at their end;
 * 6. no wallet, nothing held and nothing in flight is below 0, and no debt above;
 * 7. wallet = settlements − payouts ± holds ± adjustments, and so for what is held and what is owed.
 * Returns each violation, with its number. `transfers`: the bank's own books, at this moment or a later one.
 */
export async function violations(db: Queryable, transfers: readonly BankTruth[]): Promise<string[]> {
  const found = await query<{ text: string }>(db, Object.values(checks).join('\n union all\n'), [
    transfers.map(({ messageNo }) => messageNo),
    transfers.map(({ amountWon }) => amountWon),
    transfers.map(({ outcome }) => outcome),
  ]);
  return found.map(({ text }) => text).sort();
}

const checks = {
  entries: `
    select format('1: entry %s sums to %s', e.event, coalesce(sum(l.amount_won)::text, 'no lines')) as text
      from ledger_entry e left join ledger_line l using (posted_on, entry_id)
     group by e.event having sum(l.amount_won) is distinct from 0`,
  balances: `
    select format('2: %s holds %s, its lines %s', coalesce(b.account, l.account), b.won, l.won)
      from (select account, sum(balance_won) as won from ledger_balance group by account) b
      full join (select account, sum(amount_won) as won from ledger_line group by account) l using (account)
     where coalesce(b.won, 0) <> coalesce(l.won, 0)`,
  captures: `
    select format('3: %s/%s is %s times settled, %s times waiting, %s times dismissed, %s times not taken', c.provider_tid,
             c.cancel_seq, i.n, u.n, d.n, a.n)
      from capture c
     cross join lateral (select count(*) as n from settlement_item i where i.provider = c.provider
                            and i.provider_tid = c.provider_tid and i.cancel_seq = c.cancel_seq) i
     cross join lateral (select count(*) as n from unsettled_capture u where u.provider = c.provider
                            and u.provider_tid = c.provider_tid and u.cancel_seq = c.cancel_seq) u
     cross join lateral (select count(*) as n from dismissed_capture d where d.provider = c.provider
                            and d.provider_tid = c.provider_tid and d.cancel_seq = c.cancel_seq) d
     cross join lateral (select count(*) as n from capture_arrival a where a.import_id = c.import_id
                            and a.provider = c.provider and a.captured_on = c.captured_on
                            and (a.taken_by is null or exists (
                              select from settlement_cycle y where y.run_id = a.taken_by and y.state = 'running'
                                 and y.parts_done = 0))) a
     where i.n + u.n + d.n + a.n <> 1`,
  strangers: `
    select format('3: %s/%s was settled and never captured', i.provider_tid, i.cancel_seq) from settlement_item i
     where not exists (select from capture c where c.provider = i.provider and c.captured_on = i.captured_on
                          and c.provider_tid = i.provider_tid and c.cancel_seq = i.cancel_seq
                          and c.amount_won = i.amount_won)`,
  transfers: `
    select format('4: payout %s of %s won is %s, and the bank has %s of %s won', p.payout_id, p.amount_won, p.state,
             coalesce(t.outcome, 'nothing'), t.won)
      from payout p
      full join unnest($1::text[], $2::bigint[], $3::text[]) as t (message_no, won, outcome) on t.message_no = p.message_no
     where p.payout_id is null or p.amount_won <> t.won
        or (p.state = 'succeeded') and t.outcome is distinct from 'succeeded'
        or p.state in ('rejected', 'cancelled') and t.outcome = 'succeeded'
        or p.state in ('awaiting_approval', 'created') and p.sends = 0 and t.outcome is not null`,
  inFlight: `
    select format('5: %s has %s in flight, its payouts %s', coalesce(b.owner, p.merchant_id), b.balance_won, p.won)
      from (select owner, balance_won from ledger_account where kind = 'in_flight') b
      full join (select merchant_id, sum(amount_won) as won from payout
                  where state not in ('succeeded', 'rejected', 'cancelled') group by merchant_id) p
        on p.merchant_id = b.owner
     where coalesce(b.balance_won, 0) <> coalesce(p.won, 0)`,
  sides: `
    select format('6: %s holds %s', account, balance_won) from ledger_account
     where kind in ('wallet', 'held', 'in_flight') and balance_won < 0 or kind = 'debt' and balance_won > 0`,
  wallets: `
    select format('7: %s holds %s, and what moved it comes to %s', account, a.balance_won, m.won)
      from ledger_account a
     cross join lateral (
       select coalesce((select sum(case a.kind when 'wallet' then s.wallet_won when 'held' then s.held_won
                                               else s.offset_won - s.carried_won end)
                          from settlement s where s.merchant_id = a.owner), 0)
            - case a.kind when 'wallet' then coalesce((
                select sum(p.amount_won) from payout p
                 where p.merchant_id = a.owner and p.state not in ('rejected', 'cancelled')), 0) else 0 end
            + coalesce((select sum(l.amount_won) from ledger_entry e join ledger_line l using (posted_on, entry_id)
                         where l.account = a.account and e.event !~ '^(settlement|payout):'), 0) as won) m
     where a.kind in ('wallet', 'held', 'debt') and a.balance_won <> m.won`,
  revenue: `
    select format('7: %s holds %s, the items come to %s', account, balance_won, won)
      from (select 'fee' as account, sum(fee_won) as won from settlement_item
            union all select 'vat', sum(vat_won) from settlement_item
            union all select 'receivable:' || provider, -sum(amount_won) from settlement_item group by provider
            union all select 'bank', sum(amount_won) from payout where state = 'succeeded') i
      left join ledger_account a using (account) where coalesce(balance_won, 0) <> coalesce(won, 0)`,
} as const;
