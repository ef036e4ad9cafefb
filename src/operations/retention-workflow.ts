import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Pool } from '../platform/database/pool.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { leavesRun, step } from '../platform/durable/step.ts';
import type { Log } from '../platform/log.ts';
import { type Job, registerJob } from './job.ts';
import { type Expiring, removeAll } from './retention.ts';
import { retentionRules } from './retention-store.ts';

export type RetentionPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly expiring: readonly Expiring[];
};

/** Between two chunks, so that whoever works on the same tables is let in. */
const pauseMs = 20;
const tries = { attempts: 5, firstWaitMs: 1_000 };

/**
 * 보존. The job `retention`: removes records of operation that are older than they are kept, kind after kind. A kind that
 * fails does not keep the others: it is tried again with the next run, and this one fails with it in the end.
 */
export function registerRetention(durable: Pick<Durable, 'register' | 'start'>, ports: RetentionPorts): Job {
  const { pool, log, expiring } = ports;
  return registerJob(
    durable,
    { name: 'retention', words: { ko: '보존 기한 정리', en: 'retention' }, parameters: z.strictObject({}) },
    async ({ slot }) => {
      const keptDays = await step('rules', async () => Object.fromEntries(await retentionRules(pool)), {
        retries: tries,
      });
      const removed: Record<string, number> = {};
      const failures: unknown[] = [];
      for (const each of expiring) {
        const before = slot.subtract({ hours: 24 * (keptDays[each.kind] ?? each.keepDays) });
        try {
          const gone = await step(`remove ${each.kind}`, () => removeAll(each, before, () => wait(pauseMs)), {
            retries: tries,
          });
          removed[each.kind] = gone.removed;
          if (gone.removed > 0)
            log.info({ kind: each.kind, before: before.toString(), ...gone }, 'old records removed');
        } catch (error) {
          if (leavesRun(error)) throw error;
          log.error({ kind: each.kind, err: error }, 'old records could not be removed');
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return { removed };
    },
  );
}
