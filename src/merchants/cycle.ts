import { addBusinessDays, isBusinessDay, seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';

/** 정산주기. Every so many minutes on Seoul's clock, so many business days later, weekly, or monthly. */
export type Cycle =
  | { readonly kind: 'minutes'; readonly minutes: number }
  | { readonly kind: 'days'; readonly businessDays: number }
  | { readonly kind: 'week'; readonly dayOfWeek: number }
  | { readonly kind: 'month'; readonly day: number };

/** 휴일 처리. Where a weekly or monthly day goes that is closed: to the next business day, the one before, or nowhere. */
export const rolls = ['forward', 'backward', 'none'] as const;
export type Roll = (typeof rolls)[number];

/** What of a merchant's terms decides when a capture is settled; `dueTime` is Seoul's clock, `09:00` or `09:00:00`. */
export type DueTerms = { readonly cycle: string; readonly roll: Roll; readonly dueTime: string };

/** A day on which a merchant is settled, and the capture days that it settles; minutes settle whatever came. */
export type SettlementDate = {
  readonly dueAt: Temporal.Instant;
  readonly captures?: { readonly from: Temporal.PlainDate; readonly to: Temporal.PlainDate };
};

const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;

/** The boundary that every slot stands on. */
const slotMinutes = 5;

/** `M5`, `D+2`, `W:MON`, `MD:15`; undefined for anything else, and beyond 60 minutes, 60 days, the 31st. */
export function parseCycle(text: string): Cycle | undefined {
  const minutes = /^M([1-9]|[1-5]\d|60)$/.exec(text)?.[1];
  if (minutes !== undefined) return { kind: 'minutes', minutes: Number(minutes) };
  const days = /^D\+(\d|[1-5]\d|60)$/.exec(text)?.[1];
  if (days !== undefined) return { kind: 'days', businessDays: Number(days) };
  const week = weekdays.findIndex((name) => text === `W:${name}`);
  if (week >= 0) return { kind: 'week', dayOfWeek: week + 1 };
  const day = /^MD:([1-9]|[12]\d|3[01])$/.exec(text)?.[1];
  return day === undefined ? undefined : { kind: 'month', day: Number(day) };
}

/**
 * 정산 예정 시각. From when on a capture may be settled: the first slot at or after it takes it. `holidays` holds
 * `YYYY-MM-DD`.
 * Minutes: the next multiple counted from midnight; where every slot is one (M1, M5), the arrival itself.
 * Days: so many business days after the capture day. Weekly and monthly: the first such day after the capture day (a
 * 31st is the month's last day), rolled over closed days. One that rolls back to the capture day or before is gone for
 * that capture: the next one takes it.
 */
export function dueAt(
  terms: DueTerms,
  capturedOn: Temporal.PlainDate,
  arrivedAt: Temporal.Instant,
  holidays: ReadonlySet<string>,
): Temporal.Instant {
  const cycle = cycleOf(terms.cycle);
  if (cycle.kind === 'minutes') {
    return slotMinutes % cycle.minutes === 0 ? arrivedAt : minuteMultiple(arrivedAt, cycle.minutes);
  }
  const day = dueOn(cycle, terms.roll, capturedOn, holidays);
  return day.toZonedDateTime({ timeZone: seoul, plainTime: terms.dueTime }).toInstant();
}

/** The next `count` times after `from` at which a merchant of these terms is settled. */
export function nextDates(
  terms: DueTerms,
  from: Temporal.Instant,
  count: number,
  holidays: ReadonlySet<string>,
): SettlementDate[] {
  const cycle = cycleOf(terms.cycle);
  return cycle.kind === 'minutes' ? nextSlots(cycle.minutes, from, count) : nextDays(terms, from, count, holidays);
}

function nextSlots(minutes: number, from: Temporal.Instant, count: number): SettlementDate[] {
  const dates: SettlementDate[] = [];
  let at = from;
  while (dates.length < count) {
    // Whatever falls between two slots waits for the later one.
    const due = minuteMultiple(minuteMultiple(at.add({ nanoseconds: 1 }), minutes), slotMinutes);
    dates.push({ dueAt: due });
    at = due;
  }
  return dates;
}

/** Asks of one capture day after the other when it is due, so that the preview cannot differ from what happens. */
function nextDays(
  terms: DueTerms,
  from: Temporal.Instant,
  count: number,
  holidays: ReadonlySet<string>,
): SettlementDate[] {
  const dates: { dueAt: Temporal.Instant; captures: { from: Temporal.PlainDate; to: Temporal.PlainDate } }[] = [];
  // 60 business days are less than 120 days even where holidays lie together; two months are less, too.
  let day = from.toZonedDateTimeISO(seoul).toPlainDate().subtract({ days: 120 });
  for (;;) {
    const due = dueAt(terms, day, from, holidays);
    const last = dates.at(-1);
    if (last?.dueAt.equals(due)) last.captures.to = day;
    else if (Temporal.Instant.compare(due, from) > 0) {
      if (dates.length === count) return dates;
      dates.push({ dueAt: due, captures: { from: day, to: day } });
    }
    day = day.add({ days: 1 });
  }
}

function dueOn(
  cycle: Exclude<Cycle, { kind: 'minutes' }>,
  roll: Roll,
  capturedOn: Temporal.PlainDate,
  holidays: ReadonlySet<string>,
): Temporal.PlainDate {
  if (cycle.kind === 'days') return addBusinessDays(capturedOn, cycle.businessDays, holidays);
  let nominal = capturedOn;
  let rolled: Temporal.PlainDate;
  do {
    nominal = cycle.kind === 'week' ? weekdayAfter(nominal, cycle.dayOfWeek) : monthDayAfter(nominal, cycle.day);
    rolled = rollOver(nominal, roll, holidays);
  } while (Temporal.PlainDate.compare(rolled, capturedOn) <= 0);
  return rolled;
}

function weekdayAfter(day: Temporal.PlainDate, dayOfWeek: number): Temporal.PlainDate {
  return day.add({ days: ((dayOfWeek - day.dayOfWeek + 6) % 7) + 1 });
}

function monthDayAfter(day: Temporal.PlainDate, dayOfMonth: number): Temporal.PlainDate {
  const here = day.with({ day: dayOfMonth }, { overflow: 'constrain' });
  if (Temporal.PlainDate.compare(here, day) > 0) return here;
  return day.with({ day: 1 }).add({ months: 1 }).with({ day: dayOfMonth }, { overflow: 'constrain' });
}

function rollOver(day: Temporal.PlainDate, roll: Roll, holidays: ReadonlySet<string>): Temporal.PlainDate {
  if (roll === 'none' || isBusinessDay(day, holidays)) return day;
  return addBusinessDays(day, roll === 'forward' ? 1 : -1, holidays);
}

/** The first multiple of so many minutes, counted from midnight in Seoul, at or after the instant. */
function minuteMultiple(at: Temporal.Instant, minutes: number): Temporal.Instant {
  const local = at.toZonedDateTimeISO(seoul);
  const midnight = local.startOfDay();
  const passed = local.since(midnight, { largestUnit: 'nanoseconds' }).nanoseconds;
  const due = midnight.add({ minutes: Math.ceil(passed / (minutes * 60e9)) * minutes });
  const tomorrow = midnight.add({ days: 1 });
  return (Temporal.ZonedDateTime.compare(due, tomorrow) > 0 ? tomorrow : due).toInstant();
}

function cycleOf(text: string): Cycle {
  const cycle = parseCycle(text);
  check(cycle !== undefined, `not a cycle: ${text}`);
  return cycle;
}
