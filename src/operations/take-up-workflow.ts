import { AsyncResource } from 'node:async_hooks';
import { z } from 'zod';
import { claimsExchange } from '../differential/claims-exchange.ts';
import { applyLateAnswers } from '../differential/exchange.ts';
import type { DifferentialPorts } from '../differential/ports.ts';
import { registrationExchange } from '../differential/registration-exchange.ts';
import { registrationRunId } from '../differential/registration-workflow.ts';
import { check } from '../kernel/check.ts';
import { isProblem } from '../kernel/problem.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { statesOfRuns } from '../platform/durable/runs.ts';
import { leavesRun, step } from '../platform/durable/step.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { type Job, type JobCall, registerJob } from './job.ts';
import { failedDays, registeredDays } from './take-up-store.ts';

export type TakeUpPorts = {
  readonly durable: Durable;
  readonly differential: DifferentialPorts;
  /** The providers that have an address. */
  readonly configured: readonly string[];
};

/** What was found: answers that came late, and days that go on. */
type TakenUp = { readonly answers: number; readonly restarted: number };

/** Runs that failed are looked for so many days back. */
const restartDays = 31;

/**
 * 차액정산·등록 수신. Each provider's day, of claims and of registrations, waits for its answers in its own run. What no run
 * waits for any more is taken up here: answers that came after the deadline, or were corrected, or are to days whose run was
 * cancelled; and days whose run failed on the way, though not for a file about which a person has to decide, are run again
 * from the step that failed.
 */
export function takeUpJob(ports: TakeUpPorts): Job {
  const parameters = z.strictObject({ providers: z.array(z.string()).min(1).optional() });
  // The engine lets no run be begun again from within a step of another.
  const outside = new AsyncResource('take-up');
  const durable: TakeUpPorts['durable'] = {
    ...ports.durable,
    restart: (run) => outside.runInAsyncScope(() => ports.durable.restart(run)),
  };
  return registerJob(
    ports.durable,
    {
      name: 'differential-receive',
      words: { ko: '차액정산 수신', en: 'differential settlement: receive' },
      parameters,
    },
    (call) => takeUp({ ...ports, durable }, call),
  );
}

async function takeUp(
  ports: TakeUpPorts,
  { on, parameters }: JobCall<{ readonly providers?: readonly string[] | undefined }>,
): Promise<TakenUp> {
  const taken = { answers: 0, restarted: 0 };
  const failures: unknown[] = [];
  // Registrations after all claims: a run that was begun before they were looked for goes on where it was.
  for (const takeUpOf of [claimsOf, registrationsOf]) {
    for (const id of parameters.providers ?? ports.configured) {
      // A provider that cannot be reached harms only itself.
      try {
        const { answers, restarted } = await takeUpOf(ports, id, on);
        taken.answers += answers;
        taken.restarted += restarted;
      } catch (error) {
        if (leavesRun(error)) throw error;
        failures.push(error);
      }
    }
  }
  if (failures.length > 0) throw failures[0];
  return taken;
}

async function claimsOf(ports: TakeUpPorts, id: string, on: Temporal.PlainDate): Promise<TakenUp> {
  const { durable, differential } = ports;
  const exchange = claimsExchange(differential, providerOf(ports, id));
  const answers = await applyLateAnswers(differential, exchange, { kind: 'claims', on });
  const restarted = await step(`restart ${id}`, async () =>
    restart(durable, await failedDays(differential.pool, id, on.subtract({ days: restartDays }))),
  );
  return { answers, restarted };
}

async function registrationsOf(ports: TakeUpPorts, id: string, on: Temporal.PlainDate): Promise<TakenUp> {
  const { durable, differential } = ports;
  const exchange = registrationExchange(differential, providerOf(ports, id));
  if (exchange === null) return { answers: 0, restarted: 0 };
  const answers = await applyLateAnswers(differential, exchange, { kind: 'registration', on });
  const restarted = await step(`restart registrations ${id}`, async () =>
    restart(durable, await failedRegistrations(differential, id, on.subtract({ days: restartDays }))),
  );
  return { answers, restarted };
}

async function failedRegistrations({ pool }: DifferentialPorts, provider: string, from: Temporal.PlainDate) {
  const runs = (await registeredDays(pool, provider, from)).map((on) => registrationRunId({ provider, on }));
  const states = await statesOfRuns(pool, runs);
  return runs.filter((run) => states.get(run) === 'failed');
}

async function restart(durable: Durable, runs: readonly string[]): Promise<number> {
  let restarted = 0;
  for (const run of runs) {
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

function providerOf({ differential }: TakeUpPorts, id: string): DifferentialProvider {
  const provider = differential.providers.find((candidate) => candidate.id === id);
  check(provider, `no provider ${id}`);
  return provider;
}
