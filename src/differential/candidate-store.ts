import { escapeIdentifier, escapeLiteral, type PoolClient } from 'pg';
import { type Queryable, query } from '../platform/database/pool.ts';

/** A part of a batch's captures: a transaction is in one part with all its cancels. */
export type Share = { readonly part: number; readonly parts: number };

/** So many parts of a batch are selected at the same time; a batch that is divided has a multiple of them. */
export const lanes = 2;

/**
 * Lets parts that may hold the same transactions follow one another, of whichever batches they are: what a cancel takes
 * back depends on all that was claimed and taken back before. Parts of one batch that are of different lanes share none.
 */
export async function lockShare(tx: PoolClient, provider: string, { part, parts }: Share): Promise<void> {
  const all = Array.from({ length: lanes }, (_, lane) => lane);
  for (const lane of parts % lanes === 0 ? [part % lanes] : all) {
    await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`jeongsan:differential:${provider}:${lane}`]);
  }
}

/** SQL: whether the transaction of this TID is of the part. */
export function isOfShare(tid: string, { part, parts }: Share): string {
  return parts === 1 ? 'true' : `(hashtextextended(${tid}, 0) & 1073741823) % ${parts} = ${part}`;
}

/** SQL: days as literals, by which the planner leaves every other leaf out. */
export function dayList(days: readonly string[]): string {
  return days.map((on) => `date ${escapeLiteral(on)}`).join(', ');
}

/** SQL: the rows of a hot table of these days and no other leaf; none where there is no day. */
export function leavesOf(
  table: 'capture' | 'payment' | 'claim',
  channel: string,
  days: readonly string[],
  columns: string,
  where = 'true',
): string {
  const [channelColumn, dayColumn] = {
    capture: ['provider', 'captured_on'],
    payment: ['provider', 'traded_on'],
    claim: ['channel', 'traded_on'],
  }[table] as [string, string];
  if (days.length === 0) return `select ${columns} from ${table} where false`;
  return `select ${columns} from ${escapeIdentifier(table)}
    where ${channelColumn} = ${escapeLiteral(channel)} and ${dayColumn} in (${dayList(days)}) and ${where}`;
}

/** On which days captures of these days were traded. */
export async function tradedDays(db: Queryable, channel: string, capturedDays: readonly string[]): Promise<string[]> {
  const rows = await query<{ day: string }>(
    db,
    `select distinct traded_on::text as day from capture_total where provider = $1 and captured_on = any ($2::date[])
      order by 1`,
    [channel, capturedDays],
  );
  return rows.map(({ day }) => day);
}

/** On which days what was traded on these days was captured, up to a day. */
export async function capturedDays(
  db: Queryable,
  channel: string,
  traded: readonly string[],
  upTo: string,
): Promise<string[]> {
  const rows = await query<{ day: string }>(
    db,
    `select distinct captured_on::text as day from capture_total
      where provider = $1 and traded_on = any ($2::date[]) and captured_on <= $3 order by 1`,
    [channel, traded, upTo],
  );
  return rows.map(({ day }) => day);
}

/** On which days there were payments, between two days, the latest first. */
export async function paymentDays(db: Queryable, channel: string, from: string, to: string): Promise<string[]> {
  const rows = await query<{ day: string }>(
    db,
    `select distinct traded_on::text as day from payment_total where provider = $1 and traded_on between $2 and $3
      order by 1 desc`,
    [channel, from, to],
  );
  return rows.map(({ day }) => day);
}

/**
 * How statements of a selection are planned, until the transaction ends: sets are joined by hashing. The planner takes a
 * share of the captures for a handful, and knows little of temporary tables: its nested loops would be as long as the day.
 */
export async function planForSets(tx: PoolClient): Promise<void> {
  await tx.query(`
    set local work_mem = '256MB';
    set local jit = off;
    set local default_statistics_target = 10;
    set local enable_nestloop = off;
    set local enable_mergejoin = off`);
}

/**
 * Runs a statement that looks single rows of hot leaves up by their key, whatever the statistics say: they are few
 * against what a leaf holds, and a leaf written a moment ago has none. Each look-up is a lateral one, so that it is by
 * the whole key. Returns how many rows it wrote; afterwards statements are planned as they were before.
 */
export async function lookingUp(tx: PoolClient, statement: string): Promise<number> {
  const names = `'enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'enable_nestloop'`;
  const before = await query<{ name: string; setting: string }>(
    tx,
    `select name, setting from pg_settings where name in (${names})`,
  );
  await tx.query(
    `select set_config(name, case name when 'enable_nestloop' then 'on' else 'off' end, true) from unnest(array[${names}]) name`,
  );
  const { rowCount } = await tx.query(statement);
  await tx.query('select set_config(name, setting, true) from unnest($1::text[], $2::text[]) s (name, setting)', [
    before.map(({ name }) => name),
    before.map(({ setting }) => setting),
  ]);
  return rowCount ?? 0;
}
