import { setTimeout as wait } from 'node:timers/promises';
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor';
import type { Log } from './engine-log.ts';
import type { ProofOfLife } from './proof-of-life.ts';
import { lockName, tryLockSql, unlockSql } from './proof-of-life.ts';

export type TakeOver = { stop(): Promise<void> };

export type TakeOverOptions = {
  proof: ProofOfLife;
  executorId: string;
  applicationVersion: string;
  everyMs: number;
  /** How long after a lost proof of life was taken again nothing is taken over. */
  graceMs: number;
  log: Log;
};

/**
 * 인계. Looks again and again for work of processes that are dead, and hands it to whoever is free. Which ones are dead
 * is told by their locks. The looking is this process's own sign of life too.
 */
export function startTakeOver(options: TakeOverOptions): TakeOver {
  const stopping = new AbortController();
  const firstHeld = options.proof.heldSince();

  const loop = async () => {
    while (!stopping.signal.aborted) {
      await lookOnce(options, firstHeld).catch((error: Error) => {
        options.log.debug({ reason: error.message }, 'could not look for work to take over');
      });
      await wait(options.everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  const ended = loop();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

async function lookOnce({ proof, executorId, applicationVersion, graceMs, log }: TakeOverOptions, firstHeld: number) {
  const others = await proof.query<{ executor_id: string }>(
    `select distinct executor_id from dbos.workflow_status
      where status = 'PENDING' and executor_id <> $1 and application_version = $2`,
    [executorId, applicationVersion],
  );
  // After a restart of PostgreSQL every process has lost its lock: those that live are given time to take theirs again.
  if (proof.heldSince() !== firstHeld && Date.now() < proof.heldSince() + graceMs) return;
  for (const { executor_id: other } of others) {
    const engine = DBOSExecutor.globalInstance;
    if (!engine) return;
    const [lock] = await proof.query<{ locked: boolean }>(tryLockSql, [lockName(other)]);
    if (!lock?.locked) continue;
    try {
      const runs = (await engine.recoverPendingWorkflows([other])).map((run) => run.workflowID);
      log.info({ from: other, runs }, 'took over the work of a dead process');
    } finally {
      await proof.query(unlockSql, [lockName(other)]);
    }
  }
}
