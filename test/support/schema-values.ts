import fc from 'fast-check';

type Schema = Readonly<Record<string, unknown>>;

/** Values that a schema of the document takes, as far as JSON Schema says what it takes. */
export function fitting(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const {
    type,
    enum: among,
    const: only,
    anyOf,
    oneOf,
    allOf,
  } = schema as { [name: string]: unknown } & {
    anyOf?: Schema[];
    oneOf?: Schema[];
    allOf?: Schema[];
  };
  if (only !== undefined) return fc.constant(only);
  if (Array.isArray(among)) return fc.constantFrom(...among);
  const several = anyOf ?? oneOf;
  if (several !== undefined) return fc.oneof(...several.map((each) => fitting(each, depth)));
  if (allOf !== undefined) return fitting(Object.assign({}, ...allOf) as Schema, depth);
  const kind = Array.isArray(type) ? type[0] : type;
  switch (kind) {
    case 'integer':
    case 'number': {
      const min = Number(schema['minimum'] ?? Number(schema['exclusiveMinimum'] ?? -1000) + 1);
      const most = Number(schema['maximum'] ?? Number(schema['exclusiveMaximum'] ?? 2 ** 53) - 1);
      return fc
        .oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 100 }))
        .map((n) => Math.min(most, Math.max(min, n)));
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const items = (schema['items'] as Schema | undefined) ?? {};
      const minLength = Number(schema['minItems'] ?? 0);
      return fc.array(fitting(items, depth + 1), { minLength, maxLength: Math.max(minLength, 3) });
    }
    case 'object':
      return objects(schema, depth);
    case 'string':
      return strings(schema);
    default:
      return depth > 3 ? fc.constant('x') : fc.jsonValue({ maxDepth: 2 });
  }
}

function objects(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
  const requiredKeys = ((schema['required'] ?? []) as string[]).filter((name) => name in properties);
  if (Object.keys(properties).length === 0)
    return fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }));
  const values = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, fitting(each, depth + 1)]));
  return fc.record(values, { requiredKeys, noNullPrototype: true });
}

const days = ['2026-11-18', '2026-11-19', '2024-02-29', '1900-01-01', '2199-12-31'];
const moments = ['2026-11-18T08:00:00+09:00', '2026-11-18T23:59:59.999999999Z', '1999-01-01T00:00:00-12:00'];

function strings(schema: Schema): fc.Arbitrary<string> {
  const { format } = schema;
  if (format === 'date') return fc.constantFrom(...days);
  if (format === 'date-time') return fc.constantFrom(...moments);
  if (format === 'email') return fc.constantFrom('a@pg.example', '가@pg.example');
  if (format === 'uri') return fc.constantFrom('https://203.0.113.9/hook', 'http://localhost:1/', 'https://[::1]/');
  const maxLength = Math.min(Number(schema['maxLength'] ?? 40), 2000);
  const minLength = Math.min(Number(schema['minLength'] ?? 0), maxLength);
  const usual = fc.oneof(
    fc.string({ minLength, maxLength }),
    fc.string({ unit: 'grapheme', minLength, maxLength }),
    fc.constantFrom('hanbit', 'ksnet', '1', '정산', "' or 1=1 --", '%', '_', '\\', '../../etc/passwd', '2026-11-18'),
  );
  if (typeof schema['pattern'] !== 'string') return usual;
  const pattern = new RegExp(schema['pattern'] as string, 'u');
  return fc.oneof({ weight: 3, arbitrary: fc.stringMatching(pattern) }, usual);
}

/** What no schema expects: wrong types, extreme numbers, text that a database or a terminal minds. */
export const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    '\u202e',
    '=1+1',
    'NaN',
    'Infinity',
    '-1',
    '0',
    '1e400',
    '99999999999999999999',
    '9223372036854775807',
    '2147483648',
    2 ** 53,
    -1,
    0.5,
    1e308,
    '0000-01-01',
    '9999-12-31',
    '2026-02-31',
    '10000-01-01',
    '+010000-01-01T00:00:00Z',
    'x'.repeat(5000),
    '정'.repeat(1000),
    '__proto__',
    'constructor',
    '{}',
    '[]',
  ),
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
