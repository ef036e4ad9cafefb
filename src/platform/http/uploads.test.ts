import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { serveRoutes, type TestApi } from '../../../test/support/served-routes.ts';
import { seen, streamLimits, streamRoutes } from './streams.fixture.ts';

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

const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;

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
    await eventually(() => expect(seen.uploaded).toBeGreaterThan(0));
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
