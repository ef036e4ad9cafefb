import type { QueryResultRow } from 'pg';
import { Problem } from '../../kernel/problem.ts';
import type { Page, PageRequest } from '../http/route.ts';
import { type Queryable, query } from './pool.ts';

/** What a list is sorted by, as SQL that is never null. The last one tells any two rows apart. */
export type KeyPart = { readonly sql: string; readonly type: 'bigint' | 'integer' | 'date' | 'timestamptz' | 'text' };

/** The pieces of a statement: `select …, ${key} … where ${after} order by ${order} limit ${limit}`. */
export type Keyset = {
  readonly key: string;
  readonly after: string;
  readonly order: string;
  readonly limit: string;
};

/** Far more than any list is sorted by, with values as long as any that is kept. */
const mostKeyCharacters = 4000;

const shapes: Readonly<Record<KeyPart['type'], RegExp>> = {
  bigint: /^-?\d{1,18}$/,
  integer: /^-?\d{1,9}$/,
  date: /^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/,
  timestamptz: /^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/,
  // PostgreSQL's text holds no NUL.
  text: /^[^\0]*$/u,
};

/**
 * A page that begins after the last row of the page before, wherever that row stands now: no page is skipped and none is
 * shown twice while rows come and go, and the hundredth costs what the first one does. `sql` is given the pieces and
 * must select the key.
 * @throws Problem `cursor_invalid`
 */
export async function keysetPage<Row extends QueryResultRow>(
  db: Queryable,
  parts: readonly KeyPart[],
  request: Pick<PageRequest<string>, 'after' | 'limit' | 'descending'>,
  values: readonly unknown[],
  sql: (keyset: Keyset) => string,
): Promise<Page<Row>> {
  const given = [...values];
  const add = (value: unknown): string => `$${given.push(value)}`;
  const key = request.after === undefined ? undefined : readKey(request.after, parts);
  const place = key?.map((value, n) => `${add(value)}::${parts[n]?.type}`);
  const text = sql({
    key: `array[${parts.map(asText).join(', ')}] as "keyset"`,
    after: place === undefined ? 'true' : beyond(parts, place, request.descending),
    order: parts.map((part) => `${part.sql}${request.descending ? ' desc' : ''}`).join(', '),
    // One more than asked for tells whether there is another page.
    limit: add(request.limit + 1),
  });
  const found = await query<Row & { readonly keyset: readonly string[] }>(db, text, given);
  const shown = found.slice(0, request.limit);
  const last = found.length > request.limit ? shown.at(-1) : undefined;
  return {
    rows: shown.map(({ keyset: _, ...row }) => row as unknown as Row),
    next: last === undefined ? undefined : JSON.stringify(last.keyset),
  };
}

/** A page of rows that are all at hand: few, and sorted as they are shown. `keyOf` tells any two apart, ascending. */
export function pageOfFew<Row>(
  rows: readonly Row[],
  request: Pick<PageRequest<string>, 'after' | 'limit' | 'descending'>,
  keyOf: (row: Row) => string,
): Page<Row> {
  const direction = request.descending ? -1 : 1;
  const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -direction : direction);
  const sorted = rows.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
  const { after } = request;
  const rest = after === undefined ? sorted : sorted.filter((row) => compare(keyOf(row), after) > 0);
  const shown = rest.slice(0, request.limit);
  const last = shown.at(-1);
  return { rows: shown, next: rest.length > shown.length && last !== undefined ? keyOf(last) : undefined };
}

/** Of a comparison of rows no partition is left out; of one of the first column alone those are that come before. */
function beyond(parts: readonly KeyPart[], place: readonly string[], descending: boolean): string {
  const way = descending ? '<' : '>';
  const row = `(${parts.map((part) => part.sql).join(', ')}) ${way} (${place.join(', ')})`;
  return parts.length === 1 ? row : `${parts[0]?.sql} ${way}= ${place[0]} and ${row}`;
}

/** Instants to the microsecond, as PostgreSQL keeps them: less would show a row twice or not at all. */
function asText({ sql, type }: KeyPart): string {
  return type === 'timestamptz'
    ? `to_char(${sql} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : `(${sql})::text`;
}

/**
 * The values of a key that we have written ourselves: whatever else comes is refused before PostgreSQL sees it.
 * @throws Problem `cursor_invalid`
 */
export function readKey(after: string, parts: readonly Pick<KeyPart, 'type'>[]): readonly string[] {
  const values = after.length > mostKeyCharacters ? undefined : parsed(after);
  const fits =
    Array.isArray(values) &&
    values.length === parts.length &&
    values.every(
      (value, n) =>
        typeof value === 'string' && shapes[parts[n]?.type ?? 'text'].test(value) && exists(value, parts[n]),
    );
  if (!fits) throw new Problem('cursor_invalid');
  return values as readonly string[];
}

/** 31 February has the shape of a day. */
function exists(value: string, part: Pick<KeyPart, 'type'> | undefined): boolean {
  if (part?.type !== 'date' && part?.type !== 'timestamptz') return true;
  return (
    new Date(part.type === 'date' ? `${value}T00:00:00Z` : value).toISOString().slice(0, 10) === value.slice(0, 10)
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
