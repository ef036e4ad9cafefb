import { Problem } from '../kernel/problem.ts';
import type { Operation, Schema } from './operation.ts';

/** Several of a command's words that are fields only together, or in another form. */
export type Together = {
  readonly words: readonly string[];
  /** From those that were given to the fields they are. Throws Problem `usage` */
  read(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
};

/** How a command is said to a server: its operation, and what is named otherwise there than on the command line. */
export type Wording = {
  readonly operation: string;
  /** Said otherwise where such an argument or option was given: the first that fits. */
  readonly when?: readonly (readonly [given: string, wording: Wording])[];
  /** Said so where the server answers that there is no such thing: it is made, or it is another kind of thing. */
  readonly orElse?: Wording;
  /** Each value of the first argument is a request of its own. */
  readonly each?: true;
  /**
   * `{ assignee: 'to' }`: an option's or argument's name → the field's, `filter.on` within another; `{ off: 'enabled=false' }`:
   * an option that stands for a value.
   */
  readonly names?: Readonly<Record<string, string>>;
  readonly together?: Together;
  /** Options that only matter where the command prints, or that the server knows by itself. */
  readonly ignored?: readonly string[];
  /** Options that only work beside the database. */
  readonly beside?: readonly string[];
  /**
   * Options that name a file of this machine for the answer, and the format that it then is in, where it has several:
   * `ending` is the file's own.
   */
  readonly into?: Readonly<Record<string, string | null>>;
  /** Asked before where an option was not typed: the field of its answer that stands for it. */
  readonly before?: { readonly option: string; readonly wording: Wording; readonly field: string };
  /** A list of the same thing that stands in the answer, under that name. */
  readonly along?: { readonly field: string; readonly operation: string };
  /** The field that is all that is printed for people, since scripts take it from there. */
  readonly says?: string;
  /** Fields that people are told beside it, where the first of them says something; scripts do not read them. */
  readonly notes?: readonly [string, ...string[]];
  /** What is begun is waited for, as beside the database, and then shown. */
  readonly shows?: Outcome;
};

/** What a run came to: where it is looked up, and with which fields of the answer that began it. */
export type Outcome = {
  /** The field that names the run. */
  readonly run: string;
  readonly operation: string;
  /** `{ providers: 'provider' }`: a field of the answer → a parameter. */
  readonly by: Readonly<Record<string, string>>;
};

/** What was typed: the arguments in their order, and the options by the names that commander gives them. */
export type Typed = {
  readonly args: readonly { readonly name: string; readonly value: string | readonly string[] | undefined }[];
  readonly options: Readonly<Record<string, unknown>>;
  /** The command can be told how many rows; one that cannot shows all of them. */
  readonly isLimited?: boolean;
};

export type ApiRequest = {
  readonly method: string;
  /** With its parameters and query. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** The file whose bytes are the body, and what they are. */
  readonly file: { readonly name: string; readonly mediaType: string } | undefined;
};

/** Who acts is known by the key, and what is printed is decided here. */
const alwaysIgnored = ['by', 'json', 'server', 'keyFile'];
/** Words that mean the same wherever they stand. */
const usualNames: Readonly<Record<string, string>> = { why: 'reason' };

/**
 * The request that says what was typed.
 * @throws Problem `remote_option_unknown` where the server has no field for an option that was given; `usage`
 */
export function toRequest(operation: Operation, wording: Wording, typed: Typed): ApiRequest {
  const params = new Map<string, string>();
  const query = new Map<string, string>();
  const body: Record<string, unknown> = {};
  let file: ApiRequest['file'];
  const put = (name: string, given: unknown): void => {
    const [field = name, constant] = (wording.names?.[name] ?? usualNames[name] ?? name).split('=');
    const value = constant === undefined ? given : JSON.parse(constant);
    const unknown = new Problem('remote_option_unknown', { option: name, operation: operation.id });
    if (wording.beside?.includes(name)) throw unknown;
    if (operation.params.includes(field)) params.set(field, String(value));
    else if (operation.query[field] !== undefined) query.set(field, [value].flat().join(','));
    else if (!putInBody(body, operation.body, field, value)) throw unknown;
  };
  const { words = [], read = () => ({}) } = wording.together ?? {};
  for (const [name, value] of Object.entries(read(givenOf(typed, words)))) put(name, value);
  for (const { name, value } of typed.args) {
    if (value === undefined || value.length === 0 || words.includes(name)) continue;
    const free = operation.params.find((param) => !params.has(param));
    if (name === 'file' && operation.uploads.length > 0) file = fileOf(String(value), operation.uploads);
    else if (wording.names?.[name] === undefined && free !== undefined && !knows(operation, name)) {
      params.set(free, String(value));
    } else put(name, value);
  }
  const ignored = [...alwaysIgnored, ...words, ...(wording.ignored ?? [])];
  const { into = {} } = wording;
  for (const [name, value] of Object.entries(typed.options)) {
    if (value === undefined || ignored.includes(name)) continue;
    if (into[name] === undefined) put(name, value);
    else if (into[name] !== null) put('format', into[name] === 'ending' ? endingOf(String(value)) : into[name]);
  }
  const missing = operation.params.find((param) => !params.has(param));
  if (missing !== undefined) throw new Problem('usage', { reason: `<${missing}>` });
  const asked = new URLSearchParams([...query]).toString();
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params.get(name) ?? ''));
  return {
    method: operation.method,
    path: asked === '' ? path : `${path}?${asked}`,
    body: operation.body === undefined ? undefined : body,
    file,
  };
}

function givenOf({ args, options }: Typed, words: readonly string[]): Readonly<Record<string, unknown>> {
  const all = { ...Object.fromEntries(args.map(({ name, value }) => [name, value])), ...options };
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => words.includes(name) && value !== undefined));
}

/** The file that the answer is written to, where one was named. */
export function intoFile({ into = {} }: Wording, { options }: Typed): string | undefined {
  const names = Object.keys(into).filter((name) => options[name] !== undefined);
  if (names.length > 1) throw new Problem('usage', { reason: names.map((name) => `--${name}`).join(' ') });
  return names[0] === undefined ? undefined : String(options[names[0]]);
}

/** The wording that what was typed asks for. */
export function wordingFor(wording: Wording, typed: Typed): Wording {
  const given = (name: string): boolean => {
    const value = typed.options[name] ?? typed.args.find((argument) => argument.name === name)?.value;
    return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  };
  return wording.when?.find(([name]) => given(name))?.[1] ?? wording;
}

function knows({ params, query, body }: Operation, name: string): boolean {
  return params.includes(name) || query[name] !== undefined || body?.properties?.[name] !== undefined;
}

/** Into the field of that name, or of a field that holds fields, such as a filter; false where there is none. */
function putInBody(body: Record<string, unknown>, schema: Schema | undefined, field: string, value: unknown): boolean {
  const [first = '', ...rest] = field.split('.');
  const own = schema?.properties?.[first];
  if (own !== undefined) {
    if (rest.length === 0) body[first] = toTyped(own, value, field);
    else return putInBody(within(body, first), own, rest.join('.'), value);
    return true;
  }
  const outer = Object.entries(schema?.properties ?? {}).find(([, each]) => each.properties?.[first] !== undefined);
  return outer !== undefined && putInBody(within(body, outer[0]), outer[1], field, value);
}

function within(body: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = body[name];
  if (typeof known === 'object' && known !== null) return known as Record<string, unknown>;
  const made: Record<string, unknown> = {};
  body[name] = made;
  return made;
}

/** A text as the field's type has it: a whole number keeps all its digits. @throws Problem `usage` */
function toTyped(schema: Schema, value: unknown, field: string): unknown {
  const types = [schema.type].flat();
  if (types.includes('array')) {
    const texts = [value].flat().flatMap((each) => (typeof each === 'string' ? each.split(',') : [each]));
    return texts.map((each) => toTyped(schema.items ?? {}, each, field));
  }
  if (typeof value !== 'string' || !(types.includes('integer') || types.includes('number'))) return value;
  const digits = value.replaceAll(',', '');
  if (!/^-?\d{1,15}$/.test(digits)) throw new Problem('usage', { reason: `${field} ${value}` });
  return Number(digits);
}

const mediaTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
};

function endingOf(name: string): string {
  return name.split('.').at(-1)?.toLowerCase() ?? '';
}

/** By its ending; a file that says nothing by it is what the operation takes first. */
function fileOf(name: string, uploads: readonly string[]): { readonly name: string; readonly mediaType: string } {
  const known = mediaTypes[endingOf(name)];
  const mediaType = known !== undefined && uploads.includes(known) ? known : (uploads[0] ?? 'application/octet-stream');
  return { name, mediaType };
}
