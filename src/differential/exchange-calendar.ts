import { addBusinessDays, seoul } from '../kernel/business-day.ts';
import type { Calendar } from '../providers/differential.ts';

/** When the file of a day goes out. */
export function sendInstant({ send }: Calendar, on: Temporal.PlainDate): Temporal.Instant {
  return instantOf(on.add({ days: send.days }), send.at);
}

/**
 * How far back is looked for what comes late: files of days from `from` on, and those of earlier days that went out when the
 * file of that day would have, or later.
 */
export function lookBack(
  calendar: Calendar,
  on: Temporal.PlainDate,
): { readonly from: string; readonly sentFrom: string } {
  const from = on.subtract({ days: calendar.lookBackDays });
  return { from: from.toString(), sentFrom: sendInstant(calendar, from).toString() };
}

/** From when answers are looked for, and until when, of a file that went out at `sentAt`. */
export function answerTimes(
  { poll, deadline }: Calendar,
  sentAt: Temporal.Instant,
  holidays: ReadonlySet<string>,
): { readonly pollFrom: Temporal.Instant; readonly deadlineAt: Temporal.Instant } {
  const sentOn = sentAt.toZonedDateTimeISO(seoul).toPlainDate();
  const deadlineAt = instantOf(addBusinessDays(sentOn, deadline.businessDays, holidays), deadline.at);
  return { pollFrom: instantOf(addBusinessDays(sentOn, poll.days, holidays), poll.at), deadlineAt };
}

/**
 * When answers are looked for next: on the schedule of whichever file comes first, and once more at its deadline. A clock
 * that jumped ahead meets the next moment of the schedule, not all that were missed.
 */
export function nextPoll(
  { poll }: Calendar,
  now: Temporal.Instant,
  files: readonly { readonly pollFrom: Temporal.Instant; readonly deadlineAt: Temporal.Instant }[],
): Temporal.Instant {
  const everyMs = poll.everySeconds * 1000;
  const nextMs = files.map(({ pollFrom, deadlineAt }) => {
    const [fromMs, nowMs] = [pollFrom.epochMilliseconds, now.epochMilliseconds];
    const onScheduleMs = nowMs < fromMs ? fromMs : fromMs + (Math.floor((nowMs - fromMs) / everyMs) + 1) * everyMs;
    return Math.min(onScheduleMs, Math.max(deadlineAt.epochMilliseconds, nowMs));
  });
  return Temporal.Instant.fromEpochMilliseconds(Math.min(...nextMs));
}

function instantOf(day: Temporal.PlainDate, at: string): Temporal.Instant {
  return day.toZonedDateTime({ timeZone: seoul, plainTime: Temporal.PlainTime.from(at) }).toInstant();
}
