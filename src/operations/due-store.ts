import { businessCalendar } from '../calendar/store.ts';
import { openFinding } from '../findings/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { inTransaction, type Pool, type PoolClient } from '../platform/database/pool.ts';
import type { Job, JobCall, Jobs } from './job.ts';
import { planDue } from './misfire.ts';
import { occurrences } from './occurrence.ts';
import { type Pause, pauseOf, pausesInForce } from './pause-store.ts';
import { type Schedule, type SlotReason, scheduleFindings } from './schedule-rows.ts';
import { lockSchedule } from './schedule-store.ts';
import {
  claimWaiting,
  collectDue,
  type DueSlots,
  lastSlotOf,
  latest,
  noteSlots,
  noteTogether,
  type OpenSlot,
  openSlots,
  type SlotToNote,
} from './slot-store.ts';

export type DuePorts = {
  readonly pool: Pool;
  readonly jobs: Jobs;
  readonly executorId: string;
  /** The moment up to which slots have come: neither this node's clock nor the database's is before it. */
  now(tx: PoolClient): Promise<Temporal.Instant>;
};

/** A slot that this node has, and whose run it starts. */
export type ClaimedSlot = {
  readonly scheduleId: bigint;
  readonly nominalAt: Temporal.Instant;
  readonly runId: string;
  readonly job: string;
  readonly call: JobCall<unknown>;
  /** Late starts of these are told of. */
  readonly lateAfterSeconds: number | null;
  /** Others before it were missed just now: that it starts at its time does not make that good. */
  readonly isAfterMissed: boolean;
  readonly misfire: Schedule['misfire'];
};

/** All slots up to that moment have been decided on. */
export type Decided = { readonly upTo: Temporal.Instant; readonly claimed: readonly ClaimedSlot[] };

/** A slot that is so much late still counts as started at its time; only the latest may be. */
export const graceMs = 60_000;

/**
 * 슬롯 배정. Decides on all slots of a schedule whose time has come and that have no row yet, on those that were held while it
 * was paused, and on the one that has waited longest. One node does so at a time, and reads the schedule as it is then, so
 * that whoever comes second finds nothing left to do. What is claimed is returned: it is to be started at once.
 */
export async function decideDue(ports: DuePorts, scheduleId: bigint): Promise<Decided> {
  return await inTransaction(ports.pool, async (tx) => {
    const schedule = await lockSchedule(tx, scheduleId);
    const now = await ports.now(tx);
    const job = ports.jobs.all.find(({ name }) => name === schedule?.job);
    // A node of an older release leaves alone what it does not know.
    if (schedule === undefined || job === undefined) return { upTo: now, claimed: [] };
    const pause = pauseOf(await pausesInForce(tx, now), scheduleId);
    const due = await dueSlots(tx, schedule, now);
    const open = await openSlots(tx, scheduleId);
    const deciding: Deciding = { tx, ports, schedule, job, now, due, open };
    return { upTo: now, claimed: pause === undefined ? await decide(deciding) : await hold(deciding, pause) };
  });
}

type Deciding = {
  readonly tx: PoolClient;
  readonly ports: DuePorts;
  readonly schedule: Schedule;
  readonly job: Job;
  readonly now: Temporal.Instant;
  readonly due: DueSlots;
  readonly open: readonly OpenSlot[];
};

async function dueSlots(tx: PoolClient, schedule: Schedule, now: Temporal.Instant): Promise<DueSlots> {
  if (!schedule.enabled) return { slots: [] };
  const after = latest(schedule.fromAt, await lastSlotOf(tx, schedule.id));
  const holidays = await businessCalendar(tx);
  const upTo = function* () {
    for (const at of occurrences(schedule, after, holidays)) {
      if (Temporal.Instant.compare(at, now) > 0) return;
      yield at;
    }
  };
  return await collectDue(upTo());
}

/** Nothing starts: each slot has a row with the reason, and is decided on when the pause is over. */
async function hold(deciding: Deciding, { kind, since }: Pause): Promise<readonly ClaimedSlot[]> {
  const { tx, ports, schedule, due, now } = deciding;
  const because: SlotReason = kind === 'everything' ? 'maintenance' : 'paused';
  const reasonOf = (at: Temporal.Instant): SlotReason =>
    Temporal.Instant.compare(at, since) < 0 ? 'stopped' : because;
  const { before } = due;
  if (before !== undefined) {
    await noteTogether(tx, schedule.id, before, { state: 'held', reason: reasonOf(before.last) });
  }
  const held = due.slots.map((at) => ({ at, state: 'held' as const, reason: reasonOf(at) }));
  await noteSlots(tx, schedule, held, { executorId: ports.executorId, now });
  // Who wants a paused schedule to run now knows that it is paused; during maintenance that waits too.
  const wanted = kind === 'everything' ? undefined : await claimQueued(deciding, 'hand');
  return wanted === undefined ? [] : [wanted];
}

type Candidate = { readonly at: Temporal.Instant; readonly reason: SlotReason; readonly first?: Temporal.Instant };

async function decide(deciding: Deciding): Promise<readonly ClaimedSlot[]> {
  const { tx, ports, schedule, due, open, now } = deciding;
  const onTime = due.slots.findLast((at) => now.since(at).total('milliseconds') <= graceMs);
  const late: Candidate[] = [
    ...open.filter(({ state }) => state === 'held').map(heldCandidate),
    ...due.slots.filter((at) => at !== onTime).map((at) => ({ at, reason: 'stopped' as const })),
  ];
  const bundles = late.filter(({ first }) => first !== undefined);
  const single = late.filter(({ first }) => first === undefined);
  const punctual = onTime === undefined ? undefined : { at: onTime, reason: 'stopped' as const };
  const plan = planDue(schedule.misfire, schedule.misfireMost, single, punctual);
  await noteTogether(tx, schedule.id, due.before, { state: 'missed', reason: 'stopped' });
  const oldest = due.before?.first ?? bundles[0]?.first;
  const { claimed, notes } = await placeRuns(deciding, plan.run, oldest);
  const runs = (slot: Candidate) => notes.some(({ at, state }) => state !== 'missed' && at.equals(slot.at));
  const missed: SlotToNote[] = [
    ...bundles.map(({ at, reason }) => ({ at, state: 'missed' as const, reason })),
    ...plan.missed.map(({ slot, madeUpBy }) => ({
      at: slot.at,
      state: 'missed' as const,
      reason: slot.reason,
      ...(madeUpBy !== undefined && runs(madeUpBy) ? { madeUpBy: madeUpBy.at } : {}),
    })),
  ];
  await noteSlots(tx, schedule, [...missed, ...notes], { executorId: ports.executorId, now });
  const count = missed.length + (due.before?.count ?? 0);
  if (count > 0) await tell(deciding, 'missed', { slots: count, first: `${oldest ?? missed[0]?.at}` });
  if (notes.some(({ reason }) => reason === 'overlap')) await tell(deciding, 'skipped', { overlap: schedule.overlap });
  const waiting = claimed.length > 0 ? undefined : await claimQueued(deciding);
  if (waiting !== undefined) return [waiting];
  return claimed.map((slot) => ({ ...slot, isAfterMissed: count > 0 }));
}

function heldCandidate({ nominalAt, reason, slots, firstAt }: OpenSlot): Candidate {
  const first = slots > 1 && firstAt !== null ? { first: firstAt } : {};
  return { at: nominalAt, reason: reason ?? 'stopped', ...first };
}

/** Where each run goes: it starts now, waits for the one before it, or does not come about because that is not over. */
async function placeRuns(
  deciding: Deciding,
  runs: readonly { readonly slot: Candidate; readonly makesUp?: Candidate }[],
  oldest: Temporal.Instant | undefined,
): Promise<{ readonly claimed: readonly ClaimedSlot[]; readonly notes: readonly SlotToNote[] }> {
  const { schedule, open } = deciding;
  const isBusy = open.some(({ state }) => state === 'claimed' || state === 'running');
  const isQueued = open.some(({ state }) => state === 'queued');
  const claimed: ClaimedSlot[] = [];
  const notes: SlotToNote[] = [];
  for (const [n, { slot, makesUp }] of runs.entries()) {
    const first = makesUp === undefined ? undefined : (oldest ?? makesUp.at);
    const base = { at: slot.at, ...(first === undefined ? {} : { makesUp: first }) };
    // Of several the first starts and the others follow it, whatever the policy: they are not one another's overlap.
    const follows = n > 0;
    if (!follows && (schedule.overlap === 'allow' || !(isBusy || isQueued))) {
      const slotClaimed = await claimOf(deciding, slot.at, first);
      claimed.push(slotClaimed);
      notes.push({ ...base, state: 'claimed', runId: slotClaimed.runId });
    } else if (follows || runs.length > 1 || (schedule.overlap === 'queue_one' && !isQueued)) {
      notes.push({ ...base, state: 'queued' });
    } else {
      notes.push({ ...base, state: 'missed', reason: 'overlap' });
    }
  }
  return { claimed, notes };
}

/** The slot that has waited longest, once nothing of its schedule runs. */
async function claimQueued(deciding: Deciding, kind?: OpenSlot['kind']): Promise<ClaimedSlot | undefined> {
  const { tx, ports, schedule, open, now } = deciding;
  if (schedule.overlap !== 'allow' && open.some(({ state }) => state === 'claimed' || state === 'running')) return;
  const next = open.find((slot) => slot.state === 'queued' && (kind ?? slot.kind) === slot.kind);
  if (next === undefined) return;
  const { nominalAt, makesUpAt, parameters, who } = next;
  const asked = { ...schedule, parameters };
  const claimed = await claimOf({ ...deciding, schedule: asked }, nominalAt, makesUpAt ?? undefined, who);
  const isOurs = await claimWaiting(tx, next, { runId: claimed.runId, executorId: ports.executorId, now });
  return isOurs ? claimed : undefined;
}

async function claimOf(
  { tx, schedule, job }: Pick<Deciding, 'tx' | 'schedule' | 'job'>,
  nominalAt: Temporal.Instant,
  makesUp: Temporal.Instant | undefined,
  who = 'system:scheduler',
): Promise<ClaimedSlot> {
  const call = callOf(schedule, job, { nominalAt, makesUp, who });
  const { id, lateAfterSeconds, misfire } = schedule;
  const runId = await job.runId(tx, call);
  return {
    scheduleId: id,
    nominalAt,
    runId,
    job: job.name,
    call,
    lateAfterSeconds,
    isAfterMissed: makesUp !== undefined,
    misfire,
  };
}

/** What a slot asks its job for. */
export function callOf(
  { name, parameters }: Pick<Schedule, 'name' | 'parameters'>,
  job: Job,
  slot: {
    readonly nominalAt: Temporal.Instant;
    readonly makesUp: Temporal.Instant | undefined;
    readonly who: string;
  },
): JobCall<unknown> {
  const on = slot.nominalAt.toZonedDateTimeISO(seoul).toPlainDate();
  const first = slot.makesUp === undefined ? {} : { makesUp: slot.makesUp };
  return {
    schedule: name,
    slot: slot.nominalAt,
    on,
    parameters: job.parameters.parse(parameters),
    who: slot.who,
    ...first,
  };
}

async function tell(
  { tx, schedule }: Deciding,
  what: 'missed' | 'skipped',
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  const finding = { kind: scheduleFindings[what], subject: schedule.name, audience: 'operations' as const };
  await openFinding(tx, { ...finding, detail: { job: schedule.job, ...detail } });
}
