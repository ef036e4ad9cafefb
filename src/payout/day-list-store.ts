import { inTransactionOnce, type Pool, type PoolClient, type Queryable } from '../platform/database/pool.ts';
import { type Answered, noteAnswers } from './answer-store.ts';
import type { BankAnswer, ListedTransfer } from './bank-port.ts';
import { rulesOfLate } from './late-answer-store.ts';

/** A bank's list of the messages of a day. */
export type DayList = { readonly bank: string; readonly on: string };

const batchRows = 5_000;

/** 이체 내역. Keeps a bank's list in place of the one that was fetched before; returns how many transfers it names. */
export async function keepDayList(
  pool: Pool,
  { bank, on }: DayList,
  transfers: AsyncIterable<ListedTransfer>,
  fetchedAt: Temporal.Instant,
): Promise<number> {
  return await inTransactionOnce(pool, async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`jeongsan.payout.list.${bank}.${on}`]);
    await tx.query('delete from payout_list where bank = $1 and listed_on = $2', [bank, on]);
    let batch: ListedTransfer[] = [];
    let count = 0;
    const write = async () => {
      await insert(tx, { bank, on }, batch, fetchedAt);
      count += batch.length;
      batch = [];
    };
    for await (const transfer of transfers) {
      batch.push(transfer);
      if (batch.length === batchRows) await write();
    }
    if (batch.length > 0) await write();
    return count;
  });
}

async function insert(
  tx: PoolClient,
  { bank, on }: DayList,
  rows: readonly ListedTransfer[],
  fetchedAt: Temporal.Instant,
): Promise<void> {
  await tx.query(
    `insert into payout_list (bank, listed_on, fetched_at, message_no, amount_won, outcome)
     select $1, $2, $3, * from unnest($4::text[], $5::bigint[], $6::text[])`,
    [
      bank,
      on,
      fetchedAt.toString(),
      rows.map(({ messageNo }) => messageNo),
      rows.map(({ amountWon }) => amountWon),
      rows.map(({ outcome }) => outcome),
    ],
  );
}

/**
 * Brings payouts that are not at their end to the one that the list names, `most` at a time; returns how many. One whose
 * amount the list has otherwise stays as it is, and is a break.
 */
export async function settleByList(
  tx: PoolClient,
  { bank, on }: DayList,
  { who, most, now }: { readonly who: string; readonly most: number; readonly now: Temporal.Instant },
): Promise<number> {
  const { rows } = await tx.query<{ payoutId: bigint; outcome: 'succeeded' | 'rejected' }>(
    `select p.payout_id as "payoutId", l.outcome
       from payout_list l join payout p on p.bank = l.bank and p.message_no = l.message_no and p.message_on = l.listed_on
      where l.bank = $1 and l.listed_on = $2 and p.amount_won = l.amount_won
        and p.state not in ('succeeded', 'rejected', 'cancelled')
      order by p.payout_id limit $3`,
    [bank, on, most],
  );
  const answers = rows.map(({ payoutId, outcome }): Answered => {
    const answer: BankAnswer = { outcome, code: 'list', text: `${bank} ${on}` };
    return { payoutId, answer, source: 'day_list', who };
  });
  await noteAnswers(tx, answers, rulesOfLate(bank, now));
  return rows.length;
}

/** Payouts of a day's messages that the bank has said nothing definite of. */
export async function countUnknown(db: Queryable, { bank, on }: DayList): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from payout
      where bank = $1 and message_on = $2 and state in ('holder_checked', 'sent', 'unknown')`,
    [bank, on],
  );
  return rows[0]?.count ?? 0;
}
