import { expect, test } from 'vitest';
import { query } from '../../src/platform/database/pool.ts';
import { eventually } from '../support/eventually.ts';
import { serveProduct } from '../support/served-product.ts';

test('a server that ends answers what it has begun, and begins nothing new', { timeout: 240_000 }, async () => {
  const product = await serveProduct();
  const { pool } = product.installation.db;
  const key = await product.keyOf(['operator']);
  const headers = { authorization: `Bearer ${key}` };
  const { rows } = (await (await fetch(`${product.url}/v1/breaks?limit=1`, { headers })).json()) as {
    rows: { id: number }[];
  };
  const act = (idempotencyKey: string) =>
    fetch(`${product.url}/v1/breaks/${rows[0]?.id}/comment`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': idempotencyKey, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'asked the provider' }),
    });

  // Somebody holds the break, so that the act waits in the middle.
  const holding = await pool.connect();
  await holding.query('begin');
  await holding.query('select from break for update');
  const answering = act('k-1');
  const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await eventually(async () => expect(await query(pool, waits)).not.toEqual([]));

  const ended = product.end();
  expect((await act('k-2')).status).toBe(503);
  await holding.query('commit');
  holding.release();
  expect((await answering).status).toBe(200);
  await ended;
  const kept = await query(pool, 'select key, status from api_request');
  expect(kept).toEqual([{ key: 'k-1', status: 200 }]);
  await expect(act('k-3')).rejects.toThrow();
  await product.close();
});
