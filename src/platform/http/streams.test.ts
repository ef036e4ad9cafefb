import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { strFromU8, unzipSync } from 'fflate';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { serveRoutes, type TestApi } from '../../../test/support/served-routes.ts';
import { Problem } from '../../kernel/problem.ts';
import { day, instant, won } from './fields.ts';
import { download, events, list, type Route, upload } from './route.ts';

let database: TestDatabase;
let api: TestApi;

const rowsInAll = 2500;
const row = z.object({
  id: z.number().int(),
  name: z.string(),
  amountWon: won(),
  on: day(),
  at: instant().nullable(),
  card: z.object({ issuer: z.string() }).nullable(),
  tags: z.array(z.string()),
});

/** What the routes were asked, and what became of them. */
const seen = { pages: 0, endless: 0, endlessEnded: 0, uploaded: 0, failure: '', lastId: '' as string | undefined };
let events$: AsyncIterable<{ id: string; event: string; data: { n: number } }> | undefined;

const described = { tag: 'rows', summary: { ko: '행', en: 'Rows' }, permission: 'read' } as const;

const routes: readonly Route[] = [
  list({
    ...described,
    id: 'listRows',
    path: '/rows',
    filter: z.object({ even: z.enum(['true']).optional() }),
    row,
    sorts: ['id', 'name'],
    async page({ query }, { after, limit, descending }) {
      seen.pages += 1;
      const all = Array.from({ length: rowsInAll }, (_, i) => i + 1).filter(
        (n) => query.even !== 'true' || n % 2 === 0,
      );
      const sorted = descending ? all.toReversed() : all;
      const from = after === undefined ? 0 : sorted.indexOf(Number(after)) + 1;
      const ids = sorted.slice(from, from + limit);
      return {
        rows: ids.map((id) => ({
          id,
          name: id === 1 ? '=1+1' : `이름 ${id}`,
          amountWon: BigInt(id) * 1000n,
          on: '2026-11-20',
          at: id === 2 ? null : Temporal.Instant.from('2026-11-20T23:30:00Z'),
          card: id === 3 ? null : { issuer: 'a,"b"' },
          tags: ['x', 'y'],
        })),
        next: from + limit < sorted.length ? String(ids.at(-1)) : undefined,
      };
    },
  }),
  list({
    ...described,
    id: 'listEndless',
    path: '/endless',
    row: z.object({ text: z.string() }),
    sorts: ['text'],
    async page({ signal }) {
      signal.addEventListener('abort', () => {
        seen.endlessEnded += 1;
      });
      seen.endless += 1;
      return { rows: Array.from({ length: 1000 }, () => ({ text: 'x'.repeat(1000) })), next: 'more' };
    },
  }),
  list({
    ...described,
    id: 'listBroken',
    path: '/broken',
    row: z.object({ id: z.number() }),
    sorts: ['id'],
    async page(_, { after }) {
      if (after === 'refuse') throw new Problem('not_found', { what: 'row', id: 7 });
      if (after !== undefined) throw new Error('the second page cannot be read');
      return { rows: [{ id: 1 }], next: 'two' };
    },
  }),
  upload({
    ...described,
    id: 'uploadBytes',
    method: 'post',
    path: '/uploads/{name}',
    permission: 'import',
    params: z.object({ name: z.string() }),
    accepts: ['text/csv'],
    answer: z.object({ bytes: z.number(), name: z.string() }),
    problems: ['file_changed_while_read'],
    async handle({ stream, params }) {
      let bytes = 0;
      try {
        for await (const piece of stream as AsyncIterable<Buffer>) {
          bytes += piece.length;
          seen.uploaded = bytes;
          if (params.name === 'early') throw new Problem('file_changed_while_read', { file: params.name });
          if (params.name === 'never') await new Promise(() => {});
        }
      } catch (error) {
        seen.failure = (error as { code?: string }).code ?? String(error);
        throw error;
      }
      return { bytes, name: params.name };
    },
  }),
  download({
    ...described,
    id: 'downloadFile',
    path: '/file',
    gives: ['text/plain'],
    async handle() {
      const bytes = Buffer.from('정산');
      return {
        stream: (async function* () {
          yield bytes;
        })(),
        mediaType: 'text/plain',
        fileName: '보고서 "1".txt',
        bytes: bytes.length,
      };
    },
  }),
  events({
    ...described,
    id: 'watch',
    path: '/watch',
    event: z.object({ n: z.number() }),
    handle({ lastId }) {
      seen.lastId = lastId;
      return events$ as NonNullable<typeof events$>;
    },
  }),
];

beforeAll(async () => {
  database = await testDatabase();
  api = await serveRoutes(routes, {
    pool: database.pool,
    limits: {
      uploadBytes: 5_000_000,
      uploadIdleMs: 300,
      takeIdleMs: 1_000,
      heartbeatMs: 30,
      streams: { each: 3, all: 4 },
    },
  });
});
afterAll(async () => {
  await api.close();
  await database.close();
});
afterEach(() => {
  events$ = undefined;
});

const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;

describe('a list', () => {
  test('comes by pages, each row once, and says where the next page begins', async () => {
    const ids: number[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const asked: string = cursor === null ? '' : `&cursor=${cursor}`;
      const answer = await api.ask(`GET /rows?limit=700&sort=-id${asked}`);
      const page = (await answer.json()) as { rows: { id: number }[]; next: string | null };
      ids.push(...page.rows.map(({ id }) => id));
      expect(answer.headers.get('link')).toBe(
        page.next === null ? null : `</v1/rows?limit=700&sort=-id&cursor=${page.next}>; rel="next"`,
      );
      cursor = page.next;
      pages += 1;
    } while (cursor !== null);
    expect(pages).toBe(4);
    expect(ids).toEqual(Array.from({ length: rowsInAll }, (_, i) => rowsInAll - i));
  });

  test('writes won as integers, and days and moments as ISO 8601 has them', async () => {
    const { rows } = (await (await api.ask('GET /rows?limit=1')).json()) as { rows: unknown[] };
    expect(rows).toEqual([
      {
        id: 1,
        name: '=1+1',
        amountWon: 1000,
        on: '2026-11-20',
        at: '2026-11-20T23:30:00Z',
        card: { issuer: 'a,"b"' },
        tags: ['x', 'y'],
      },
    ]);
  });

  test.each([
    ['more than a page holds', 'limit=1001', 'request_invalid'],
    ['none', 'limit=0', 'request_invalid'],
    ['a filter nobody knows', 'evn=true', 'request_invalid'],
    ['an order nobody knows', 'sort=amountWon', 'request_invalid'],
    ['a format nobody knows', 'format=pdf', 'request_invalid'],
    ['a cursor that is none', 'cursor=abc', 'cursor_invalid'],
    [
      'a cursor of another order',
      `sort=-id&cursor=${Buffer.from('["id","5"]').toString('base64url')}`,
      'cursor_invalid',
    ],
  ])('%s is refused', async (_, query, code) => {
    const refused = await api.ask(`GET /rows?${query}`);
    expect([refused.status, await codeOf(refused)]).toEqual([400, code]);
  });
});

describe('a list as a file', () => {
  test('CSV has every row, and nothing that a spreadsheet would run', async () => {
    const answer = await api.ask('GET /rows?format=csv');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(
      'attachment; filename="rows.csv"; filename*=UTF-8\'\'rows.csv',
    );
    const lines = Buffer.from(await answer.arrayBuffer())
      .toString('utf8')
      .split('\r\n');
    expect(lines.slice(0, 4)).toEqual([
      '\ufeffid,name,amountWon,on,at,card.issuer,tags',
      `1,'=1+1,1000,2026-11-20,2026-11-21 08:30:00,"a,""b""","[""x"",""y""]"`,
      '2,이름 2,2000,2026-11-20,,"a,""b""","[""x"",""y""]"',
      '3,이름 3,3000,2026-11-20,2026-11-21 08:30:00,,"[""x"",""y""]"',
    ]);
    expect(lines).toHaveLength(rowsInAll + 2);
  });

  test('NDJSON by what the caller accepts, with its filter', async () => {
    const answer = await api.ask('GET /rows?even=true', { headers: { accept: 'application/x-ndjson' } });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual(
      Array.from({ length: rowsInAll / 2 }, (_, i) => 2 * i + 2),
    );
  });

  test('XLSX is a workbook with amounts as numbers', async () => {
    const answer = await api.ask('GET /rows?format=xlsx');
    const parts = unzipSync(new Uint8Array(await answer.arrayBuffer()));
    const sheet = strFromU8(parts['xl/worksheets/sheet1.xml'] as Uint8Array);
    expect(sheet.match(/<row /g)).toHaveLength(rowsInAll + 1);
    expect(sheet).toContain('<c r="C2" s="3"><v>1000</v></c>');
    expect(sheet).toContain('t="inlineStr"><is><t xml:space="preserve">=1+1</t>');
  });

  test('is read no faster than it is taken, and cut where nobody takes any more', async () => {
    const answer = await api.ask('GET /endless?format=ndjson');
    const reader = answer.body?.getReader();
    await reader?.read();
    const before = seen.endlessEnded;
    await vi.waitUntil(() => seen.endlessEnded > before, { timeout: 20_000 });
    // Each page is a megabyte: what was made is what fits the buffers of the network, and not what two seconds allow.
    expect(seen.endless).toBeLessThan(40);
    await expect(
      (async () => {
        while (!(await reader?.read())?.done);
      })(),
    ).rejects.toThrow();
  });

  test('is made no further once its caller is gone', async () => {
    const leaving = new AbortController();
    const before = seen.endlessEnded;
    const answer = await api.ask('GET /endless?format=csv', { signal: leaving.signal });
    await answer.body?.getReader().read();
    leaving.abort();
    await vi.waitUntil(() => seen.endlessEnded > before);
  });

  test('that cannot be read to its end breaks off, instead of looking whole', async () => {
    const answer = await api.ask('GET /broken?format=ndjson');
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  test('says a refusal of its first page as a refusal', async () => {
    const cursor = Buffer.from('["id","refuse"]').toString('base64url');
    const answer = await api.ask(`GET /broken?format=csv&cursor=${cursor}`);
    expect([answer.status, await codeOf(answer)]).toEqual([404, 'not_found']);
  });

  test('asked for by HEAD leaves nothing open', async () => {
    for (let n = 0; n < 10; n += 1) {
      expect((await api.ask('HEAD /rows?format=csv', { key: '' })).status).toBe(200);
    }
  });

  test('only so many at once', async () => {
    const leaving = new AbortController();
    const open = await Promise.all(
      [1, 2, 3].map(() => api.ask('GET /endless?format=csv', { as: 'viewer', signal: leaving.signal })),
    );
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200]);
    const refused = await api.ask('GET /endless?format=csv', { as: 'viewer' });
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'streams_too_many']);
    leaving.abort();
    await vi.waitUntil(async () => {
      const again = await api.ask('GET /rows?format=csv', { as: 'viewer' });
      await again.arrayBuffer();
      return again.status === 200;
    });
  });
});

describe('a file in', () => {
  const send = (name: string, body: RequestInit['body'], key: string, headers: Record<string, string> = {}) =>
    fetch(`${api.url}/v1/uploads/${name}`, {
      method: 'POST',
      headers: { authorization: 'Bearer operator', 'idempotency-key': key, 'content-type': 'text/csv', ...headers },
      body: body ?? null,
      duplex: 'half',
    } as RequestInit);

  test('is read to its end, and answered the same when it comes again', async () => {
    const bytes = 'a,b\n'.repeat(100_000);
    const first = await send('whole', bytes, 'u-1');
    expect([first.status, await first.json()]).toEqual([200, { bytes: 400_000, name: 'whole' }]);
    const again = await send('whole', bytes, 'u-1');
    expect([again.status, again.headers.get('idempotency-replayed'), await again.json()]).toEqual([
      200,
      'true',
      { bytes: 400_000, name: 'whole' },
    ]);
    for (const [name, other] of [
      ['whole', `${bytes.slice(0, -1)}!`],
      ['whole', bytes.slice(0, -4)],
      ['other', bytes],
    ] as const) {
      const reused = await send(name, other, 'u-1');
      expect([reused.status, await codeOf(reused)]).toEqual([409, 'idempotency_key_reused']);
    }
  });

  test('that is refused before its end is answered, and refused again by what was read', async () => {
    const refused = await send('early', 'x'.repeat(3_000_000), 'u-2');
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'file_changed_while_read']);
    const again = await send('early', 'x'.repeat(3_000_000), 'u-2');
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([409, 'true']);
  });

  test.each([
    ['too large by what it says', 'x'.repeat(5_000_001), 413, 'request_too_large'],
    ['of another kind', 'x', 415, 'media_type_unsupported'],
  ])('%s is refused', async (what, body, status, code) => {
    const headers: Record<string, string> = what === 'of another kind' ? { 'content-type': 'text/html' } : {};
    const refused = await send('large', body, `u-${code}`, headers);
    expect([refused.status, await codeOf(refused)]).toEqual([status, code]);
  });

  test('too large without saying so is refused where it becomes too large', async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
      },
    });
    const refused = await send('large', body, 'u-endless').catch(() => undefined);
    expect(seen.failure).toBe('request_too_large');
    expect(refused === undefined || refused.status === 413).toBe(true);
  });

  test('is taken no faster than it is worked on', async () => {
    seen.uploaded = 0;
    const headers = { authorization: 'Bearer operator', 'idempotency-key': 'u-slow', 'content-type': 'text/csv' };
    const sending = request(`${api.url}/v1/uploads/never`, { method: 'POST', headers });
    sending.on('error', () => {});
    let given = 0;
    const give = () => {
      do given += 100_000;
      while (sending.write(Buffer.alloc(100_000)) && given < 60_000_000);
    };
    sending.on('drain', give);
    give();
    await vi.waitUntil(() => seen.uploaded > 0);
    // Its handler has one piece and asks for no more; meanwhile the server does other things.
    for (let n = 0; n < 30; n += 1) expect((await api.ask('GET /file')).status).toBe(200);
    expect(given).toBeLessThan(30_000_000);
    sending.destroy();
  });

  test('whose next piece does not come is not waited for', async () => {
    const socket = connect(api.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /v1/uploads/slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer operator\r\nIdempotency-Key: u-idle\r\n' +
        'Content-Type: text/csv\r\nContent-Length: 100\r\n\r\nabc',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer.toString()).toContain('request_too_slow');
    expect(seen.failure).toBe('request_too_slow');
    socket.destroy();
  });
});

test('a file out has its name in its own letters', async () => {
  const answer = await api.ask('GET /file');
  expect(answer.headers.get('content-disposition')).toBe(
    `attachment; filename="_____1_.txt"; filename*=UTF-8''${encodeURIComponent('보고서 "1".txt')}`,
  );
  expect([answer.headers.get('content-length'), await answer.text()]).toEqual(['6', '정산']);
});

describe('events', () => {
  const linesOf = async (response: Response) => (await response.text()).split('\n\n').filter((each) => each !== ': ');

  test('come as they happen, with their ids, and say when there are no more', async () => {
    events$ = (async function* () {
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
    events$ = (async function* () {
      yield { id: '1', event: 'step', data: { n: 1 } };
      throw new Problem('not_found', { what: 'run', id: 'x' });
    })();
    const lines = await linesOf(await api.ask('GET /watch'));
    expect(lines[2]).toMatch(/^event: problem\ndata: \{.*"code":"not_found"/);
  });

  test('keep the line awake while nothing happens, and let go when nobody listens', async () => {
    let isLetGo = false;
    const { promise: never, resolve: end } = Promise.withResolvers<void>();
    events$ = {
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
    await vi.waitUntil(() => isLetGo);
  });
});
