/** What of an OpenAPI schema matters for a request. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly $ref?: string;
};

type Parameter = { readonly name: string; readonly in: string; readonly schema?: Schema };
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
type Described = {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<Record<string, { readonly content?: Content }>>;
};

/** An OpenAPI document, as far as it is read here. */
export type ApiDocument = {
  readonly servers?: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
};

/** 작업. One operation of a server's API, as a request to it is made. */
export type Operation = {
  readonly id: string;
  readonly method: string;
  /** With `{id}` where parameters go. */
  readonly path: string;
  readonly params: readonly string[];
  readonly query: Readonly<Record<string, Schema>>;
  readonly body: Schema | undefined;
  /** Media types of a file that it takes; none where it takes none. */
  readonly uploads: readonly string[];
  /** It changes the version that the caller saw. */
  readonly edits: boolean;
  /** It answers by pages. */
  readonly paged: boolean;
  /** It answers by a stream of events. */
  readonly events: boolean;
};

const json = 'application/json';
const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** The operation of that name; undefined where the server's version has none. */
export function findOperation(document: ApiDocument, id: string): Operation | undefined {
  for (const [path, described] of Object.entries(document.paths)) {
    for (const method of methods) {
      const found = described[method];
      if (found?.operationId === id) return toOperation(document, { ...found, operationId: id }, { method, path });
    }
  }
  return undefined;
}

function toOperation(
  document: ApiDocument,
  { operationId, parameters = [], requestBody, responses = {} }: Described & { readonly operationId: string },
  { method, path }: { readonly method: string; readonly path: string },
): Operation {
  const content = requestBody?.content ?? {};
  const within = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const answers = Object.values(responses).flatMap((response) => Object.keys(response.content ?? {}));
  return {
    id: operationId,
    method: method.toUpperCase(),
    path,
    params: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string),
    query: Object.fromEntries(within('query').map(({ name, schema = {} }) => [name, resolve(document, schema)])),
    body: content[json]?.schema === undefined ? undefined : resolve(document, content[json].schema),
    uploads: Object.keys(content).filter((mediaType) => mediaType !== json),
    edits: within('header').some(({ name }) => name.toLowerCase() === 'if-match'),
    paged: within('query').some(({ name }) => name === 'cursor'),
    events: answers.some((mediaType) => mediaType.startsWith('text/event-stream')),
  };
}

/** Deeper than any body of ours. */
const deepest = 4;

/** The schema with its references followed, and what a nullable one is otherwise. */
function resolve(document: ApiDocument, schema: Schema, depth = 0): Schema {
  const name = schema.$ref?.split('/').at(-1);
  const found = name === undefined ? schema : (document.components?.schemas?.[name] ?? {});
  const [chosen] = found.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  if (chosen !== undefined) return resolve(document, chosen, depth);
  const parts = (found.allOf ?? []).map((part) => resolve(document, part, depth));
  const properties = Object.assign(
    {},
    ...parts.map((part) => part.properties),
    found.properties,
  ) as Schema['properties'];
  if (depth === deepest) return found;
  return {
    ...found,
    ...(found.items === undefined ? {} : { items: resolve(document, found.items, depth + 1) }),
    properties: Object.fromEntries(
      Object.entries(properties ?? {}).map(([field, each]) => [field, resolve(document, each, depth + 1)]),
    ),
  };
}
