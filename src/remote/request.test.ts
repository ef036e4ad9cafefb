import { expect, test } from 'vitest';
import { isProblem } from '../kernel/problem.ts';
import { type ApiDocument, findOperation } from './operation.ts';
import { type Typed, toRequest, type Wording } from './request.ts';

const text = { type: 'string' };
const document: ApiDocument = {
  paths: {
    '/breaks': {
      get: {
        operationId: 'listBreaks',
        parameters: [
          { name: 'on', in: 'query', schema: text },
          { name: 'state', in: 'query', schema: { type: 'array', items: text } },
          { name: 'cursor', in: 'query', schema: text },
        ],
      },
    },
    '/breaks/assign': {
      post: {
        operationId: 'assignBreaks',
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Assign' } } } },
      },
    },
    '/merchants/{merchant}/payouts': {
      post: {
        operationId: 'requestPayout',
        parameters: [{ name: 'If-Match', in: 'header', schema: text }],
        requestBody: {
          content: { 'application/json': { schema: { properties: { amountWon: { type: 'integer' }, key: text } } } },
        },
      },
    },
    '/payments': {
      post: {
        operationId: 'importPayments',
        parameters: [{ name: 'strict', in: 'query', schema: { type: 'boolean' } }],
        requestBody: { content: { 'application/x-ndjson': {}, 'text/csv': {} } },
      },
    },
  },
  components: {
    schemas: {
      Assign: {
        properties: {
          ids: { type: 'array', items: { type: 'integer' } },
          to: { anyOf: [{ type: 'null' }, text] },
          filter: { $ref: '#/components/schemas/Filter' },
          all: { type: 'boolean' },
        },
      },
      Filter: { properties: { on: text, minWon: { type: 'integer' } } },
    },
  },
};

const arg = (name: string, value: string | readonly string[] | undefined) => ({ name, value });
const request = (operation: string, typed: Partial<Typed>, wording: Partial<Wording> = {}) => {
  const found = findOperation(document, operation);
  if (found === undefined) throw new Error(operation);
  return toRequest(found, { operation, ...wording }, { args: [], options: {}, ...typed });
};

test.each([
  [
    'listBreaks',
    { options: { on: '2026-11-20', state: ['open', 'investigating'], json: true } },
    {},
    'GET /breaks?on=2026-11-20&state=open%2Cinvestigating',
    undefined,
  ],
  ['listBreaks', { options: { on: undefined, by: 'kim' } }, {}, 'GET /breaks', undefined],
  [
    'assignBreaks',
    { args: [arg('ids', ['7', '8'])], options: { assignee: 'lee' } },
    { names: { assignee: 'to' } },
    'POST /breaks/assign',
    { ids: [7, 8], to: 'lee' },
  ],
  [
    'assignBreaks',
    { args: [arg('ids', [])], options: { on: '2026-11-20', minWon: '1,000', nobody: true } },
    { names: { nobody: 'to=null' } },
    'POST /breaks/assign',
    { filter: { on: '2026-11-20', minWon: 1000 }, to: null },
  ],
  [
    'requestPayout',
    { args: [arg('merchant', 'M/1'), arg('won', '70000')], options: { key: 'k' } },
    { names: { won: 'amountWon' } },
    'POST /merchants/M%2F1/payouts',
    { amountWon: 70_000, key: 'k' },
  ],
] as const)('%s of %j', (operation, typed, wording, line, body) => {
  const made = request(operation, typed as Partial<Typed>, wording as Partial<Wording>);
  expect(`${made.method} ${made.path}`).toBe(line);
  expect(made.body).toEqual(body);
});

test('a file is what its ending says, as far as the operation takes that', () => {
  const file = (name: string) => request('importPayments', { args: [arg('file', name)], options: { strict: true } });
  expect(file('a.csv')).toMatchObject({
    path: '/payments?strict=true',
    file: { name: 'a.csv', mediaType: 'text/csv' },
  });
  expect(file('a.JSONL').file?.mediaType).toBe('application/x-ndjson');
  expect(file('a').file?.mediaType).toBe('application/x-ndjson');
});

test('an edit is told from its header', () => {
  expect(findOperation(document, 'requestPayout')?.edits).toBe(true);
  expect(findOperation(document, 'assignBreaks')?.edits).toBe(false);
  expect(findOperation(document, 'nothing')).toBeUndefined();
});

test.each([
  ['an option that the server does not know', 'listBreaks', { options: { escalated: true } }, 'remote_option_unknown'],
  ['no whole number', 'requestPayout', { args: [arg('merchant', 'M1'), arg('amountWon', '1e5')] }, 'usage'],
  [
    'an amount that a number does not hold',
    'requestPayout',
    { args: [arg('merchant', 'M1'), arg('amountWon', '9007199254740993')] },
    'usage',
  ],
  ['an argument that is missing', 'requestPayout', { options: { key: 'k' } }, 'usage'],
] as const)('%s is refused', (_, operation, typed, code) => {
  let refused: unknown;
  try {
    request(operation, typed as Partial<Typed>);
  } catch (error) {
    refused = error;
  }
  expect(isProblem(refused, code)).toBe(true);
});
