import { Problem } from '../kernel/problem.ts';
import {
  type BusinessDayRule,
  businessDayRules,
  type MisfirePolicy,
  misfirePolicies,
  type OverlapPolicy,
  overlapPolicies,
  type ScheduleTerms,
} from './schedule-rows.ts';

/** What is said of a schedule on the command line. */
export type TermOptions = {
  readonly cron?: string;
  readonly zone?: string;
  readonly days?: string;
  readonly misfire?: string;
  readonly overlap?: string;
  readonly lateAfter?: string;
  readonly longAfter?: string;
  readonly parameters?: string;
  readonly enable?: true;
  readonly disable?: true;
};

/** @throws Problem `usage` */
export function readTerms(options: TermOptions): Partial<ScheduleTerms> {
  if (options.enable && options.disable) throw new Problem('usage', { reason: '--enable | --disable' });
  const days = oneOf<BusinessDayRule>('--days', options.days, businessDayRules);
  const overlap = oneOf<OverlapPolicy>('--overlap', options.overlap, overlapPolicies);
  const late = secondsOf('--late-after', options.lateAfter);
  const long = secondsOf('--long-after', options.longAfter);
  return {
    ...(options.cron === undefined ? {} : { cron: options.cron }),
    ...(options.zone === undefined ? {} : { timeZone: options.zone }),
    ...(days === undefined ? {} : { businessDays: days }),
    ...misfireOf(options.misfire),
    ...(overlap === undefined ? {} : { overlap }),
    ...(late === undefined ? {} : { lateAfterSeconds: late }),
    ...(long === undefined ? {} : { longAfterSeconds: long }),
    ...(options.parameters === undefined ? {} : { parameters: objectOf(options.parameters) }),
    ...(options.enable || options.disable ? { enabled: options.enable === true } : {}),
  };
}

/** `run_all:7` runs the latest seven. */
function misfireOf(text: string | undefined): Partial<Pick<ScheduleTerms, 'misfire' | 'misfireMost'>> {
  if (text === undefined) return {};
  const [name, most] = text.split(':');
  const misfire = oneOf<MisfirePolicy>('--misfire', name, misfirePolicies) as MisfirePolicy;
  if (most === undefined) return misfire === 'run_all' ? { misfire, misfireMost: 100 } : { misfire };
  if (misfire !== 'run_all' || !/^([1-9]\d?|100)$/.test(most)) {
    throw new Problem('usage', { reason: `--misfire ${text} (${misfirePolicies.join(', ')}:1–100)` });
  }
  return { misfire, misfireMost: Number(most) };
}

function oneOf<T extends string>(option: string, text: string | undefined, known: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const found = known.find((each) => each === text.replaceAll('-', '_'));
  if (found === undefined) throw new Problem('usage', { reason: `${option} ${text} (${known.join(', ')})` });
  return found;
}

function secondsOf(option: string, text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'never') return null;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Problem('usage', { reason: `${option} ${text} (1–2678400, never)` });
  return Number(text);
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, as for what is JSON but no object.
  }
  throw new Problem('usage', { reason: `--parameters ${text} ({"name": value})` });
}

/** `2026-11-21T08:00` is meant in Seoul; with an offset it is what it says. @throws Problem `usage` */
export function momentOf(option: string, text: string): Temporal.Instant {
  try {
    if (/([+-]\d\d:\d\d|Z)$/.test(text)) return Temporal.Instant.from(text);
    return Temporal.PlainDateTime.from(text).toZonedDateTime('Asia/Seoul').toInstant();
  } catch {
    throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DDTHH:MM)` });
  }
}

/** @throws Problem `usage` */
export function countOf(option: string, text: string, most: number): number {
  if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) > most) {
    throw new Problem('usage', { reason: `${option} ${text} (1–${most})` });
  }
  return Number(text);
}
