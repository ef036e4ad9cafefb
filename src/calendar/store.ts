import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type Queryable } from '../platform/database/pool.ts';
import { publishedHolidayNames, publishedHolidays } from '../platform/holidays.ts';

/** 휴일. A day that is closed, or that was and is open after all. `recordedBy` is null for the gazette's own. */
export type CalendarDay = {
  readonly day: string;
  readonly closed: boolean;
  readonly name: string;
  readonly recordedBy: string | null;
  readonly reason: string | null;
};

/** What an operator says of a day; `day` is `YYYY-MM-DD`. */
export type CalendarOverride = {
  readonly day: string;
  readonly name: string;
  readonly recordedBy: string;
  readonly reason: string;
};

/**
 * 영업일 달력. The holidays as `YYYY-MM-DD`: those that the gazette has published, changed by what operators said last
 * of each day. Read at each use, so that a temporary holiday counts from the moment it is recorded. Years that are not
 * published yet hold nothing but such days, and their weekends.
 */
export async function businessCalendar(db: Queryable): Promise<ReadonlySet<string>> {
  const holidays = new Set(publishedHolidays());
  for (const { day, closed } of await overridesInForce(db)) {
    if (closed) holidays.add(day);
    else holidays.delete(day);
  }
  return holidays;
}

/** The days from `from` to `to`, both included, that the gazette or an operator says something of, in their order. */
export async function calendarDays(db: Queryable, { from, to }: { from: string; to: string }): Promise<CalendarDay[]> {
  const days = new Map<string, CalendarDay>();
  for (const [day, name] of publishedHolidayNames()) {
    days.set(day, { day, closed: true, name, recordedBy: null, reason: null });
  }
  for (const override of await overridesInForce(db)) days.set(override.day, override);
  return [...days.values()].filter(({ day }) => day >= from && day <= to).sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** 임시 공휴일. Throws `calendar_unchanged` where the day is a holiday already. */
export async function addHoliday(pool: Pool, override: CalendarOverride): Promise<void> {
  await record(pool, override, true);
}

/** Makes a holiday a business day after all. Throws `calendar_unchanged` where it is none. */
export async function removeHoliday(pool: Pool, override: CalendarOverride): Promise<void> {
  await record(pool, override, false);
}

async function record(pool: Pool, { day, name, recordedBy, reason }: CalendarOverride, closed: boolean): Promise<void> {
  // One statement sees the last word on the day and adds the next; two who say the same at once say it twice.
  const sql = `insert into calendar_override (day, closed, name, recorded_by, reason)
     select $1::date, $2::boolean, $3, $4, $5
      where $2::boolean <> coalesce((select closed from calendar_override where day = $1::date
                             order by override_id desc limit 1), $6::boolean)`;
  const values = [day, closed, name, recordedBy, reason, publishedHolidays().has(day)];
  // In a transaction, which knows who acts.
  const { rowCount } = await inTransaction(pool, (tx) => tx.query(sql, values));
  if (rowCount === 0) throw new Problem('calendar_unchanged', { day });
}

async function overridesInForce(db: Queryable): Promise<CalendarDay[]> {
  const { rows } = await db.query<CalendarDay>(
    `select distinct on (calendar_override.day) day::text, closed, name, recorded_by as "recordedBy", reason
       from calendar_override order by calendar_override.day, override_id desc`,
  );
  return rows;
}
