import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { DBOSWorkflowConflictError } from '@dbos-inc/dbos-sdk/datasource';
import { currentOwnerXid } from '@dbos-inc/dbos-sdk/internal/context';
import { DBOSWorkflowCancelledError } from '@dbos-inc/dbos-sdk/internal/error';
import { check } from '../../kernel/check.ts';
import type { Pool } from '../database/pool.ts';
import { runId, step } from './step.ts';

/** What the sleeping runs of this process share: the engine admits them when it is made, and parks them when it ends. */
type Sleepers = {
  readonly pool: Pool;
  readonly lookEveryMs: number;
  readonly parking: AbortController;
  readonly asleep: Set<Promise<void>>;
};

let sleepers: Sleepers | undefined;

/** For the engine alone: runs may sleep from here on. */
export function admitSleepers(pool: Pool, lookEveryMs: number): void {
  sleepers = { pool, lookEveryMs, parking: new AbortController(), asleep: new Set() };
}

/**
 * For the engine alone: sleeping runs leave this process, now and whenever one would fall asleep from here on. Whoever
 * takes one over goes on waiting for the same instant.
 */
export async function parkSleepers(): Promise<void> {
  sleepers?.parking.abort();
  await Promise.allSettled(sleepers?.asleep ?? []);
  // The engine hears of it through the workflow that slept.
  await nextTurn();
}

/**
 * 기다림. Waits in a workflow until the wall clock has come to `instant`, and not longer because the machine was
 * suspended or its clock was set. The instant is checkpointed once, under `label`, so that a run that is taken over or
 * restarted goes on waiting for the one that it first named; nothing is written while it waits. A run that was cancelled,
 * or is owned by another process by now, ends here within some seconds.
 * In a step, which is repeated as a whole by whoever takes over, the step itself has to know until when.
 */
export async function sleepUntil(instant: Temporal.Instant, label: string): Promise<void> {
  const run = runId();
  const admitted = sleepers;
  check(admitted, 'no engine admits sleepers');
  const ownerXid = currentOwnerXid(run);
  const until = Temporal.Instant.from(await step(label, async () => instant.toString()));
  const sleeping = sleep(admitted, until, () => assertOurs(admitted.pool, run, ownerXid), run);
  admitted.asleep.add(sleeping);
  await sleeping.finally(() => admitted.asleep.delete(sleeping));
}

async function sleep(
  { lookEveryMs, parking }: Sleepers,
  until: Temporal.Instant,
  look: () => Promise<void>,
  run: string,
): Promise<void> {
  for (;;) {
    await look();
    const leftMs = Number((until.epochNanoseconds - BigInt(Date.now()) * 1_000_000n + 999_999n) / 1_000_000n);
    if (leftMs <= 0) return;
    // The engine leaves a run alone whose owner is said to be another: that it is here no more is just what is meant.
    if (parking.signal.aborted) throw new DBOSWorkflowConflictError(run);
    await wait(Math.min(leftMs, lookEveryMs), undefined, { signal: parking.signal }).catch(() => {});
  }
}

/** A database that is away says nothing: the next step will wait for it. */
async function assertOurs(pool: Pool, run: string, ownerXid: string | undefined): Promise<void> {
  const found = await pool
    .query<{ status: string; owner: string | null }>(
      'select status, owner_xid as owner from dbos.workflow_status where workflow_uuid = $1',
      [run],
    )
    .catch(() => undefined);
  const row = found?.rows[0];
  if (row?.status === 'CANCELLED') throw new DBOSWorkflowCancelledError(run);
  if (row !== undefined && row.owner !== ownerXid) throw new DBOSWorkflowConflictError(run);
}
