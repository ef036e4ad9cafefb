import type { Observer } from './durable/observer.ts';
import { leavesRun } from './durable/step.ts';
import type { Metrics } from './metrics.ts';
import { span } from './tracing.ts';

/** Measures runs and steps, and makes spans of them: a run's steps are below it, and what they ask the database below those. */
export function createRunObserver(metrics: Metrics): Observer {
  return {
    run: (job, id, body) =>
      timed(
        () => span(`run ${job}`, { 'jeongsan.job': job, 'jeongsan.run': id }, body),
        (outcome, seconds) => metrics.runEnded(job, outcome, seconds),
      ),
    step: (job, name, body) =>
      timed(
        () => span(`step ${name}`, { 'jeongsan.job': job, 'jeongsan.step': name }, body),
        (outcome, seconds, value) => {
          metrics.stepEnded(job, metricStep(name), outcome, seconds);
          metrics.counted(job, metricStep(name), countsOf(value));
        },
      ),
  };
}

async function timed<T>(
  work: () => Promise<T>,
  note: (outcome: 'done' | 'failed', seconds: number, value: T | undefined) => void,
): Promise<T> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  try {
    const value = await work();
    note('done', seconds(), value);
    return value;
  } catch (error) {
    // A run that goes on elsewhere has not failed.
    if (!leavesRun(error)) note('failed', seconds(), undefined);
    throw error;
  }
}

/** The step's kind: names that carry a part, a file or an attempt would make a series of each. */
export function metricStep(name: string): string {
  return name.replace(/[^a-z_-].*$/i, '').replace(/[-_ ]+$/, '') || 'step';
}

/** What a step counted: the whole numbers of its result that are no identity. */
export function countsOf(value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, number] =>
        Number.isSafeInteger(entry[1]) && !/(^|[a-z])(id|no|on|at|won|part|version|status)$/i.test(entry[0]),
    ),
  );
}
