import type { PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { type KeyPart, keysetPage, readKey } from '../platform/database/keyset.ts';
import { type Pool, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { atOneMoment } from './cursor-store.ts';
import {
  type AccountBalance,
  balanceAfter,
  balanceBefore,
  counterAccounts,
  type Movement,
  type StatementFacts,
  type StatementPeriod,
} from './statement-store.ts';

const keyParts: readonly KeyPart[] = [
  { sql: 'l.posted_on', type: 'date' },
  { sql: 'l.entry_id', type: 'bigint' },
  { sql: 'l.line_no', type: 'integer' },
];
/** What the account held where the page before ended: so no page adds up what the ones before it have. */
const withBalance: readonly Pick<KeyPart, 'type'>[] = [...keyParts, { type: 'bigint' }];

type Line = Omit<Movement, 'counter' | 'balanceWon'> & { readonly entryId: bigint };

/**
 * A page of an account's movements with what it held after each, in the order in which they were booked on each day or
 * the other way round. @throws Problem `cursor_invalid`
 */
export function pageOfMovements(
  pool: Pool,
  period: StatementPeriod,
  request: PageRequest<'postedOn'>,
): Promise<Page<Movement>> {
  const { descending } = request;
  const place = request.after === undefined ? undefined : readKey(request.after, withBalance);
  return atOneMoment(pool, async (tx) => {
    let runningWon =
      place === undefined
        ? await (descending ? balanceAfter(tx, period) : balanceBefore(tx, period))
        : BigInt(place[3] ?? 0);
    const after = place === undefined ? undefined : JSON.stringify(place.slice(0, keyParts.length));
    const page = await keysetPage<Line>(
      tx,
      keyParts,
      { ...request, after },
      [period.account, period.from, period.to],
      ({ key, after: beyond, order, limit }) =>
        `select l.entry_id as "entryId", l.posted_on as "postedOn", e.event, e.kind, e.reason, l.amount_won as "amountWon",
                to_char(e.posted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "postedAt", ${key}
           from ledger_line l join ledger_entry e on e.entry_id = l.entry_id
          where l.account = $1 and l.posted_on between $2 and $3 and ${beyond} order by ${order} limit ${limit}`,
    );
    const counters = await counterAccounts(tx, period.account, page.rows);
    const rows = page.rows.map(({ entryId, ...line }) => {
      const afterWon = descending ? runningWon : runningWon + line.amountWon;
      runningWon = descending ? runningWon - line.amountWon : afterWon;
      return { ...line, counter: counters.get(entryId) ?? [], balanceWon: afterWon };
    });
    const next = page.next === undefined ? undefined : JSON.parse(page.next);
    return { rows, next: next === undefined ? undefined : JSON.stringify([...next, String(runningWon)]) };
  });
}

/** What a statement comes to, without its movements. */
export function sumStatement(pool: Pool, period: StatementPeriod): Promise<StatementFacts> {
  return atOneMoment(pool, async (tx: PoolClient) => {
    const openingWon = await balanceBefore(tx, period);
    const [sums] = await query<{ inWon: bigint; outWon: bigint; movements: bigint }>(
      tx,
      `select coalesce(sum(amount_won) filter (where amount_won > 0), 0)::bigint as "inWon",
              coalesce(-sum(amount_won) filter (where amount_won < 0), 0)::bigint as "outWon", count(*) as movements
         from ledger_line where account = $1 and posted_on between $2 and $3`,
      [period.account, period.from, period.to],
    );
    check(sums, 'a sum has a row');
    const { inWon, outWon, movements } = sums;
    return { openingWon, inWon, outWon, closingWon: openingWon + inWon - outWon, movementCount: Number(movements) };
  });
}

/** A page of the accounts, of a kind where it is named; those alone that hold something unless `empty`. @throws Problem `cursor_invalid` */
export async function pageOfAccounts(
  db: Queryable,
  { kind, empty }: { readonly kind?: string | undefined; readonly empty?: boolean | undefined },
  request: PageRequest<'account'>,
): Promise<Page<AccountBalance>> {
  return keysetPage<AccountBalance>(
    db,
    [{ sql: 'account', type: 'text' }],
    request,
    [kind ?? null, empty ?? false],
    // A kind's accounts lie together: `wallet`, or between `wallet:` and `wallet;`.
    ({ key, after, order, limit }) =>
      `select account, split_part(account, ':', 1) as kind, sum(balance_won)::bigint as "balanceWon", ${key}
         from ledger_balance
        where ($1::text is null or account = $1 or (account > $1 || ':' and account < $1 || ';')) and ${after}
        group by account having $2 or sum(balance_won) <> 0 order by ${order} limit ${limit}`,
  );
}
