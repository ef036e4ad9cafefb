import type { Role } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import { type Queryable, query } from '../platform/database/pool.ts';

/** 세션. A sign-in that goes on. */
export type Session = {
  readonly id: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly from: string | null;
  readonly userAgent: string | null;
};

/** A session ends by itself this long after the last request, and at the latest this long after it began. */
export const sessionLimits = { idleMinutes: 60, hours: 12 } as const;
/** How exactly it is known when a session was last seen: it is not written at every request. */
const seenEverySeconds = 60;

/** Whether somebody may sign in at all: people who are not disabled. */
export async function mayComeIn(db: Queryable, who: string): Promise<boolean> {
  const found = await query(db, `select from person where id = $1 and kind = 'person' and disabled_at is null`, [who]);
  return found.length === 1;
}

/** Whose session it is and what they may do now; undefined where it has ended or they may no longer come in. */
export async function seeSession(
  db: Queryable,
  sessionId: string,
  now: Temporal.Instant,
): Promise<{ readonly who: string; readonly roles: readonly Role[] } | undefined> {
  const [found] = await query<{ who: string; roles: Role[]; stale: boolean }>(
    db,
    `select p.id as who, array(select role from person_role g where g.person_id = p.id) as roles,
            s.updated_at < $2::timestamptz - make_interval(secs => $3) as stale
       from person_session s join person p on p.id = s.person_id
      where s.id = $1 and p.disabled_at is null and p.kind = 'person' and s.expires_at > $2
        and s.created_at > $2::timestamptz - make_interval(hours => $4)
        and s.updated_at > $2::timestamptz - make_interval(mins => $5)`,
    [sessionId, now.toString(), seenEverySeconds, sessionLimits.hours, sessionLimits.idleMinutes],
  );
  if (found?.stale) {
    await query(db, 'update person_session set updated_at = $2 where id = $1', [sessionId, now.toString()]);
  }
  return found;
}

/** The sessions of somebody that go on, the latest first. */
export async function listSessions(db: Queryable, who: string, now: Temporal.Instant): Promise<Session[]> {
  return query<Session>(
    db,
    `select s.id, s.created_at as "startedAt", s.updated_at as "lastSeenAt", s.expires_at as "expiresAt",
            s.ip_address as "from", s.user_agent as "userAgent"
       from person_session s
      where s.person_id = $1 and s.expires_at > $2 and s.updated_at > $2::timestamptz - make_interval(mins => $3)
      order by s.created_at desc, s.id limit 1000`,
    [who, now.toString(), sessionLimits.idleMinutes],
  );
}

/** Ends one session of somebody. @throws Problem `not_found` */
export async function endSession(db: Queryable, who: string, sessionId: string): Promise<void> {
  const ended = await query(db, 'delete from person_session where person_id = $1 and id = $2 returning id', [
    who,
    sessionId,
  ]);
  if (ended.length === 0) throw new Problem('not_found', { what: 'session', id: sessionId });
}

/** Ends the session of a token. */
export async function endSessionOf(db: Queryable, token: string): Promise<void> {
  await query(db, 'delete from person_session where token = $1', [token]);
}

/** Ends all sessions of somebody; how many there were. */
export async function endSessions(db: Queryable, who: string): Promise<number> {
  const ended = await query(db, 'delete from person_session where person_id = $1 returning id', [who]);
  return ended.length;
}

/**
 * Removes what ended before a moment, the oldest first: sessions, the answers that nobody waits for any more, and how often
 * addresses asked that ask no more. Of each
 * at most `most`; returns of which more were removed, how many.
 */
export async function forgetSessions(db: Queryable, before: Temporal.Instant, most: number): Promise<number> {
  const ended = [
    ['person_session', 'expires_at'],
    ['verification', 'expires_at'],
    ['sign_in_rate', `timestamptz 'epoch' + last_request * interval '1 millisecond'`],
  ] as const;
  const gone = await Promise.all(
    ended.map(([table, at]) =>
      query(
        db,
        `delete from ${table} where id in (select id from ${table} where ${at} < $1 order by ${at} limit $2) returning id`,
        [before.toString(), most],
      ),
    ),
  );
  return Math.max(...gone.map((rows) => rows.length));
}
