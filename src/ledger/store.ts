import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { type PoolClient, type Queryable, query } from '../platform/database/pool.ts';

/** 분개. A credit is positive, a debit negative. */
export type LedgerLine = { readonly account: string; readonly amountWon: bigint };

/** 전표. What one business event moves; the lines sum to 0. `postedOn` is a business day. */
export type LedgerEntry = {
  readonly event: string;
  readonly kind: string;
  readonly postedOn: string;
  readonly postedBy: string;
  readonly reason?: string;
  /** The event that this entry takes back. */
  readonly reverses?: string;
  readonly lines: readonly LedgerLine[];
};

/**
 * 기장. Books one event, in one round trip; false where it was booked before with the same lines. After a refusal the
 * transaction is over.
 * @throws Problem `ledger_event_differs` where it was booked with others; `ledger_insufficient` where an account would
 * have less than it may; `ledger_account_unknown`; `ledger_unapproved` for an adjustment that nobody approved
 */
export async function post(tx: PoolClient, entry: LedgerEntry): Promise<boolean> {
  check(entry.lines.length > 0, `an entry has lines: ${entry.event}`);
  const [row] = await asProblem(
    query<{ posted: boolean }>(
      tx,
      'select post_ledger_entry($1, $2, $3, $4, $5, $6, $7::text[], $8::bigint[]) as posted',
      [
        entry.event,
        entry.kind,
        entry.postedOn,
        entry.postedBy,
        entry.reason ?? null,
        entry.reverses ?? null,
        entry.lines.map(({ account }) => account),
        entry.lines.map(({ amountWon }) => amountWon),
      ],
    ),
  );
  return row?.posted === true;
}

/**
 * 일괄 기장. Books the entries of a temporary table (event, kind, posted_on, posted_by, reason, account, amount_won; a row
 * a line, the first five the same in all lines of an event), one statement for the entries and one for the lines; returns
 * how many were booked. Events booked before are left out.
 * @throws Problem as `post`; `ledger_event_differs` also where one event has two sets of particulars
 */
export async function postAll(tx: PoolClient, { from }: { readonly from: string }): Promise<number> {
  check(/^[a-z_][a-z0-9_]*$/.test(from), `not the name of a table: ${from}`);
  const days = await query<{ day: string }>(tx, `select distinct posted_on as day from pg_temp.${from}`);
  for (const { day } of days) await ensureLedgerDay(tx, day);
  // Where nothing was booked before, as usual, asking about each event first would cost more than trying.
  await tx.query('savepoint ledger_batch');
  let booked: Booked;
  try {
    booked = await book(tx, from, 'booked before: refuse');
  } catch (error) {
    if ((error as DatabaseFault).constraint !== 'ledger_entry_pkey') throw ledgerProblem(error) ?? error;
    await tx.query('rollback to savepoint ledger_batch');
    booked = await asProblem(book(tx, from, 'booked before: leave out'));
    if (booked.posted !== booked.events) await refuseDifferent(tx, from);
  }
  await tx.query('release savepoint ledger_batch');
  return Number(booked.posted);
}

type Booked = { readonly events: bigint; readonly posted: bigint };

/** Lines go in by account, as their index has them: it then grows page by page instead of all over. */
async function book(
  tx: PoolClient,
  from: string,
  again: 'booked before: refuse' | 'booked before: leave out',
): Promise<Booked> {
  const [row] = await query<Booked>(
    tx,
    `with given as materialized (
       select distinct event, kind, posted_on, posted_by, reason from pg_temp.${from}
     ), entry as (
       insert into ledger_entry (event, kind, posted_on, posted_by, reason)
       select event, kind, posted_on, posted_by, reason from given order by event
       ${again === 'booked before: refuse' ? '' : 'on conflict (event) do nothing'}
       returning event, entry_id, posted_on
     ), line as (
       insert into ledger_line (posted_on, account, entry_id, line_no, amount_won)
       select entry.posted_on, l.account, entry.entry_id, row_number() over (partition by entry.entry_id), l.amount_won
         from pg_temp.${from} l join entry using (event)
        order by l.account collate "C", entry.entry_id
     )
     select (select count(*) from given) as events, (select count(*) from entry) as posted`,
  );
  check(row, 'counts are one row');
  return row;
}

/** What was left out has to be in the ledger as it was given: another amount under the same event is never passed over. */
async function refuseDifferent(tx: PoolClient, from: string): Promise<void> {
  const [differing] = await query<{ event: string }>(
    tx,
    `with given as (
       select event, account, amount_won as won from pg_temp.${from}
     ), booked as (
       select e.event, l.account, l.amount_won as won
         from (select distinct event from given) g join ledger_entry e using (event)
         join ledger_line l using (posted_on, entry_id)
     )
     (select event from (select * from given except all select * from booked) less limit 1)
     union all
     (select event from (select * from booked except all select * from given) more limit 1)
     union all
     (select event from (select distinct event, kind, posted_on, posted_by, reason from pg_temp.${from}) headers
       group by event having count(*) > 1 limit 1)
     limit 1`,
  );
  if (differing) throw new Problem('ledger_event_differs', { event: differing.event });
}

/**
 * 역분개. Books the opposite of what an event booked, as `reversal:<event>`; false where that was done before. A `kind`
 * of `adjustment` needs an approval of that event.
 * @throws Problem `ledger_event_unknown`; as `post`
 */
export async function reverse(
  tx: PoolClient,
  what: {
    readonly event: string;
    readonly by: string;
    readonly reason: string;
    readonly postedOn: string;
    readonly kind?: 'reversal' | 'adjustment';
  },
): Promise<boolean> {
  const lines = await linesOf(tx, what.event);
  return post(tx, {
    event: `reversal:${what.event}`,
    kind: what.kind ?? 'reversal',
    postedOn: what.postedOn,
    postedBy: what.by,
    reason: what.reason,
    reverses: what.event,
    lines: lines.map(({ account, amountWon }) => ({ account, amountWon: -amountWon })),
  });
}

/**
 * The lines that an event booked.
 * @throws Problem `ledger_event_unknown`
 */
export async function linesOf(db: Queryable, event: string): Promise<LedgerLine[]> {
  const rows = await query<{ account: string; amountWon: bigint }>(
    db,
    `select l.account, l.amount_won as "amountWon" from ledger_entry e join ledger_line l using (posted_on, entry_id)
      where e.event = $1 order by l.line_no`,
    [event],
  );
  if (rows.length === 0) throw new Problem('ledger_event_unknown', { event });
  return rows;
}

/** 잔액. What an account holds now; 0 where it never moved. */
export async function balanceOf(db: Queryable, account: string): Promise<bigint> {
  return (await balancesOf(db, [account])).get(account) ?? 0n;
}

/** The balances of accounts, 0 where one never moved. */
export async function balancesOf(db: Queryable, accounts: readonly string[]): Promise<Map<string, bigint>> {
  const rows = await query<{ account: string; won: bigint }>(
    db,
    `select account, sum(balance_won)::bigint as won from ledger_balance where account = any ($1::text[]) group by account`,
    [accounts],
  );
  return new Map([
    ...accounts.map((account) => [account, 0n] as const),
    ...rows.map(({ account, won }) => [account, won] as const),
  ]);
}

/**
 * Keeps accounts from anybody else until the transaction ends, in the order in which the ledger locks them: for whoever
 * books several entries on them, each of which would lock its own, so that two who do so would wait for each other.
 */
export async function holdAccounts(tx: PoolClient, accounts: readonly string[]): Promise<void> {
  await tx.query(
    `select from ledger_balance where account = any ($1::text[]) and shard in (0, pg_backend_pid() % 8 + 1)
      order by account, shard for update`,
    [accounts],
  );
}

/** Makes the place of a day's lines; best before the transactions that book on it, which otherwise wait for one another. */
export async function ensureLedgerDay(db: Queryable, day: string): Promise<void> {
  await db.query('select ensure_ledger_leaf($1)', [day]);
}

type DatabaseFault = { readonly constraint?: string; readonly detail?: string; readonly message: string };

/** The ledger's own constraints, as the refusals that they are. */
async function asProblem<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw ledgerProblem(error) ?? error;
  }
}

/** The refusal that a fault of the database stands for; undefined where it is none of the ledger's. */
function ledgerProblem(error: unknown): Problem | undefined {
  const { constraint, detail = '', message } = error as DatabaseFault;
  const row = /\((?<account>.*), -?\d+, \w+, (?<won>-?\d+)\)\.?$/.exec(detail)?.groups ?? {};
  const named = /^\S+ (?<event>\S+) was/.exec(message)?.groups ?? {};
  const cause = { cause: error };
  switch (constraint) {
    case 'ledger_balance_side':
      return new Problem('ledger_insufficient', { account: row['account'], wouldBeWon: row['won'] }, cause);
    case 'ledger_account_known':
      return new Problem('ledger_account_unknown', { account: row['account'] }, cause);
    case 'ledger_event_differs':
      return new Problem('ledger_event_differs', { event: named['event'] }, cause);
    case 'ledger_adjustment_approved':
      return new Problem('ledger_unapproved', { event: named['event'] }, cause);
    default:
      return undefined;
  }
}
