import { seoul } from '../kernel/business-day.ts';
import type { Severity } from './finding-words.ts';

/** 알림 규칙. Who is told of which findings, how soon and how often. Waits are in seconds; 0 means never. */
export type AlertRule = {
  readonly rule: string;
  /** The first rule by position that matches speaks; later ones only where it `continues`. */
  readonly position: number;
  /** Patterns with `*`; none means any. */
  readonly kinds: readonly string[];
  readonly subjects: readonly string[];
  readonly severities: readonly Severity[];
  readonly audience: 'in_charge' | 'operations' | null;
  /** Instead of the kind's own. */
  readonly severity: Severity | null;
  readonly channels: readonly string[];
  readonly groupBy: 'kind' | 'rule';
  /** How long findings are gathered before the first word. */
  readonly groupSeconds: number;
  /** Between words of new findings; doubled with each. */
  readonly updateSeconds: number;
  readonly repeatSeconds: number;
  readonly escalateSeconds: number;
  readonly escalationChannels: readonly string[];
  /** How long nothing may be open before it counts as over. */
  readonly calmSeconds: number;
  /** `22:00`, in Seoul: what is not urgent waits until `quietTo`. */
  readonly quietFrom: string | null;
  readonly quietTo: string | null;
  readonly continues: boolean;
  readonly enabled: boolean;
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: Date;
};

type Quiet = Pick<AlertRule, 'quietFrom' | 'quietTo'>;

/** This moment, or the end of the quiet hours that it falls into. Urgent words keep no quiet hours. */
export function notQuiet(at: Temporal.Instant, severity: Severity, { quietFrom, quietTo }: Quiet): Temporal.Instant {
  if (severity === 'urgent' || quietFrom === null || quietTo === null) return at;
  const local = at.toZonedDateTimeISO(seoul);
  const [from, to, time] = [Temporal.PlainTime.from(quietFrom), Temporal.PlainTime.from(quietTo), local.toPlainTime()];
  const after = (one: Temporal.PlainTime, other: Temporal.PlainTime) => Temporal.PlainTime.compare(one, other) >= 0;
  const overMidnight = after(from, to);
  const quiet = overMidnight ? after(time, from) || !after(time, to) : after(time, from) && !after(time, to);
  if (!quiet) return at;
  const day = local.toPlainDate().add({ days: overMidnight && after(time, from) ? 1 : 0 });
  return day.toZonedDateTime({ timeZone: seoul, plainTime: to }).toInstant();
}
