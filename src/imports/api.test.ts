import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedApi, serveApi } from '../../test/support/api.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { approval } from '../../test/support/payment-lines.ts';
import { paymentRoutes } from '../payments/api.ts';
import { importRoutes } from './api.ts';

let database: TestDatabase;
let api: ServedApi;
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  api = await serveApi(pool, [...importRoutes({ pool }), ...paymentRoutes({ pool })]);
});
afterAll(async () => {
  await api.close();
  await database.close();
});

/** NDJSON lines of payments, made as they are taken. */
async function* lines(count: number, of: (n: number) => object = () => ({})): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < count; from += 1000) {
    const some = Array.from({ length: Math.min(1000, count - from) }, (_, n) =>
      JSON.stringify({ ...approval({ providerTid: `T${from + n}` }), ...of(from + n) }),
    );
    yield Buffer.from(`${some.join('\n')}\n`);
  }
}

const send = (body: AsyncIterable<Uint8Array>, query = '', who = 'kim@pg.example') =>
  api.upload(`/payments/imports${query}`, body as unknown as RequestInit['body'], 'application/x-ndjson', { who });
const numbers = (line: Record<string, unknown>) => ({ ...line, cancelSeq: 0, amountWon: 50_000, instalments: 0 });

test('payments stream in as NDJSON and are counted, added once, and known again', async () => {
  const sent = await send(
    lines(20_000, () => numbers({})),
    '?fileName=pay.ndjson',
    'lee@pg.example',
  );
  expect(sent.body).toMatchObject({ entered: true, added: 20_000, same: 0, refused: 0, refusals: [] });
  const { rows } = await database.pool.query('select count(*)::int as n, sum(amount_won)::text as won from payment');
  expect(rows).toEqual([{ n: 20_000, won: '1000000000' }]);
  expect((await send(lines(20_000, () => numbers({})))).body).toMatchObject({ added: 0, same: 20_000 });
  const { body } = await api.get(`/imports/${sent.body['importId']}`);
  expect(body).toMatchObject({ kind: 'payments', fileName: 'pay.ndjson', importedBy: 'lee@pg.example', added: 20_000 });
  expect(api.trail.filter(({ act, who }) => act === 'importPayments' && who === 'lee@pg.example')).toMatchObject([
    { outcome: 'asked' },
    { outcome: 'done' },
  ]);
});

test('every refusal is kept with its line and said by pages in either language; strict keeps all out', async () => {
  const wrong = (n: number) =>
    numbers(n % 2 === 0 ? { provider: 'nobody', providerTid: `W${n}` } : { providerTid: `W${n}` });
  const strict = await send(lines(2400, wrong), '?strict=true');
  expect(strict.body).toMatchObject({ entered: false, added: 0, refused: 1200 });
  expect(strict.body['refusals']).toHaveLength(1000);
  const path = `/imports/${strict.body['importId']}/refusals`;
  const rows = await api.rows(`${path}?limit=500`);
  expect(rows.map((row) => row['line'])).toEqual(Array.from({ length: 1200 }, (_, n) => 2 * n + 1));
  expect(new Set(rows.map((row) => row['code']))).toEqual(new Set(['import_provider_unknown']));
  const korean = await api.get(`${path}?limit=1`, { headers: { 'accept-language': 'ko' } });
  expect(String(korean.body['rows']?.[0]?.['message'])).toMatch(/\p{Script=Hangul}/u);
  expect((await api.get('/imports/999999/refusals')).body).toMatchObject({ code: 'not_found' });
  expect((await api.rows('/imports?refused=true&kind=payments')).map((row) => row['refused'])).toEqual([1200]);
});

test('senders that take their time hold no more connections than others can spare', async () => {
  const gate = Promise.withResolvers<void>();
  async function* slow(n: number): AsyncGenerator<Uint8Array> {
    yield* lines(1, () => numbers({ providerTid: `S${n}` }));
    await gate.promise;
  }
  const refused = Promise.withResolvers<void>();
  const answers: Awaited<ReturnType<typeof send>>[] = [];
  const sent = Array.from({ length: 9 }, async (_, n) => {
    const answer = await send(slow(n));
    answers.push(answer);
    if (answers.length === 3) refused.resolve();
  });
  await refused.promise;
  for (const { body } of answers) {
    expect(body).toMatchObject({ status: 429, code: 'streams_too_many', details: { limit: 6 } });
  }
  expect((await api.get('/imports?limit=1')).status).toBe(200);
  gate.resolve();
  await Promise.all(sent);
  expect(answers.slice(3).map(({ body }) => body['added'])).toEqual([1, 1, 1, 1, 1, 1]);
  expect((await send(lines(1, () => numbers({ providerTid: 'S9' })))).status).toBe(200);
});

test('a sender that breaks off leaves nothing', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* lines(3000, (n) => numbers({ providerTid: `B${n}` }));
    throw new Error('the sender is gone');
  }
  await expect(send(broken())).rejects.toThrow();
  const { rows } = await database.pool.query(`select from payment where provider_tid like 'B%'`);
  expect(rows).toEqual([]);
});
