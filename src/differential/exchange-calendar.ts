import { addBusinessDays, seoul } from '../kernel/business-day.ts';
import type { Calendar } from '../providers/differential.ts';

/** When the file of a day goes out. */
export function sendInstant({ send }: Calendar, on: Temporal.PlainDate): Temporal.Instant {
  return instantOf(on.add({ days: send.days }), send.at);
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

function instantOf(day: Temporal.PlainDate, at: string): Temporal.Instant {
  return day.toZonedDateTime({ timeZone: seoul, plainTime: Temporal.PlainTime.from(at) }).toInstant();
}
