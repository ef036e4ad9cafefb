/** As JSON, with amounts as their digits in a string, exact whatever their size. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}

/**
 * As `exactJson`, as PostgreSQL can hold it: a NUL or half a character in what others sent must not keep the rest from being
 * written.
 */
export function storableJson(value: unknown): string {
  return exactJson(value).replaceAll(/\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g, (found) =>
    found === '\\\\' ? found : '\ufffd',
  );
}

/** A text as PostgreSQL can hold it. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
