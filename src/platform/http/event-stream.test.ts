import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { serveRoutes, type TestApi } from '../../../test/support/served-routes.ts';
import { Problem } from '../../kernel/problem.ts';
import { seen, streamLimits, streamRoutes, told } from './streams.fixture.ts';

let database: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  database = await testDatabase();
  api = await serveRoutes(streamRoutes, { pool: database.pool, limits: streamLimits });
});
afterAll(async () => {
  await api.close();
  await database.close();
});

describe('events', () => {
  const linesOf = async (response: Response) => (await response.text()).split('\n\n').filter((each) => each !== ': ');

  test('come as they happen, with their ids, and say when there are no more', async () => {
    told.events = (async function* () {
      yield { id: '1', event: 'step', data: { n: 1 } };
      yield { id: '2\nevil: x', event: 'step', data: { n: 2 } };
    })();
    const answer = await api.ask('GET /watch', { headers: { 'last-event-id': '41' } });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await linesOf(answer)).toEqual([
      'retry: 2000',
      'id: 1\nevent: step\ndata: {"n":1}',
      'id: 2 evil: x\nevent: step\ndata: {"n":2}',
      'event: end\ndata: {}',
      '',
    ]);
    expect(seen.lastId).toBe('41');
  });

  test('that go wrong say so by their code', async () => {
    told.events = (async function* () {
      yield { id: '1', event: 'step', data: { n: 1 } };
      throw new Problem('not_found', { what: 'run', id: 'x' });
    })();
    const lines = await linesOf(await api.ask('GET /watch'));
    expect(lines[2]).toMatch(/^event: problem\ndata: \{.*"code":"not_found"/);
  });

  test('keep the line awake while nothing happens, and let go when nobody listens', async () => {
    let isLetGo = false;
    const { promise: never, resolve: end } = Promise.withResolvers<void>();
    told.events = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          await never;
          return { done: true, value: undefined };
        },
        return: async () => {
          isLetGo = true;
          end();
          return { done: true, value: undefined };
        },
      }),
    };
    const leaving = new AbortController();
    const answer = await api.ask('GET /watch', { signal: leaving.signal });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes(': \n\n: \n\n')) text += (await reader?.read())?.value ?? '';
    leaving.abort();
    await eventually(() => expect(isLetGo).toBe(true));
  });
});
