import { createHash } from 'node:crypto';
import { type Queryable, query } from '../platform/database/pool.ts';

/** How many wrong passwords in a row are borne, and how long one waits then: twice as long each time, up to an hour. */
const freeAttempts = 5;
const keptForHours = 24;
const prunedAtOnce = 100;

function hashOf(email: string): Buffer {
  return createHash('sha256').update(email.trim().toLowerCase()).digest();
}

/**
 * 로그인 잠금. Counts an attempt before it is made, so that many at once are counted too; `passed` takes it back. The
 * seconds to wait where it may not be made. Addresses that nobody has are counted alike.
 */
export async function beginAttempt(db: Queryable, email: string, now: Temporal.Instant): Promise<number | undefined> {
  const at = now.toString();
  await query(
    db,
    `delete from sign_in_attempt where address_hash in (
       select address_hash from sign_in_attempt where last_at < $1::timestamptz - make_interval(hours => $2)
        order by last_at limit $3 for update skip locked)`,
    [at, keptForHours, prunedAtOnce],
  );
  const counted = await query(
    db,
    `insert into sign_in_attempt as a (address_hash, failures, last_at) values ($1, 1, $2)
     on conflict (address_hash) do update set
       failures = a.failures + 1,
       last_at = $2,
       locked_until = case when a.failures + 1 >= $3
         then $2::timestamptz + least(power(2, least(a.failures + 1 - $3, 10)), 60) * interval '1 minute' end
     where a.locked_until is null or a.locked_until <= $2
     returning failures`,
    [hashOf(email), at, freeAttempts],
  );
  if (counted.length > 0) return undefined;
  const [locked] = await query<{ seconds: number }>(
    db,
    `select greatest(1, ceil(extract(epoch from locked_until - $2::timestamptz)))::int as seconds
       from sign_in_attempt where address_hash = $1`,
    [hashOf(email), at],
  );
  return locked?.seconds ?? 1;
}

/** The password was right: what was counted before no longer counts. */
export async function endAttempts(db: Queryable, email: string): Promise<void> {
  await query(db, 'delete from sign_in_attempt where address_hash = $1', [hashOf(email)]);
}
