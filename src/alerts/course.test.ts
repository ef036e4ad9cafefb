import { describe, expect, test } from 'vitest';
import { courseOf, type Standing } from './course.ts';
import { notQuiet } from './rule.ts';

const opened = Temporal.Instant.from('2026-11-20T01:00:00Z');
const at = (seconds: number) => opened.add({ seconds });
const rule = {
  groupSeconds: 30,
  updateSeconds: 300,
  repeatSeconds: 3_600,
  escalateSeconds: 900,
  calmSeconds: 60,
  quietFrom: null,
  quietTo: null,
};
const fresh: Standing = {
  severity: 'urgent',
  openedAt: opened,
  findings: 1,
  toldFindings: 0,
  open: 1,
  updates: 0,
  firstToldAt: null,
  toldAt: null,
  escalatedAt: null,
  acknowledgedAt: null,
  calmSince: null,
};
const told: Partial<Standing> = { toldFindings: 1, firstToldAt: at(30), toldAt: at(30) };
const known = { ...told, acknowledgedAt: at(60) };

describe('what is said when', () => {
  test.each<readonly [string, Partial<Standing>, number, object]>([
    ['gathering', {}, 29, { say: null, nextAt: at(30) }],
    ['the first word', {}, 30, { say: 'first' }],
    ['nothing new', told, 100, { say: null, nextAt: at(930) }],
    ['one more, too soon', { ...told, findings: 2 }, 329, { say: null, nextAt: at(330) }],
    ['one more', { ...told, findings: 2 }, 330, { say: 'update' }],
    ['one more after a word of more', { ...told, findings: 3, updates: 1 }, 629, { say: null, nextAt: at(630) }],
    [
      'more and more, but every six hours',
      { ...known, findings: 9, updates: 30 },
      21_629,
      { say: null, nextAt: at(21_630) },
    ],
    ['nobody looks after it', told, 930, { say: 'escalation' }],
    ['escalated already', { ...told, toldAt: at(930), escalatedAt: at(930) }, 931, { say: null, nextAt: at(4_530) }],
    ['again', { ...told, toldAt: at(930), escalatedAt: at(930) }, 4_530, { say: 'repeat' }],
    ['somebody looks after it', known, 90_000, { say: null }],
    ['somebody does, and there is more', { ...known, findings: 2 }, 330, { say: 'update' }],
    ['just over', { ...told, open: 0 }, 100, { say: null, close: false, calmSince: at(100), nextAt: at(160) }],
    ['over', { ...told, open: 0, calmSince: at(100) }, 160, { say: 'all_clear', close: true }],
    ['over before anybody knew', { open: 0, calmSince: at(10) }, 70, { say: null, close: true }],
    ['come back', { ...told, findings: 2, calmSince: at(100) }, 160, { say: null, close: false, calmSince: null }],
  ])('%s', (_, standing, seconds, course) => {
    expect(courseOf({ ...fresh, ...standing }, rule, at(seconds))).toMatchObject(course);
  });

  test('never, where a rule says so', () => {
    const never = { ...rule, repeatSeconds: 0, escalateSeconds: 0 };
    expect(courseOf({ ...fresh, ...told }, never, at(10_000_000)).say).toBeNull();
  });
});

// 2026-11-20T13:00Z is 22:00 in Seoul.
describe('quiet hours', () => {
  const night = { quietFrom: '22:00', quietTo: '07:00' };
  const noon = { quietFrom: '12:00', quietTo: '13:00' };
  test.each([
    ['2026-11-20T12:59:59Z', night, '2026-11-20T12:59:59Z'],
    ['2026-11-20T13:00:00Z', night, '2026-11-20T22:00:00Z'],
    ['2026-11-20T16:00:00Z', night, '2026-11-20T22:00:00Z'],
    ['2026-11-20T22:00:00Z', night, '2026-11-20T22:00:00Z'],
    ['2026-11-20T03:30:00Z', noon, '2026-11-20T04:00:00Z'],
    ['2026-11-20T04:00:00Z', noon, '2026-11-20T04:00:00Z'],
    ['2026-11-20T02:59:00Z', noon, '2026-11-20T02:59:00Z'],
  ])('%s', (moment, hours, until) => {
    const instant = Temporal.Instant.from(moment);
    expect(`${notQuiet(instant, 'warning', hours)}`).toBe(until);
    expect(`${notQuiet(instant, 'urgent', hours)}`).toBe(moment);
  });
});
