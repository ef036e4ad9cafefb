import { escapeLiteral } from 'pg';

/** SQL: the order in which claims `c` stand in a file: MIDs together, a cancel behind its approval. */
export const fileOrder = 'c.mid, c.provider_tid, c.cancel_seq, c.traded_on, c.kind, c.channel';

/** More MIDs than this are sorted by their names. */
const midsMost = 32;

/** A MID of a file, and the first and the last TID of its claims. */
export type MidReach = { readonly mid: string; readonly first: string; readonly last: string };

/**
 * SQL: the same order of claims that reach so far, by MIDs in order, said so that sorting them is quick. PostgreSQL compares
 * texts by their first eight bytes, but TIDs of a day hardly differ there: they are compared from where they begin to, behind
 * the rank of their MID.
 */
export function quickFileOrder(reach: readonly MidReach[]): string {
  const all = reach.flatMap(({ first, last }) => [first, last]);
  const [one, ...others] = all;
  if (one === undefined || reach.length > midsMost) return fileOrder;
  const same = others.reduce((least, other) => Math.min(least, shared(one, other)), [...one].length);
  const width = String(reach.length).length;
  const ranks = reach.map(({ mid }, rank) => `when ${escapeLiteral(mid)} then '${String(rank).padStart(width, '0')}'`);
  const rank = reach.length === 1 ? '' : `case c.mid ${ranks.join(' ')} end || `;
  return `${rank}substr(c.provider_tid, ${same + 1}), c.cancel_seq, c.traded_on, c.kind, c.channel`;
}

/** With how many characters both begin, and so whatever stands between them. */
function shared(first: string, last: string): number {
  const [one, other] = [[...first], [...last]];
  const differs = one.findIndex((character, at) => character !== other[at]);
  return differs < 0 ? one.length : differs;
}
