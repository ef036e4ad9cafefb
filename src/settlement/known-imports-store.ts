import { check } from '../kernel/check.ts';
import { type Queryable, query } from '../platform/database/pool.ts';

/**
 * The imports that had come in when a slot took its captures, small enough for a checkpoint: all `upTo` this one, `without`
 * those that were still under way, or never ended.
 */
export type KnownImports = { readonly upTo: string; readonly without: readonly string[] };

/** An import that this many have overtaken is not under way any more. */
const overtakenBy = 5_000;

/**
 * What of all imports is there now. Each is one transaction, so that what is named here is seen by whoever looks later,
 * and what is not can be left out by all alike.
 */
export async function knownImports(db: Queryable): Promise<KnownImports> {
  const [known] = await query<{ upTo: bigint; without: bigint[] }>(
    db,
    `with latest as (select coalesce(max(import_id), 0) as id from import)
     select id as "upTo",
            array(select n from generate_series(greatest(1, id - ${overtakenBy}), id) n
                   where not exists (select from import i where i.import_id = n) order by n) as without
       from latest`,
  );
  check(known, 'a row of scalars is there');
  return { upTo: String(known.upTo), without: known.without.map(String) };
}

/** SQL: whether a row came with an import that was known. */
export function cameWith(known: KnownImports, importId: string): string {
  const { upTo, without } = known;
  return `${importId} <= ${upTo}${without.length === 0 ? '' : ` and ${importId} not in (${without.join(', ')})`}`;
}
