import { Cron } from 'croner';
import { seoul } from '../kernel/business-day.ts';
import type { Log } from '../platform/durable/engine-log.ts';
import type { CycleResult } from './cycle-store.ts';
import { formatSlot, missedSlots, slotAt } from './slot.ts';

/** Where settlement stands: the latest slot that any process began, and the database's clock. */
export type Standing = { readonly lastSlot?: Temporal.Instant; readonly databaseNow: Temporal.Instant };

/** What the clock tells people of: it is wrong, or right again (null). */
export type ClockFault = {
  readonly kind: 'clock_ahead' | 'clock_behind';
  readonly byMs: number;
  readonly slot: string;
};

export type SlotClockPorts = {
  readonly log: Log;
  now(): Temporal.Instant;
  standing(): Promise<Standing>;
  settle(
    slot: Temporal.Instant,
    request: { readonly who: string; readonly makesUp?: Temporal.Instant },
  ): Promise<CycleResult>;
  /** After a slot's end. */
  settled?(slot: Temporal.Instant): Promise<void>;
  note(fault: ClockFault | null): Promise<void>;
  /** Rings at every boundary; from croner unless a test has its own. */
  readonly ticks?: (ring: () => void) => { stop(): void };
  /** Milliseconds since some moment, which no one sets: tells that the clock was. */
  readonly monotonicMs?: () => number;
};

export type SlotClock = {
  /** When the slot of the start has ended, or there is none to begin. */
  readonly first: Promise<CycleResult | undefined>;
  /** Begins no further slot and waits for the one that is being settled here. */
  stop(): Promise<void>;
};

/** How far our clock may be from the database's before a slot is not trusted, and how much it may be set unnoticed. */
const skewMostMs = 10_000;
const stepLeastMs = 2_000;
const retryMs = 1_000;

/**
 * 정산 시계. Settles a slot at each five-minute boundary of the clock in Seoul, and at the start the latest one where it
 * was missed: once, however many were. Any number of processes may run one: a slot is one run. A slot that has not come
 * by the database's clock too is not begun, so that a clock which runs ahead settles nothing early.
 */
export function startSlotClock(ports: SlotClockPorts): SlotClock {
  const { log, now } = ports;
  const monotonicMs = ports.monotonicMs ?? (() => performance.now());
  const stopping = new AbortController();
  const working = new Set<Promise<CycleResult | undefined>>();
  let seen = { wallMs: now().epochMilliseconds, monotonicMs: monotonicMs() };
  let isFaulty = true;

  const watchSteps = () => {
    const here = { wallMs: now().epochMilliseconds, monotonicMs: monotonicMs() };
    const steppedMs = Math.round(here.wallMs - seen.wallMs - (here.monotonicMs - seen.monotonicMs));
    seen = here;
    if (Math.abs(steppedMs) >= stepLeastMs) log.warn({ steppedMs }, 'the clock was set, or this machine slept');
  };
  const note = async (fault: ClockFault | null) => {
    if (fault === null && !isFaulty) return;
    if (fault !== null) log.warn(fault, 'no slot is begun: the clock is not to be trusted');
    await ports.note(fault);
    isFaulty = fault !== null;
  };
  /** One look at the clock: settles its slot, or undefined where that was begun before or may not be. */
  const look = async (slot: Temporal.Instant): Promise<CycleResult | undefined> => {
    const { lastSlot, databaseNow } = await ports.standing();
    const fault = faultOf(slot, now(), databaseNow, lastSlot);
    await note(fault);
    if (fault !== null || (lastSlot !== undefined && Temporal.Instant.compare(slot, lastSlot) <= 0)) return undefined;
    const missed = lastSlot === undefined ? undefined : missedSlots(lastSlot, slot);
    if (missed !== undefined) {
      const first = formatSlot(missed.first);
      log.warn({ slot: formatSlot(slot), missed: missed.count, first }, 'slots were missed: made up for by this one');
    }
    const result = await ports.settle(slot, {
      who: 'clock',
      ...(missed === undefined ? {} : { makesUp: missed.first }),
    });
    await ports.settled?.(slot);
    return result;
  };
  const tick = async (): Promise<CycleResult | undefined> => {
    watchSteps();
    const slot = slotAt(now());
    // A database that is away is tried again for as long as the slot lasts; a slot that was begun is not begun again.
    while (!stopping.signal.aborted && slotAt(now()).equals(slot)) {
      try {
        return await look(slot);
      } catch (error) {
        log.error({ slot: formatSlot(slot), err: error }, 'a slot was not settled');
        await pause(retryMs, stopping.signal);
      }
    }
    return undefined;
  };
  const begin = (): Promise<CycleResult | undefined> => {
    const work = tick();
    working.add(work);
    void work.finally(() => working.delete(work));
    return work;
  };
  const bell = (ports.ticks ?? everyFiveMinutes)(() => void begin());
  return {
    first: begin(),
    async stop() {
      bell.stop();
      stopping.abort();
      await Promise.all(working);
    },
  };
}

/** Croner looks at the clock again at least every 30 seconds, so that a clock that is set is noticed. */
function everyFiveMinutes(ring: () => void): { stop(): void } {
  return new Cron('*/5 * * * *', { timezone: seoul }, ring);
}

function faultOf(
  slot: Temporal.Instant,
  now: Temporal.Instant,
  databaseNow: Temporal.Instant,
  lastSlot: Temporal.Instant | undefined,
): ClockFault | null {
  const aheadMs = now.epochMilliseconds - databaseNow.epochMilliseconds;
  const isEarly = slot.epochMilliseconds - databaseNow.epochMilliseconds > skewMostMs;
  if (isEarly) return { kind: 'clock_ahead', byMs: aheadMs, slot: formatSlot(slot) };
  if (lastSlot === undefined || Temporal.Instant.compare(slot, lastSlot) >= 0) return null;
  const behindMs = lastSlot.epochMilliseconds - now.epochMilliseconds;
  // Another process whose clock is a little ahead of ours may have begun the next slot already.
  return behindMs <= skewMostMs ? null : { kind: 'clock_behind', byMs: behindMs, slot: formatSlot(slot) };
}

function pause(forMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, forMs);
    signal.addEventListener('abort', end);
  });
}
