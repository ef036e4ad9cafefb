import { setImmediate as nextTurn } from 'node:timers/promises';
import { storableText } from '../kernel/exact-json.ts';
import type { PoolClient, Queryable } from '../platform/database/pool.ts';
import { query } from '../platform/database/pool.ts';
import type { MisfirePolicy, Schedule, SlotReason, SlotState } from './schedule-rows.ts';

/** A slot that is not over yet. */
export type OpenSlot = {
  readonly scheduleId: bigint;
  /** The schedule's name, and its job. */
  readonly schedule: string;
  readonly job: string;
  readonly nominalAt: Temporal.Instant;
  readonly kind: 'clock' | 'hand';
  readonly state: Extract<SlotState, 'held' | 'queued' | 'claimed' | 'running'>;
  readonly reason: SlotReason | null;
  /** More than one: a row for many, which is never run itself. */
  readonly slots: number;
  readonly firstAt: Temporal.Instant | null;
  readonly runId: string | null;
  readonly makesUpAt: Temporal.Instant | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly who: string;
  readonly claimedBy: string | null;
  readonly claimedAt: Temporal.Instant | null;
  readonly startedAt: Temporal.Instant | null;
  readonly misfire: MisfirePolicy;
  readonly lateAfterSeconds: number | null;
  readonly longAfterSeconds: number | null;
};

/** Slots that were due: the latest of them, and what was before in one. */
export type DueSlots = {
  readonly slots: readonly Temporal.Instant[];
  readonly before?: { readonly first: Temporal.Instant; readonly last: Temporal.Instant; readonly count: number };
};

/** So many missed slots have a row each; those before them share one. */
const ownRowsMost = 500;
/** Above this a row says at least how many. */
const countedMost = 100_000;
const countedPerTurn = 500;
/** So many of each schedule are looked at; who decides on one of them sees all. */
const openMost = 500;

/** Counts due slots, without keeping the process from its other work where they are many. */
export async function collectDue(moments: Iterable<Temporal.Instant>): Promise<DueSlots> {
  const slots: Temporal.Instant[] = [];
  let before: { first: Temporal.Instant; last: Temporal.Instant; count: number } | undefined;
  let counted = 0;
  for (const at of moments) {
    counted += 1;
    if (counted % countedPerTurn === 0) await nextTurn();
    slots.push(at);
    if (slots.length <= ownRowsMost) continue;
    const oldest = slots.shift() as Temporal.Instant;
    before = { first: before?.first ?? oldest, last: oldest, count: (before?.count ?? 0) + 1 };
    if (counted >= countedMost) break;
  }
  return before === undefined ? { slots } : { slots, before };
}

/** The latest slot of the clock that has a row: those after it are still to be decided on. */
export async function lastSlotOf(db: Queryable, scheduleId: bigint): Promise<Temporal.Instant | undefined> {
  const [row] = await query<{ last: Date | null }>(
    db,
    `select max(nominal_at) as last from schedule_slot where schedule_id = $1 and kind = 'clock'`,
    [scheduleId],
  );
  return row?.last?.toTemporalInstant();
}

/** The latest slot of the clock of each schedule, where it has one. */
export async function lastSlots(db: Queryable): Promise<Map<bigint, Temporal.Instant>> {
  const rows = await query<{ id: bigint; last: Date }>(
    db,
    `select s.schedule_id as id, l.nominal_at as last
       from schedule s cross join lateral (
         select nominal_at from schedule_slot where schedule_id = s.schedule_id and kind = 'clock'
          order by nominal_at desc limit 1) l
      where removed_at is null`,
  );
  return new Map(rows.map(({ id, last }) => [id, last.toTemporalInstant()]));
}

type OpenRow = { [Key in keyof OpenSlot]: OpenSlot[Key] extends Temporal.Instant | null ? Date | null : OpenSlot[Key] };

/**
 * Slots that are not over, oldest first: of one schedule, or some of each, those before the others that are not held. A long
 * pause of one keeps nothing of another from being seen.
 */
export async function openSlots(db: Queryable, scheduleId?: bigint): Promise<OpenSlot[]> {
  const rows = await query<OpenRow & { nominalAt: Date }>(
    db,
    `select s.schedule_id as "scheduleId", s.name as schedule, s.job, nominal_at as "nominalAt", kind, state, o.reason, slots,
            first_at as "firstAt", run_id as "runId", makes_up_at as "makesUpAt", o.parameters, who,
            claimed_by as "claimedBy", claimed_at as "claimedAt", started_at as "startedAt", s.misfire,
            s.late_after_s as "lateAfterSeconds", s.long_after_s as "longAfterSeconds"
       from schedule s cross join lateral (
         select * from schedule_slot w
          where w.schedule_id = s.schedule_id and state in ('held', 'queued', 'claimed', 'running')
          order by state = 'held', nominal_at limit $2) o
      where $1::bigint is null or s.schedule_id = $1
      order by s.schedule_id, nominal_at`,
    [scheduleId ?? null, scheduleId === undefined ? openMost : countedMost],
  );
  const instant = (date: Date | null) => date?.toTemporalInstant() ?? null;
  return rows.map((row) => ({
    ...row,
    nominalAt: row.nominalAt.toTemporalInstant(),
    firstAt: instant(row.firstAt),
    makesUpAt: instant(row.makesUpAt),
    claimedAt: instant(row.claimedAt),
    startedAt: instant(row.startedAt),
  }));
}

export type SlotToNote = {
  readonly at: Temporal.Instant;
  readonly state: SlotState;
  readonly reason?: SlotReason;
  readonly madeUpBy?: Temporal.Instant;
  readonly makesUp?: Temporal.Instant;
  readonly runId?: string;
};

/** Writes what became of slots of the clock, or of those that were held or queued before. By the set, however many. */
export async function noteSlots(
  tx: PoolClient,
  { id, parameters }: Pick<Schedule, 'id' | 'parameters'>,
  notes: readonly SlotToNote[],
  by: { readonly executorId: string; readonly now: Temporal.Instant },
): Promise<void> {
  if (notes.length === 0) return;
  const text = (of: (note: SlotToNote) => Temporal.Instant | string | undefined) =>
    notes.map((note) => of(note)?.toString() ?? null);
  await tx.query(
    `insert into schedule_slot as s (schedule_id, nominal_at, kind, state, reason, made_up_by, makes_up_at, run_id,
       parameters, who, claimed_by, claimed_at, ended_at)
     select $1, g.at, 'clock', g.state, g.reason, g.made_up_by, g.makes_up, g.run_id, $8, 'system:scheduler',
            case when g.state = 'claimed' then $9 end, case when g.state = 'claimed' then $10::timestamptz end,
            case when g.state = 'missed' then clock_timestamp() end
       from unnest($2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
         as g (at, state, reason, made_up_by, makes_up, run_id)
     on conflict (schedule_id, nominal_at) do update
        set state = excluded.state, reason = coalesce(excluded.reason, s.reason), made_up_by = excluded.made_up_by,
            makes_up_at = coalesce(excluded.makes_up_at, s.makes_up_at), run_id = excluded.run_id,
            claimed_by = excluded.claimed_by, claimed_at = excluded.claimed_at, ended_at = excluded.ended_at
      where s.state in ('held', 'queued')`,
    [
      id,
      text(({ at }) => at),
      text(({ state }) => state),
      text(({ reason }) => reason),
      text(({ madeUpBy }) => madeUpBy),
      text(({ makesUp }) => makesUp),
      text(({ runId }) => runId),
      parameters,
      by.executorId,
      by.now.toString(),
    ],
  );
}

/** One row for many slots that are missed, or held. */
export async function noteTogether(
  tx: PoolClient,
  scheduleId: bigint,
  before: DueSlots['before'],
  as: { readonly state: 'missed' | 'held'; readonly reason: SlotReason },
): Promise<void> {
  if (before === undefined) return;
  await tx.query(
    `insert into schedule_slot (schedule_id, nominal_at, kind, state, reason, slots, first_at, who, ended_at)
     values ($1, $2, 'clock', $3, $4, $5, $6, 'system:scheduler', case when $3 = 'missed' then clock_timestamp() end)
     on conflict do nothing`,
    [scheduleId, before.last.toString(), as.state, as.reason, before.count, before.first.toString()],
  );
}

/** 변경. Notes that what was due by a schedule's old times, was held or waited will not run, because it was changed. */
export async function noteChanged(
  tx: PoolClient,
  schedule: Schedule,
  dueAfter: (after: Temporal.Instant) => Iterable<Temporal.Instant>,
): Promise<void> {
  const reason = 'changed' as const;
  if (schedule.enabled) {
    const due = await collectDue(dueAfter(latest(schedule.fromAt, await lastSlotOf(tx, schedule.id))));
    await noteTogether(tx, schedule.id, due.before, { state: 'missed', reason });
    const missed = due.slots.map((at) => ({ at, state: 'missed' as const, reason }));
    await noteSlots(tx, schedule, missed, { executorId: '', now: schedule.fromAt });
  }
  await tx.query(
    `update schedule_slot set state = 'missed', reason = $2, ended_at = clock_timestamp()
      where schedule_id = $1 and state in ('held', 'queued')`,
    [schedule.id, reason],
  );
}

/** Gives a slot that waited its run and its node. False where somebody else did. */
export async function claimWaiting(
  tx: PoolClient,
  slot: Pick<OpenSlot, 'scheduleId' | 'nominalAt'>,
  claim: { readonly runId: string; readonly executorId: string; readonly now: Temporal.Instant },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update schedule_slot set state = 'claimed', run_id = $3, claimed_by = $4, claimed_at = $5
      where schedule_id = $1 and nominal_at = $2 and state in ('held', 'queued')`,
    [slot.scheduleId, slot.nominalAt.toString(), claim.runId, claim.executorId, claim.now.toString()],
  );
  return rowCount === 1;
}

/** Takes a slot over whose node has not started it; false where another node did, or it was started after all. */
export async function adoptSlot(
  db: Queryable,
  slot: Pick<OpenSlot, 'scheduleId' | 'nominalAt' | 'claimedAt'>,
  by: { readonly executorId: string; readonly now: Temporal.Instant },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update schedule_slot set claimed_by = $3, claimed_at = $4
      where schedule_id = $1 and nominal_at = $2 and state = 'claimed' and claimed_at is not distinct from $5::timestamptz`,
    [slot.scheduleId, slot.nominalAt.toString(), by.executorId, by.now.toString(), slot.claimedAt?.toString() ?? null],
  );
  return rowCount === 1;
}

/** The run of a claimed slot is in the engine's hands. */
export async function noteStarted(
  db: Queryable,
  slot: Pick<OpenSlot, 'scheduleId' | 'nominalAt'>,
  now: Temporal.Instant,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update schedule_slot set state = 'running', started_at = $3
      where schedule_id = $1 and nominal_at = $2 and state = 'claimed'`,
    [slot.scheduleId, slot.nominalAt.toString(), now.toString()],
  );
  return rowCount === 1;
}

/** What a slot's run came to; false where that was noted before. */
export async function noteEnded(
  db: Queryable,
  slot: Pick<OpenSlot, 'scheduleId' | 'nominalAt'>,
  end: {
    readonly state: Extract<SlotState, 'done' | 'failed' | 'cancelled' | 'missed'>;
    readonly at: Temporal.Instant;
    readonly error?: string | undefined;
    readonly reason?: SlotReason;
  },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update schedule_slot set state = $3, ended_at = $4, error = $5, reason = coalesce($6, reason)
      where schedule_id = $1 and nominal_at = $2 and state in ('claimed', 'running')`,
    [
      slot.scheduleId,
      slot.nominalAt.toString(),
      end.state,
      end.at.toString(),
      end.error === undefined ? null : storableText(end.error.slice(0, 1000)),
      end.reason ?? null,
    ],
  );
  return rowCount === 1;
}

export function latest(one: Temporal.Instant, other: Temporal.Instant | undefined): Temporal.Instant {
  return other === undefined || Temporal.Instant.compare(one, other) >= 0 ? one : other;
}
