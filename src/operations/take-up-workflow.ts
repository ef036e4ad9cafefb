import { z } from 'zod';
import { claimsExchange } from '../differential/claims-exchange.ts';
import { applyLateAnswers } from '../differential/exchange.ts';
import type { DifferentialPorts } from '../differential/ports.ts';
import { check } from '../kernel/check.ts';
import { isProblem } from '../kernel/problem.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { leavesRun, step } from '../platform/durable/step.ts';
import { type Job, type JobCall, registerJob } from './job.ts';
import { failedDays } from './take-up-store.ts';

export type TakeUpPorts = {
  readonly durable: Durable;
  readonly differential: DifferentialPorts;
  /** The providers that have an address. */
  readonly configured: readonly string[];
};

/** What was found: answers that came late, and days that go on. */
type TakenUp = { readonly answers: number; readonly restarted: number };

/**
 * 차액정산 수신. Each provider's day waits for its answers in its own run. What no run waits for any more is taken up here:
 * answers that came after the deadline, or to days whose run was cancelled; and days whose run failed on the way, though
 * not for a file about which a person has to decide, are run again from the step that failed.
 */
export function takeUpJob(ports: TakeUpPorts): Job {
  const parameters = z.strictObject({ providers: z.array(z.string()).min(1).optional() });
  return registerJob(
    ports.durable,
    {
      name: 'differential-receive',
      words: { ko: '차액정산 수신', en: 'differential settlement: receive' },
      parameters,
    },
    (call) => takeUp(ports, call),
  );
}

async function takeUp(
  ports: TakeUpPorts,
  { on, parameters }: JobCall<{ readonly providers?: readonly string[] | undefined }>,
): Promise<TakenUp> {
  let answers = 0;
  let restarted = 0;
  const failures: unknown[] = [];
  for (const id of parameters.providers ?? ports.configured) {
    // A provider that cannot be reached harms only itself.
    try {
      answers += await lateAnswers(ports, id, on);
      restarted += await step(`restart ${id}`, () => restartFailed(ports, id, on));
    } catch (error) {
      if (leavesRun(error)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return { answers, restarted };
}

async function lateAnswers({ differential }: TakeUpPorts, id: string, on: Temporal.PlainDate): Promise<number> {
  const provider = differential.providers.find((candidate) => candidate.id === id);
  check(provider, `no provider ${id}`);
  return await applyLateAnswers(differential, claimsExchange(differential, provider), { kind: 'claims', on });
}

async function restartFailed({ durable, differential }: TakeUpPorts, id: string, on: Temporal.PlainDate) {
  let restarted = 0;
  for (const run of await failedDays(differential.pool, id, on.subtract({ days: 31 }))) {
    try {
      await durable.restart(run);
      restarted += 1;
    } catch (error) {
      // Somebody was quicker, or its record is gone.
      if (!isProblem(error, 'run_not_restartable') && !isProblem(error, 'not_found')) throw error;
    }
  }
  return restarted;
}
