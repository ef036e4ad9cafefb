import type { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import type { Pool, PoolClient, Queryable } from '../platform/database/pool.ts';
import type { Durable } from '../platform/durable/durable.ts';

/** What a slot asks a job for. */
export type JobCall<Parameters> = {
  /** The schedule's name. */
  readonly schedule: string;
  /** The nominal time: the run is for this moment, whenever it starts. */
  readonly slot: Temporal.Instant;
  /** The slot's day in Seoul. */
  readonly on: Temporal.PlainDate;
  readonly parameters: Parameters;
  /** `system:scheduler`, or the person who wanted it now. */
  readonly who: string;
  /** Where slots were missed and this one runs for all of them: the first of them. */
  readonly makesUp?: Temporal.Instant;
};

/**
 * 작업. Something that a schedule can start. A job is safe to start twice: a node that was killed between the slot's row
 * and the run's start leaves both to another one.
 */
export type Job<Parameters = unknown> = {
  /** kebab-case, never changed: schedules name it. */
  readonly name: string;
  readonly words: { readonly ko: string; readonly en: string };
  /** An object; defaults filled in. */
  readonly parameters: z.ZodType<Parameters>;
  /** Why this job cannot run at such a slot; undefined where it can. Asked when a schedule is made or changed. */
  readonly refuses?: (slot: Temporal.Instant) => string | undefined;
  /** The id of the run that serves the slot, asked for once, in the transaction that writes the slot's row. */
  runId(tx: PoolClient, call: JobCall<Parameters>): Promise<string>;
  /** Whether somebody has had done since then what the slot would have asked for, in whatever way; a backfill is seen by itself. */
  readonly wasDone?: (pool: Pool, call: JobCall<Parameters>, since: Temporal.Instant) => Promise<boolean>;
  /** Nobody will start the run of that id after all: nothing that `runId` wrote of it is left open. */
  readonly abandon?: (db: Queryable, runId: string) => Promise<void>;
  /** Starts the run of that id, or finds it. `done` settles with the run's end. */
  start(runId: string, call: JobCall<Parameters>): Promise<{ readonly done: Promise<unknown> }>;
};

/** 작업 목록. The jobs of this process, by their names. */
export type Jobs = {
  readonly all: readonly Job[];
  /** @throws Problem `not_found` */
  named(name: string): Job;
};

export function collectJobs(all: readonly Job[]): Jobs {
  check(new Set(all.map(({ name }) => name)).size === all.length, 'two jobs have one name');
  return {
    all,
    named(name) {
      const job = all.find((candidate) => candidate.name === name);
      if (job === undefined) throw new Problem('not_found', { what: 'job', id: name });
      return job;
    },
  };
}

/** A job's parameters are forgotten where jobs are collected: they are read by its own schema before it sees them. */
export function anyJob<Parameters>(job: Job<Parameters>): Job {
  return job as unknown as Job;
}

type WrittenCall<Parameters> = {
  readonly schedule: string;
  readonly slot: string;
  readonly on: string;
  readonly parameters: Parameters;
  readonly who: string;
  readonly makesUp?: string;
};

/**
 * Makes a job of a durable workflow of its own: `body` is its steps, its run is `<name>:<slot>`, such as
 * `retention:2026-11-20T04:00+09:00`, with the schedule behind the name where it is called otherwise: two schedules of a job
 * may come at the same moment and ask for different things. Call before the engine is launched. `parameters` is read by its
 * schema before.
 */
export function registerJob<Parameters>(
  durable: Pick<Durable, 'register' | 'start'>,
  job: Pick<Job<Parameters>, 'name' | 'words' | 'parameters' | 'refuses' | 'wasDone'>,
  body: (call: JobCall<Parameters>) => Promise<unknown>,
): Job {
  const workflow = durable.register(job.name, (call: WrittenCall<Parameters>) => body(readCall(call)));
  return anyJob<Parameters>({
    ...job,
    runId: async (_, { schedule, slot }) =>
      `${schedule === job.name ? job.name : `${job.name}:${schedule}`}:${slotText(slot)}`,
    async start(runId, call) {
      const handle = await durable.start(workflow, runId, writeCall(call));
      return { done: handle.result() };
    },
  });
}

/** `2026-11-20T12:05+09:00`: seconds and less only where there are any. */
export function slotText(slot: Temporal.Instant): string {
  const local = slot.toZonedDateTimeISO(seoul);
  const isWhole = slot.epochMilliseconds % 60_000 === 0;
  return `${local.toPlainDateTime().toString(isWhole ? { smallestUnit: 'minute' } : {})}${local.offset}`;
}

function writeCall<Parameters>({ slot, on, makesUp, ...rest }: JobCall<Parameters>): WrittenCall<Parameters> {
  const first = makesUp === undefined ? {} : { makesUp: makesUp.toString() };
  return { ...rest, slot: slot.toString(), on: on.toString(), ...first };
}

function readCall<Parameters>({ slot, on, makesUp, ...rest }: WrittenCall<Parameters>): JobCall<Parameters> {
  const first = makesUp === undefined ? {} : { makesUp: Temporal.Instant.from(makesUp) };
  return { ...rest, slot: Temporal.Instant.from(slot), on: Temporal.PlainDate.from(on), ...first };
}
