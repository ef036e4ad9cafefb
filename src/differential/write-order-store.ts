import { escapeLiteral, type PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';

/** SQL: the order in which claims `c` stand in a file: MIDs together, a cancel behind its approval. */
export const fileOrder = 'c.mid, c.provider_tid, c.cancel_seq, c.traded_on, c.kind, c.channel';

/** More MIDs than this are sorted by their names. */
const midsMost = 32;

/**
 * SQL: the same order of the claims that `where` selects, said so that sorting them is quick. PostgreSQL compares texts by
 * their first eight bytes, but TIDs of a day hardly differ there: they are compared from where they begin to, behind the
 * rank of their MID.
 */
export async function quickFileOrder(tx: PoolClient, where: string): Promise<string> {
  const [reach] = await query<{ mids: string[] | null; first: string | null; last: string | null }>(
    tx,
    `select array_agg(mid order by mid) as mids, min(first) as first, max(last) as last
       from (select mid, min(provider_tid) as first, max(provider_tid) as last from claim c where ${where} group by mid) m`,
  );
  const { mids = null, first = null, last = null } = reach ?? {};
  if (mids === null || first === null || last === null || mids.length > midsMost) return fileOrder;
  const width = String(mids.length).length;
  const ranks = mids.map((mid, rank) => `when ${escapeLiteral(mid)} then '${String(rank).padStart(width, '0')}'`);
  const rank = mids.length === 1 ? '' : `case c.mid ${ranks.join(' ')} end || `;
  return `${rank}substr(c.provider_tid, ${shared(first, last) + 1}), c.cancel_seq, c.traded_on, c.kind, c.channel`;
}

/** With how many characters both begin, and so whatever stands between them. */
function shared(first: string, last: string): number {
  const [one, other] = [[...first], [...last]];
  const differs = one.findIndex((character, at) => character !== other[at]);
  return differs < 0 ? one.length : differs;
}
