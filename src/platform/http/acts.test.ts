import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { serveRoutes, type TestApi } from '../../../test/support/served-routes.ts';
import { Problem } from '../../kernel/problem.ts';
import { query } from '../database/pool.ts';
import { forgetRequests } from './api-request-store.ts';
import { type Route, route } from './route.ts';

let database: TestDatabase;
let api: TestApi;
/** How often each act was really carried out. */
const done = new Map<string, number>();
let hold: { readonly entered: () => void; readonly gate: Promise<void> } | undefined;

const note = z.object({ text: z.string().max(100), reason: z.string().optional() });

function act(id: string, more: Partial<Parameters<typeof route>[0]>, work: (text: string) => Promise<unknown>): Route {
  return route({
    id,
    method: 'post',
    path: `/${id}`,
    tag: 'acts',
    summary: { ko: '행위', en: 'An act' },
    permission: 'act',
    body: note,
    answer: z.object({ said: z.string(), count: z.number() }),
    status: 201,
    ...more,
    handle: async ({ body }: { readonly body: z.output<typeof note> }) => {
      done.set(id, (done.get(id) ?? 0) + 1);
      return work(body.text);
    },
  } as never);
}

const said = async (text: string) => ({ said: text, count: done.get('say') ?? 0 });
const routes: readonly Route[] = [
  act('say', {}, said),
  act('waiting', {}, async (text) => {
    hold?.entered();
    await hold?.gate;
    return said(text);
  }),
  act('refused', { problems: ['file_changed_while_read'] }, async (text) => {
    throw new Problem('file_changed_while_read', { file: text });
  }),
  act('crowded', { problems: ['streams_too_many'] }, async (text) => {
    if ((done.get('crowded') ?? 0) < 2) throw new Problem('streams_too_many', { limit: 6 });
    return said(text);
  }),
  act('broken', {}, async () => {
    throw new TypeError('a bug of ours, with password=hunter2');
  }),
  act('secret', { secret: true }, async (text) => ({ said: `the key of ${text}`, count: 0 })),
];

beforeAll(async () => {
  database = await testDatabase();
  api = await serveRoutes(routes, { pool: database.pool, limits: { bodyBytes: 2000 } });
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const trailOf = (act: string) =>
  query<{ outcome: string; who: string; reason: string | null; detail: Record<string, unknown> }>(
    database.pool,
    'select outcome, who, reason, detail from audit_entry where act = $1 order by number',
    [act],
  );
const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;

describe('an act and its key', () => {
  test('is carried out once, and answered with the same bytes ever after', async () => {
    const before = done.get('say') ?? 0;
    const first = await api.ask('POST /say', { key: 'k-1', body: { text: '가나다' } });
    const bytes = Buffer.from(await first.arrayBuffer());
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    for (let n = 0; n < 3; n += 1) {
      const again = await api.ask('POST /say', { key: 'k-1', body: { text: '가나다' } });
      expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
      expect(Buffer.from(await again.arrayBuffer()).equals(bytes)).toBe(true);
    }
    expect(done.get('say')).toBe(before + 1);
    expect((await trailOf('say')).map(({ outcome, who }) => `${who} ${outcome}`)).toEqual([
      'operator@pg.example asked',
      'operator@pg.example done',
    ]);
  });

  test.each([
    ['another body', 'POST /say', { key: 'k-1', body: { text: 'other' } }, 409, 'idempotency_key_reused'],
    ['another query', 'POST /say?x=1', { key: 'k-1', body: { text: '가나다' } }, 400, 'request_invalid'],
    ['another act', 'POST /refused', { key: 'k-1', body: { text: '가나다' } }, 409, 'idempotency_key_reused'],
    ['no key', 'POST /say', { key: '', body: { text: 'a' } }, 400, 'idempotency_key_missing'],
    ['a key with a space', 'POST /say', { key: 'a b', body: { text: 'a' } }, 400, 'idempotency_key_invalid'],
    ['a key too long', 'POST /say', { key: 'x'.repeat(201), body: { text: 'a' } }, 400, 'idempotency_key_invalid'],
  ] as const)('%s is refused', async (_, line, options, status, code) => {
    const before = new Map(done);
    const refused = await api.ask(line, options);
    expect([refused.status, await codeOf(refused)]).toEqual([status, code]);
    expect(done).toEqual(before);
  });

  test('was not done where there were too many at once, and may come again under its key', async () => {
    const ask = () => api.ask('POST /crowded', { key: 'crowd', body: { text: 'a' } });
    const statuses = [await ask(), await ask(), await ask()].map((answer) => [
      answer.status,
      answer.headers.get('idempotency-replayed'),
    ]);
    expect(statuses).toEqual([
      [429, null],
      [201, null],
      [201, 'true'],
    ]);
    expect((await trailOf('crowded')).map(({ outcome }) => outcome)).toEqual(['asked', 'refused', 'asked', 'done']);
  });

  test('is the own of whoever chose it: somebody else may choose the same', async () => {
    const before = done.get('say') ?? 0;
    for (const name of ['kim', 'lee']) {
      const answer = await api.ask('POST /say', { as: `operator:${name}`, key: 'same', body: { text: name } });
      expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null]);
    }
    expect(done.get('say')).toBe(before + 2);
  });

  test('a second request while the first is worked on is told so, and gets its answer afterwards', async () => {
    const before = done.get('waiting') ?? 0;
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: inside, resolve: entered } = Promise.withResolvers<void>();
    hold = { entered, gate };
    const first = api.ask('POST /waiting', { key: 'w-1', body: { text: 'x' } });
    await inside;
    for (let n = 0; n < 2; n += 1) {
      const meanwhile = await api.ask('POST /waiting', { key: 'w-1', body: { text: 'x' } });
      expect([meanwhile.status, await codeOf(meanwhile)]).toEqual([409, 'idempotency_in_progress']);
    }
    const other = await api.ask('POST /waiting', { key: 'w-1', body: { text: 'y' } });
    expect([other.status, await codeOf(other)]).toEqual([409, 'idempotency_key_reused']);
    open();
    const answer = await (await first).text();
    const again = await api.ask('POST /waiting', { key: 'w-1', body: { text: 'x' } });
    expect([await again.text(), again.headers.get('idempotency-replayed')]).toEqual([answer, 'true']);
    expect(done.get('waiting')).toBe(before + 1);
    hold = undefined;
  });

  test('twenty at once with one key are one act', async () => {
    const before = done.get('say') ?? 0;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.ask('POST /say', { key: 'twenty', body: { text: 'x' } })),
    );
    expect(new Set(answers.map(({ status }) => status)).isSubsetOf(new Set([201, 409]))).toBe(true);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    expect(done.get('say')).toBe(before + 1);
  });

  test('a refusal is an answer, too: it is kept and given again', async () => {
    const first = await api.ask('POST /refused', { key: 'r-1', body: { text: 'a.csv', reason: 'because' } });
    const again = await api.ask('POST /refused', { key: 'r-1', body: { text: 'a.csv', reason: 'because' } });
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([409, 409, 'true']);
    expect(again.headers.get('content-type')).toBe('application/problem+json');
    expect(await again.text()).toBe(await first.text());
    expect(done.get('refused')).toBe(1);
    expect((await trailOf('refused')).map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['asked', 'because'],
      ['refused', 'because'],
    ]);
  });

  test('what broke in the middle is never done again: its outcome is to be looked up', async () => {
    const first = await api.ask('POST /broken', { key: 'b-1', body: { text: 'x' } });
    const text = await first.text();
    expect([first.status, JSON.parse(text).code]).toEqual([500, 'internal']);
    expect(text).not.toContain('hunter2');
    for (let n = 0; n < 2; n += 1) {
      const again = await api.ask('POST /broken', { key: 'b-1', body: { text: 'x' } });
      expect([again.status, await codeOf(again)]).toEqual([409, 'idempotency_outcome_unknown']);
    }
    expect(done.get('broken')).toBe(1);
    expect((await trailOf('broken')).map(({ outcome }) => outcome)).toEqual(['asked', 'failed']);
  });

  test('an answer that holds a secret is not kept anywhere', async () => {
    const first = await api.ask('POST /secret', { key: 's-1', body: { text: 'vault-7' } });
    expect(await first.json()).toEqual({ said: 'the key of vault-7', count: 0 });
    const again = await api.ask('POST /secret', { key: 's-1', body: { text: 'vault-7' } });
    expect([again.status, await codeOf(again)]).toEqual([409, 'idempotency_answer_secret']);
    expect(done.get('secret')).toBe(1);
    const [kept] = await query<{ text: string }>(
      database.pool,
      "select string_agg(row_to_json(api_request)::text, '') as text from api_request where key = 's-1'",
    );
    expect(kept?.text).toContain('"status":201');
    expect(Buffer.from(kept?.text ?? '').includes(Buffer.from('the key of').toString('hex'))).toBe(false);
  });

  test('whoever may not act leaves a trace, and nothing else', async () => {
    const before = done.get('say') ?? 0;
    const denied = await api.ask('POST /say', { as: 'viewer', body: { text: 'x' } });
    expect([denied.status, await codeOf(denied)]).toEqual([403, 'permission_missing']);
    expect((await trailOf('say')).at(-1)).toMatchObject({ outcome: 'denied', who: 'viewer@pg.example' });
    const nobody = await api.ask('POST /say', { as: 'nobody', body: { text: 'x' } });
    expect([nobody.status, await codeOf(nobody), nobody.headers.get('www-authenticate')]).toEqual([
      401,
      'sign_in_needed',
      'Bearer realm="jeongsan"',
    ]);
    expect(done.get('say')).toBe(before);
  });

  test('is forgotten when its retention is over, so many at a time', async () => {
    const kept = async () => (await query(database.pool, 'select key from api_request')).length;
    const all = await kept();
    const before = Temporal.Now.instant().add({ hours: 1 });
    expect(await forgetRequests(database.pool, before, 2)).toBe(2);
    expect(await kept()).toBe(all - 2);
    expect(await forgetRequests(database.pool, before.subtract({ hours: 2 }), 100)).toBe(0);
    expect(await forgetRequests(database.pool, before, 1000)).toBe(all - 2);
  });
});

describe('what an act was asked with', () => {
  test('stands in the trail without what may be secret', async () => {
    await api.ask('POST /say', { body: { text: 'in plain', reason: 'asked by the merchant' } });
    const [asked] = (await trailOf('say')).slice(-2);
    expect(asked).toMatchObject({ outcome: 'asked', reason: 'asked by the merchant' });
    expect(asked?.detail).toMatchObject({ body: { text: 'in plain' } });
  });

  test.each([
    ['broken JSON', '{"text":', 400, 'request_unreadable'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'request_unreadable'],
    ['another type', '[]', 400, 'request_invalid'],
    ['a member nobody knows', '{"text":"a","txet":"b"}', 400, 'request_invalid'],
    ['a NUL', '{"text":"\\u0000"}', 400, 'request_invalid'],
    ['half a character', '{"text":"\\ud800"}', 400, 'request_invalid'],
    ['deep nesting', `${'['.repeat(900)}${']'.repeat(900)}`, 400, 'request_invalid'],
    ['too much', JSON.stringify({ text: 'x'.repeat(3000) }), 413, 'request_too_large'],
    ['nothing', '', 400, 'request_invalid'],
  ])('%s is refused before anything is done', async (_, body, status, code) => {
    const before = new Map(done);
    const refused = await api.ask('POST /say', { body });
    expect([refused.status, await codeOf(refused)]).toEqual([status, code]);
    expect(done).toEqual(before);
  });

  test('comes as JSON', async () => {
    const refused = await api.ask('POST /say', { body: 'text=a', headers: { 'content-type': 'text/plain' } });
    expect([refused.status, await codeOf(refused)]).toEqual([415, 'media_type_unsupported']);
  });
});
