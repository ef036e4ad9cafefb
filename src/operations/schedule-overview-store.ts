import { businessCalendar } from '../calendar/store.ts';
import { Problem } from '../kernel/problem.ts';
import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { Jobs } from './job.ts';
import { nextOccurrences } from './occurrence.ts';
import { assertNoMaintenance, type Pause, pauseOf, pausesInForce } from './pause-store.ts';
import type { Schedule, Slot, SlotState } from './schedule-rows.ts';
import { listSchedules, lockSchedule, scheduleNamed } from './schedule-store.ts';
import { openSlots } from './slot-store.ts';

/** 스케줄 현황. A schedule with what it comes to. */
export type ScheduleOverview = Schedule & {
  /** Null where it is switched off, or never comes again. */
  readonly nextAt: Temporal.Instant | null;
  readonly pause: Pause | null;
  /** The latest slot that has a row. */
  readonly last: Pick<Slot, 'nominalAt' | 'state' | 'reason' | 'runId'> | null;
};

/** All schedules, or the one of that name. @throws Problem `not_found` */
export async function scheduleOverviews(
  db: Queryable,
  now: Temporal.Instant,
  name?: string,
): Promise<ScheduleOverview[]> {
  const schedules = name === undefined ? await listSchedules(db) : [await scheduleNamed(db, name)];
  const [holidays, pauses, lasts] = [await businessCalendar(db), await pausesInForce(db, now), await latestSlots(db)];
  return schedules.map((schedule) => ({
    ...schedule,
    nextAt: (schedule.enabled ? nextOccurrences(schedule, now, 1, holidays)[0] : undefined) ?? null,
    pause: pauseOf(pauses, schedule.id) ?? null,
    last: lasts.get(schedule.id) ?? null,
  }));
}

async function latestSlots(db: Queryable) {
  const rows = await query<{ id: bigint; nominalAt: Date } & Pick<Slot, 'state' | 'reason' | 'runId'>>(
    db,
    `select s.schedule_id as id, l.nominal_at as "nominalAt", l.state, l.reason, l.run_id as "runId"
       from schedule s cross join lateral (
         select * from schedule_slot where schedule_id = s.schedule_id order by nominal_at desc limit 1) l
      where removed_at is null`,
  );
  return new Map(rows.map(({ id, nominalAt, ...slot }) => [id, { ...slot, nominalAt: nominalAt.toTemporalInstant() }]));
}

export type SlotFilter = {
  readonly schedule?: string | undefined;
  readonly states?: readonly SlotState[] | undefined;
  readonly job?: string | undefined;
  readonly run?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

/** A slot as it is listed: its instants as dates. */
export type ListedSlot = {
  readonly [Key in keyof Omit<Slot, 'scheduleId'>]: Slot[Key] extends Temporal.Instant
    ? Date
    : Slot[Key] extends Temporal.Instant | null
      ? Date | null
      : Slot[Key];
} & {
  /** Of the start, after the nominal time. */
  readonly lateMs: number | null;
};

const slotKey: readonly KeyPart[] = [
  { sql: 'l.nominal_at', type: 'timestamptz' },
  { sql: 'l.schedule_id', type: 'bigint' },
];

/** Slots, with those of schedules that were removed. */
export async function pageOfSlots(
  db: Queryable,
  filter: SlotFilter,
  request: Pick<PageRequest<string>, 'after' | 'limit' | 'descending'>,
): Promise<Page<ListedSlot>> {
  const values = [
    filter.schedule ?? null,
    filter.states ?? null,
    filter.job ?? null,
    filter.run ?? null,
    filter.since ?? null,
    filter.until ?? null,
  ];
  return await keysetPage<ListedSlot>(
    db,
    slotKey,
    request,
    values,
    ({ key, after, order, limit }) => `
      select s.name as schedule, s.job, l.nominal_at as "nominalAt", l.kind, l.state, l.reason, l.slots,
             l.first_at as "firstAt", l.run_id as "runId", l.makes_up_at as "makesUpAt", l.made_up_by as "madeUpBy", l.who,
             l.claimed_by as "claimedBy", l.started_at as "startedAt", l.ended_at as "endedAt", l.error,
             (extract(epoch from l.started_at - l.nominal_at) * 1000)::float8 as "lateMs", ${key}
        from schedule_slot l join schedule s using (schedule_id)
       where ($1::text is null or s.name = $1) and ($2::text[] is null or l.state = any ($2))
         and ($3::text is null or s.job = $3) and ($4::text is null or l.run_id = $4)
         and ($5::timestamptz is null or l.nominal_at >= $5) and ($6::timestamptz is null or l.nominal_at < $6)
         and ${after} order by ${order} limit ${limit}`,
  );
}

/**
 * 즉시 실행. Wants a schedule to run now, whatever its times: some node starts it within a second or so. A schedule that is
 * paused or switched off may be run; during maintenance nothing is.
 * @throws Problem `not_found`, `maintenance_on`, `schedule_busy` where its policy lets nothing run beside what runs
 */
export async function requestRun(
  pool: Pool,
  jobs: Pick<Jobs, 'named'> | undefined,
  {
    name,
    who,
    now,
    parameters,
  }: {
    readonly name: string;
    readonly who: string;
    readonly now: Temporal.Instant;
    /** In the place of the schedule's own, where given. */
    readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  },
): Promise<{ readonly schedule: string; readonly nominalAt: Temporal.Instant }> {
  const asOf = Temporal.Instant.fromEpochMilliseconds(now.epochMilliseconds);
  return await inTransaction(pool, async (tx) => {
    await assertNoMaintenance(tx, now);
    const { id } = await scheduleNamed(tx, name);
    const schedule = await lockSchedule(tx, id);
    if (schedule === undefined) throw new Problem('not_found', { what: 'schedule', id: name });
    // The clock's own slot of this very moment is another one.
    const [clock] = nextOccurrences(schedule, asOf.subtract({ milliseconds: 1 }), 1, await businessCalendar(tx));
    const nominalAt = clock?.equals(asOf) === true ? asOf.add({ milliseconds: 1 }) : asOf;
    const asked = { ...schedule.parameters, ...parameters };
    const read = jobs?.named(schedule.job).parameters.safeParse(asked);
    if (read?.success === false) throw new Problem('schedule_refused', { reason: read.error.message });
    const open = (await openSlots(tx, id)).filter(({ state }) => state !== 'held');
    const inTheWay = schedule.overlap === 'queue_one' ? open.find(({ state }) => state === 'queued') : open[0];
    if (schedule.overlap !== 'allow' && inTheWay !== undefined) {
      throw new Problem('schedule_busy', { name, run: inTheWay.runId ?? `${inTheWay.nominalAt}` });
    }
    await tx.query(
      `insert into schedule_slot (schedule_id, nominal_at, kind, state, parameters, who)
       values ($1, $2, 'hand', 'queued', $3, $4)`,
      [id, nominalAt.toString(), asked, who],
    );
    return { schedule: name, nominalAt };
  });
}
