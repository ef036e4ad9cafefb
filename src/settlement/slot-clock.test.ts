import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CycleResult } from './cycle-store.ts';
import { formatSlot } from './slot.ts';
import { type ClockFault, type SlotClock, type SlotClockPorts, type Standing, startSlotClock } from './slot-clock.ts';

const day = '2026-11-20';
let clock: SlotClock;
let began: string[];
let warned: string[];
let faults: (ClockFault | null)[];
/** What the next look at the database finds beyond what was begun here. */
let standing: () => Partial<Standing>;
let settling: (slot: Temporal.Instant) => Promise<void>;

const at = (time: string) => Temporal.Instant.from(`${day}T${time}+09:00`);
const now = () => Temporal.Instant.fromEpochMilliseconds(Date.now());
const setClock = (time: string) => vi.setSystemTime(at(time).epochMilliseconds);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  [began, warned, faults] = [[], [], []];
  standing = () => ({});
  settling = async () => {};
});
afterEach(async () => {
  await clock.stop();
  vi.useRealTimers();
});

function start(time: string, more: Partial<SlotClockPorts> = {}): SlotClock {
  setClock(time);
  let last: Temporal.Instant | undefined;
  const zero = Date.now();
  let elapsed = 0;
  clock = startSlotClock({
    log: {
      debug() {},
      info() {},
      warn: (_, message) => void warned.push(message),
      error: (_, message) => void warned.push(message),
    },
    now,
    standing: async () => {
      const found = standing();
      const lastSlot = found.lastSlot ?? last;
      return { databaseNow: found.databaseNow ?? now(), ...(lastSlot === undefined ? {} : { lastSlot }) };
    },
    settle: async (slot, { makesUp }) => {
      last = slot;
      const late = Date.now() - slot.epochMilliseconds;
      began.push(
        `${formatSlot(slot).slice(11, 16)} +${late}${makesUp ? ` for ${formatSlot(makesUp).slice(11, 16)}` : ''}`,
      );
      await settling(slot);
      return { state: 'settled' } as CycleResult;
    },
    note: async (fault) => void faults.push(fault),
    monotonicMs: () => {
      elapsed = Math.max(elapsed, Date.now() - zero);
      return elapsed;
    },
    ...more,
  });
  return clock;
}

test('the slot of the start is settled at once, and then each at its boundary to the hundredth of a second', async () => {
  start('12:02:10');
  await vi.advanceTimersByTimeAsync(13 * 60_000);
  expect(began.map((each) => each.slice(0, 5))).toEqual(['12:00', '12:05', '12:10', '12:15']);
  expect(began.slice(1).filter((each) => Number(each.slice(7)) > 100)).toEqual([]);
  expect(warned).toEqual([]);
});

test('what was missed while everything was down is made up once', async () => {
  standing = () => (began.length === 0 ? { lastSlot: at('10:20') } : {});
  start('12:02:10');
  await vi.advanceTimersByTimeAsync(3 * 60_000);
  expect(began).toEqual(['12:00 +130000 for 10:25', expect.stringMatching(/^12:05 \+\d{1,2}$/)]);
  expect(warned).toEqual(['slots were missed: made up for by this one']);
});

test('a slot that another process began is not begun again', async () => {
  standing = () => ({ lastSlot: at('12:00') });
  start('12:02:10');
  expect(await clock.first).toBeUndefined();
  expect(began).toEqual([]);
});

test('a clock that is set back settles nothing twice, says so, and goes on when its time comes', async () => {
  start('12:05:00');
  await clock.first;
  setClock('11:50:00');
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(began).toEqual(['12:05 +0']);
  expect(faults.at(-1)).toMatchObject({ kind: 'clock_behind', slot: `${day}T12:00+09:00` });
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(began.map((each) => each.slice(0, 5))).toEqual(['12:05', '12:10']);
  expect(faults.at(-1)).toBeNull();
});

test('a clock that runs ahead of the database settles nothing early', async () => {
  standing = () => ({ databaseNow: at('12:01') });
  start('14:00:00');
  expect(await clock.first).toBeUndefined();
  expect(began).toEqual([]);
  expect(faults).toEqual([{ kind: 'clock_ahead', byMs: 119 * 60_000, slot: `${day}T14:00+09:00` }]);
});

test('after a sleep of the machine the latest slot is settled, once for all that were missed', async () => {
  start('12:00:00', { monotonicMs: () => 0 });
  await clock.first;
  setClock('13:07:00');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(began).toEqual(['12:00 +0', expect.stringMatching(/^13:05 \+\d+ for 12:05$/)]);
  expect(warned).toContain('the clock was set, or this machine slept');
});

test('a database that is away is asked again while the slot lasts', async () => {
  let failures = 3;
  standing = () => {
    if (failures === 0) return {};
    failures -= 1;
    throw new Error('no database');
  };
  start('12:00:00');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(began).toEqual(['12:00 +3000']);
});

test('a slot that failed is left to the next one', async () => {
  settling = async (slot) => {
    if (slot.equals(at('12:00'))) throw new Error('refused');
  };
  start('12:00:00');
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(began.map((each) => each.slice(0, 5))).toEqual(['12:00', '12:05']);
});

test('the next slot is tried while one is still at it, and the end waits for it', async () => {
  let release = () => {};
  settling = () => new Promise((resolve) => (release = resolve));
  start('12:00:00');
  const first = clock.first;
  await vi.advanceTimersByTimeAsync(0);
  const releaseFirst = release;
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(began).toHaveLength(2);
  let stopped = false;
  const stop = clock.stop().then(() => {
    stopped = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(stopped).toBe(false);
  release();
  releaseFirst();
  await Promise.all([stop, first]);
});
