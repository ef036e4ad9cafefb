import { actingAs } from '../audit/store.ts';
import { businessCalendar } from '../calendar/store.ts';
import { closeFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import type { Actor } from '../kernel/permission.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type PoolClient, type Queryable, query } from '../platform/database/pool.ts';
import type { Jobs } from './job.ts';
import { faultOfTimes, nextOccurrences, occurrences, type Times } from './occurrence.ts';
import { type Schedule, type ScheduleTerms, scheduleFindings } from './schedule-rows.ts';
import { noteChanged } from './slot-store.ts';

/** Who changes something, and why: both stand in the audit trail. */
export type ChangedBy = { readonly actor: Pick<Actor, 'who' | 'from' | 'key'>; readonly reason: string };

type Row = Omit<Schedule, 'fromAt' | 'changedAt'> & { readonly fromAt: Date; readonly changedAt: Date };

const columns = `schedule_id as id, name, job, parameters, cron, time_zone as "timeZone", business_days as "businessDays",
  misfire, misfire_most as "misfireMost", overlap, late_after_s as "lateAfterSeconds", long_after_s as "longAfterSeconds",
  enabled, from_at as "fromAt", version, changed_at as "changedAt", changed_by as "changedBy", reason`;

export async function listSchedules(db: Queryable): Promise<Schedule[]> {
  const sql = `select ${columns} from schedule where removed_at is null order by name`;
  return (await query<Row>(db, sql)).map(toSchedule);
}

/** @throws Problem `not_found` */
export async function scheduleNamed(db: Queryable, name: string): Promise<Schedule> {
  const sql = `select ${columns} from schedule where name = $1 and removed_at is null`;
  const [row] = await query<Row>(db, sql, [name]);
  if (row === undefined) throw new Problem('not_found', { what: 'schedule', id: name });
  return toSchedule(row);
}

/** Locks a schedule, so that one node at a time decides on its slots; undefined where it was removed meanwhile. */
export async function lockSchedule(tx: PoolClient, id: bigint): Promise<Schedule | undefined> {
  const sql = `select ${columns} from schedule where schedule_id = $1 and removed_at is null for no key update`;
  const [row] = await query<Row>(tx, sql, [id]);
  return row && toSchedule(row);
}

/**
 * Makes a schedule whose slots are those after `now`.
 * @throws Problem `schedule_refused`, `schedule_exists`, `not_found` for a job that nobody knows
 */
export async function addSchedule(
  pool: Pool,
  jobs: Jobs,
  {
    name,
    terms,
    by,
    now,
  }: {
    readonly name: string;
    readonly terms: ScheduleTerms;
    readonly by: ChangedBy;
    readonly now: Temporal.Instant;
  },
): Promise<Schedule> {
  const checked = await checkTerms(pool, jobs, terms, now);
  await inTransaction(pool, async (tx) => {
    await actingAs(tx, by.actor, by.reason);
    if (!(await insert(tx, name, checked, by, now, null))) throw new Problem('schedule_exists', { name });
  });
  return await scheduleNamed(pool, name);
}

/** A schedule that every installation begins with. */
export type DefaultSchedule = { readonly name: string; readonly terms: ScheduleTerms };

/** Makes those defaults that were never made: what an operator changed or removed stays as they left it. */
export async function seedSchedules(
  pool: Pool,
  jobs: Jobs,
  defaults: readonly DefaultSchedule[],
  now: Temporal.Instant,
): Promise<readonly string[]> {
  const by = { actor: { who: 'system:scheduler', from: 'jeongsan' }, reason: 'default' };
  const made: string[] = [];
  for (const { name, terms } of defaults) {
    const checked = await checkTerms(pool, jobs, terms, now);
    const isNew = await inTransaction(pool, async (tx) => {
      await actingAs(tx, by.actor, by.reason);
      return await insert(tx, name, checked, by, now, name);
    });
    if (isNew) made.push(name);
  }
  return made;
}

async function insert(
  tx: PoolClient,
  name: string,
  terms: ScheduleTerms,
  { actor, reason }: ChangedBy,
  now: Temporal.Instant,
  defaultName: string | null,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into schedule (name, job, parameters, cron, time_zone, business_days, misfire, misfire_most, overlap,
       late_after_s, long_after_s, enabled, from_at, changed_by, reason, default_name)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing`,
    [name, ...valuesOf(terms), now.toString(), actor.who, reason, defaultName],
  );
  return rowCount === 1;
}

/**
 * Changes what is given. Where its times change, slots that were due by the old ones and never started are noted first, and
 * the new ones count from now.
 * @throws Problem `version_differs`, `schedule_refused`, `not_found`
 */
export async function changeSchedule(
  pool: Pool,
  jobs: Jobs,
  {
    name,
    version,
    change,
    by,
    now,
  }: {
    readonly name: string;
    readonly version: number | undefined;
    readonly change: Partial<ScheduleTerms>;
    readonly by: ChangedBy;
    readonly now: Temporal.Instant;
  },
): Promise<Schedule> {
  await inTransaction(pool, async (tx) => {
    const old = await lockNamed(tx, name, version);
    const terms = await checkTerms(tx, jobs, { ...old, ...change }, now);
    await actingAs(tx, by.actor, by.reason);
    const isMoved = movesTimes(old, terms);
    if (isMoved) await noteUnstarted(tx, old, now);
    if (!terms.enabled) await closeFindings(tx, old, by);
    await tx.query(
      `update schedule set job = $2, parameters = $3, cron = $4, time_zone = $5, business_days = $6, misfire = $7,
              misfire_most = $8, overlap = $9, late_after_s = $10, long_after_s = $11, enabled = $12,
              from_at = case when $13 then $14 else from_at end, version = version + 1,
              changed_at = clock_timestamp(), changed_by = $15, reason = $16
        where schedule_id = $1`,
      [old.id, ...valuesOf(terms), isMoved, now.toString(), by.actor.who, by.reason],
    );
  });
  return await scheduleNamed(pool, name);
}

/** Ends a schedule; its slots stay. @throws Problem `version_differs`, `not_found` */
export async function removeSchedule(
  pool: Pool,
  {
    name,
    version,
    by,
    now,
  }: {
    readonly name: string;
    readonly version: number | undefined;
    readonly by: ChangedBy;
    readonly now: Temporal.Instant;
  },
): Promise<Schedule> {
  return await inTransaction(pool, async (tx) => {
    const old = await lockNamed(tx, name, version);
    await actingAs(tx, by.actor, by.reason);
    await noteUnstarted(tx, old, now);
    await closeFindings(tx, old, by);
    await tx.query(
      `update schedule set removed_at = clock_timestamp(), version = version + 1, changed_at = clock_timestamp(),
              changed_by = $2, reason = $3 where schedule_id = $1`,
      [old.id, by.actor.who, by.reason],
    );
    return old;
  });
}

/** Nothing of it will start any more that could make good what was told of. */
async function closeFindings(tx: PoolClient, { name }: Schedule, { actor }: ChangedBy): Promise<void> {
  for (const kind of Object.values(scheduleFindings)) {
    await closeFinding(tx, { kind, subject: name, by: actor.who });
  }
}

/** The next slots of these schedules, those that are switched off left out, soonest first. */
export async function previewSlots(
  db: Queryable,
  schedules: readonly Schedule[],
  { after, count }: { readonly after: Temporal.Instant; readonly count: number },
): Promise<readonly { readonly schedule: Schedule; readonly at: Temporal.Instant }[]> {
  const holidays = await businessCalendar(db);
  return schedules
    .filter(({ enabled }) => enabled)
    .flatMap((schedule) => nextOccurrences(schedule, after, count, holidays).map((at) => ({ schedule, at })))
    .sort((left, right) => Temporal.Instant.compare(left.at, right.at))
    .slice(0, count);
}

async function lockNamed(tx: PoolClient, name: string, version: number | undefined): Promise<Schedule> {
  const { id } = await scheduleNamed(tx, name);
  const found = await lockSchedule(tx, id);
  if (found === undefined) throw new Problem('not_found', { what: 'schedule', id: name });
  if (version !== undefined && version !== found.version) {
    throw new Problem('version_differs', { given: version, current: found.version });
  }
  return found;
}

/** Slots that were due by the old times and nobody has started: from now on nobody will. */
async function noteUnstarted(tx: PoolClient, schedule: Schedule, now: Temporal.Instant): Promise<void> {
  const holidays = await businessCalendar(tx);
  await noteChanged(tx, schedule, (after) => takeUntil(occurrences(schedule, after, holidays), now));
}

function* takeUntil(moments: Iterable<Temporal.Instant>, now: Temporal.Instant): Generator<Temporal.Instant> {
  for (const at of moments) {
    if (Temporal.Instant.compare(at, now) > 0) return;
    yield at;
  }
}

function movesTimes(old: ScheduleTerms, terms: ScheduleTerms): boolean {
  const keys = ['cron', 'timeZone', 'businessDays', 'enabled'] as const;
  return keys.some((key) => old[key] !== terms[key]);
}

/** So many slots a job is asked about before it is told to run at them. */
const slotsAsked = 50;

/** The terms with their parameters as the job reads them. */
async function checkTerms(
  db: Queryable,
  jobs: Jobs,
  terms: ScheduleTerms,
  now: Temporal.Instant,
): Promise<ScheduleTerms> {
  const job = jobs.named(terms.job);
  const refuse = (reason: string) => new Problem('schedule_refused', { reason });
  const times: Times = terms;
  const fault = faultOfTimes(times, now);
  if (fault !== undefined) throw refuse(fault);
  const parameters = job.parameters.safeParse(terms.parameters);
  if (!parameters.success) {
    throw refuse(parameters.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  }
  const holidays = await businessCalendar(db);
  for (const slot of nextOccurrences(times, now, job.refuses === undefined ? 0 : slotsAsked, holidays)) {
    const reason = job.refuses?.(slot);
    if (reason !== undefined) throw refuse(reason);
  }
  return { ...terms, parameters: parameters.data as ScheduleTerms['parameters'] };
}

function valuesOf(terms: ScheduleTerms): unknown[] {
  const { job, parameters, cron, timeZone, businessDays, misfire, misfireMost, overlap, enabled } = terms;
  const limits = [terms.lateAfterSeconds, terms.longAfterSeconds];
  return [job, parameters, cron, timeZone, businessDays, misfire, misfireMost, overlap, ...limits, enabled];
}

function toSchedule(row: Row): Schedule {
  check(row.version >= 1, 'a schedule has a version');
  return { ...row, fromAt: row.fromAt.toTemporalInstant(), changedAt: row.changedAt.toTemporalInstant() };
}
