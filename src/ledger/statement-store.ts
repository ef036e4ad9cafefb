import { type Pool, type PoolClient, query } from '../platform/database/pool.ts';
import { atOneMoment, pagesOf } from './cursor-store.ts';

/** A movement of an account: what it was for, with which other accounts, and what the account then held. */
export type Movement = {
  readonly postedOn: string;
  readonly postedAt: string;
  readonly event: string;
  readonly kind: string;
  readonly reason: string | null;
  readonly counter: readonly string[];
  readonly amountWon: bigint;
  readonly balanceWon: bigint;
};

/** Both days are included. */
export type StatementPeriod = { readonly account: string; readonly from: string; readonly to: string };

/** 계정 명세. What a statement comes to: `closingWon` is `openingWon` with all movements, in and out. */
export type StatementFacts = {
  openingWon: bigint;
  closingWon: bigint;
  inWon: bigint;
  outWon: bigint;
  movementCount: number;
};

type Line = Omit<Movement, 'counter' | 'balanceWon'> & { readonly entryId: bigint };

/**
 * An account's movements in the order in which they were booked on each day, page by page. `facts` starts with the opening
 * balance and holds the whole statement's once the last page was read. The transaction is one of `atOneMoment`.
 */
export async function* readStatement(
  tx: PoolClient,
  period: StatementPeriod,
  facts: StatementFacts,
): AsyncGenerator<readonly Movement[]> {
  for await (const lines of pagesOf<Line>(tx, linesSql, [period.account, period.from, period.to])) {
    const counters = await counterAccounts(tx, period.account, lines);
    yield lines.map(({ entryId, ...line }) => {
      facts.movementCount += 1;
      facts.closingWon += line.amountWon;
      if (line.amountWon > 0n) facts.inWon += line.amountWon;
      else facts.outWon -= line.amountWon;
      return { ...line, counter: counters.get(entryId) ?? [], balanceWon: facts.closingWon };
    });
  }
}

/** A statement's facts before its first movement. */
export async function openStatement(tx: PoolClient, period: StatementPeriod): Promise<StatementFacts> {
  const openingWon = await balanceBefore(tx, period);
  return { openingWon, closingWon: openingWon, inWon: 0n, outWon: 0n, movementCount: 0 };
}

/** What the account held before the period. From today's balance backwards: a statement of last month never reads the years before it. */
export async function balanceBefore(tx: PoolClient, { account, from }: StatementPeriod): Promise<bigint> {
  const [row] = await query<{ won: bigint }>(
    tx,
    `select (coalesce((select sum(balance_won) from ledger_balance where account = $1), 0)
           - coalesce((select sum(amount_won) from ledger_line where account = $1 and posted_on >= $2), 0))::bigint as won`,
    [account, from],
  );
  return row?.won ?? 0n;
}

/** What the account held at the period's end. */
export async function balanceAfter(tx: PoolClient, { account, to }: StatementPeriod): Promise<bigint> {
  const dayAfter = Temporal.PlainDate.from(to).add({ days: 1 }).toString();
  return balanceBefore(tx, { account, from: dayAfter, to: dayAfter });
}

const linesSql = `
  select l.entry_id as "entryId", l.posted_on as "postedOn", e.event, e.kind, e.reason, l.amount_won as "amountWon",
         to_char(e.posted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "postedAt"
    from ledger_line l join ledger_entry e on e.entry_id = l.entry_id
   where l.account = $1 and l.posted_on between $2 and $3
   order by l.posted_on, l.entry_id, l.line_no`;

/** The other accounts of a page's entries, by one look at the pages that hold them. */
export async function counterAccounts(
  tx: PoolClient,
  account: string,
  lines: readonly Pick<Line, 'postedOn' | 'entryId'>[],
): Promise<Map<bigint, readonly string[]>> {
  const rows = await query<{ id: bigint; accounts: string[] }>(
    tx,
    `select entry_id as id, array_agg(distinct account order by account) as accounts from ledger_line
      where posted_on = any ($1::date[]) and entry_id = any ($2::bigint[]) and account <> $3
      group by entry_id`,
    [[...new Set(lines.map(({ postedOn }) => postedOn))], lines.map(({ entryId }) => entryId), account],
  );
  return new Map(rows.map(({ id, accounts }) => [id, accounts]));
}

/** An account and what it holds. */
export type AccountBalance = { readonly account: string; readonly kind: string; readonly balanceWon: bigint };

/** 시산표. What the accounts of each kind hold together; the sum of all is 0. */
export async function trialBalance(
  pool: Pool,
): Promise<readonly { readonly kind: string; readonly accounts: bigint; readonly balanceWon: bigint }[]> {
  return query(
    pool,
    `select c.kind, count(a.account) as accounts, coalesce(sum(a.balance_won), 0)::bigint as "balanceWon"
       from ledger_chart c left join ledger_account a using (kind) group by c.kind order by c.kind`,
  );
}

/** The accounts of a kind that hold something, page by page. */
export function readAccounts(
  pool: Pool,
  kind: string,
  tell: (page: readonly AccountBalance[]) => Promise<void>,
): Promise<void> {
  return atOneMoment(pool, async (tx) => {
    const sql = `select account, kind, balance_won as "balanceWon" from ledger_account
                  where kind = $1 and balance_won <> 0 order by account`;
    for await (const page of pagesOf<AccountBalance>(tx, sql, [kind])) await tell(page);
  });
}
