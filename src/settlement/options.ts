import { parseDay } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { parseSlot } from './slot.ts';

/** A whole number of at least 1. Throws `usage`, which names the option. */
export function wholeNumber(option: string, text: string, most = 999_999_999): number {
  const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new Problem('usage', { reason: `${option} ${text} (1–${most})` });
}

/** Won, at least 1, with or without thousands separators. Throws `usage`. */
export function parseWon(option: string, text: string): bigint {
  if (!/^[1-9]\d{0,13}$|^[1-9]\d{0,2}(,\d{3}){1,4}$/.test(text))
    throw new Problem('usage', { reason: `${option} ${text}` });
  return BigInt(text.replaceAll(',', ''));
}

/** `2026-11-20T12:05+09:00`, or `12:05` of today or of the given day. Throws `usage`. */
export function slotOption(text: string, today: Temporal.PlainDate): Temporal.Instant {
  const short = /^(?:\d{4}-\d{2}-\d{2}T)?\d{2}:\d{2}$/.test(text);
  const full = short ? `${text.includes('T') ? text : `${today}T${text}`}+09:00` : text;
  const slot = parseSlot(full);
  if (slot === undefined) throw new Problem('usage', { reason: `--slot ${text} (2026-11-20T12:05+09:00, 12:05)` });
  return slot;
}

/** A day. Throws `usage`. */
export function dayOption(option: string, text: string): Temporal.PlainDate {
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DD)` });
  return day;
}
