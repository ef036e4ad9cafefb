import { seoul } from '../kernel/business-day.ts';

/** 정산 회차. Slots stand on every so many minutes of the clock in Seoul. */
const slotMinutes = 5;
const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\+09:00$/;

/** `2026-11-20T12:05+09:00`. */
export function formatSlot(slot: Temporal.Instant): string {
  const local = slot.toZonedDateTimeISO(seoul);
  return `${local.toPlainDateTime().toString({ smallestUnit: 'minute' })}${local.offset}`;
}

/** The slot of that text, or undefined where it is none. */
export function parseSlot(text: string): Temporal.Instant | undefined {
  if (!form.test(text)) return undefined;
  try {
    const slot = Temporal.Instant.from(text);
    return slotAt(slot).equals(slot) ? slot : undefined;
  } catch {
    return undefined;
  }
}

/** The latest slot at or before `now`. */
export function slotAt(now: Temporal.Instant, everyMinutes = slotMinutes): Temporal.Instant {
  const local = now.toZonedDateTimeISO(seoul);
  const minutes = local.hour * 60 + local.minute;
  return local
    .startOfDay()
    .add({ minutes: minutes - (minutes % everyMinutes) })
    .toInstant();
}

/** The slot after this one. */
export function nextSlot(slot: Temporal.Instant, everyMinutes = slotMinutes): Temporal.Instant {
  return slotAt(slot.add({ minutes: everyMinutes }), everyMinutes);
}
