import { seoul } from './business-day.ts';

/** An instant as clocks in Seoul show it: `2026-11-21 08:00:05`. */
export function formatSeoulTime(instant: string | Temporal.Instant): string {
  const { year, month, day, hour, minute, second } = Temporal.Instant.from(instant).toZonedDateTimeISO(seoul);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}
