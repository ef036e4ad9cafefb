import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { listFindings } from '../findings/store.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import { createVitalSigns } from '../platform/vital-signs.ts';
import { beat, forgetNode, listNodes, noteClock, noteStopped, watchNodes } from './node-store.ts';
import { startNodeWatch } from './node-watch.ts';

let db: TestDatabase;
let durable: Durable;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

beforeAll(async () => {
  db = await testDatabase();
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log });
  await durable.launch();
});
beforeEach(async () => {
  await db.pool.query('truncate node, finding restart identity');
});
afterAll(async () => {
  await durable.shutdown(1_000);
  await db.close();
});

const gib = 1024n ** 3n;
const signs = { diskFreeBytes: 50n * gib, diskAllBytes: 100n * gib, loopDelayMs: 1.5, memoryBytes: 200_000_000n };
const node = (name: string, more: object = {}) =>
  beat(db.pool, {
    ...signs,
    host: 'a',
    pid: Number(name),
    executorId: `a:${name}:x`,
    version: '1.0.0',
    startedAt: Temporal.Now.instant(),
    clockAheadMs: 3,
    ...more,
  });
const findings = async () => (await listFindings(db.pool)).map(({ kind, subject }) => `${kind} ${subject}`).sort();
const silent = (name: string, seconds: number) =>
  db.pool.query(`update node set seen_at = now() - make_interval(secs => $2) where executor_id = $1`, [
    `a:${name}:x`,
    seconds,
  ]);

test('a node says how it is, and on what it works', async () => {
  const vital = createVitalSigns(process.cwd());
  const watch = startNodeWatch({
    pool: db.pool,
    log,
    executorId: durable.executorId,
    version: '1.2.3',
    startedAt: Temporal.Instant.from('2026-11-20T12:00:00+09:00'),
    vitalSigns: vital.read,
    clockAheadMs: () => -7,
  });
  await watch.first;
  await db.pool.query(
    `insert into dbos.workflow_status (workflow_uuid, status, name, executor_id, created_at, updated_at)
     values ('reconcile:2026-11-19:1', 'PENDING', 'reconcile', $1, 1, 1), ('done', 'SUCCESS', 'reconcile', $1, 1, 1)`,
    [durable.executorId],
  );
  const [one] = await listNodes(db.pool, { all: false });
  expect(one).toMatchObject({
    executorId: durable.executorId,
    pid: process.pid,
    version: '1.2.3',
    state: 'running',
    clockAheadMs: -7,
    runs: ['reconcile:2026-11-19:1'],
    runsInAll: 1,
  });
  expect(one?.diskAllBytes).toBeGreaterThan(one?.diskFreeBytes ?? 0n);
  expect(one?.diskFreeBytes).toBeGreaterThan(0n);
  await db.pool.query(`delete from dbos.workflow_status where name = 'reconcile'`);
  await watch.stop();
  vital.close();
  expect(await listNodes(db.pool, { all: false })).toEqual([]);
  expect((await listNodes(db.pool, { all: true })).map(({ state }) => state)).toEqual(['stopped']);
});

test('a node that is silent is lost, once, until it speaks again', async () => {
  await node('1');
  await node('2', { startedAt: Temporal.Now.instant().subtract({ hours: 1 }) });
  await silent('1', 14);
  await watchNodes(db.pool);
  expect(await findings()).toEqual([]);
  await silent('1', 16);
  await watchNodes(db.pool);
  await watchNodes(db.pool);
  expect(await findings()).toEqual(['node_lost a:1']);
  expect((await listFindings(db.pool))[0]?.times).toBe(1);
  expect((await listNodes(db.pool, { all: true })).map(({ pid, state }) => `${pid} ${state}`)).toEqual([
    '1 lost',
    '2 running',
  ]);
  await node('1');
  await watchNodes(db.pool);
  expect(await findings()).toEqual([]);
});

test('or until another is there in its place', async () => {
  await node('1');
  await silent('1', 16);
  await node('2', { host: 'b', executorId: 'b:2:x' });
  await watchNodes(db.pool);
  expect(await findings()).toEqual(['node_lost a:1']);
  await node('3');
  await watchNodes(db.pool);
  expect(await findings()).toEqual([]);
});

const by = { actor: { who: 'kim@pg.example', from: 'test' }, reason: 'gone' };

test('or until somebody forgets it, and if it comes back all the same it is looked for again', async () => {
  await node('1');
  await node('2', { startedAt: Temporal.Now.instant().subtract({ hours: 1 }) });
  await silent('1', 16);
  await watchNodes(db.pool);
  expect(await findings()).toEqual(['node_lost a:1']);
  await expect(forgetNode(db.pool, 'a:2:x', by)).rejects.toMatchObject({ code: 'node_not_lost' });
  await expect(forgetNode(db.pool, 'a', by)).rejects.toMatchObject({ code: 'not_found' });
  expect(await forgetNode(db.pool, 'a:1', by)).toEqual({ node: 'a:1', closedFindings: 1 });
  await watchNodes(db.pool);
  expect(await findings()).toEqual([]);
  expect((await listFindings(db.pool, { closed: true })).map(({ closedBy }) => closedBy)).toContain('kim@pg.example');
  await node('1');
  expect((await listNodes(db.pool, { all: false })).map(({ pid }) => pid)).toEqual([1, 2]);
  await silent('1', 16);
  await watchNodes(db.pool);
  expect(await findings()).toEqual(['node_lost a:1']);
});

test('a host of which nobody lives is forgotten with its full disk, and after its row has gone', async () => {
  await node('1', { diskFreeBytes: 1n });
  await node('2', { diskFreeBytes: 1n });
  await silent('1', 16);
  await silent('2', 16);
  await watchNodes(db.pool);
  expect(await findings()).toEqual(['disk_nearly_full a', 'node_lost a:1', 'node_lost a:2']);
  await db.pool.query(`delete from node where pid = 1`);
  expect(await forgetNode(db.pool, 'a:1', by)).toEqual({ node: 'a:1', closedFindings: 1 });
  expect(await forgetNode(db.pool, 'a:2:x', by)).toEqual({ node: 'a:2', closedFindings: 2 });
  expect(await findings()).toEqual([]);
});

test('a node that said that it ends is not looked for', async () => {
  await node('1');
  await noteStopped(db.pool, 'a:1:x');
  await silent('1', 60);
  await watchNodes(db.pool);
  expect(await findings()).toEqual([]);
});

test.each([
  [50n, 1000n, 'enough'],
  [49n, 1000n, 'below a twentieth'],
  [1n, 10n, 'enough'],
] as const)('a disk with %i of %i GiB left: %s', async (free, all, what) => {
  await node('1', { diskFreeBytes: free * gib, diskAllBytes: all * gib });
  expect(await findings()).toEqual(what === 'below a twentieth' ? ['disk_nearly_full a'] : []);
  await node('1', { diskFreeBytes: gib - 1n, diskAllBytes: 10n * gib });
  expect(await findings()).toEqual(['disk_nearly_full a']);
  await node('1');
  expect(await findings()).toEqual([]);
});

test('a clock that is off is told of each node, and is over when it is right, or the node has gone', async () => {
  await node('1');
  await noteClock(db.pool, 'a:1:x', { kind: 'clock_ahead', byMs: 60_000 });
  await noteClock(db.pool, 'a:2:x', { kind: 'clock_behind', byMs: 60_000 });
  expect(await findings()).toEqual(['clock_ahead a:1', 'clock_behind a:2']);
  await noteClock(db.pool, 'a:1:x', { kind: 'clock_behind', byMs: 20_000 });
  expect(await findings()).toEqual(['clock_behind a:1', 'clock_behind a:2']);
  await noteClock(db.pool, 'a:2:x', null);
  expect(await findings()).toEqual(['clock_behind a:1']);
  await noteStopped(db.pool, 'a:1:x');
  expect(await findings()).toEqual([]);
});

test('a node that is gone is kept for as long as its retention says', async () => {
  await node('1');
  await silent('1', 40 * 86_400);
  await watchNodes(db.pool);
  const { rows } = await db.pool.query('select executor_id from node');
  expect(rows).toHaveLength(1);
});
