import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { serveRoutes, type TestApi } from '../../../test/support/served-routes.ts';
import { Problem } from '../../kernel/problem.ts';
import { languageFor } from './language.ts';
import { createRateLimiter } from './rate-limit.ts';
import { list, type Route, route } from './route.ts';

let database: TestDatabase;
let api: TestApi;
let thing = { name: 'first', version: 7 };

const described = { tag: 'things', summary: { ko: '것', en: 'Things' }, permission: 'read' } as const;
const answer = z.object({ name: z.string(), version: z.number().int() });
const routes: readonly Route[] = [
  // In this order a router that takes the first that fits would never come to the second.
  route({
    ...described,
    id: 'showThing',
    method: 'get',
    path: '/things/{id}',
    params: z.object({ id: z.string() }),
    edits: true,
    answer,
    handle: async () => thing,
  }),
  route({
    ...described,
    id: 'sumThings',
    method: 'get',
    path: '/things/sums',
    answer: z.object({ sum: z.number() }),
    handle: async () => ({ sum: 3n }),
  }),
  route({
    ...described,
    id: 'editThing',
    method: 'put',
    path: '/things/{id}',
    permission: 'configure',
    params: z.object({ id: z.string() }),
    body: z.object({ name: z.string() }),
    edits: true,
    answer,
    async handle({ body, version }) {
      if (version !== thing.version) throw new Problem('version_differs', { given: version, current: thing.version });
      thing = { name: body.name, version: thing.version + 1 };
      return thing;
    },
  }),
  list({
    ...described,
    id: 'listThings',
    path: '/things',
    row: z.object({ id: z.number() }),
    sorts: ['id'],
    page: async () => ({ rows: [{ id: 1 }], next: undefined }),
  }),
  route({
    ...described,
    id: 'huge',
    method: 'get',
    path: '/huge',
    answer: z.object({}),
    async handle() {
      throw new Problem('adjustment_unbalanced', { differenceWon: 2n ** 70n });
    },
  }),
];

beforeAll(async () => {
  database = await testDatabase();
  const rates = { perActor: { burst: 60, perSecond: 0.001 }, perAddress: { burst: 200, perSecond: 0.001 } };
  api = await serveRoutes(routes, {
    pool: database.pool,
    limits: { ...rates, strangerCost: 10 },
    origins: 'https://console.pg.example',
  });
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;

test('the document comes packed to who can unpack it, and is the same', async () => {
  const ask = async (encoding: string) => {
    const request = get(`${api.url}/v1/openapi.json`, { headers: { 'accept-encoding': encoding } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { encoding: response.headers['content-encoding'], bytes: await buffer(response) };
  };
  const [plain, packed] = [await ask('identity'), await ask('gzip, br')];
  expect([plain.encoding, packed.encoding]).toEqual([undefined, 'gzip']);
  expect(gunzipSync(packed.bytes)).toEqual(plain.bytes);
  expect(JSON.parse(plain.bytes.toString())).toMatchObject({ openapi: '3.1.0' });
});

describe('a path', () => {
  test('with a name of its own is not taken for a parameter', async () => {
    expect(await (await api.ask('GET /things/sums')).json()).toEqual({ sum: 3 });
  });

  test.each([
    ['GET /nothing', 404, 'route_unknown', null],
    ['DELETE /things/1', 405, 'method_unknown', 'GET, PUT'],
    ['POST /things', 405, 'method_unknown', 'GET'],
  ])('%s is told what there is', async (line, status, code, allow) => {
    const refused = await api.ask(line);
    expect([refused.status, await codeOf(refused), refused.headers.get('allow')]).toEqual([status, code, allow]);
  });
});

describe('what is edited', () => {
  test('has a version, and is changed only by who has seen it', async () => {
    const seen = await api.ask('GET /things/1');
    expect(seen.headers.get('etag')).toBe('"7"');
    const same = await api.ask('GET /things/1', { headers: { 'if-none-match': 'W/"1", "7"' } });
    expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', '"7"']);
    const edit = (version: string | undefined, name: string) =>
      api.ask('PUT /things/1', {
        as: 'administrator',
        body: { name },
        headers: version === undefined ? {} : { 'if-match': version },
      });
    for (const version of [undefined, '*', '7', '"x"', 'W/"7"']) {
      expect((await edit(version, 'none')).status, version).toBe(428);
    }
    const done = await edit('"7"', 'second');
    expect([done.status, done.headers.get('etag'), await done.json()]).toEqual([
      200,
      '"8"',
      { name: 'second', version: 8 },
    ]);
    const late = await edit('"7"', 'third');
    expect([late.status, await codeOf(late)]).toEqual([412, 'version_differs']);
    expect(thing).toEqual({ name: 'second', version: 8 });
  });
});

describe('an answer', () => {
  test.each([
    ['ko', 'ko', '로그인하거나'],
    ['en-GB,ko;q=0.5', 'en', 'Sign in'],
    ['fr, ko;q=0.1', 'ko', '로그인하거나'],
    ['fr', 'en', 'Sign in'],
  ])('to %s is in %s, with the same code', async (accepted, language, text) => {
    const refused = await api.ask('GET /things', { as: 'nobody', headers: { 'accept-language': accepted } });
    const problem = (await refused.json()) as { detail: string; code: string };
    expect([refused.headers.get('content-language'), problem.code]).toEqual([language, 'sign_in_needed']);
    expect(problem.detail).toContain(text);
  });

  test('says nothing to a browser that it need not', async () => {
    const { headers } = await api.ask('GET /things');
    expect(
      Object.fromEntries([...headers].filter(([name]) => /^(x-|cache|content-sec|referrer|cross)/.test(name))),
    ).toEqual({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('may be read by pages of the sites that are named, and of no other', async () => {
    const asked = async (origin: string) =>
      (await api.ask('GET /things', { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await asked('https://console.pg.example')).toBe('https://console.pg.example');
    expect(await asked('https://console.pg.example.evil.example')).toBe(null);
    expect(await asked('null')).toBe(null);
  });

  test('tells of amounts that no number of JSON holds by their digits', async () => {
    const refused = await api.ask('GET /huge');
    expect(await refused.json()).toMatchObject({ details: { differenceWon: '1180591620717411303424' } });
  });
});

describe('the documentation', () => {
  test('is a page that needs nothing from elsewhere, and runs nothing', async () => {
    const page = await fetch(`${api.url}/v1/docs`, { headers: { 'accept-language': 'ko' } });
    const text = await page.text();
    expect(text).toContain('<html lang="ko">');
    expect(text).toContain('/v1/things/{id}');
    expect(text).not.toMatch(/<script|src=|@import|https?:\/\//);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/);
  });

  test('says every code in both languages', async () => {
    const told = await (await fetch(`${api.url}/v1/problems/rate_limited`)).json();
    expect(told).toMatchObject({ code: 'rate_limited', status: 429, ko: expect.any(String), en: expect.any(String) });
    expect((await fetch(`${api.url}/v1/problems/toString`)).status).toBe(404);
  });
});

describe('too many requests', () => {
  test('of one actor are told when to come again, and leave others alone', async () => {
    let refused: Response | undefined;
    for (let n = 0; refused === undefined && n < 100; n += 1) {
      const answered = await api.ask('GET /things', { as: 'viewer:busy' });
      if (answered.status !== 200) refused = answered;
    }
    expect([refused?.status, Number(refused?.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect((await api.ask('GET /things', { as: 'viewer:calm' })).status).toBe(200);
  });

  test('of strangers count many times over, so that keys cannot be guessed', async () => {
    let tries = 0;
    while ((await api.ask('GET /things', { as: 'nobody' })).status === 401) tries += 1;
    expect(tries).toBeLessThan(20);
  });

  test('a bucket fills up with time, and the longest silent name is forgotten', () => {
    let at = 0;
    const limiter = createRateLimiter({ burst: 2, perSecond: 1 }, () => at, 2);
    expect([limiter.take('a'), limiter.take('a'), limiter.take('a')]).toEqual([undefined, undefined, 1]);
    at = 1500;
    expect([limiter.take('a'), limiter.take('a')]).toEqual([undefined, 1]);
    limiter.take('b');
    limiter.take('c');
    expect([limiter.take('a'), limiter.take('a')]).toEqual([undefined, undefined]);
  });
});

test('two routes of one name, or at one place, are a bug that is seen at once', async () => {
  const [first] = routes as readonly [Route];
  for (const second of [first, { ...first, id: 'other', path: '/things/{name}' }, { ...first, path: '/others' }]) {
    await expect(serveRoutes([first, second as Route], { pool: database.pool })).rejects.toThrow('bug: no two routes');
  }
});

test('a server that is about to end begins nothing new', async () => {
  const ending = await serveRoutes(routes, { pool: database.pool });
  ending.end();
  const refused = await ending.ask('GET /things');
  expect([refused.status, await codeOf(refused)]).toEqual([503, 'unavailable']);
  await ending.close();
});

test('a database that is away is said, not shown', async () => {
  const away = await serveRoutes(
    [
      route({
        ...described,
        id: 'away',
        method: 'get',
        path: '/away',
        answer: z.object({}),
        handle: () => Promise.reject(Object.assign(new Error('connect 10.0.0.7:5432'), { code: 'ECONNREFUSED' })),
      }),
    ],
    { pool: database.pool },
  );
  const refused = await away.ask('GET /away');
  const text = await refused.text();
  expect([refused.status, JSON.parse(text).code, text.includes('10.0.0.7')]).toEqual([503, 'unavailable', false]);
  await away.close();
});

test.each([
  [null, 'ko', 'ko'],
  ['en', 'ko', 'en'],
  ['ko-KR;q=0.2, en;q=0.1', 'en', 'ko'],
  ['en;q=0', 'ko', 'ko'],
  [';;;,,,', 'en', 'en'],
] as const)('%s with %s as usual is %s', (accepted, usual, language) => {
  expect(languageFor(accepted, usual)).toBe(language);
});
