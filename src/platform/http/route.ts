import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Actor, Permission } from '../../kernel/permission.ts';
import type { Language, ProblemCode } from '../../kernel/problem.ts';

/**
 * 경로. What the API offers, as data: a capability's `api.ts` lists its routes, the server mounts them, and the OpenAPI
 * document, the permission walk and the fuzz run are made from the same list. Paths are below `/v1`, `{id}` is a parameter.
 */
export type Words = { readonly ko: string; readonly en: string };

/** What a list is of: a collection's name in the path is also its tag. */
type Described = {
  /** `listBreaks`: the operation's name in the document and in typed clients. */
  readonly id: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: Words;
  readonly permission: Permission;
  /** Refusals of its own, beside those that every route may give. */
  readonly problems?: readonly ProblemCode[];
};

/** What a handler hears: who asks, in which language the answer is for, and the input as its schemas read it. */
export type Call<Params, Query, Body> = {
  readonly actor: Actor;
  readonly language: Language;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The version that the caller edits (`If-Match`), of routes that say `edits`. */
  readonly version: number | undefined;
  readonly signal: AbortSignal;
};

/** Amounts may be bigint and instants Temporal or Date: they are written as integers and ISO 8601. */
export type Answer<T> = T extends number
  ? number | bigint
  : T extends string
    ? string | Date | Temporal.Instant | Temporal.PlainDate
    : T extends readonly (infer Each)[]
      ? readonly Answer<Each>[]
      : T extends object
        ? { readonly [Key in keyof T]: Answer<T[Key]> }
        : T;

type None = Readonly<Record<string, never>>;
type Shape<S> = S extends z.ZodType ? z.output<S> : None;

/** One act or one question. Anything but GET is an act: it is audited and takes an `Idempotency-Key`. */
export type PlainRoute<P, Q, B, A extends z.ZodType> = Described & {
  readonly kind: 'plain';
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: A;
  /** 200 unless it is 201 for what was made or 202 for what goes on. */
  readonly status?: 200 | 201 | 202;
  /** The answer has a `version`, which is its ETag; a change names the one it edits. */
  readonly edits?: true;
  /** The answer holds what is shown once, as a new key: it is not kept, and so not given again. Any `reveal` is. */
  readonly secret?: true;
  /** What the act is about, for the audit trail; the path's parameters unless it says otherwise. */
  subject?(call: Call<Shape<P>, Shape<Q>, Shape<B>>): string;
  handle(call: Call<Shape<P>, Shape<Q>, Shape<B>>): Promise<Answer<z.output<A>>>;
};

/** Where a page begins and how long it is. `after` is what `next` of the page before said. */
export type PageRequest<Sort extends string> = {
  readonly after: string | undefined;
  readonly limit: number;
  readonly sort: Sort;
  readonly descending: boolean;
};
export type Page<Row> = { readonly rows: readonly Row[]; readonly next: string | undefined };

/**
 * A list by pages (`?limit=&cursor=&sort=-openedAt`), which `?format=csv|ndjson|xlsx` or the `Accept` header streams as a
 * whole. Every filter is a query parameter.
 */
export type ListRoute<P, Q, R extends z.ZodType, Sort extends string> = Described & {
  readonly kind: 'list';
  readonly params?: P;
  /** Filters, all optional. */
  readonly filter?: Q;
  readonly row: R;
  /** What it may be sorted by; the first one is the default, and `descendingFirst` its direction. */
  readonly sorts: readonly Sort[];
  readonly descendingFirst?: boolean;
  page(call: Call<Shape<P>, Shape<Q>, None>, request: PageRequest<Sort>): Promise<Page<Answer<z.output<R>>>>;
};

/** Bytes in: a file of records, read as it comes, as slowly as the database takes it. */
export type UploadRoute<P, Q, A extends z.ZodType> = Described & {
  readonly kind: 'upload';
  readonly method: 'post';
  readonly params?: P;
  readonly query?: Q;
  /** Media types that are taken. */
  readonly accepts: readonly string[];
  readonly answer: A;
  handle(
    call: Call<Shape<P>, Shape<Q>, None> & { readonly stream: Readable; readonly mediaType: string },
  ): Promise<Answer<z.output<A>>>;
};

/** Bytes out: a report, a file, an export that is no list. */
export type DownloadRoute<P, Q> = Described & {
  readonly kind: 'download';
  readonly params?: P;
  readonly query?: Q;
  readonly gives: readonly string[];
  handle(call: Call<Shape<P>, Shape<Q>, None>): Promise<{
    readonly stream: AsyncIterable<Uint8Array>;
    readonly mediaType: string;
    readonly fileName: string;
    readonly bytes?: number;
  }>;
};

/** Server-sent events, until the caller goes. `Last-Event-ID` is `lastId`. */
export type EventsRoute<P, Q, E extends z.ZodType> = Described & {
  readonly kind: 'events';
  readonly params?: P;
  readonly query?: Q;
  readonly event: E;
  handle(
    call: Call<Shape<P>, Shape<Q>, None> & { readonly lastId: string | undefined },
  ): AsyncIterable<{ readonly id: string; readonly event: string; readonly data: Answer<z.output<E>> }>;
};

type Schema = z.ZodType | undefined;

/** Any route, its shapes forgotten: each was checked where it was made. */
export type Route =
  | PlainRoute<Schema, Schema, Schema, z.ZodType>
  | ListRoute<Schema, Schema, z.ZodType, string>
  | UploadRoute<Schema, Schema, z.ZodType>
  | DownloadRoute<Schema, Schema>
  | EventsRoute<Schema, Schema, z.ZodType>;

export function route<
  A extends z.ZodType,
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
>(spec: Omit<PlainRoute<P, Q, B, A>, 'kind'>): Route {
  return { kind: 'plain', ...spec } as unknown as Route;
}

export function list<
  R extends z.ZodType,
  Sort extends string,
  P extends Schema = undefined,
  Q extends Schema = undefined,
>(spec: Omit<ListRoute<P, Q, R, Sort>, 'kind'>): Route {
  return { kind: 'list', ...spec } as unknown as Route;
}

export function upload<A extends z.ZodType, P extends Schema = undefined, Q extends Schema = undefined>(
  spec: Omit<UploadRoute<P, Q, A>, 'kind'>,
): Route {
  return { kind: 'upload', ...spec } as unknown as Route;
}

export function download<P extends Schema = undefined, Q extends Schema = undefined>(
  spec: Omit<DownloadRoute<P, Q>, 'kind'>,
): Route {
  return { kind: 'download', ...spec } as unknown as Route;
}

export function events<E extends z.ZodType, P extends Schema = undefined, Q extends Schema = undefined>(
  spec: Omit<EventsRoute<P, Q, E>, 'kind'>,
): Route {
  return { kind: 'events', ...spec } as unknown as Route;
}
