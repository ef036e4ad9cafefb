import { seoul } from '../kernel/business-day.ts';

/** 은행 마감 시간. From the one Seoul wall clock time to the other, over midnight where `from` is the later one. */
export type ClosingHours = { readonly from: string; readonly to: string };

/** When a bank that is closed at `now` opens again; undefined where it is open. The same times: never closed. */
export function opensAt(closed: ClosingHours, now: Temporal.Instant): Temporal.Instant | undefined {
  const from = Temporal.PlainTime.from(closed.from);
  const to = Temporal.PlainTime.from(closed.to);
  const local = now.toZonedDateTimeISO(seoul);
  const time = local.toPlainTime();
  const before = (a: Temporal.PlainTime, b: Temporal.PlainTime) => Temporal.PlainTime.compare(a, b) < 0;
  const overMidnight = before(to, from);
  const isClosed = overMidnight ? !before(time, from) || before(time, to) : !before(time, from) && before(time, to);
  if (!isClosed) return undefined;
  const opening = local.toPlainDate().toZonedDateTime({ timeZone: seoul, plainTime: to });
  return (before(time, to) ? opening : opening.add({ days: 1 })).toInstant();
}
