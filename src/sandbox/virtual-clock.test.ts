import { expect, test } from 'vitest';
import { virtualClock } from './virtual-clock.ts';

const midnight = Temporal.Instant.from('2026-08-03T00:00:00Z');
const at = (hours: number) => midnight.add({ hours });
const hoursOf = (instant: Temporal.Instant) => instant.since(midnight).total('hours');

test('goes from one awaited moment to the next, in their order, once all wait', async () => {
  const seen: string[] = [];
  const clock = virtualClock({
    from: midnight,
    onAdvance: async (to) => {
      seen.push(`told ${hoursOf(to)}`);
    },
  });
  clock.start();
  const live = async (name: string, ...moments: number[]) => {
    for (const moment of moments) {
      await clock.waitUntil(at(moment));
      seen.push(`${name} ${hoursOf(clock.now())}`);
    }
  };
  const [leaveA, leaveB] = [clock.join(), clock.join()];
  await Promise.all([live('a', 3, 4).finally(leaveA), live('b', 1, 3, 9).finally(leaveB)]);
  expect(seen).toEqual(['told 1', 'b 1', 'told 3', 'a 3', 'b 3', 'told 4', 'a 4', 'told 9', 'b 9']);
});

test('stands still while one who joined works', async () => {
  const clock = virtualClock({ from: midnight });
  clock.start();
  const leaveWorker = clock.join();
  clock.join();
  let woken = false;
  const waiting = clock.waitUntil(at(1)).then(() => {
    woken = true;
  });
  await new Promise<void>((resolve) => void setImmediate(resolve));
  expect(woken).toBe(false);
  leaveWorker();
  await waiting;
  expect(hoursOf(clock.now())).toBe(1);
});

test('stands still until it is started, whoever waits', async () => {
  const clock = virtualClock({ from: midnight });
  const waiting = clock.waitUntil(at(1));
  await new Promise<void>((resolve) => void setImmediate(resolve));
  expect(hoursOf(clock.now())).toBe(0);
  clock.join();
  clock.start();
  await waiting;
  expect(hoursOf(clock.now())).toBe(1);
});

test('a moment that is past is not waited for', async () => {
  const clock = virtualClock({ from: at(5) });
  clock.join();
  await clock.waitUntil(at(2));
  expect(hoursOf(clock.now())).toBe(5);
});

test('tells all who wait what went wrong on the way', async () => {
  const clock = virtualClock({ from: midnight, onAdvance: () => Promise.reject(new Error('the desk burned down')) });
  clock.start();
  clock.join();
  await expect(clock.waitUntil(at(1))).rejects.toThrow('the desk burned down');
});
