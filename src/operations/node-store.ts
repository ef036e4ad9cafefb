import { actingAs } from '../audit/store.ts';
import { closeFinding, listFindings, openFinding } from '../findings/store.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';
import type { VitalSigns } from '../platform/vital-signs.ts';
import type { ClockFault } from './clock.ts';
import type { ChangedBy } from './schedule-store.ts';

/** 노드. A process that works by itself, as it said last. */
export type Node = VitalSigns & {
  readonly executorId: string;
  readonly version: string;
  readonly state: 'running' | 'stopped' | 'lost';
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** Its clock less the database's. */
  readonly clockAheadMs: number;
  /** The ids of the runs that it works on, some of them where they are many. */
  readonly runs: readonly string[];
  readonly runsInAll: number;
};

export const nodeFindings = { lost: 'node_lost', disk: 'disk_nearly_full' };
const clockFindings = ['clock_ahead', 'clock_behind'] as const;

/** A node that has said nothing for so long is lost. It speaks every three seconds. */
const lostAfterSeconds = 15;
/** Below this part of it, or this much, a disk is nearly full. */
const disk = { leastPart: 0.05, leastBytes: 1024n ** 3n };
const runsShown = 20;
const stateOfNode = `case when stopped_at is not null then 'stopped' when lost_at is not null then 'lost' else 'running' end`;

type Beat = VitalSigns & {
  readonly executorId: string;
  readonly version: string;
  readonly startedAt: Temporal.Instant;
  readonly clockAheadMs: number;
};

/** A sign of life; who was taken for lost, or forgotten, is found again. */
export async function beat(pool: Pool, node: Beat): Promise<void> {
  await pool.query(
    `insert into node (executor_id, host, pid, version, started_at, clock_ahead_ms, disk_free_bytes, disk_all_bytes,
       loop_delay_ms, memory_bytes)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (executor_id) do update
        set seen_at = clock_timestamp(), clock_ahead_ms = excluded.clock_ahead_ms, lost_at = null, stopped_at = null,
            disk_free_bytes = excluded.disk_free_bytes, disk_all_bytes = excluded.disk_all_bytes,
            loop_delay_ms = excluded.loop_delay_ms, memory_bytes = excluded.memory_bytes`,
    [
      node.executorId,
      node.host,
      node.pid,
      node.version,
      node.startedAt.toString(),
      Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, node.clockAheadMs)),
      node.diskFreeBytes,
      node.diskAllBytes,
      node.loopDelayMs,
      node.memoryBytes,
    ],
  );
  const { diskFreeBytes, diskAllBytes, host } = node;
  const isFull = Number(diskFreeBytes) < Number(diskAllBytes) * disk.leastPart || diskFreeBytes < disk.leastBytes;
  const finding = { kind: nodeFindings.disk, subject: host };
  if (!isFull) await closeFinding(pool, { ...finding, by: 'system:nodes' });
  else if ((await listFindings(pool, { ...finding, limit: 1 })).length === 0) {
    const detail = { freeBytes: diskFreeBytes, allBytes: diskAllBytes };
    await openFinding(pool, { ...finding, audience: 'operations', detail });
  }
}

/** It ends as it should, and nobody need look for it. */
export async function noteStopped(db: Queryable, executorId: string): Promise<void> {
  await db.query('update node set stopped_at = clock_timestamp() where executor_id = $1', [executorId]);
  await closeClockFindings(db, executorId);
}

/** What a node's finding is about: `host:pid`, which is also how its executor's id begins. */
export function nodeSubject(executorId: string): string {
  return executorId.split(':').slice(0, 2).join(':');
}

/** Tells of nodes that are gone without a word, until another is there in their place, or they are back. */
export async function watchNodes(pool: Pool): Promise<void> {
  const gone = await query<{ executorId: string; seenAt: string }>(
    pool,
    `update node set lost_at = clock_timestamp()
      where stopped_at is null and lost_at is null and seen_at < clock_timestamp() - make_interval(secs => $1)
     returning executor_id as "executorId", seen_at::text as "seenAt"`,
    [lostAfterSeconds],
  );
  for (const { executorId, seenAt } of gone) {
    const subject = nodeSubject(executorId);
    const detail = { executor: executorId, seenAt };
    await openFinding(pool, { kind: nodeFindings.lost, subject, audience: 'operations', detail });
    await closeClockFindings(pool, executorId);
  }
  const lost = await listFindings(pool, { kind: nodeFindings.lost });
  if (lost.length > 0) {
    const back = await query<{ executorId: string }>(
      pool,
      `select n.executor_id as "executorId" from node n
        where n.executor_id = any ($1::text[])
          and (n.lost_at is null
               or exists (select from node r where r.host = n.host and r.started_at > n.seen_at
                             and r.lost_at is null and r.stopped_at is null))`,
      [lost.map(({ detail }) => String(detail['executor']))],
    );
    for (const { executorId } of back) {
      await closeFinding(pool, { kind: nodeFindings.lost, subject: nodeSubject(executorId), by: 'system:nodes' });
    }
  }
}

/** What was forgotten: the name that findings have for it. */
export type Forgotten = { readonly node: string; readonly closedFindings: number };

/**
 * A lost node is looked for no more, since it will not come back. `id` is its own, or `host:pid`, of which the node itself
 * may have been removed already. Forgotten again: nothing.
 * @throws Problem `not_found`, `node_not_lost`
 */
export function forgetNode(pool: Pool, id: string, { actor, reason }: ChangedBy): Promise<Forgotten> {
  return inTransaction(pool, async (tx) => {
    await actingAs(tx, actor, reason);
    const found = await query<{ executorId: string; host: string; state: Node['state'] }>(
      tx,
      `select executor_id as "executorId", host, ${stateOfNode} as state from node
        where executor_id = $1 or regexp_replace(executor_id, ':[^:]*$', '') = $1 for update`,
      [id],
    );
    const lives = found.find(({ state }) => state === 'running');
    if (lives !== undefined) throw new Problem('node_not_lost', { node: lives.executorId });
    const node = nodeSubject(found[0]?.executorId ?? id);
    const told = await listFindings(tx, { kind: nodeFindings.lost, subject: node, closed: true, limit: 1 });
    if (found.length === 0 && told.length === 0) throw new Problem('not_found', { what: 'node', id });
    for (const { executorId } of found) await noteStopped(tx, executorId);
    const over = [{ kind: nodeFindings.lost, subject: node }];
    for (const { host } of found.slice(0, 1)) {
      if (!(await isAlive(tx, host))) over.push({ kind: nodeFindings.disk, subject: host });
    }
    let closedFindings = 0;
    for (const each of over) closedFindings += Number(await closeFinding(tx, { ...each, by: actor.who }));
    return { node, closedFindings };
  });
}

async function isAlive(db: Queryable, host: string): Promise<boolean> {
  const alive = 'select from node where host = $1 and stopped_at is null and lost_at is null limit 1';
  return (await query(db, alive, [host])).length > 0;
}

/** Tells operations that the clock of a node is wrong; null: it is right again. */
export async function noteClock(db: Queryable, executorId: string, fault: ClockFault | null): Promise<void> {
  const subject = nodeSubject(executorId);
  for (const kind of clockFindings) {
    if (fault?.kind === kind) await openFinding(db, { kind, subject, audience: 'operations', detail: fault });
    else await closeFinding(db, { kind, subject, by: 'system:nodes' });
  }
}

async function closeClockFindings(db: Queryable, executorId: string): Promise<void> {
  await noteClock(db, executorId, null);
}

/** Nodes, those that live first; stopped and lost ones of the last day too where `all` is asked for. */
export async function listNodes(db: Queryable, { all }: { readonly all: boolean }): Promise<Node[]> {
  const nodes = await query<Omit<Node, 'runs' | 'runsInAll'>>(
    db,
    `select executor_id as "executorId", host, pid, version, started_at as "startedAt", seen_at as "seenAt",
            ${stateOfNode} as state,
            clock_ahead_ms as "clockAheadMs", disk_free_bytes as "diskFreeBytes", disk_all_bytes as "diskAllBytes",
            loop_delay_ms as "loopDelayMs", memory_bytes as "memoryBytes"
       from node
      where $1 and seen_at > clock_timestamp() - interval '1 day' or stopped_at is null and lost_at is null
      order by state, host, pid limit 1000`,
    [all],
  );
  const works = await runsOf(
    db,
    nodes.map(({ executorId }) => executorId),
  );
  return nodes.map((node) => ({ runs: [], runsInAll: 0, ...works.get(node.executorId), ...node }));
}

type Works = Pick<Node, 'runs' | 'runsInAll'>;

/** The engine's tables are there once a node has launched it, and not before. */
async function runsOf(db: Queryable, executorIds: readonly string[]): Promise<ReadonlyMap<string, Works>> {
  if (executorIds.length === 0) return new Map();
  const rows = await query<Works & { readonly executorId: string }>(
    db,
    `select executor_id as "executorId", count(*)::int as "runsInAll",
            (array_agg(workflow_uuid order by created_at desc))[1:${runsShown}] as runs
       from dbos.workflow_status where executor_id = any ($1) and status = 'PENDING' group by executor_id`,
    [executorIds],
  );
  return new Map(rows.map(({ executorId, ...works }) => [executorId, works]));
}
