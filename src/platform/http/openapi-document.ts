import { z } from 'zod';
import { permissions } from '../../kernel/permission.ts';
import { problems } from '../../kernel/problem.ts';
import { exportMediaTypes, listQuery } from './list-request.ts';
import { problemMediaType } from './problem-answer.ts';
import { problemCodesOf } from './problem-codes.ts';
import type { Route } from './route.ts';

type Json = { readonly [name: string]: unknown };

/**
 * API 문서. The OpenAPI 3.1 document of these routes, made of the schemas that read and check what comes and goes. Each
 * operation says which permission it needs (`x-permission`) and by which codes it may refuse.
 */
export function openApiDocument(routes: readonly Route[], { version }: { readonly version: string }): Json {
  const components: Record<string, unknown> = { Problem: problemSchema };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `/v1${route.path}`;
    paths[path] = { ...paths[path], ['method' in route ? route.method : 'get']: operation(route, components) };
  }
  const tags = [...new Set(routes.map(({ tag }) => tag))].sort();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Jeongsan 정산',
      version,
      description:
        'The settlement back office of a payment gateway. Won are integers; days are those of Seoul; moments have an offset. ' +
        'Whatever is not a GET is an act: it takes an `Idempotency-Key`, and asking again with it gives the same answer.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: tags.map((name) => ({ name })),
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'jeongsan.session_token',
          description: 'Whoever has signed in, in a browser',
        },
      },
    },
    'x-permissions': permissions,
  };
}

function operation(route: Route, components: Record<string, unknown>): Json {
  const isAct = 'method' in route && route.method !== 'get';
  const query = route.kind === 'list' ? listQuery(route) : route.query;
  const header = (name: string, description: string) => ({
    name,
    in: 'header',
    required: true,
    description,
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  });
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary.en,
    description: `${route.summary.ko}\n\nPermission: \`${route.permission}\``,
    'x-permission': route.permission,
    'x-summary-ko': route.summary.ko,
    parameters: [
      ...pathParameters(route),
      ...parametersOf(query, 'query', components),
      ...(isAct ? [header('Idempotency-Key', 'A value of the act’s own: asked again, the same answer is given')] : []),
      ...(isAct && route.kind === 'plain' && route.edits ? [header('If-Match', 'The ETag of what is changed')] : []),
    ],
    ...requestBody(route, components),
    responses: { ...success(route, components), ...refusals(route) },
  };
}

/** Without a schema of its own a parameter of the path is text. */
function pathParameters(route: Route): readonly Json[] {
  const given = membersOf(route.params);
  return [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: given[name] === undefined ? { type: 'string' } : inputSchema(given[name], {}),
  }));
}

function parametersOf(
  schema: z.ZodType | undefined,
  place: string,
  components: Record<string, unknown>,
): readonly Json[] {
  return Object.entries(membersOf(schema)).map(([name, member]) => {
    const { description, ...rest } = inputSchema(member, components);
    return {
      name,
      in: place,
      required: !member.safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
      ...(rest['type'] === 'array' ? { style: 'form', explode: false } : {}),
    };
  });
}

function membersOf(schema: z.ZodType | undefined): Readonly<Record<string, z.ZodType>> {
  return schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {};
}

function requestBody(route: Route, components: Record<string, unknown>): Json {
  if (route.kind === 'upload') {
    const content = Object.fromEntries(
      route.accepts.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
    );
    return { requestBody: { required: true, content } };
  }
  if (route.kind !== 'plain' || route.body === undefined) return {};
  const required = !route.body.safeParse(undefined).success;
  return {
    requestBody: { required, content: { 'application/json': { schema: inputSchema(route.body, components) } } },
  };
}

function success(route: Route, components: Record<string, unknown>): Json {
  const binary = { schema: { type: 'string', format: 'binary' } };
  switch (route.kind) {
    case 'plain': {
      const etag = route.edits ? { headers: { ETag: { required: true, schema: { type: 'string' } } } } : {};
      const content = { 'application/json': { schema: outputSchema(route.answer, components) } };
      const unchanged = route.method === 'get' && route.edits ? { '304': { description: 'Not changed' } } : {};
      return { [route.status ?? 200]: { description: route.summary.en, ...etag, content }, ...unchanged };
    }
    case 'upload':
      return {
        '200': {
          description: route.summary.en,
          content: { 'application/json': { schema: outputSchema(route.answer, components) } },
        },
      };
    case 'list': {
      const row = outputSchema(route.row, components);
      const page = {
        type: 'object',
        properties: { rows: { type: 'array', items: row }, next: { type: ['string', 'null'] } },
        required: ['rows', 'next'],
        additionalProperties: false,
      };
      const files = Object.values(exportMediaTypes).map((type) => [type, binary]);
      const content = { 'application/json': { schema: page }, ...Object.fromEntries(files) };
      return { '200': { description: route.summary.en, content } };
    }
    case 'download':
      return {
        '200': {
          description: route.summary.en,
          content: Object.fromEntries(route.gives.map((type) => [type.split(';')[0], binary])),
        },
      };
    case 'events':
      return {
        '200': {
          description: route.summary.en,
          content: { 'text/event-stream': { schema: { type: 'string' } } },
          'x-event': outputSchema(route.event, components),
        },
      };
  }
}

/** One answer for each status, with the codes that it may have. */
function refusals(route: Route): Json {
  const byStatus = new Map<number, string[]>();
  for (const code of problemCodesOf(route)) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        content: {
          [problemMediaType]: {
            schema: {
              allOf: [
                { $ref: '#/components/schemas/Problem' },
                { properties: { code: { enum: codes }, status: { const: status } } },
              ],
            },
          },
        },
      },
    ]),
  );
}

/** What a caller sends; of what is turned into something else, what comes in. */
function inputSchema(schema: z.ZodType, components: Record<string, unknown>): Json {
  return jsonSchema(schema, 'input', components);
}

function outputSchema(schema: z.ZodType, components: Record<string, unknown>): Json {
  return jsonSchema(schema, 'output', components);
}

/** Schemas with an id of their own (`meta({ id })`) are told once, among the components. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', components: Record<string, unknown>): Json {
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
  const { $schema: _, $defs: defs, ...rest } = made;
  for (const [name, each] of Object.entries((defs ?? {}) as Json)) components[name] ??= relocated(each);
  return relocated(rest) as Json;
}

function relocated(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457; `detail` is in Korean or English, `code` is the same in both',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    details: { type: 'object' },
    instance: { type: 'string', format: 'uri' },
  },
  required: ['type', 'title', 'status', 'code', 'detail', 'details', 'instance'],
  additionalProperties: false,
};
