/** 영업일. A calendar day in Asia/Seoul, written `YYYY-MM-DD`; weekends and holidays are left to the calendar. */
export const seoul = 'Asia/Seoul';

/** A day `YYYY-MM-DD` that exists, or undefined. */
export function parseDay(text: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}

/** `2026-11-20` → `20261120`. */
export function compactDay(day: Temporal.PlainDate): string {
  return day.toString().replaceAll('-', '');
}

/** Days are weekdays that are not holidays. `holidays` holds `YYYY-MM-DD`. */
export function isBusinessDay(day: Temporal.PlainDate, holidays: ReadonlySet<string>): boolean {
  return day.dayOfWeek <= 5 && !holidays.has(day.toString());
}

/** The day `count` business days after `day` (before it when negative); for 0 the day itself, rolled forward if closed. */
export function addBusinessDays(
  day: Temporal.PlainDate,
  count: number,
  holidays: ReadonlySet<string>,
): Temporal.PlainDate {
  const step = count < 0 ? -1 : 1;
  let at = day;
  let left = Math.abs(count);
  while (left > 0 || !isBusinessDay(at, holidays)) {
    at = at.add({ days: step });
    if (left > 0 && isBusinessDay(at, holidays)) left -= 1;
  }
  return at;
}
