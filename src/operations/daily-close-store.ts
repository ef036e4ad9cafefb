import { parseDay } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';

/** 일 마감. What the books were at the end of a day. */
export type DailyClose = {
  readonly on: string;
  readonly runId: string;
  readonly closedAt: Date;
  readonly verdict: 'balanced' | 'deviates';
  readonly entries: bigint;
  readonly lines: bigint;
  readonly deviations: number;
  readonly debitWon: bigint;
  readonly creditWon: bigint;
  /** The audit trail's last entry at that moment, and its hash. */
  readonly auditNumber: bigint | null;
  readonly auditHash: string | null;
};

/** 시산표. A kind of account: what moved on it that day, and what it holds at its end (credits above zero). */
export type TrialBalance = {
  readonly account: string;
  readonly debitWon: bigint;
  readonly creditWon: bigint;
  readonly balanceWon: bigint;
};

/** Keeps the trial balance of a day; closed again, it is as it was found last. */
export async function closeDay(
  tx: PoolClient,
  day: {
    readonly on: string;
    readonly runId: string;
    readonly entries: string;
    readonly lines: string;
    readonly deviations: number;
  },
): Promise<Pick<DailyClose, 'verdict' | 'debitWon' | 'creditWon'> & { readonly accounts: number }> {
  // Of two who close a day the second begins when the first is done, and so finds what it replaces.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`jeongsan.daily.close.${day.on}`]);
  await tx.query('delete from daily_close_account where closed_on = $1', [day.on]);
  // One statement, so that no entry that is booked meanwhile stands in the accounts and not in their sum.
  const [row] = await query<Awaited<ReturnType<typeof closeDay>>>(
    tx,
    `with account as materialized (
       select split_part(account, ':', 1) as name, sum(amount_won)::bigint as won,
              coalesce(- sum(amount_won) filter (where amount_won < 0 and posted_on = $1), 0)::bigint as debit,
              coalesce(sum(amount_won) filter (where amount_won > 0 and posted_on = $1), 0)::bigint as credit
         from ledger_line where posted_on <= $1 group by 1
     ), closed as (
       insert into daily_close (closed_on, run_id, verdict, entries, lines, deviations, debit_won, credit_won, audit_id, audit_hash)
       select $1, $2, case when $5 = 0 and t.won = 0 then 'balanced' else 'deviates' end, $3, $4, $5, t.debit, t.credit,
              a.number, a.hash
         from (select coalesce(sum(debit), 0)::bigint as debit, coalesce(sum(credit), 0)::bigint as credit,
                      coalesce(sum(won), 0) as won from account) t
         left join (select number, encode(hash, 'hex') as hash from audit_entry order by number desc limit 1) a on true
       on conflict (closed_on) do update
          set run_id = excluded.run_id, closed_at = clock_timestamp(), verdict = excluded.verdict, entries = excluded.entries,
              lines = excluded.lines, deviations = excluded.deviations, debit_won = excluded.debit_won,
              credit_won = excluded.credit_won, audit_id = excluded.audit_id, audit_hash = excluded.audit_hash
       returning verdict, debit_won, credit_won
     ), kept as (
       insert into daily_close_account (closed_on, account, debit_won, credit_won, balance_won)
       select $1, name, debit, credit, won from account returning account
     )
     select verdict, debit_won as "debitWon", credit_won as "creditWon", (select count(*)::int from kept) as accounts
       from closed`,
    [day.on, day.runId, day.entries, day.lines, day.deviations],
  );
  check(row, 'an insert or update returns its row');
  return row;
}

/** Closed days, after one in the direction that is asked for. */
export async function dailyCloses(
  db: Queryable,
  {
    after,
    limit,
    descending,
  }: { readonly after?: string | undefined; readonly limit: number; readonly descending: boolean },
): Promise<DailyClose[]> {
  // A day of our own: whatever else comes is none.
  if (after !== undefined && parseDay(after) === undefined) throw new Problem('cursor_invalid');
  return await query<DailyClose>(
    db,
    `select closed_on::text as "on", run_id as "runId", closed_at as "closedAt", verdict, entries, lines, deviations,
            debit_won as "debitWon", credit_won as "creditWon", audit_id as "auditNumber", audit_hash as "auditHash"
       from daily_close where $1::date is null or closed_on ${descending ? '<' : '>'} $1
      order by closed_on ${descending ? 'desc' : ''} limit $2`,
    [after ?? null, limit],
  );
}

/** Whether a day was closed, for the first time or again, since then. */
export async function wasClosed(db: Queryable, on: string, since: Temporal.Instant): Promise<boolean> {
  const found = await query(db, 'select from daily_close where closed_on = $1 and closed_at >= $2', [
    on,
    since.toString(),
  ]);
  return found.length > 0;
}

/** What was kept of a closed day. @throws Problem `not_found` */
export async function closedTrialBalance(db: Queryable, on: string): Promise<TrialBalance[]> {
  const accounts = await trialBalance(db, on);
  if (accounts.length === 0) throw new Problem('not_found', { what: 'daily close', id: on });
  return accounts;
}

export async function trialBalance(db: Queryable, on: string): Promise<TrialBalance[]> {
  return await query<TrialBalance>(
    db,
    `select account, debit_won as "debitWon", credit_won as "creditWon", balance_won as "balanceWon"
       from daily_close_account where closed_on = $1 order by account`,
    [on],
  );
}
