import { vi } from 'vitest';

/** Many times what anything takes on a machine that has other things to do: what has not come about by then never does. */
const patienceMs = 60_000;
const everyMs = 10;

/**
 * Looks again and again until `look` throws no more, and returns what it returned. The one way in which tests wait for
 * what goes on by itself, so that no limit of theirs is shorter than a slow machine.
 */
export function eventually<T>(look: () => T | Promise<T>, withinMs = patienceMs): Promise<T> {
  return vi.waitFor(look, { timeout: withinMs, interval: everyMs });
}
