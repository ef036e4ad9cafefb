import type { Severity } from './finding-words.ts';
import { type AlertRule, notQuiet } from './rule.ts';

/** How an alert stands when it is looked at. */
export type Standing = {
  readonly severity: Severity;
  readonly openedAt: Temporal.Instant;
  /** Findings so far, and how many the latest word spoke of. */
  readonly findings: number;
  readonly toldFindings: number;
  /** Of these, still open. */
  readonly open: number;
  readonly updates: number;
  readonly firstToldAt: Temporal.Instant | null;
  readonly toldAt: Temporal.Instant | null;
  readonly escalatedAt: Temporal.Instant | null;
  readonly acknowledgedAt: Temporal.Instant | null;
  readonly calmSince: Temporal.Instant | null;
};

export type Word = 'first' | 'update' | 'repeat' | 'escalation' | 'all_clear';

/** What is to be done now, and when to look again. `close` without a word: nobody had been told. */
export type Course = {
  readonly say: Word | null;
  readonly close: boolean;
  readonly calmSince: Temporal.Instant | null;
  readonly nextAt: Temporal.Instant;
};

type Waits = Pick<
  AlertRule,
  'groupSeconds' | 'updateSeconds' | 'repeatSeconds' | 'escalateSeconds' | 'calmSeconds' | 'quietFrom' | 'quietTo'
>;

const day = 86_400;
const mostUpdateSeconds = 6 * 3_600;

/**
 * 알림의 경과. The first word once findings were gathered; then word of new ones, rarer and rarer; the same again while
 * nobody has acknowledged it; word to others when nobody does for long; and the all-clear once nothing was open for a while.
 */
export function courseOf(alert: Standing, rule: Waits, now: Temporal.Instant): Course {
  if (alert.open === 0) return calm(alert, rule, now);
  const words = alert.firstToldAt === null ? [first(alert, rule)] : later(alert, rule);
  const due = words.map(({ word, at }) => ({ word, at: notQuiet(at, alert.severity, rule) }));
  const now_ = due.find(({ at }) => Temporal.Instant.compare(at, now) <= 0);
  if (now_ !== undefined) return { say: now_.word, close: false, calmSince: null, nextAt: now };
  const [next] = due.map(({ at }) => at).toSorted(Temporal.Instant.compare);
  return { say: null, close: false, calmSince: null, nextAt: next ?? now.add({ seconds: day }) };
}

function calm(alert: Standing, { calmSeconds }: Waits, now: Temporal.Instant): Course {
  const since = alert.calmSince ?? now;
  const over = since.add({ seconds: calmSeconds });
  if (Temporal.Instant.compare(over, now) > 0) return { say: null, close: false, calmSince: since, nextAt: over };
  return { say: alert.firstToldAt === null ? null : 'all_clear', close: true, calmSince: since, nextAt: now };
}

type Due = { readonly word: Word; readonly at: Temporal.Instant };

function first({ openedAt }: Standing, { groupSeconds }: Waits): Due {
  return { word: 'first', at: openedAt.add({ seconds: groupSeconds }) };
}

/** Strongest first: where several are due, one word says all of it. */
function later(alert: Standing, rule: Waits): readonly Due[] {
  const { firstToldAt, toldAt, escalatedAt, acknowledgedAt, findings, toldFindings, updates } = alert;
  if (firstToldAt === null || toldAt === null) return [];
  const acknowledged = acknowledgedAt !== null;
  const rarer = Math.min(
    rule.updateSeconds * 2 ** Math.min(updates, 20),
    Math.max(mostUpdateSeconds, rule.updateSeconds),
  );
  return [
    ...(acknowledged || escalatedAt !== null || rule.escalateSeconds === 0
      ? []
      : [{ word: 'escalation' as const, at: firstToldAt.add({ seconds: rule.escalateSeconds }) }]),
    ...(findings > toldFindings ? [{ word: 'update' as const, at: toldAt.add({ seconds: rarer }) }] : []),
    ...(acknowledged || rule.repeatSeconds === 0
      ? []
      : [{ word: 'repeat' as const, at: toldAt.add({ seconds: rule.repeatSeconds }) }]),
  ];
}
