import { expect, test } from 'vitest';
import { planDue } from './misfire.ts';
import type { MisfirePolicy } from './schedule-rows.ts';

/** policy, most, late, on time → what runs (`slot<makes up`), what is missed (`slot>made up by`). */
const table: readonly (readonly [MisfirePolicy, number, string, string, string, string])[] = [
  ['skip', 1, '', '4', '4', ''],
  ['skip', 1, '123', '4', '4', '1 2 3'],
  ['skip', 1, '123', '', '', '1 2 3'],
  ['run_once', 1, '', '4', '4', ''],
  ['run_once', 1, '123', '4', '4<1', '1>4 2>4 3>4'],
  ['run_once', 1, '123', '', '3<1', '1>3 2>3'],
  ['run_once', 1, '1', '', '1', ''],
  ['run_once', 1, '', '', '', ''],
  ['run_all', 9, '123', '4', '1 2 3 4', ''],
  ['run_all', 2, '123', '4', '3 4', '1 2'],
  ['run_all', 2, '123', '', '2 3', '1'],
  ['run_all', 1, '123', '4', '4', '1 2 3'],
  ['run_all', 3, '', '', '', ''],
];

test.each(table)('%s of %i: late %s, on time %s → %s runs, %s missed', (policy, most, late, onTime, run, missed) => {
  const plan = planDue(policy, most, [...late], onTime === '' ? undefined : onTime);
  const say = (mark: string, slot: string, other?: string) => (other === undefined ? slot : `${slot}${mark}${other}`);
  expect(plan.run.map(({ slot, makesUp }) => say('<', slot, makesUp)).join(' ')).toBe(run);
  expect(plan.missed.map(({ slot, madeUpBy }) => say('>', slot, madeUpBy)).join(' ')).toBe(missed);
});
