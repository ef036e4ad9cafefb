import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Contract, contractOf } from '../support/answer-contract.ts';
import { fitting, nasty } from '../support/schema-values.ts';
import {
  everyRole,
  type Operation,
  operationsOf,
  type ServedProduct,
  serveProduct,
} from '../support/served-product.ts';

/** Every route that is served, asked rightly and wrongly: each answer is as the document says, and none is a 5xx. */
let product: ServedProduct;
let contract: Contract;
let key: string;
/** What path parameters may be: values that rows of lists have, by the member's name. */
const known = new Map<string, Set<string>>();
/** Operations that have been answered with a success. */
const succeeded = new Set<string>();

type Request = {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | undefined;
};

beforeAll(async () => {
  product = await serveProduct();
  contract = contractOf(product.document);
  key = await product.keyOf(everyRole);
}, 240_000);
afterAll(() => product?.close());

const seed = Number(process.env['FUZZ_SEED'] ?? 20261121);
const runs = Number(process.env['FUZZ_RUNS'] ?? 12);
let number = 0;

/** The answer, and what is wrong with it. */
async function ask({ method, path, operation, headers, body }: Request) {
  number += 1;
  const response = await fetch(`${product.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(method === 'GET' ? {} : { 'idempotency-key': `fuzz-${seed}-${number}` }),
      ...headers,
    },
    ...(body === undefined || method === 'GET' ? {} : { body }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.ok) {
    succeeded.add(operation.operationId);
    learn(response, bytes);
  }
  const fault =
    response.status >= 500
      ? `a ${response.status}: ${Buffer.from(bytes).toString('utf8').slice(0, 500)}`
      : contract(operation, response, bytes);
  return { response, bytes, fault: fault && `${method} ${path} ${operation.operationId} → ${fault}` };
}

function learn(response: Response, bytes: Uint8Array): void {
  if (response.headers.get('content-type') !== 'application/json') return;
  const { rows } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { rows?: readonly Record<string, unknown>[] };
  for (const row of Array.isArray(rows) ? rows.slice(0, 5) : []) {
    for (const [name, value] of Object.entries(row)) {
      if (typeof value !== 'string' && typeof value !== 'number') continue;
      const names = known.get(name) ?? new Set();
      if (names.size < 20) names.add(String(value));
      known.set(name, names);
    }
  }
}

/** The path with these parameters; `.` and `..` alone would be another path. */
function pathOf(path: string, values: Readonly<Record<string, unknown>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const text = String(values[name] ?? 'x').toWellFormed();
    return encodeURIComponent(/^\.{0,2}$/.test(text) ? 'x' : text.slice(0, 2000));
  });
}

function queryOf(values: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of [value].flat()) query.append(name.toWellFormed(), plain(each).toWellFormed().slice(0, 1000));
  }
  return query.size === 0 ? '' : `?${query}`;
}

const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** A request as the document describes it. */
function rightly(method: string, path: string, operation: Operation): fc.Arbitrary<Request> {
  const of = (place: string) => operation.parameters.filter((each) => each.in === place);
  const record = (place: string) =>
    fc.record(Object.fromEntries(of(place).map(({ name, schema }) => [name, parameterOf(name, schema, path)])), {
      requiredKeys: of(place).flatMap(({ name, required }) => (required ? [name] : [])),
      noNullPrototype: true,
    });
  const content = Object.entries(operation.requestBody?.content ?? {})[0];
  const json =
    content?.[0] === 'application/json' ? fitting(content[1].schema).map((each) => JSON.stringify(each)) : undefined;
  const body =
    content === undefined ? fc.constant(undefined) : (json ?? fc.constantFrom('', 'a,b\n1,2\n', '{"a":1}\n'));
  return fc
    .tuple(record('path'), record('query'), body, fc.constantFrom('"1"', '"0"'))
    .map(([params, query, sent, version]) => ({
      method,
      operation,
      path: `${pathOf(path, params)}${queryOf(query)}`,
      headers: {
        ...(content === undefined ? {} : { 'content-type': content[0] }),
        ...(of('header').some(({ name }) => name === 'If-Match') ? { 'if-match': version } : {}),
      },
      body: sent,
    }));
}

/** Ids of what there is, more often than of what there is not. */
function parameterOf(name: string, schema: Record<string, unknown>, path: string): fc.Arbitrary<unknown> {
  const values = [
    ...(known.get(name) ?? []),
    ...(name === 'id' || path.includes('{id}') ? (known.get('id') ?? []) : []),
  ];
  const usual = fitting(schema);
  return values.length === 0 || schema['enum'] !== undefined
    ? usual
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: usual });
}

/** A request that is wrong somewhere: in its path, query, body or headers. */
function wrongly(method: string, path: string, operation: Operation): fc.Arbitrary<Request> {
  const names = operation.parameters.filter((each) => each.in === 'query').map(({ name }) => name);
  const params = fc.dictionary(fc.constantFrom(...(path.match(/\w+(?=\})/g) ?? ['x'])), nasty, {
    noNullPrototype: true,
  });
  const query = fc.dictionary(
    fc.oneof(fc.constantFrom(...names, 'limit', 'nobody'), fc.string({ maxLength: 8 })),
    nasty,
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  );
  const schema = operation.requestBody?.content['application/json']?.schema;
  const members = Object.keys((schema?.['properties'] ?? {}) as object);
  const body = fc.oneof(
    nasty.map((each) => JSON.stringify(each) ?? ''),
    fc
      .dictionary(fc.constantFrom(...members, '__proto__'), nasty, { noNullPrototype: true })
      .map((each) => JSON.stringify(each)),
    fc.constantFrom(
      '{',
      '[',
      '{"a":',
      '"',
      'nul',
      '\ufeff{}',
      '{"a":1,}',
      '['.repeat(10_000),
      `"${'x'.repeat(300_000)}"`,
    ),
    fc.uint8Array({ maxLength: 200 }).map((each) => new Uint8Array(each)),
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      'accept',
      'accept-language',
      'content-type',
      'if-match',
      'if-none-match',
      'last-event-id',
      'origin',
      'range',
      'x-forwarded-for',
      'cookie',
      'idempotency-key',
      'traceparent',
    ),
    fc.oneof(
      fc.constantFrom(
        '',
        '*',
        '"',
        '"99999999999999999999"',
        'W/"1"',
        'text/csv',
        'application/x-ndjson',
        'application/json; charset=utf-16',
        'multipart/form-data',
        'ko;q=9',
        ';;;;',
        'a=b; c=%ff',
        'bytes=0-',
        '1'.repeat(3000),
      ),
      fc.string({ minLength: 1, maxLength: 20 }).map((text) => text.replace(/[^\x21-\x7e]/g, 'x')),
    ),
    { maxKeys: 3, noNullPrototype: true },
  );
  const usual = rightly(method, path, operation);
  return fc
    .tuple(usual, params, query, body, headers, fc.subarray(['path', 'query', 'body', 'headers'], { minLength: 1 }))
    .map(([right, badParams, badQuery, badBody, badHeaders, where]) => {
      const [rightPath, rightQuery] = right.path.split('?');
      const at = where.includes('path') ? pathOf(path, badParams) : rightPath;
      const asked = where.includes('query') ? queryOf(badQuery) : rightQuery === undefined ? '' : `?${rightQuery}`;
      return {
        ...right,
        path: `${at}${asked}`.slice(0, 6000),
        body: where.includes('body') ? badBody : right.body,
        headers: { ...right.headers, ...(where.includes('headers') ? badHeaders : {}) },
      };
    });
}

/** Events that end by themselves, and acts that would end what this test itself needs. */
const ownAccess = /^(POST|PUT|PATCH|DELETE) \/v1\/(people|keys|me|services)/;

test('every question without a parameter is answered, and as the document says', async () => {
  const faults: unknown[] = [];
  const silent: string[] = [];
  for (const { method, path, operation } of operationsOf(product.document)) {
    const needs = operation.parameters.filter(({ required, in: place }) => required && place !== 'header');
    if (method !== 'GET' || needs.length > 0) continue;
    const { response, fault } = await ask({ method, path, operation, headers: {}, body: undefined });
    if (fault !== undefined) faults.push(fault);
    if (!response.ok && response.status !== 404) silent.push(`${path}: ${response.status}`);
    for (const format of Object.keys(operation.responses['200']?.content ?? {})) {
      const answer = await ask({ method, path, operation, headers: { accept: format }, body: undefined });
      if (answer.fault !== undefined) faults.push(answer.fault);
    }
  }
  expect([faults, silent]).toEqual([[], []]);
});

test('every route, asked as the document says, answers as it says', { timeout: 900_000 }, async () => {
  const faults = new Set<string>();
  for (const { method, path, operation } of operationsOf(product.document)) {
    if (ownAccess.test(`${method} ${path}`)) continue;
    for (const request of fc.sample(rightly(method, path, operation), { numRuns: runs, seed })) {
      const { fault } = await ask(request);
      if (fault !== undefined) faults.add(fault);
    }
  }
  expect([...faults].slice(0, 40)).toEqual([]);
});

test('every route, asked wrongly, refuses as the document says', { timeout: 900_000 }, async () => {
  const faults = new Set<string>();
  for (const { method, path, operation } of operationsOf(product.document)) {
    for (const request of fc.sample(wrongly(method, path, operation), { numRuns: runs, seed })) {
      const { fault } = await ask(request);
      if (fault !== undefined && !isAnotherRoute(fault)) faults.add(fault);
    }
  }
  expect([...faults].slice(0, 40)).toEqual([]);
});

/** A weird path may be none of ours, or another route's: then that answers. */
function isAnotherRoute(fault: string): boolean {
  return /"code":"(route_unknown|method_unknown)"/.test(fault);
}

test('lists are paged to their end by their cursors, and forged ones are refused', async () => {
  const faults: string[] = [];
  for (const { method, path, operation } of operationsOf(product.document)) {
    const sorts = operation.parameters.find(({ name }) => name === 'sort')?.schema['enum'] as string[] | undefined;
    if (sorts === undefined || path.includes('{')) continue;
    const required = operation.parameters.some(({ required, in: place }) => required && place === 'query');
    if (required) continue;
    for (const sort of sorts) {
      const inOrder = async (order: string) => {
        const whole = await ask({
          method,
          path: `${path}?limit=1000&sort=${order}`,
          operation,
          headers: {},
          body: undefined,
        });
        return JSON.parse(Buffer.from(whole.bytes).toString()) as { rows: unknown[]; next: string | null };
      };
      const [up, down] = [await inOrder(sort), await inOrder(sort.startsWith('-') ? sort.slice(1) : `-${sort}`)];
      if (up.next === null && JSON.stringify(up.rows) !== JSON.stringify(down.rows.toReversed())) {
        faults.push(`${path}?sort=${sort}: the other direction is not the other way round`);
      }
      const first = await ask({
        method,
        path: `${path}?limit=1&sort=${sort}`,
        operation,
        headers: {},
        body: undefined,
      });
      if (first.fault !== undefined) faults.push(first.fault);
      const { rows, next } = JSON.parse(Buffer.from(first.bytes).toString()) as {
        rows: unknown[];
        next: string | null;
      };
      if (next !== null) {
        const second = await ask({
          method,
          path: `${path}?limit=1&sort=${sort}&cursor=${next}`,
          operation,
          headers: {},
          body: undefined,
        });
        if (second.fault !== undefined) faults.push(second.fault);
        const page = JSON.parse(Buffer.from(second.bytes).toString()) as { rows: unknown[] };
        if (page.rows.length !== 1 || JSON.stringify(page.rows) === JSON.stringify(rows)) {
          faults.push(`${path}?sort=${sort}: the second page is not the second row`);
        }
      }
      for (const place of [
        '',
        '[]',
        '["x"]',
        '[1,2]',
        '{"a":1}',
        '1|2',
        '9999999999999999999',
        '["2026-99-99","1"]',
        'null',
      ]) {
        const cursor = Buffer.from(JSON.stringify([sort, place])).toString('base64url');
        const forged = await ask({
          method,
          path: `${path}?sort=${sort}&cursor=${cursor}`,
          operation,
          headers: {},
          body: undefined,
        });
        if (forged.fault !== undefined) faults.push(forged.fault);
      }
    }
  }
  expect(faults.slice(0, 40)).toEqual([]);
});

test('what is hardly HTTP is refused, and the server goes on', async () => {
  const { port } = new URL(product.url);
  const say = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
      let heard = '';
      socket.on('data', (piece: Buffer) => {
        heard += piece.toString('latin1');
      });
      socket.on('error', () => resolve(heard));
      socket.on('close', () => resolve(heard));
    });
  const host = 'Host: 127.0.0.1\r\n';
  for (const text of [
    'nonsense\r\n\r\n',
    `GET /v1/${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`,
    `GET /v1/breaks HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(5000)}\r\n`,
    'GET /v1/breaks HTTP/1.1\r\n\r\n',
    `GET /v1/breaks HTTP/1.1\r\nHost: a b\r\n\r\n`,
    `GET http://[::bad/ HTTP/1.1\r\n${host}\r\n`,
    `GET /v1/\\..\\x HTTP/1.1\r\n${host}\r\n`,
    `GET /v1/breaks/%ff%00 HTTP/1.1\r\n${host}\r\n`,
    `GET /v1/breaks/%zz HTTP/1.1\r\n${host}\r\n`,
    `TRACE /v1/breaks HTTP/1.1\r\n${host}\r\n`,
    `PROPFIND /v1/breaks HTTP/1.1\r\n${host}\r\n`,
    `POST /v1/breaks HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /v1/breaks HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\n`,
  ]) {
    const heard = await say(text);
    expect(heard, text.slice(0, 60)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  }
  expect((await fetch(`${product.url}/health/ready`)).status).toBe(200);
});

test('every question was answered with a success at least once', () => {
  const questions = operationsOf(product.document).filter(({ method }) => method === 'GET');
  const never = questions.map(({ operation }) => operation.operationId).filter((id) => !succeeded.has(id));
  // Of some there is nothing in a world of one reconciled day: they are held to the document where they are made.
  expect(never.length).toBeLessThan(questions.length / 3);
});
