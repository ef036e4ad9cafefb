import { createHash } from 'node:crypto';
import { type Queryable, query } from '../platform/database/pool.ts';

/** A code is valid for three steps of 30 seconds: of more than these none is valid any more. */
const remembered = 8;

/**
 * Notes that a code of the second factor was taken; false where it was taken before, by whoever saw it typed. Of many who
 * bring the same one at once, one is heard.
 */
export async function takeCode(db: Queryable, who: string, code: string): Promise<boolean> {
  const hash = createHash('sha256').update(`${who} ${code}`).digest();
  const taken = await query(
    db,
    `update second_factor set used_codes = (array_prepend($2::bytea, used_codes))[1:$3]
      where person_id = $1 and not $2::bytea = any (used_codes) returning id`,
    [who, hash, remembered],
  );
  return taken.length === 1;
}
