import { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { z } from 'zod';
import { parseDay, seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import type { Durable, Handle } from '../platform/durable/durable.ts';
import { showRun, statesOfRuns } from '../platform/durable/runs.ts';
import { runId, step, transaction } from '../platform/durable/step.ts';
import { type BackfillRequest, beginDay, endDay, openBackfill, resumeDay } from './backfill-store.ts';
import type { Job, JobCall, Jobs } from './job.ts';

export type BackfillPorts = {
  readonly pool: Pool;
  /** Known when the first backfill is asked for: the jobs of this process are collected after they are registered. */
  jobs(): Jobs;
  now(): Temporal.Instant;
};

export type BackfillAsked = Pick<BackfillRequest, 'job' | 'from' | 'to' | 'parallel' | 'who' | 'reason'> & {
  readonly parameters: Readonly<Record<string, unknown>>;
};

export type BackfillResult = { readonly done: number; readonly failed: number; readonly cancelled: number };

export type Backfills = {
  /**
   * Begins a backfill and returns its run, which goes on whatever becomes of this process.
   * @throws Problem `not_found` of the job, `usage` of its parameters, `backfill_refused` of its days
   */
  start(asked: BackfillAsked): Promise<Handle<BackfillResult>>;
};

type Written = BackfillRequest & {
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The time of day of the slots: that of the asking, so that no slot of a schedule is met. */
  readonly time: string;
};
type LaneRequest = { readonly backfill: Written; readonly days: readonly string[] };
type LaneResult = { readonly ends: readonly ('done' | 'failed' | 'cancelled')[] };

/** More than a year at once is asked for by mistake. */
const daysMost = 400;
export const parallelMost = 16;
/** The database may be away for a while; a job's own failure is no failure of the step that waits for it. */
const tries = { attempts: 8, firstWaitMs: 500 };

/** 소급 실행. Registers its workflows; call before the engine is launched. */
export function registerBackfills(durable: Durable, ports: BackfillPorts): Backfills {
  // Runs of the days are runs of their own, as if a schedule had begun them: begun outside of the step that begins them.
  const outside = new AsyncResource('backfill');
  const lane = durable.register('backfill-lane', (request: LaneRequest) =>
    goThrough({ ...ports, durable, outside: (work) => outside.runInAsyncScope(work) }, request),
  );
  const workflow = durable.register('backfill', async (request: Written): Promise<BackfillResult> => {
    const days = daysOf(request);
    await transaction('open', (tx) => openBackfill(tx, request));
    const lanes: Handle<LaneResult>[] = [];
    for (let first = 0; first < Math.min(request.parallel, days.length); first += 1) {
      const own = days.filter((_, n) => n % request.parallel === first);
      lanes.push(await durable.start(lane, `${runId()}/${first + 1}`, { backfill: request, days: own }));
    }
    const ends = await Promise.allSettled(lanes.map((handle) => handle.result()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const all = ends.flatMap((end) => (end.status === 'fulfilled' ? end.value.ends : []));
    const count = (state: LaneResult['ends'][number]) => all.filter((each) => each === state).length;
    return { done: count('done'), failed: count('failed'), cancelled: count('cancelled') };
  });
  return {
    async start({ parameters, ...asked }) {
      const time = ports.now().toZonedDateTimeISO(seoul).toPlainTime().toString({ smallestUnit: 'millisecond' });
      const job = ports.jobs().named(asked.job);
      readParameters(job, parameters);
      refuseDays(asked, ports.now().toZonedDateTimeISO(seoul).toPlainDate());
      refuseSlots(job, { ...asked, time });
      const id = `backfill:${asked.job}:${asked.from}..${asked.to}:${randomUUID().slice(0, 8)}`;
      return await durable.start(workflow, id, { ...asked, id, parameters, time });
    },
  };
}

type LanePorts = BackfillPorts & {
  readonly durable: Pick<Durable, 'restart'>;
  outside<T>(work: () => Promise<T>): Promise<T>;
};

/** One day after the other. A day that fails is one outcome and does not keep the next from its turn. */
async function goThrough(ports: LanePorts, { backfill, days }: LaneRequest): Promise<LaneResult> {
  const ends: ('done' | 'failed' | 'cancelled')[] = [];
  for (const on of days) {
    const run = await transaction(`begin ${on}`, async (tx) => {
      const { job, call } = callOf(ports, backfill, on);
      return await beginDay(tx, backfill.id, on, await job.runId(tx, call));
    });
    ends.push(await step(`run ${on}`, () => carryOut(ports, backfill, on, run), { retries: tries }));
  }
  return { ends };
}

/**
 * Begins the day's run, or finds it, and waits for its end. Whoever takes over waits for the same run; one that was
 * cancelled with its backfill goes on when that is restarted.
 */
async function carryOut(
  ports: LanePorts,
  backfill: Written,
  on: string,
  run: string,
): Promise<LaneResult['ends'][number]> {
  const { pool } = ports;
  const { job, call } = callOf(ports, backfill, on);
  const refused = await ports.outside(async () => {
    if ((await statesOfRuns(pool, [run])).get(run) === 'cancelled') {
      await resumeDay(pool, backfill.id, on);
      await ports.durable.restart(run);
    }
    const begun = await begin(job, run, call);
    if (isProblem(begun)) return begun;
    // How it ended is asked of its record: an error here may only say that this process waits no more.
    await begun.done.catch(() => {});
    return undefined;
  });
  if (refused !== undefined) {
    await job.abandon?.(pool, run);
    await endDay(pool, backfill.id, on, { state: 'failed', problem: { code: refused.code, message: refused.message } });
    return 'failed';
  }
  const { state, error } = await showRun(pool, run);
  check(state !== 'running' && state !== 'waiting', `${run} is not over`);
  const problem = error && { message: error.message, ...(error.code === undefined ? {} : { code: error.code }) };
  const end = state === 'exhausted' ? 'failed' : state;
  await endDay(pool, backfill.id, on, { state: end, problem: end === 'done' ? null : (problem ?? { message: state }) });
  return end;
}

/** A refusal is what the day came to; what else keeps it from beginning is tried again. */
async function begin(
  job: Job,
  run: string,
  call: JobCall<unknown>,
): Promise<Awaited<ReturnType<Job['start']>> | Problem> {
  try {
    return await job.start(run, call);
  } catch (error) {
    if (isProblem(error)) return error;
    throw error;
  }
}

function callOf({ jobs }: BackfillPorts, backfill: Written, on: string): { job: Job; call: JobCall<unknown> } {
  const job = jobs().named(backfill.job);
  const day = parseDay(on);
  check(day, `${on} is a day`);
  const slot = slotOf(day, backfill.time);
  const parameters = readParameters(job, backfill.parameters);
  return { job, call: { schedule: 'backfill', slot, on: day, parameters, who: backfill.who } };
}

/**
 * A job that looks so many days back from its slot looks at the backfill's day itself, unless somebody says otherwise.
 * @throws Problem `usage`
 */
function readParameters(job: Job, parameters: Readonly<Record<string, unknown>>): unknown {
  const ofTheDay = job.parameters.safeParse({ daysBack: 0, ...parameters });
  const read = ofTheDay.success ? ofTheDay : job.parameters.safeParse(parameters);
  if (!read.success) throw new Problem('usage', { reason: issuesText(read.error) });
  return read.data;
}

function issuesText({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

function daysOf({ from, to }: Pick<BackfillRequest, 'from' | 'to'>): string[] {
  const days: string[] = [];
  const last = Temporal.PlainDate.from(to);
  for (
    let day = Temporal.PlainDate.from(from);
    Temporal.PlainDate.compare(day, last) <= 0;
    day = day.add({ days: 1 })
  ) {
    days.push(day.toString());
  }
  return days;
}

/** @throws Problem `usage` where the job cannot run at such a time: one that lives by its slots has nothing to catch up. */
function refuseSlots(job: Job, { from, to, time }: Pick<Written, 'from' | 'to' | 'time'>): void {
  for (const on of daysOf({ from, to })) {
    const reason = job.refuses?.(slotOf(Temporal.PlainDate.from(on), time));
    if (reason !== undefined) throw new Problem('usage', { reason: `${job.name} ${on}: ${reason}` });
  }
}

function slotOf(on: Temporal.PlainDate, time: string): Temporal.Instant {
  return on.toZonedDateTime({ timeZone: seoul, plainTime: time }).toInstant();
}

/** @throws Problem `backfill_refused`, `usage` */
function refuseDays(
  { from, to, parallel }: Pick<BackfillRequest, 'from' | 'to' | 'parallel'>,
  today: Temporal.PlainDate,
): void {
  const [first, last] = [parseDay(from), parseDay(to)];
  const days = first !== undefined && last !== undefined ? last.since(first).days + 1 : 0;
  const isToCome = last !== undefined && Temporal.PlainDate.compare(last, today) > 0;
  if (days < 1 || days > daysMost || isToCome) throw new Problem('backfill_refused', { from, to, most: daysMost });
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > parallelMost) {
    throw new Problem('usage', { reason: `parallel ${parallel} (1–${parallelMost})` });
  }
}
