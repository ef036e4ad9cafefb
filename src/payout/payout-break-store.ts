import { closeFinding, openFinding } from '../findings/store.ts';
import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import type { PoolClient, Queryable } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { DayList } from './day-list-store.ts';

/**
 * How the bank's list and our payouts differ. missing_at_bank: succeeded here, or still unknown when the day was over,
 * and not listed; missing_here: listed, and no payout of that day has the number.
 */
export const payoutBreakKinds = ['missing_at_bank', 'missing_here', 'amount_differs', 'status_differs'] as const;
export type PayoutBreakKind = (typeof payoutBreakKinds)[number];

/** 지급 불일치. */
export type PayoutBreak = {
  readonly id: bigint;
  readonly bank: string;
  readonly on: string;
  readonly kind: PayoutBreakKind;
  readonly messageNo: string;
  readonly payoutId: bigint | null;
  readonly oursWon: bigint | null;
  readonly theirsWon: bigint | null;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
  readonly note: string | null;
};

export type Compared = { readonly opened: number; readonly closed: number; readonly standing: number };

const itself = 'jeongsan';

/** What differs; $1 bank, $2 day, $3 when the list was asked for, $4 whether the day was over then. */
const differences = `
  select kind, message_no, payout_id, ours_won, theirs_won from (
    select coalesce(l.message_no, o.message_no) as message_no, o.payout_id, o.amount_won as ours_won,
           l.amount_won as theirs_won,
           case when o.payout_id is null then 'missing_here'
                when l.message_no is null then case
                  when o.state = 'succeeded' and o.finished_at <= $3 then 'missing_at_bank'
                  when o.state in ('sent', 'unknown') and $4 then 'missing_at_bank' end
                when l.amount_won <> o.amount_won then 'amount_differs'
                when l.outcome = 'succeeded' and o.state <> 'succeeded' then 'status_differs'
                when l.outcome = 'rejected' and o.state not in ('rejected', 'cancelled') then 'status_differs'
           end as kind
      from (select * from payout_list where bank = $1 and listed_on = $2) l
      full join (select * from payout where bank = $1 and message_on = $2) o on o.message_no = l.message_no
  ) compared where kind is not null`;

/**
 * Compares our payouts of a day's messages with the bank's list: what differs is a break, and one that differs no more
 * is closed. A break that a person has closed stays closed while nothing about it changes. Repeatable.
 */
export async function compareWithList(
  tx: PoolClient,
  { bank, on }: DayList,
  { askedAt, dayIsOver }: { readonly askedAt: Temporal.Instant; readonly dayIsOver: boolean },
): Promise<Compared> {
  const values = [bank, on, askedAt.toString(), dayIsOver];
  const closed = await tx.query(
    `update payout_break b set closed_at = clock_timestamp(), closed_by = '${itself}', note = 'agrees'
      where b.bank = $1 and b.listed_on = $2 and b.closed_at is null
        and not exists (select from (${differences}) d where d.kind = b.kind and d.message_no = b.message_no)`,
    values,
  );
  const opened = await tx.query(
    `insert into payout_break (bank, listed_on, kind, message_no, payout_id, ours_won, theirs_won)
     select $1, $2, d.kind, d.message_no, d.payout_id, d.ours_won, d.theirs_won from (${differences}) d
      where not exists (select from payout_break b
                         where b.bank = $1 and b.listed_on = $2 and b.kind = d.kind and b.message_no = d.message_no
                           and b.closed_by <> '${itself}' and b.ours_won is not distinct from d.ours_won
                           and b.theirs_won is not distinct from d.theirs_won)
     on conflict (bank, listed_on, kind, message_no) where closed_at is null do nothing`,
    values,
  );
  const standing = await tellOf(tx, { bank, on });
  return { opened: opened.rowCount ?? 0, closed: closed.rowCount ?? 0, standing };
}

/** One finding for a list while any break of it stands; returns how many do. */
async function tellOf(tx: PoolClient, { bank, on }: DayList): Promise<number> {
  const { rows } = await tx.query<{ kind: PayoutBreakKind; count: number }>(
    `select kind, count(*)::int as count from payout_break
      where bank = $1 and listed_on = $2 and closed_at is null group by kind order by kind`,
    [bank, on],
  );
  const finding = { kind: 'payout_list_differs', subject: `payout-list:${bank}:${on}` };
  if (rows.length === 0) await closeFinding(tx, { ...finding, by: itself });
  else {
    const detail = { bank, on, ...Object.fromEntries(rows.map(({ kind, count }) => [kind, count])) };
    await openFinding(tx, { ...finding, audience: 'in_charge', detail });
  }
  return rows.reduce((sum, { count }) => sum + count, 0);
}

export type PayoutBreakFilter = { readonly bank?: string; readonly on?: string; readonly closed?: boolean };

const columns = `break_id as id, bank, listed_on as on, kind, message_no as "messageNo", payout_id as "payoutId",
  ours_won as "oursWon", theirs_won as "theirsWon", opened_at as "openedAt", closed_at as "closedAt",
  closed_by as "closedBy", note`;
const mostListed = 10_000;

/** Breaks, newest first: those that stand, or closed ones too. */
export async function listPayoutBreaks(db: Queryable, filter: PayoutBreakFilter = {}): Promise<PayoutBreak[]> {
  const { rows } = await db.query<PayoutBreak>(
    `select ${columns} from payout_break
      where ($1::text is null or bank = $1) and ($2::date is null or listed_on = $2) and ($3 or closed_at is null)
      order by break_id desc limit ${mostListed}`,
    [filter.bank ?? null, filter.on ?? null, filter.closed ?? false],
  );
  return rows;
}

/** A page of the breaks: those that stand, or closed ones too. @throws Problem `cursor_invalid` */
export async function pageOfPayoutBreaks(
  db: Queryable,
  {
    bank,
    on,
    closed,
  }: {
    readonly bank?: string | undefined;
    readonly on?: string | undefined;
    readonly closed?: boolean | undefined;
  },
  request: PageRequest<'id'>,
): Promise<Page<PayoutBreak>> {
  return keysetPage<PayoutBreak>(
    db,
    [{ sql: 'break_id', type: 'bigint' }],
    request,
    [bank ?? null, on ?? null, closed ?? false],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from payout_break
        where ($1::text is null or bank = $1) and ($2::date is null or listed_on = $2) and ($3 or closed_at is null)
          and ${after} order by ${order} limit ${limit}`,
  );
}

/**
 * Closes a break because a person has dealt with it; once more is no fault.
 * @throws Problem `not_found`
 */
export async function closePayoutBreak(
  tx: PoolClient,
  id: number,
  { by, note }: { readonly by: string; readonly note: string },
): Promise<PayoutBreak> {
  await tx.query(
    `update payout_break set closed_at = clock_timestamp(), closed_by = $2, note = $3
      where break_id = $1 and closed_at is null`,
    [id, by, note],
  );
  const { rows } = await tx.query<PayoutBreak>(`select ${columns} from payout_break where break_id = $1`, [id]);
  const [row] = rows;
  if (row === undefined) throw new Problem('not_found', { what: 'payout break', id });
  await tellOf(tx, row);
  return row;
}

/** Closes what stands about a payout, because people have said what became of it. */
export async function closeBreaksOf(
  tx: PoolClient,
  payoutId: bigint,
  { by, note }: { readonly by: string; readonly note: string },
): Promise<void> {
  const { rows } = await tx.query<DayList>(
    `update payout_break set closed_at = clock_timestamp(), closed_by = $2, note = $3
      where payout_id = $1 and closed_at is null returning bank, listed_on as on`,
    [payoutId, by, note],
  );
  for (const list of rows) await tellOf(tx, list);
}
