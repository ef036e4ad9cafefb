import { check } from '../../kernel/check.ts';

/**
 * An answer as JSON: whole numbers that may be bigint as integers, moments as ISO 8601 with an offset, days as `YYYY-MM-DD`.
 * What is undefined is left out.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? exactNumber(member) : member));
}

/** A number that JSON's readers keep as it is. */
function exactNumber(value: bigint): number {
  const number = Number(value);
  check(Number.isSafeInteger(number), 'a whole number in an answer fits 2^53');
  return number;
}
