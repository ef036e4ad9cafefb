import type { Pool } from 'pg';
import { z } from 'zod';
import { type Job, registerJob } from '../operations/job.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { step } from '../platform/durable/step.ts';
import { putDigest } from './digest-store.ts';

/** 일일 요약 작업. Tells of the day before its slot's. Started twice, it tells once. */
export function registerDigest(
  durable: Pick<Durable, 'register' | 'start'>,
  { pool, now }: { readonly pool: Pool; now(): Temporal.Instant },
): Job {
  const job = {
    name: 'digest',
    words: { ko: '일일 요약 메일', en: 'daily digest' },
    parameters: z.object({}),
  };
  return registerJob(durable, job, async ({ on }) => {
    const day = on.subtract({ days: 1 });
    const channels = await step('digest', () => putDigest(pool, day, now()));
    return { on: day.toString(), channels };
  });
}
