import { z } from 'zod';
import type { Cell } from '../xlsx.ts';
import { jsonText } from './json-text.ts';

/** A column of a file that a list is streamed as: a member of its rows, or of an object in them (`card.issuer`). */
export type Column = { readonly title: string; readonly width: number; cell(row: unknown): Cell };

type Schema = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
};

/** The columns that rows of this shape have, in the order of its members. Lists in a row are told as JSON. */
export function columnsOf(row: z.ZodType): readonly Column[] {
  const schema = z.toJSONSchema(row, { io: 'output', unrepresentable: 'any', reused: 'inline' }) as Schema;
  return membersOf(schema, []);
}

function membersOf(schema: Schema, path: readonly string[]): readonly Column[] {
  const one = schema.anyOf?.find((each) => each.type !== 'null') ?? schema;
  if (one.properties !== undefined) {
    return Object.entries(one.properties).flatMap(([name, member]) => membersOf(member, [...path, name]));
  }
  const kind = kindOf(one, schema);
  const title = path.join('.');
  const width = Math.max(widths[kind], Math.min(40, title.length + 2));
  return [{ title, width, cell: (given) => cellOf(kind, memberAt(given, path)) }];
}

const widths = { won: 16, number: 10, day: 12, instant: 20, text: 24 } as const;

function kindOf(schema: Schema, outer: Schema): keyof typeof widths {
  const types = [schema.type].flat();
  if (types.includes('integer')) return /^Won\b/.test(schema.description ?? outer.description ?? '') ? 'won' : 'number';
  if (schema.format === 'date') return 'day';
  return schema.format === 'date-time' ? 'instant' : 'text';
}

function memberAt(given: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
    given,
  );
}

function cellOf(kind: keyof typeof widths, value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if ((kind === 'won' || kind === 'number') && (typeof value === 'bigint' || Number.isSafeInteger(value))) {
    return { type: kind, value: BigInt(value as bigint | number) };
  }
  const text = typeof value === 'string' ? value : (JSON.parse(jsonText(value)) as unknown);
  const plain = typeof text === 'string' ? text : jsonText(value);
  return kind === 'day' || kind === 'instant' ? { type: kind, value: plain } : { type: 'text', value: plain };
}
