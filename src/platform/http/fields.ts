import { z } from 'zod';
import { parseDay } from '../../kernel/business-day.ts';

/** Won, an integer of JSON: never above 2^53 − 1, and never a fraction. */
export const won = () => z.number().int().meta({ description: 'Won (원)' });

/** A row's number. */
export const rowId = () => z.coerce.number().int().positive();

/** A business day in Seoul. */
export const day = () =>
  z
    .string()
    .refine((text) => parseDay(text) !== undefined && text >= '1900' && text < '2200', 'a day, YYYY-MM-DD')
    .meta({ format: 'date' });

/** A moment with its offset. */
export const instant = () => z.iso.datetime({ offset: true });

/** `?state=open,investigating` or the name repeated: one or several of these. */
export const someOf = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.preprocess(
    (given) => (given === undefined ? undefined : [given].flat().flatMap((each) => String(each).split(','))),
    z.array(z.enum(names)).optional(),
  );

/** Why somebody does what they do: it stands in the trail. */
export const reason = () => z.string().trim().min(1).max(1000).refine(isText, 'text');

/** `?open=true`: yes or no in a query. */
export const flag = () => z.enum(['true', 'false']).transform((text) => text === 'true');

/** A name or a key that somebody gave: what a database keeps as text, and no longer than any that is kept. */
export const term = () => z.string().min(1).max(200).refine(isText, 'text');

/** PostgreSQL's text holds no NUL, and half a character is none. */
function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
