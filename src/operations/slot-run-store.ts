import { closeFinding, openFinding } from '../findings/store.ts';
import { isProblem } from '../kernel/problem.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import type { RunState } from '../platform/durable/runs.ts';
import { type ClaimedSlot, callOf, graceMs } from './due-store.ts';
import type { Jobs } from './job.ts';
import { endsWithNextSlot } from './missed-store.ts';
import { type SlotState, scheduleFindings } from './schedule-rows.ts';
import { adoptSlot, noteEnded, noteStarted, type OpenSlot } from './slot-store.ts';

export type SlotRunPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly jobs: Jobs;
  readonly executorId: string;
  now(): Temporal.Instant;
  statesOfRuns(pool: Pool, runIds: readonly string[]): Promise<Map<string, RunState>>;
  /** The runs whose end this process waits for, and whether it told of their length. */
  readonly following: Map<string, boolean>;
  /** Counts work that is under way, so that the end waits for it. */
  track<T>(doing: Promise<T>): Promise<T>;
  ended?(job: string): Promise<void>;
};

/** A claim that is so old was left behind by a node that was killed, or that could not reach the database. */
const adoptAfterMs = 2_000;
/** A running slot whose run the engine does not know for so long has lost it. */
const unknownAfterMs = 60_000;

/** Starts the run of a claimed slot and follows it to its end. A refusal is the slot's end; what else fails is tried again. */
export async function startSlot(ports: SlotRunPorts, slot: ClaimedSlot): Promise<void> {
  const { pool, log, jobs } = ports;
  const { call, runId, nominalAt } = slot;
  try {
    const { done } = await jobs.named(slot.job).start(runId, call);
    // Nobody may be listening yet when it fails.
    done.catch(() => {});
    const now = ports.now();
    await noteStarted(pool, slot, now);
    follow(ports, { ...slot, schedule: call.schedule }, done);
    await tellStart(pool, slot, now.since(nominalAt).total('seconds'));
  } catch (error) {
    if (!isProblem(error)) {
      log.warn({ schedule: call.schedule, run: runId, err: error }, 'a slot could not be started yet');
      return;
    }
    await refuse(ports, { ...slot, schedule: call.schedule }, error.message);
  }
}

/** A slot whose run is not begun, because it cannot be. */
async function refuse(ports: SlotRunPorts, slot: Followed, reason: string): Promise<void> {
  await ports.jobs.named(slot.job).abandon?.(ports.pool, slot.runId);
  await end(ports, slot, 'failed', reason);
}

type Followed = Pick<OpenSlot, 'scheduleId' | 'nominalAt' | 'schedule' | 'job'> & { readonly runId: string };

function follow(ports: SlotRunPorts, slot: Followed, done: Promise<unknown>): void {
  const { pool, log, following, track } = ports;
  following.set(slot.runId, false);
  const finish = async (error?: unknown) => {
    try {
      const state = endOf((await ports.statesOfRuns(pool, [slot.runId])).get(slot.runId));
      // A run that left this process goes on elsewhere, and whoever looks finds its end.
      if (state !== undefined) await end(ports, slot, state, error === undefined ? undefined : messageOf(error));
    } catch (fault) {
      log.debug({ run: slot.runId, err: fault }, 'the end of a slot is noted by whoever looks next');
    } finally {
      following.delete(slot.runId);
    }
  };
  void done.then(
    () => track(finish()),
    (error: unknown) => track(finish(error)),
  );
}

/**
 * Looks after slots that are not over: starts those that were claimed and left, notes the end of runs that nobody here
 * follows, and tells of those that take too long.
 */
export async function lookAfter(
  ports: SlotRunPorts,
  open: readonly OpenSlot[],
  begin: (slot: ClaimedSlot) => Promise<void>,
): Promise<void> {
  const { pool, following } = ports;
  const now = ports.now();
  const left = open.filter((slot) => isLeft(slot, now) && !following.has(slot.runId ?? ''));
  const states = await ports.statesOfRuns(
    pool,
    left.flatMap(({ runId }) => runId ?? []),
  );
  for (const slot of left) {
    const state = states.get(slot.runId ?? '');
    const work =
      slot.state === 'claimed'
        ? adopt(ports, slot, state, begin)
        : noteRun(ports, { ...slot, runId: slot.runId ?? '' }, state, now);
    // One that cannot be looked after keeps no other from it.
    await work.catch((error: unknown) => {
      ports.log.error({ schedule: slot.schedule, run: slot.runId, err: error }, 'a slot could not be looked after');
    });
  }
  for (const slot of open) await tellLong(ports, slot, now);
}

function isLeft({ state, claimedAt }: OpenSlot, now: Temporal.Instant): boolean {
  if (state === 'running') return true;
  return state === 'claimed' && (claimedAt === null || now.since(claimedAt).total('milliseconds') >= adoptAfterMs);
}

async function adopt(
  ports: SlotRunPorts,
  slot: OpenSlot,
  state: RunState | undefined,
  begin: (slot: ClaimedSlot) => Promise<void>,
): Promise<void> {
  const { pool, log, executorId } = ports;
  const now = ports.now();
  const job = ports.jobs.all.find(({ name }) => name === slot.job);
  const { runId, nominalAt, makesUpAt, who } = slot;
  if (job === undefined || runId === null || !(await adoptSlot(pool, slot, { executorId, now }))) return;
  if (state !== undefined) return void (await noteStarted(pool, slot, now));
  if (slot.misfire === 'skip' && slot.kind === 'clock' && now.since(nominalAt).total('milliseconds') > graceMs) {
    return await inTransaction(pool, async (tx) => {
      await noteEnded(tx, slot, { state: 'missed', at: now, reason: 'stopped' });
      await job.abandon?.(tx, runId);
      const finding = { kind: scheduleFindings.missed, subject: slot.schedule, audience: 'operations' as const };
      await openFinding(tx, { ...finding, detail: { job: slot.job, slots: 1, first: `${nominalAt}` } });
    });
  }
  log.warn({ schedule: slot.schedule, run: runId, from: slot.claimedBy }, 'a slot that a node left is started');
  const parsed = job.parameters.safeParse(slot.parameters);
  if (!parsed.success) return await refuse(ports, { ...slot, runId }, parsed.error.message);
  const asked = { name: slot.schedule, parameters: slot.parameters };
  const call = callOf(asked, job, { nominalAt, makesUp: makesUpAt ?? undefined, who });
  const { scheduleId, lateAfterSeconds, misfire } = slot;
  await begin({ scheduleId, nominalAt, runId, job: job.name, call, lateAfterSeconds, misfire, isAfterMissed: true });
}

async function noteRun(
  ports: SlotRunPorts,
  slot: OpenSlot & Followed,
  state: RunState | undefined,
  now: Temporal.Instant,
): Promise<void> {
  const ended = endOf(state);
  if (ended !== undefined) return await end(ports, slot, ended, undefined);
  const isLost = slot.startedAt !== null && now.since(slot.startedAt).total('milliseconds') > unknownAfterMs;
  if (state === undefined && isLost) await end(ports, slot, 'failed', 'the engine does not know the run');
}

type Ended = Extract<SlotState, 'done' | 'failed' | 'cancelled'>;

function endOf(state: RunState | undefined): Ended | undefined {
  if (state === 'done' || state === 'failed' || state === 'cancelled') return state;
  return state === 'exhausted' ? 'failed' : undefined;
}

async function end(ports: SlotRunPorts, slot: Followed, state: Ended, error: string | undefined): Promise<void> {
  const { pool } = ports;
  const { schedule: subject, job, runId } = slot;
  if (!(await noteEnded(pool, slot, { state, at: ports.now(), error }))) return;
  await closeFinding(pool, { kind: scheduleFindings.long, subject, by: runId });
  if (state === 'done') await closeFinding(pool, { kind: scheduleFindings.failed, subject, by: runId });
  if (state === 'failed') {
    const detail = { job, run: runId, slot: `${slot.nominalAt}`, reason: error ?? '' };
    await openFinding(pool, { kind: scheduleFindings.failed, subject, audience: 'operations', detail });
  }
  await ports.ended?.(job);
}

/** Slots of a schedule cannot even be decided on; told until one of its runs goes through. */
export async function tellUndecided(
  pool: Pool,
  schedule: { name: string; job: string },
  reason: string,
): Promise<void> {
  const finding = { kind: scheduleFindings.failed, subject: schedule.name, audience: 'operations' as const };
  await openFinding(pool, { ...finding, detail: { job: schedule.job, reason } });
}

/** A start at its time ends what was told of late and skipped ones, and of those that were missed to be left out. */
async function tellStart(pool: Pool, slot: ClaimedSlot, lateSeconds: number): Promise<void> {
  const { call, lateAfterSeconds, runId } = slot;
  const subject = call.schedule;
  if (call.who !== 'system:scheduler') return;
  if (lateAfterSeconds !== null && lateSeconds > lateAfterSeconds) {
    const detail = { job: slot.job, run: runId, slot: `${slot.nominalAt}`, lateSeconds: Math.round(lateSeconds) };
    await openFinding(pool, { kind: scheduleFindings.late, subject, audience: 'operations', detail });
    return;
  }
  if (slot.isAfterMissed || lateSeconds * 1000 > graceMs) return;
  const over = [scheduleFindings.late, scheduleFindings.skipped];
  for (const kind of endsWithNextSlot(slot.misfire) ? [...over, scheduleFindings.missed] : over) {
    await closeFinding(pool, { kind, subject, by: runId });
  }
}

async function tellLong({ pool, following }: SlotRunPorts, slot: OpenSlot, now: Temporal.Instant): Promise<void> {
  const { schedule: subject, longAfterSeconds, startedAt, runId } = slot;
  if (slot.state !== 'running' || longAfterSeconds === null || startedAt === null || runId === null) return;
  // Told once by the node that follows it; a run that nobody follows any more is taken over, or noted as ended.
  if (following.get(runId) !== false) return;
  const seconds = now.since(startedAt).total('seconds');
  if (seconds <= longAfterSeconds) return;
  following.set(runId, true);
  const detail = { job: slot.job, run: runId, slot: `${slot.nominalAt}`, seconds: Math.round(seconds) };
  await openFinding(pool, { kind: scheduleFindings.long, subject, audience: 'operations', detail });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
