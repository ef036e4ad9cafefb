import { check } from '../kernel/check.ts';
import { type Pool, type PoolClient, query } from '../platform/database/pool.ts';
import { atOneMoment, pagesOf } from './cursor-store.ts';

/** What the ledger's check may find, each by its subject: an event, an account, or the lines of a day. */
export type DeviationKind =
  | 'entry_unbalanced'
  | 'entry_without_lines'
  | 'lines_without_entry'
  | 'balance_differs'
  | 'balance_without_lines'
  | 'lines_without_balance'
  | 'account_unknown'
  | 'side_violated'
  | 'shard_misplaced'
  | 'reversal_differs';

/** 원장 이탈. `expectedWon` follows from the lines, `foundWon` is what is kept. */
export type Deviation = {
  readonly kind: DeviationKind;
  readonly subject: string;
  readonly expectedWon: bigint | null;
  readonly foundWon: bigint | null;
};

export type VerifiedCounts = {
  readonly entries: bigint;
  readonly lines: bigint;
  readonly accounts: bigint;
  readonly deviations: number;
};

/**
 * 원장 검증. Recomputes the ledger from its lines, as it stood at one moment, by the set: what does not fit in the
 * server's work memory goes to its disk, and deviations are told page by page.
 */
export async function verifyLedger(
  pool: Pool,
  tell: (deviations: readonly Deviation[]) => Promise<void>,
): Promise<VerifiedCounts> {
  return atOneMoment(pool, async (tx) => {
    let deviations = 0;
    for (const sql of [entryCheck, balanceCheck, shardCheck, reversalCheck]) {
      for await (const page of pagesOf<Deviation>(tx, sql)) {
        deviations += page.length;
        await tell(page);
      }
    }
    return { ...(await counts(tx)), deviations };
  });
}

async function counts(tx: PoolClient): Promise<Omit<VerifiedCounts, 'deviations'>> {
  const [row] = await query<Omit<VerifiedCounts, 'deviations'>>(
    tx,
    `select (select count(*) from ledger_entry) as entries, (select count(*) from ledger_line) as lines,
            (select count(distinct account) from ledger_balance) as accounts`,
  );
  check(row, 'counts are one row');
  return row;
}

/** Every entry's sum, entries without lines, lines that no entry of their day has. */
const entryCheck = `
  select case when e.event is null then 'lines_without_entry' when l.entry_id is null then 'entry_without_lines'
              else 'entry_unbalanced' end as kind,
         coalesce(e.event, l.posted_on || ' #' || l.entry_id) as subject,
         0::bigint as "expectedWon", l.won as "foundWon"
    from ledger_entry e
    full join (select posted_on, entry_id, sum(amount_won)::bigint as won from ledger_line group by posted_on, entry_id) l
      using (posted_on, entry_id)
   where e.event is null or l.entry_id is null or l.won <> 0
   order by coalesce(e.posted_on, l.posted_on), coalesce(e.entry_id, l.entry_id)`;

/** Every balance against its lines, accounts outside the chart, sums on the wrong side. */
const balanceCheck = `
  with account as (
    select account, b.won as kept, l.won as summed, c.side
      from (select account, sum(balance_won)::bigint as won from ledger_balance group by account) b
      full join (select account, sum(amount_won)::bigint as won from ledger_line group by account) l using (account)
      left join ledger_chart c on c.kind = split_part(account, ':', 1)
       and (c.owner = 'house') = (position(':' in account) = 0) and right(account, 1) <> ':'
  )
  select fault.kind, account as subject, summed as "expectedWon", kept as "foundWon"
    from account
   cross join lateral (values
     ('balance_without_lines', summed is null),
     ('lines_without_balance', kept is null),
     ('balance_differs', summed <> kept),
     ('account_unknown', side is null),
     ('side_violated', case side when 'credit' then least(summed, kept) < 0 when 'debit' then greatest(summed, kept) > 0 end)
   ) as fault (kind, found)
   where fault.found order by account, fault.kind`;

/** One row for an account with a side, several for one without; each row with its account's side. */
const shardCheck = `
  select 'shard_misplaced' as kind, b.account || ' [' || b.shard || ']' as subject,
         null::bigint as "expectedWon", b.balance_won as "foundWon"
    from ledger_balance b left join ledger_chart c on c.kind = split_part(b.account, ':', 1)
   where b.side is distinct from c.side or (b.shard = 0) <> (b.side <> 'any') or b.shard not between 0 and 8
   order by b.account, b.shard`;

/** A reversal takes back exactly what was booked, account by account. */
const reversalCheck = `
  select 'reversal_differs' as kind, event as subject, - taken.won as "expectedWon", given.won as "foundWon"
    from (select r.event, l.account, sum(l.amount_won)::bigint as won
            from ledger_entry r join ledger_entry e on e.event = r.reverses
            join ledger_line l on l.posted_on = e.posted_on and l.entry_id = e.entry_id
           where r.reverses is not null group by r.event, l.account) taken
    full join (select r.event, l.account, sum(l.amount_won)::bigint as won
            from ledger_entry r join ledger_line l on l.posted_on = r.posted_on and l.entry_id = r.entry_id
           where r.reverses is not null group by r.event, l.account) given using (event, account)
   where - taken.won is distinct from given.won order by event, account`;
