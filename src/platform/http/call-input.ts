import { z } from 'zod';
import { writtenCardNumber } from '../../kernel/card-number.ts';
import { type Language, Problem } from '../../kernel/problem.ts';

/** What came with a request, before any schema has read it. */
export type RawInput = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
};
export type InputSchemas = {
  readonly params?: z.ZodType | undefined;
  readonly query?: z.ZodType | undefined;
  readonly body?: z.ZodType | undefined;
};
export type Input = { readonly params: unknown; readonly query: unknown; readonly body: unknown };

const mostFaults = 20;
const deepest = 32;
const locales = { ko: z.locales.ko().localeError, en: z.locales.en().localeError };

/**
 * The input as its schemas read it. Names that no schema knows are refused, since a filter that is misspelt would find
 * everything; so is text that no database holds.
 * @throws Problem `request_invalid` that names every fault by its place; `card_number_given`
 */
export function readInput(raw: RawInput, schemas: InputSchemas, language: Language): Input {
  const faults: string[] = [];
  const read = (place: string, schema: z.ZodType | undefined, given: unknown): unknown => {
    const unfit = unfitText(given);
    if (unfit !== undefined) faults.push(`${place}: ${unfit}`);
    if (schema === undefined || unfit !== undefined) return {};
    const found = strict(schema).safeParse(given, { error: locales[language] });
    for (const issue of found.error?.issues ?? []) {
      faults.push(`${[place, ...issue.path.map(String)].join('.')}: ${issue.message}`);
    }
    return found.data;
  };
  const input = {
    params: read('path', schemas.params, raw.params),
    query: read('query', schemas.query ?? z.object({}), queryMembers(raw.query)),
    body: read('body', schemas.body, raw.body),
  };
  if (faults.length > 0) {
    throw new Problem('request_invalid', { faults: faults.slice(0, mostFaults).join('\n').slice(0, 4000) });
  }
  const field = writtenCardNumber(input.body) ?? writtenCardNumber(input.query);
  if (field !== undefined) throw new Problem('card_number_given', { field });
  return input;
}

/** An object that knows no other members than those it names. */
function strict(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;
}

/** A name that is given twice is a list. */
function queryMembers(query: URLSearchParams): Readonly<Record<string, string | string[]>> {
  const members: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    members[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return { ...members };
}

/** What is wrong with the text of it: PostgreSQL holds no NUL and no half of a character. Bounded in depth. */
function unfitText(given: unknown): string | undefined {
  let level: readonly unknown[] = [given];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) return `nested deeper than ${deepest}`;
    for (const value of level) {
      if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return 'not a text';
    }
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? [...Object.keys(value), ...Object.values(value)] : [],
    );
  }
  return undefined;
}
