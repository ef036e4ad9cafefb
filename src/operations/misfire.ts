import type { MisfirePolicy } from './schedule-rows.ts';

/** What becomes of slots that are due: which run, in their order, and which never will. */
export type DuePlan<Slot> = {
  readonly run: readonly { readonly slot: Slot; readonly makesUp?: Slot }[];
  readonly missed: readonly { readonly slot: Slot; readonly madeUpBy?: Slot }[];
};

/**
 * 누락 처리. `late` are slots that nobody could start at their time, oldest first, `onTime` the one whose time has just
 * come. Skip: the late ones never run. Run once: one run makes up for all, the one on time if there is one, else the
 * latest. Run all: the latest `most` of all run, one after the other, each for its own time.
 */
export function planDue<Slot>(
  policy: MisfirePolicy,
  most: number,
  late: readonly Slot[],
  onTime: Slot | undefined,
): DuePlan<Slot> {
  const punctual = onTime === undefined ? [] : [onTime];
  if (policy === 'skip') return { run: punctual.map((slot) => ({ slot })), missed: late.map((slot) => ({ slot })) };
  const all = [...late, ...punctual];
  if (policy === 'run_all') {
    const first = Math.max(0, all.length - most);
    return { run: all.slice(first).map((slot) => ({ slot })), missed: all.slice(0, first).map((slot) => ({ slot })) };
  }
  const last = all.at(-1);
  if (last === undefined) return { run: [], missed: [] };
  const [first] = all;
  const before = all.slice(0, -1);
  return {
    run: [before.length === 0 || first === undefined ? { slot: last } : { slot: last, makesUp: first }],
    missed: before.map((slot) => ({ slot, madeUpBy: last })),
  };
}
