import { Cron } from 'croner';
import { isBusinessDay } from '../kernel/business-day.ts';
import type { BusinessDayRule } from './schedule-rows.ts';

/** When a schedule's slots are, without the slots that became of them. */
export type Times = { readonly cron: string; readonly timeZone: string; readonly businessDays: BusinessDayRule };

/** Nothing in so many days: there is nothing more. */
const lookAheadDays = 1600;
/** Rolled slots of so many a day would fall upon one another in heaps. */
const rolledPerDayMost = 24;
const cronLengthMost = 100;

/**
 * 발생 시각. The slots of a schedule after a moment, in their order and without end, unless there are no more.
 *
 * Summer time: a fixed time of day that a day does not have comes at the first moment after the gap, and one that a day has
 * twice comes once, the first time. What comes several times an hour or a day by `*`, a step, a range or a list follows the
 * clock: it has no slots in the gap, and slots in both of the doubled hours.
 */
export function* occurrences(
  times: Times,
  after: Temporal.Instant,
  holidays: ReadonlySet<string>,
): Generator<Temporal.Instant> {
  if (times.businessDays === 'roll_forward' || times.businessDays === 'roll_backward') {
    yield* rolled(times, after, holidays);
    return;
  }
  let last = after;
  for (const at of rawOccurrences(times, after)) {
    if (daysBetween(last, at) > lookAheadDays) return;
    if (times.businessDays === 'business_days' && !isBusinessDay(dayIn(times, at), holidays)) continue;
    yield at;
    last = at;
  }
}

/** The next `count` slots after a moment. */
export function nextOccurrences(
  times: Times,
  after: Temporal.Instant,
  count: number,
  holidays: ReadonlySet<string>,
): Temporal.Instant[] {
  return occurrences(times, after, holidays).take(count).toArray();
}

/** Why these times cannot be, or undefined: the text is the cron parser's, or names what is wrong. */
export function faultOfTimes(times: Times, now: Temporal.Instant): string | undefined {
  if (times.cron.length > cronLengthMost) return `cron: ${times.cron.length} > ${cronLengthMost}`;
  try {
    new Intl.DateTimeFormat('en', { timeZone: times.timeZone });
    now.toZonedDateTimeISO(times.timeZone);
  } catch {
    return `time zone: ${times.timeZone}`;
  }
  try {
    const first = rawOccurrences(times, now).next().value;
    if (first === undefined) return `cron: ${times.cron} (never)`;
    const isRolled = times.businessDays === 'roll_forward' || times.businessDays === 'roll_backward';
    if (isRolled && rawOn(times, dayIn(times, first)).length > rolledPerDayMost) {
      return `${times.businessDays}: > ${rolledPerDayMost} / day`;
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function* rawOccurrences({ cron, timeZone }: Times, after: Temporal.Instant): Generator<Temporal.Instant> {
  const pattern = new Cron(cron, { timezone: timeZone, paused: true, mode: '5-or-6-parts' });
  let last = new Date(after.epochMilliseconds);
  for (;;) {
    const next = pattern.nextRun(last);
    if (next === null) return;
    yield next.toTemporalInstant();
    last = next;
  }
}

/** Day by day: the slots of an open day are its own and those of the closed days that are rolled onto it. */
function* rolled(times: Times, after: Temporal.Instant, holidays: ReadonlySet<string>): Generator<Temporal.Instant> {
  const isOpen = (day: Temporal.PlainDate) => isBusinessDay(day, holidays);
  const towards = times.businessDays === 'roll_forward' ? -1 : 1;
  let day = dayIn(times, after);
  for (let empty = 0; empty < lookAheadDays; empty += 1, day = day.add({ days: 1 })) {
    if (!isOpen(day)) continue;
    const moments = rawOn(times, day);
    for (let source = day.add({ days: towards }); !isOpen(source); source = source.add({ days: towards })) {
      moments.push(...rawOn(times, source).map((at) => onDay(times, at, day)));
    }
    const unique = new Map(moments.map((at) => [at.epochMilliseconds, at]));
    for (const ms of [...unique.keys()].sort((left, right) => left - right)) {
      if (ms <= after.epochMilliseconds) continue;
      yield unique.get(ms) as Temporal.Instant;
      empty = 0;
    }
  }
}

function rawOn(times: Times, day: Temporal.PlainDate): Temporal.Instant[] {
  const from = day.toZonedDateTime(times.timeZone).toInstant();
  const to = day.add({ days: 1 }).toZonedDateTime(times.timeZone).toInstant();
  const found: Temporal.Instant[] = [];
  for (const at of rawOccurrences(times, from.subtract({ milliseconds: 1 }))) {
    if (Temporal.Instant.compare(at, to) >= 0 || found.length > rolledPerDayMost) break;
    found.push(at);
  }
  return found;
}

function onDay({ timeZone }: Times, at: Temporal.Instant, day: Temporal.PlainDate): Temporal.Instant {
  const plainTime = at.toZonedDateTimeISO(timeZone).toPlainTime();
  return day.toZonedDateTime({ timeZone, plainTime }).toInstant();
}

function dayIn({ timeZone }: Times, at: Temporal.Instant): Temporal.PlainDate {
  return at.toZonedDateTimeISO(timeZone).toPlainDate();
}

function daysBetween(from: Temporal.Instant, to: Temporal.Instant): number {
  return (to.epochMilliseconds - from.epochMilliseconds) / 86_400_000;
}
