import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { runProcess } from '../../../test/support/processes.ts';
import { query } from '../database/pool.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query('create table written (by text)');
});
afterAll(() => database.close());

async function server(name: string) {
  const process = runProcess(path.join(import.meta.dirname, 'act-server.fixture.ts'), [database.url, name]);
  return { process, url: await process.line() };
}

function write(url: string, key: string, afterwards: string): Promise<Response> {
  return fetch(`${url}/v1/write`, {
    method: 'POST',
    headers: { authorization: 'Bearer operator', 'idempotency-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ afterwards }),
  });
}

/** PostgreSQL learns of a dead process when its connection breaks. */
async function isGone(name: string): Promise<void> {
  const sessions = 'select pid from pg_stat_activity where application_name = $1';
  await eventually(async () =>
    expect(await query(database.pool, sessions, [`jeongsan proof of life ${name}`])).toEqual([]),
  );
}

const written = async () => (await query(database.pool, 'select by from written')).length;
const verdict = async (response: Response) => [response.status, ((await response.json()) as { code?: string }).code];

test('killed between the act and its answer: nobody acts again, and who asks hears that it is to be looked up', async () => {
  const first = await server('first');
  const second = await server('second');
  await expect(write(first.url, 'k', 'die')).rejects.toThrow();
  expect(await first.process.ended).toBe('SIGKILL');
  await isGone('first');
  expect(await written()).toBe(1);
  // Retries, and a third server that never knew the first.
  const third = await server('third');
  for (const { url } of [second, second, third]) {
    expect(await verdict(await write(url, 'k', 'die'))).toEqual([409, 'idempotency_outcome_unknown']);
  }
  expect(await written()).toBe(1);
  // Under a new key, whoever has looked it up may try again.
  expect((await write(second.url, 'k-2', 'answer')).status).toBe(200);
  expect(await written()).toBe(2);
});

test('while the process that acts lives, every server says that it is at it', async () => {
  const busy = await server('busy');
  const other = await server('other');
  const before = await written();
  const hanging = write(busy.url, 'h', 'hang').catch(() => undefined);
  expect(await busy.process.line()).toBe('inside');
  for (const { url } of [busy, other]) {
    expect(await verdict(await write(url, 'h', 'hang'))).toEqual([409, 'idempotency_in_progress']);
  }
  busy.process.kill('SIGKILL');
  await busy.process.ended;
  await hanging;
  await isGone('busy');
  expect(await verdict(await write(other.url, 'h', 'hang'))).toEqual([409, 'idempotency_outcome_unknown']);
  expect(await written()).toBe(before + 1);
});

test('an answer is given again by any server, also after the one that gave it is gone', async () => {
  const first = await server('giver');
  const second = await server('taker');
  const answer = await write(first.url, 'a', 'answer');
  const bytes = await answer.text();
  first.process.kill('SIGKILL');
  await first.process.ended;
  const before = await written();
  const again = await write(second.url, 'a', 'answer');
  expect([again.status, again.headers.get('idempotency-replayed'), await again.text()]).toEqual([200, 'true', bytes]);
  expect(await written()).toBe(before);
});

test('what broke in a server that goes on is known to be broken by every other', async () => {
  const first = await server('breaking');
  const second = await server('asked');
  const before = await written();
  expect(await verdict(await write(first.url, 'b', 'break'))).toEqual([500, 'internal']);
  for (const { url } of [second, first]) {
    expect(await verdict(await write(url, 'b', 'break'))).toEqual([409, 'idempotency_outcome_unknown']);
  }
  expect(await written()).toBe(before + 1);
});
