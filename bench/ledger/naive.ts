/** The baseline: one transfer a transaction, as textbooks have it, onto tables with no rule but the balance's. */
import type { Pool } from '../../src/platform/database/pool.ts';
import { hotAccount, type Transfer } from './transfers.ts';

export async function prepareNaive(pool: Pool, wallets: readonly string[]): Promise<void> {
  await pool.query(`create table naive_balance (account text collate "C" primary key, balance_won bigint not null)`);
  await pool.query(`create table naive_entry (entry_id bigint generated always as identity primary key,
    event text collate "C" not null unique, posted_at timestamptz not null default now())`);
  await pool.query(`create table naive_line (entry_id bigint not null references naive_entry, account text collate "C" not null,
    amount_won bigint not null, primary key (entry_id, account))`);
  await pool.query('insert into naive_balance select account, 0 from unnest($1::text[]) account', [
    [hotAccount, ...wallets],
  ]);
}

/** Six statements: both balance rows, the entry, its lines. */
export async function postNaively(pool: Pool, { event, from, to, amountWon }: Transfer): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('update naive_balance set balance_won = balance_won - $2 where account = $1', [from, amountWon]);
    await client.query('update naive_balance set balance_won = balance_won + $2 where account = $1', [to, amountWon]);
    const { rows } = await client.query<{ entry_id: bigint }>(
      'insert into naive_entry (event) values ($1) returning entry_id',
      [event],
    );
    await client.query(
      'insert into naive_line (entry_id, account, amount_won) values ($1, $2, - $4::bigint), ($1, $3, $4)',
      [rows[0]?.entry_id, from, to, amountWon],
    );
    await client.query('commit');
  } finally {
    client.release();
  }
}
