import { businessCalendar } from '../calendar/store.ts';
import type { Pool, PoolClient } from '../platform/database/pool.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import { type RunState, statesOfRuns } from '../platform/durable/runs.ts';
import { type ClockFault, createSteadyClock } from './clock.ts';
import { type ClaimedSlot, decideDue } from './due-store.ts';
import type { Jobs } from './job.ts';
import { nextOccurrences } from './occurrence.ts';
import { endOverPauses, type Pause, pauseOf, pausesInForce } from './pause-store.ts';
import type { Schedule } from './schedule-rows.ts';
import { listSchedules } from './schedule-store.ts';
import { lookAfter, startSlot, tellUndecided } from './slot-run-store.ts';
import { lastSlots, latest, type OpenSlot, openSlots } from './slot-store.ts';

/** Rings once after so long; the returned function calls it off. */
export type Timer = (afterMs: number, ring: () => void) => () => void;

export type SchedulerPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly jobs: Jobs;
  readonly executorId: string;
  /** This node's clock. */
  now(): Temporal.Instant;
  /** The database's. */
  databaseNow(db: Pool | PoolClient): Promise<Temporal.Instant>;
  /** Milliseconds since some moment, which no one sets. */
  readonly monotonicMs: () => number;
  readonly timer: Timer;
  /** How often is looked at what was changed elsewhere; a second where nothing is said. */
  readonly lookEveryMs?: number;
  /** What the engine knows of runs; those that it does not know are left out. */
  statesOfRuns(pool: Pool, runIds: readonly string[]): Promise<Map<string, RunState>>;
  /** The clock is off, or right again (null). */
  noteClock(fault: ClockFault | null): Promise<void>;
  /** A pause has ended by itself. */
  resumed(tx: PoolClient, pause: Pick<Pause, 'kind' | 'subject' | 'reason'>): Promise<void>;
  /** A slot's run has ended, here or elsewhere. */
  ended?(job: string): Promise<void>;
};

/** 스케줄러. What this node does so that every slot is started once, at its time. */
export type Scheduler = {
  /** Looks at once, beside the look of every second. */
  look(): Promise<void>;
  /** When nothing is being looked at or started here; runs go on. */
  idle(): Promise<void>;
  /** This node's clock less the database's. */
  clockAheadMs(): number;
  /** Starts nothing more. */
  stop(): Promise<void>;
};

const lookEveryDefaultMs = 1_000;

/** How the world's own clocks and the engine serve a scheduler. */
export const worldPorts = {
  now: () => Temporal.Now.instant(),
  databaseNow: async (db: Pool | PoolClient): Promise<Temporal.Instant> => {
    const { rows } = await db.query<{ now: Date }>(`select date_trunc('milliseconds', clock_timestamp()) as now`);
    return (rows[0] as { now: Date }).now.toTemporalInstant();
  },
  monotonicMs: () => performance.now(),
  timer: (afterMs: number, ring: () => void) => {
    const timer = setTimeout(ring, afterMs);
    return () => clearTimeout(timer);
  },
  statesOfRuns,
};

/**
 * Begins to start slots; any number of nodes may. A node waits for the next moment of any schedule by a timer, and looks
 * once a second at what was changed, what other nodes left and what waits. Who decides on a slot locks its schedule, so that
 * a slot is decided on once, and by the schedule as it is then.
 *
 * A slot has come when both this node's clock and the database's say so: whichever is ahead starts nothing early.
 */
export function startScheduler(ports: SchedulerPorts): Scheduler {
  const { pool, log, timer, lookEveryMs = lookEveryDefaultMs } = ports;
  const clock = createSteadyClock(ports);
  const state: State = { known: new Map(), undecided: new Set(), isStopping: false };
  const work = new Set<Promise<unknown>>();
  let cancelLook = () => {};
  let cancelSlot = () => {};
  /** Unknown until the first look: a node that was here before may have left a finding. */
  let noted: ClockFault | null | undefined;

  const track = <T>(doing: Promise<T>): Promise<T> => {
    work.add(doing);
    const done = () => void work.delete(doing);
    doing.then(done, done);
    return doing;
  };
  const runPorts = { ...ports, now: () => clock.now(), following: new Map<string, boolean>(), track };
  const decide = async (known: Known) => {
    const { id, name } = known.schedule;
    known.isDeciding = true;
    const now = async (tx: PoolClient) => clock.earlier(await ports.databaseNow(tx));
    try {
      const { upTo, claimed } = await decideDue({ ...ports, now }, id);
      known.decidedUpTo = upTo;
      state.undecided.delete(id);
      for (const slot of claimed) void track(begin(slot)).catch((error: unknown) => leave(slot, error));
    } catch (error) {
      log.error({ schedule: name, err: error }, 'slots could not be decided on');
      known.hasFailed = true;
      // It is tried again every second, and told of once.
      if (!state.undecided.has(id)) await tellUndecided(pool, known.schedule, String(error)).catch(() => {});
      state.undecided.add(id);
    } finally {
      known.isDeciding = false;
    }
  };
  /** It stays claimed, and whoever looks next takes it up. */
  const leave = ({ runId }: ClaimedSlot, err: unknown) =>
    log.error({ run: runId, err }, 'a slot is left to the next look');
  const begin = (slot: ClaimedSlot) => {
    const ended = async (job: string) => {
      await ports.ended?.(job);
      // What waited behind it goes at once.
      const known = state.known.get(slot.scheduleId);
      if (!state.isStopping && known !== undefined) await decide(known);
    };
    return startSlot({ ...runPorts, ended }, slot);
  };
  const arm = () => {
    cancelSlot();
    if (state.isStopping) return;
    const next = nextMoment(state);
    if (next === undefined) return;
    const waitMs = Math.max(1, Math.ceil(next.epochMilliseconds - clock.preciseMs()));
    // What is further away is armed by a later look: a timer does not follow a clock that is set.
    if (waitMs <= 2 * lookEveryMs) cancelSlot = timer(waitMs, () => void track(ring()));
  };
  /** The time of some schedules has come. A timer, or our clock, may be a little early: then it is set again. */
  const ring = async () => {
    const now = clock.now();
    const due = [...state.known.values()].filter((known) => isDue(known, now));
    const deciding = due.map(decide);
    arm();
    await Promise.all(deciding);
    arm();
  };
  const noteFault = async (fault: ClockFault | null) => {
    if (noted !== undefined && noted?.kind === fault?.kind) return;
    if (fault !== null) log.warn(fault, 'the clock of this node is not to be trusted');
    await ports.noteClock(fault);
    noted = fault;
  };
  const look = async () => {
    const found = await readState(ports, clock.observe);
    remember(state, found);
    await noteFault(clock.fault(found.last));
    await endOverPauses(pool, clock.now(), ports.resumed);
    await lookAfter(runPorts, found.open, begin);
    const now = clock.now();
    const busy = [...state.known.values()].filter((known) => isDue(known, now) || waits(known, found));
    await Promise.all(busy.map(decide));
  };
  let looking: Promise<void> | undefined;
  const lookOnce = () => {
    looking ??= track(look().catch((error: unknown) => log.warn({ err: error }, 'schedules could not be looked at')));
    return looking.finally(() => {
      looking = undefined;
    });
  };
  const go = async () => {
    await lookOnce();
    if (state.isStopping) return;
    arm();
    cancelLook = timer(lookEveryMs, () => void track(go()));
  };
  const idle = async () => {
    while (work.size > 0) await Promise.allSettled([...work]);
  };
  void track(go());
  return {
    async look() {
      await lookOnce();
      arm();
    },
    idle,
    clockAheadMs: clock.aheadMs,
    async stop() {
      state.isStopping = true;
      cancelLook();
      cancelSlot();
      await idle();
    },
  };
}

type Known = {
  readonly schedule: Schedule;
  readonly holidays: ReadonlySet<string>;
  /** Up to here somebody has decided, as far as this node knows. */
  decidedUpTo: Temporal.Instant;
  isDeciding: boolean;
  /** The next look tries again. */
  hasFailed: boolean;
  next?: { readonly after: Temporal.Instant; readonly at: Temporal.Instant | undefined };
};

type State = { known: Map<bigint, Known>; readonly undecided: Set<bigint>; isStopping: boolean };

type Found = {
  readonly schedules: readonly Schedule[];
  readonly last: ReadonlyMap<bigint, Temporal.Instant>;
  readonly pauses: readonly Pause[];
  readonly open: readonly OpenSlot[];
  readonly holidays: ReadonlySet<string>;
};

async function readState(
  { pool, databaseNow }: SchedulerPorts,
  observe: (ask: () => Promise<Temporal.Instant>) => Promise<Temporal.Instant>,
): Promise<Found> {
  const now = await observe(() => databaseNow(pool));
  const [schedules, last, pauses, open, holidays] = await Promise.all([
    listSchedules(pool),
    lastSlots(pool),
    pausesInForce(pool, now),
    openSlots(pool),
    businessCalendar(pool),
  ]);
  return { schedules, last, pauses, open, holidays };
}

function remember(state: State, { schedules, last, holidays }: Found): void {
  const before = state.known;
  const [any] = before.values();
  const isSameCalendar = any !== undefined && any.holidays.symmetricDifference(holidays).size === 0;
  state.known = new Map(
    schedules.map((schedule) => {
      const known = before.get(schedule.id);
      const isSame = isSameCalendar && known?.schedule.version === schedule.version;
      const next = isSame && known.next !== undefined ? { next: known.next } : {};
      const decidedUpTo = latest(schedule.fromAt, last.get(schedule.id));
      return [schedule.id, { schedule, holidays, decidedUpTo, isDeciding: false, hasFailed: false, ...next }];
    }),
  );
}

function nextOf(known: Known): Temporal.Instant | undefined {
  const { schedule, holidays, decidedUpTo } = known;
  if (!schedule.enabled) return undefined;
  if (known.next?.after.equals(decidedUpTo) !== true) {
    known.next = { after: decidedUpTo, at: occurrenceAfter(schedule, decidedUpTo, holidays) };
  }
  return known.next.at;
}

/** Times that cannot be read here keep no other schedule waiting: who decides on this one meets the fault, and tells of it. */
function occurrenceAfter(
  schedule: Schedule,
  after: Temporal.Instant,
  holidays: ReadonlySet<string>,
): Temporal.Instant | undefined {
  try {
    return nextOccurrences(schedule, after, 1, holidays)[0];
  } catch {
    return after;
  }
}

function isDue(known: Known, now: Temporal.Instant): boolean {
  const next = known.isDeciding ? undefined : nextOf(known);
  return next !== undefined && Temporal.Instant.compare(next, now) <= 0;
}

function nextMoment({ known }: State): Temporal.Instant | undefined {
  return [...known.values()]
    .filter(({ isDeciding, hasFailed }) => !(isDeciding || hasFailed))
    .flatMap((each) => nextOf(each) ?? [])
    .sort(Temporal.Instant.compare)[0];
}

/** Slots that were held, and may go now, or that are queued: whether they may is decided under the lock. */
function waits({ schedule }: Known, { open, pauses }: Found): boolean {
  const own = open.filter(({ scheduleId }) => scheduleId === schedule.id);
  const isPaused = pauseOf(pauses, schedule.id) !== undefined;
  const isBusy = schedule.overlap !== 'allow' && own.some(({ state }) => state === 'claimed' || state === 'running');
  return own.some(
    ({ state, kind }) =>
      (state === 'held' && !isPaused) || (state === 'queued' && !isBusy && (!isPaused || kind === 'hand')),
  );
}
