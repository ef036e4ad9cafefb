import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createPool, type Pool } from './database/pool.ts';
import { createDurable, type Durable } from './durable/durable.ts';
import { observeRuns } from './durable/observer.ts';
import { step, transaction } from './durable/step.ts';
import { createMetrics } from './metrics.ts';
import { createRunObserver } from './run-observer.ts';
import { servedSpan, startTracing, traceStatements } from './tracing.ts';

type Span = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
};

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const received: Span[] = [];
const collector = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const sent = JSON.parse(Buffer.concat(pieces).toString()) as {
      resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
    };
    received.push(...sent.resourceSpans.flatMap((each) => each.scopeSpans.flatMap(({ spans }) => spans)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
let database: TestDatabase;
let pool: Pool;
let durable: Durable;

beforeAll(async () => {
  database = await testDatabase();
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  pool = createPool(database.url, { applicationName: 'traced' });
  traceStatements(pool);
  durable = createDurable({ databaseUrl: database.url, pool, log: silent });
});
afterAll(async () => {
  observeRuns(undefined);
  await durable.shutdown(1000);
  await pool.end();
  await database.close();
  collector.close();
});

test('a request, the run that it starts, its steps and what they ask the database are one trace', async () => {
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
  const tracing = await startTracing({ endpoint, version: '1.2.3' });
  observeRuns(createRunObserver(createMetrics()));
  const count = durable.register('count', async () => {
    const { merchants } = await transaction('look', async (tx) => {
      const { rows } = await tx.query('select count(*)::int as merchants from merchant where merchant_id = $1', ['M1']);
      return rows[0] as { merchants: number };
    });
    await step('tell', async () => merchants);
    return merchants;
  });
  const fail = durable.register('fail', async () => {
    await step('break', async () => {
      throw new Error('broken on purpose');
    });
  });
  await durable.launch();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await servedSpan({ traceparent }, { name: 'POST /v1/runs', attributes: {} }, async () => {
    await (await durable.start(count, 'count:1')).result();
    await (await durable.start(fail, 'fail:1')).result().catch(() => undefined);
  });
  await pool.query('select 1');
  await tracing.close();

  const named = (name: string) => received.filter((span) => span.name === name);
  const [[request], [run], [look], [tell], [asked], [failed]] = [
    named('POST /v1/runs'),
    named('run count'),
    named('step look'),
    named('step tell'),
    named('select merchant'),
    named('step break'),
  ];
  expect(request).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' });
  expect(run?.parentSpanId).toBe(request?.spanId);
  expect([look?.parentSpanId, tell?.parentSpanId]).toEqual([run?.spanId, run?.spanId]);
  expect(asked?.parentSpanId).toBe(look?.spanId);
  expect(JSON.stringify(asked)).toContain('merchant_id = $1');
  expect(JSON.stringify(asked)).not.toContain('M1');
  expect(failed?.status).toMatchObject({ code: 2, message: 'broken on purpose' });
  expect(named('run fail')[0]?.status.code).toBe(2);
  // Outside of any span nothing is traced.
  expect(received.filter((span) => JSON.stringify(span.attributes).includes('"select 1"'))).toEqual([]);
});

test('a collector that is away costs nothing but its spans', async () => {
  const tracing = await startTracing({ endpoint: 'http://127.0.0.1:9', version: '1' });
  await expect(servedSpan({}, { name: 'x', attributes: {} }, async () => 7)).resolves.toBe(7);
  await tracing.close();
});
