import { z } from 'zod';
import { check } from '../kernel/check.ts';
import { won } from '../platform/http/fields.ts';
import { parseSlot } from './slot.ts';

/** 정산 회차. `2026-11-20T12:05+09:00`. */
export const slot = () => z.string().refine((text) => parseSlot(text) !== undefined, 'a slot: 2026-11-20T12:05+09:00');

/** The slot that the schema has read. */
export function slotOf(text: string): Temporal.Instant {
  const found = parseSlot(text);
  check(found, 'the schema has read the slot');
  return found;
}

/** Won that nobody has judged yet: an integer where that is exact, else its digits. */
export const anyWon = () => z.union([won(), z.string().regex(/^-?\d+$/)]);
