import type { Pool } from 'pg';
import { closeFinding, listFindings, openFinding } from '../findings/store.ts';
import { inTransaction, type PoolClient } from '../platform/database/pool.ts';
import { warnedBytes } from '../platform/durable/checkpoint.ts';
import { largeCheckpoints, queryRuns } from '../platform/durable/run-list.ts';
import type { Run } from '../platform/durable/runs.ts';
import { readRunName } from './run-name.ts';
import {
  comparisonOf,
  countsOfRun,
  lastRecorded,
  recordRun,
  samplesFor,
  tookMs,
  unrecordedRuns,
  usualRules,
} from './run-record-store.ts';
import { stuckAfterMs, type Unusual } from './usual.ts';

/** Runs that are recorded at one look: what is more waits for the next. */
const endedMost = 200;
const runningMost = 500;
/** Of another node's clock, and of what committed late. */
const overlap = { minutes: 5 };
const by = 'run-watch';

/** What one look came to. */
export type Watched = { readonly recorded: number; readonly stuck: number };

/**
 * 실행 감시. Records runs that have ended, compares them with the usual, and tells people of what failed, was given up,
 * is out of the usual or stuck; and that it is over. undefined where another process is looking.
 */
export async function watchRuns(pool: Pool, now: Temporal.Instant): Promise<Watched | undefined> {
  return await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('jeongsan.run.watch', 0)) as mine`,
    );
    if (!rows[0]?.mine) return undefined;
    const rules = await usualRules(tx);
    const ended = await unrecordedRuns(pool, (await lastRecorded(tx, now)).subtract(overlap), endedMost);
    for (const run of ended) {
      const { completedAt } = run;
      if (completedAt === undefined) continue;
      const counts = await countsOfRun(pool, run.id);
      const unusual = await recordRun(tx, { ...run, completedAt }, counts, rules(run.workflow));
      await tellOfEnd(tx, run, unusual);
      await tellOfCheckpoints(pool, tx, run);
    }
    return { recorded: ended.length, stuck: await tellOfStuck(pool, tx, now, rules) };
  });
}

/** One finding for a series' day, however many runs of it fail; it is over with the first that goes well. */
async function tellOfEnd(tx: PoolClient, run: Run, unusual: readonly Unusual[]): Promise<void> {
  const { subject, on } = readRunName(run.id);
  const detail = { run: run.id, job: run.workflow, ...(on === undefined ? {} : { on }) };
  if (run.state === 'failed' || run.state === 'exhausted') {
    const error = run.error === undefined ? {} : { code: run.error.code ?? run.error.name, error: run.error.message };
    const kind = run.state === 'failed' ? 'run_failed' : 'run_exhausted';
    const audience = run.state === 'failed' ? 'in_charge' : 'operations';
    await openFinding(tx, { kind, subject, audience, detail: { ...detail, attempts: run.attempts, ...error } });
  }
  if (run.state !== 'done') return;
  await closeFinding(tx, { kind: 'run_failed', subject, by: run.id });
  await closeFinding(tx, { kind: 'run_exhausted', subject, by: run.id });
  if (unusual.length === 0) await closeFinding(tx, { kind: 'run_unusual', subject, by: run.id });
  else await openFinding(tx, { kind: 'run_unusual', subject, audience: 'in_charge', detail: { ...detail, unusual } });
}

/** Of those that are merely large, and of the one that was refused and ended its run. */
async function tellOfCheckpoints(pool: Pool, tx: PoolClient, run: Run): Promise<void> {
  const { series } = readRunName(run.id);
  const large = await largeCheckpoints(pool, run.id, warnedBytes);
  const refused = run.error?.code === 'checkpoint_too_large' ? [run.error.details ?? {}] : [];
  const tell = async (kind: string, checkpoints: readonly object[]): Promise<void> => {
    if (checkpoints.length === 0) {
      if (run.state === 'done') await closeFinding(tx, { kind, subject: series, by: run.id });
      return;
    }
    const detail = { run: run.id, checkpoints };
    await openFinding(tx, { kind, subject: series, audience: 'in_charge', detail });
  };
  await tell('checkpoint_large', large);
  await tell('checkpoint_too_large', refused);
}

type Rules = Awaited<ReturnType<typeof usualRules>>;

/** Runs that take far longer than their like, and those that do no longer. Returns how many there are. */
async function tellOfStuck(pool: Pool, tx: PoolClient, now: Temporal.Instant, rules: Rules): Promise<number> {
  const running = await queryRuns(pool, { states: ['running', 'waiting'], oldestFirst: true, now, limit: runningMost });
  const stuck = new Set<string>();
  for (const run of running) {
    const { ms, afterMs } = await standing(tx, run, now, rules);
    if (ms <= afterMs) continue;
    stuck.add(run.id);
    const detail = { job: run.workflow, node: run.executorId, attempts: run.attempts, runningMs: ms, usualMs: afterMs };
    await openFinding(tx, { kind: 'run_stuck', subject: run.id, audience: 'operations', detail });
  }
  for (const { subject } of await listFindings(tx, { kind: 'run_stuck', closed: false })) {
    if (!stuck.has(subject)) await closeFinding(tx, { kind: 'run_stuck', subject, by });
  }
  return stuck.size;
}

/** How long a run has been at it, and after how long its like would be stuck. */
async function standing(tx: PoolClient, run: Run, now: Temporal.Instant, rules: Rules) {
  const rule = rules(run.workflow);
  const samples = await samplesFor(tx, comparisonOf(run.id, run.startedAt), rule, { before: now, except: run.id });
  return { ms: tookMs(run.startedAt, now), afterMs: stuckAfterMs(samples, rule) };
}
