import { escapeIdentifier, escapeLiteral, type PoolClient } from 'pg';
import { type Arrival, arrivalsOf } from '../payments/arrival-store.ts';
import { query } from '../platform/database/pool.ts';
import { providers } from '../providers/registry.ts';
import { cameWith } from './known-imports-store.ts';
import type { Part } from './part.ts';

/**
 * What a part works with: the temporary table `staged`, one row a capture that is newly taken or due again, with the
 * payment that it captures. `merchant_id` is null where there is none. Reads the leaves of the days that came in and of
 * the days on which those were traded, and no other.
 */
export async function stageCaptures(tx: PoolClient, part: Part): Promise<void> {
  const arrivals = await arrivalsOf(tx, part.runId);
  const captures = `
    ${capturesOf(arrivals)}
    union all
    select provider, captured_on, provider_tid, cancel_seq, traded_on, mid, amount_won, merchant_id, true,
           reason is null or reason = 'original_unsettled'
      from unsettled_capture where due_at <= ${instant(part.slot)}`;
  // An import's captures lie together, which its block range index knows and a plan by the leaf's key does not.
  await tx.query(`
    set local work_mem = '256MB';
    set local jit = off;
    set local default_statistics_target = 10;
    set local enable_seqscan = off;
    set local enable_indexscan = off;
    create temp table raw_capture on commit drop as ${captures};
    reset enable_seqscan;
    reset enable_indexscan;
    analyze raw_capture (provider, traded_on)`);
  const traded = await query<TradedDays>(
    tx,
    `select provider, array_agg(traded_on) as days, sum(captures)::int as captures,
            sum(coalesce(pg_relation_size(to_regclass('payment_' || replace(provider, '-', '_') || '_' ||
                                                      to_char(traded_on, 'YYYYMMDD'))), 0))::bigint as "leafBytes"
       from (select provider, traded_on, count(*) as captures from raw_capture group by provider, traded_on) d
      group by provider order by provider`,
  );
  // A leaf much larger than what is looked for is not read as a whole: a slot late in the day costs what an early one does.
  const lookUp = isMuchLarger(traded) ? 'off' : 'on';
  await tx.query(`
    set local enable_hashjoin = ${lookUp};
    set local enable_mergejoin = ${lookUp};
    create temp table staged on commit drop as
    select r.provider, r.captured_on, r.provider_tid, r.cancel_seq, r.traded_on, r.mid, r.amount_won, r.again, r.was_sound,
           p.amount_won as paid_won, coalesce(p.merchant_id, r.merchant_id) as merchant_id
      from raw_capture r left join payment p
        on p.provider = r.provider and p.traded_on = r.traded_on and p.provider_tid = r.provider_tid
       and p.cancel_seq = r.cancel_seq and ${isLookedFor(traded, part)} ${partOf(part)};
    reset enable_hashjoin;
    reset enable_mergejoin`);
}

/** On which days a provider's captures were traded, how many they are, and how large those days' payments. */
type TradedDays = {
  readonly provider: string;
  readonly days: readonly string[];
  readonly captures: number;
  readonly leafBytes: bigint;
};

/** Bytes of a payment's row; and from how many rows for each that is looked for on an index is quicker (measured). */
const [rowBytes, rowsForEach] = [160, 6];

function isMuchLarger(traded: readonly TradedDays[]): boolean {
  const bytes = traded.reduce((sum, { leafBytes }) => sum + Number(leafBytes), 0);
  const captures = traded.reduce((sum, { captures: some }) => sum + some, 0);
  return bytes / rowBytes > captures * rowsForEach;
}

/**
 * SQL: the captures that a run took, from their leaves by name: asked for by import alone, their block range index is the
 * only way to them.
 */
export function capturesOf(arrivals: readonly Arrival[]): string {
  const columns = `provider, captured_on, provider_tid, cancel_seq, traded_on, mid, amount_won,
    null::text collate "C" as merchant_id, false as again, false as was_sound`;
  const ofLeaf = Map.groupBy(arrivals, ({ provider, capturedOn }) => leafOf('capture', provider, capturedOn));
  const queries = [...ofLeaf].map(([leaf, own]) => {
    const imports = own.map(({ importId }) => importId);
    return `select ${columns} from ${escapeIdentifier(leaf)} where import_id in (${imports.join(', ')})`;
  });
  return queries.length === 0 ? `select ${columns} from capture where false` : queries.join(' union all ');
}

/** SQL: the items of the days that a run took captures of, and of no other: history is not read. */
export function itemsOf(arrivals: readonly Arrival[]): string {
  const columns = 'provider, captured_on, provider_tid, cancel_seq';
  const days = Map.groupBy(arrivals, ({ provider }) => provider);
  const queries = [...days].map(([provider, own]) => {
    const on = [...new Set(own.map(({ capturedOn }) => capturedOn))].map(day);
    return `select ${columns} from settlement_item where provider = ${escapeLiteral(provider)} and captured_on in (${on.join(', ')})`;
  });
  return queries.length === 0 ? `select ${columns} from settlement_item where false` : queries.join(' union all ');
}

/** The leaf of a hot table, by the name that `ensure_leaf` gave it. */
function leafOf(table: string, provider: string, on: string): string {
  return `${table}_${provider.replaceAll('-', '_')}_${on.replaceAll('-', '')}`;
}

/**
 * SQL: whether a capture belongs to the part. A merchant is in one part with all it has, so that parts which are settled
 * at the same time touch no wallet of one another; what has no merchant goes by its transaction. The approvals that say
 * whose it is are the same for all parts, else one between two of them would be in neither, or in both.
 */
function partOf({ part, parts }: Part): string {
  const owner = 'coalesce(p.merchant_id, r.merchant_id, r.provider_tid)';
  return parts === 1 ? '' : `where (hashtextextended(${owner}, 0) & 1073741823) % ${parts} = ${part}`;
}

/**
 * SQL: whether a payment `p` is of the days that are looked for: no other leaf is opened. Said of the table itself: in a
 * union of a query for each provider it would be looked up by no key, but read whole for each capture.
 */
function isLookedFor(
  traded: readonly { readonly provider: string; readonly days: readonly string[] }[],
  { imports }: Part,
): string {
  if (traded.length === 0) return 'false';
  const days = [...new Set(traded.flatMap((each) => each.days))].map(day);
  const own = traded.map(({ provider }) => escapeLiteral(provider));
  const known = imports === undefined ? '' : `and ${cameWith(imports, 'p.import_id')}`;
  return `p.provider in (${own.join(', ')}) and p.traded_on in (${days.join(', ')}) ${known}`;
}

/** SQL: the providers with the method of their captures, which chooses the contract. */
export function methodsOfProviders(): string {
  const rows = providers.map(({ id, method }) => `(${escapeLiteral(id)}, ${escapeLiteral(method)})`);
  return `(values ${rows.join(', ')}) as method_of (provider, method)`;
}

/** Hot tables are asked for days by literals alone: the planner then leaves every other leaf out. */
export function day(text: string): string {
  return `date ${escapeLiteral(text)}`;
}

export function instant(at: Temporal.Instant): string {
  return `timestamptz ${escapeLiteral(at.toString())}`;
}
