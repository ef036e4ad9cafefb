import { z } from 'zod';
import { Problem } from '../../kernel/problem.ts';
import type { PageRequest, Route } from './route.ts';

type AnyList = Extract<Route, { kind: 'list' }>;

/** 내보내기 형식. What a list may be streamed as. */
export const exportFormats = ['csv', 'ndjson', 'xlsx'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const exportMediaTypes = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const satisfies Record<ExportFormat, string>;

const usualLimit = 100;
export const mostLimit = 1000;
const mostCursor = 6000;

/** What every list takes beside its filters. */
function paging(list: AnyList) {
  const names = list.sorts.flatMap((name) => [name, `-${name}`]) as [string, ...string[]];
  return z.object({
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(mostLimit)
      .optional()
      .meta({ description: `${usualLimit} unless said` }),
    cursor: z.string().max(mostCursor).optional().meta({ description: '`next` of the page before' }),
    sort: z
      .enum(names)
      .optional()
      .meta({ description: `\`-\` in front: the greatest first; ${usualSort(list)} unless said` }),
    format: z.enum(exportFormats).optional().meta({ description: 'The whole list as a file, from the cursor on' }),
  });
}
type Paging = z.output<ReturnType<typeof paging>>;

/** The whole query of a list: its filters and what every list takes. */
export function listQuery(list: AnyList): z.ZodObject {
  const filter = list.filter instanceof z.ZodObject ? list.filter : z.object({});
  return filter.extend(paging(list).shape);
}

/** Where a page begins, and the filters without what every list takes. @throws Problem `cursor_invalid` */
export function readPaging(list: AnyList, query: Record<string, unknown>) {
  const { limit, cursor, sort, format, ...filter } = query as Paging & Record<string, unknown>;
  const order = sort ?? usualSort(list);
  const descending = order.startsWith('-');
  const request: PageRequest<string> = {
    after: cursor === undefined ? undefined : placeOf(cursor, order),
    limit: limit ?? usualLimit,
    sort: descending ? order.slice(1) : order,
    descending,
  };
  return { filter, format, order, request };
}

function usualSort({ sorts, descendingFirst }: AnyList): string {
  return `${descendingFirst === true ? '-' : ''}${sorts[0]}`;
}

/** 커서. A place in a list in its order: in another order it means nothing, and is refused. */
export function cursorOf(place: string, order: string): string {
  return Buffer.from(JSON.stringify([order, place])).toString('base64url');
}

function placeOf(cursor: string, order: string): string {
  try {
    const [given, place] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (given === order && typeof place === 'string' && !place.includes('\0') && place.isWellFormed()) return place;
  } catch {
    // Not one of ours.
  }
  throw new Problem('cursor_invalid');
}

/** The format that was asked for by name, or by what the caller accepts; undefined for a page of JSON. */
export function formatFor(named: ExportFormat | undefined, accepted: string | null): ExportFormat | undefined {
  if (named !== undefined) return named;
  const types = (accepted ?? '')
    .slice(0, 1000)
    .split(',')
    .map((each) => each.split(';')[0]?.trim().toLowerCase());
  if (types.some((type) => type === 'application/json' || type === '*/*')) return undefined;
  return exportFormats.find((format) => types.includes(exportMediaTypes[format]));
}
