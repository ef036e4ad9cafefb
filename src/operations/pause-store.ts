import { actingAs } from '../audit/store.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { ChangedBy } from './schedule-store.ts';

/** What can be paused: everything (점검), one schedule, or a queue, which is a bank's lane. */
export type Paused =
  | { readonly kind: 'everything'; readonly subject: '' }
  | { readonly kind: 'schedule' | 'queue'; readonly subject: string };

/** 일시 중지. Nothing new starts; what runs ends. */
export type Pause = {
  readonly kind: Paused['kind'];
  /** A schedule's number, or a bank. */
  readonly subject: string;
  readonly since: Temporal.Instant;
  readonly until: Temporal.Instant | null;
  readonly who: string;
  readonly reason: string;
};

export const everything: Paused = { kind: 'everything', subject: '' };
export const ofSchedule = (id: bigint): Paused => ({ kind: 'schedule', subject: `${id}` });
export const ofQueue = (bank: string): Paused => ({ kind: 'queue', subject: bank });

/** The pauses that hold at `now`. */
export async function pausesInForce(db: Queryable, now: Temporal.Instant): Promise<Pause[]> {
  const rows = await query<Omit<Pause, 'since' | 'until'> & { since: Date; until: Date | null }>(
    db,
    `select kind, subject, since, until, who, reason from pause
      where ended_at is null and (until is null or until > $1) order by pause_id`,
    [now.toString()],
  );
  return rows.map((row) => ({
    ...row,
    since: row.since.toTemporalInstant(),
    until: row.until?.toTemporalInstant() ?? null,
  }));
}

/** The pause that keeps a schedule from starting anything: its own, or of everything. */
export function pauseOf(pauses: readonly Pause[], scheduleId: bigint): Pause | undefined {
  return (
    pauses.find(({ kind }) => kind === 'everything') ??
    pauses.find(({ kind, subject }) => kind === 'schedule' && subject === `${scheduleId}`)
  );
}

/** 점검. The maintenance that is on, if it is. */
export async function maintenanceOf(db: Queryable, now: Temporal.Instant): Promise<Pause | undefined> {
  return (await pausesInForce(db, now)).find(({ kind }) => kind === 'everything');
}

/**
 * For whatever a person starts by hand: nothing new starts during maintenance.
 * @throws Problem `maintenance_on`
 */
export async function assertNoMaintenance(db: Queryable, now: Temporal.Instant): Promise<void> {
  const maintenance = await maintenanceOf(db, now);
  if (maintenance === undefined) return;
  const { who, reason, until } = maintenance;
  throw new Problem('maintenance_on', { who, reason, until: until?.toString() ?? '-' });
}

/** Pauses, or says anew until when and why. `also` runs in the same transaction, with the same name in the trail. */
export async function pause(
  pool: Pool,
  what: Paused,
  {
    by,
    until,
    now,
    isEndless,
    also,
  }: {
    readonly by: ChangedBy;
    readonly until?: Temporal.Instant | undefined;
    readonly now: Temporal.Instant;
    /** Asked where it was not paused before: whether it stays so beyond `until`. */
    isEndless?(tx: PoolClient): Promise<boolean>;
    also?(tx: PoolClient): Promise<void>;
  },
): Promise<void> {
  if (until !== undefined && Temporal.Instant.compare(until, now) <= 0) {
    throw new Problem('schedule_refused', { reason: `until: ${until} <= ${now}` });
  }
  await inTransaction(pool, async (tx) => {
    await actingAs(tx, by.actor, by.reason);
    // Of several who pause the same at once the last one's word holds.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `jeongsan.pause.${what.kind}.${what.subject}`,
    ]);
    const wasPaused = await end(tx, what, by.actor.who);
    const isWithoutEnd = !wasPaused && (await isEndless?.(tx));
    await tx.query('insert into pause (kind, subject, since, until, who, reason) values ($1, $2, $3, $4, $5, $6)', [
      what.kind,
      what.subject,
      now.toString(),
      isWithoutEnd ? null : (until?.toString() ?? null),
      by.actor.who,
      by.reason,
    ]);
    await also?.(tx);
  });
}

/** 재개. @throws Problem `not_paused` */
export async function resume(
  pool: Pool,
  what: Paused,
  { by, also }: { readonly by: ChangedBy; also?(tx: PoolClient): Promise<void> },
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await actingAs(tx, by.actor, by.reason);
    if (!(await end(tx, what, by.actor.who))) throw new Problem('not_paused', { what: what.subject || what.kind });
    await also?.(tx);
  });
}

async function end(tx: PoolClient, { kind, subject }: Paused, who: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update pause set ended_at = clock_timestamp(), ended_by = $3
      where kind = $1 and subject = $2 and ended_at is null`,
    [kind, subject, who],
  );
  return (rowCount ?? 0) > 0;
}

/** Ends pauses whose time is over; `resumed` hears of each in the transaction that ends it. */
export async function endOverPauses(
  pool: Pool,
  now: Temporal.Instant,
  resumed: (tx: PoolClient, pause: Pick<Pause, 'kind' | 'subject' | 'reason'>) => Promise<void>,
): Promise<void> {
  const over = 'ended_at is null and until <= $1';
  if ((await query(pool, `select from pause where ${over} limit 1`, [now.toString()])).length === 0) return;
  await inTransaction(pool, async (tx) => {
    await actingAs(tx, { who: 'system:scheduler', from: 'jeongsan' }, 'until');
    const ended = await query<Pick<Pause, 'kind' | 'subject' | 'reason'>>(
      tx,
      `update pause set ended_at = until, ended_by = 'system:scheduler' where ${over} returning kind, subject, reason`,
      [now.toString()],
    );
    for (const each of ended) await resumed(tx, each);
  });
}
