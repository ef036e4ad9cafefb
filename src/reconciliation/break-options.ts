import type { Command } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { olderThanCutOff } from './break-age.ts';
import type { BreakFilter } from './break-filter.ts';
import { breakKinds } from './outcome.ts';
import { type BreakState, breakStates, stageWords } from './words.ts';

/** The filter options as commander hands them over. */
export type FilterOptions = {
  readonly on?: string;
  readonly from?: string;
  readonly to?: string;
  readonly provider?: readonly string[];
  readonly stage?: readonly string[];
  readonly kind?: readonly string[];
  readonly state?: string;
  readonly assigned?: string;
  readonly unassigned?: true;
  readonly minWon?: string;
  readonly olderThan?: string;
  readonly escalated?: true;
};

/** The day that ages are counted to, and which providers there are. */
export type FilterWorld = {
  readonly today: Temporal.PlainDate;
  readonly providers: readonly string[];
};

/** Adds the options that say which breaks are meant; the same for listing and for acting. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--on <day>', 'business day YYYY-MM-DD / 업무일')
    .option('--from <day>', 'from this business day on / 시작일')
    .option('--to <day>', 'up to and including this business day / 종료일')
    .option('--provider <ids...>', 'provider(s) / 원천사')
    .option('--stage <stages...>', 'transaction, capture, settlement, deposit / 단계')
    .option('--kind <kinds...>', 'kind(s) of break / 불일치 종류')
    .option('--state <state>', 'open, investigating, resolved, all; unresolved if not given / 상태')
    .option('--assigned <who>', 'assigned to / 담당자')
    .option('--unassigned', 'assigned to nobody / 담당자 없음')
    .option('--min-won <won>', 'differing by at least so many won either way / 최소 차액')
    .option('--older-than <days>', 'older than so many business days / 경과 영업일')
    .option('--escalated', 'escalated / 상향 보고됨');
}

/**
 * The options as a filter, once the calendar is known: what is wrong with them is said before any database is opened.
 * @throws Problem `usage` for anything that is not a day, a number, or a known name
 */
export function toFilter(options: FilterOptions, world: FilterWorld): (holidays: ReadonlySet<string>) => BreakFilter {
  if (options.on !== undefined && (options.from !== undefined || options.to !== undefined)) {
    throw new Problem('usage', { reason: '--on | --from --to' });
  }
  if (options.assigned !== undefined && options.unassigned) {
    throw new Problem('usage', { reason: '--assigned | --unassigned' });
  }
  const daysOld = options.olderThan === undefined ? undefined : wholeNumber('--older-than', options.olderThan, 10_000);
  const filter = present({
    states: toStates(options.state),
    on: dayOf('--on', options.on),
    from: dayOf('--from', options.from),
    to: dayOf('--to', options.to),
    providers: names('--provider', options.provider, world.providers),
    stages: names('--stage', options.stage, Object.keys(stageWords) as (keyof typeof stageWords)[]),
    kinds: names('--kind', options.kind, breakKinds),
    assignedTo: options.assigned,
    unassigned: options.unassigned,
    leastWon: options.minWon === undefined ? undefined : wonOf('--min-won', options.minWon),
    escalated: options.escalated,
  });
  if (daysOld === undefined) return () => filter;
  return (holidays) => ({ ...filter, before: olderThanCutOff(world.today, daysOld, holidays).toString() });
}

function toStates(state: string | undefined): readonly BreakState[] | null {
  if (state === undefined) return ['open', 'investigating'];
  if (state === 'all') return null;
  return names('--state', [state], breakStates) ?? null;
}

/** A day that exists. */
export function dayOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const day = parseDay(text);
  if (!day) throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DD)` });
  return day.toString();
}

/** A whole number from 0 to `most`. */
export function wholeNumber(option: string, text: string, most: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) > most) {
    throw new Problem('usage', { reason: `${option} ${text} (0–${most})` });
  }
  return Number(text);
}

function wonOf(option: string, text: string): bigint {
  const digits = text.replaceAll(',', '');
  if (!/^\d{1,18}$/.test(digits)) throw new Problem('usage', { reason: `${option} ${text}` });
  return BigInt(digits);
}

function names<T extends string>(
  option: string,
  given: readonly string[] | undefined,
  known: readonly T[],
): readonly T[] | undefined {
  if (given === undefined) return undefined;
  return given
    .flatMap((name) => name.split(','))
    .map((name) => {
      const found = known.find((candidate) => candidate === name);
      if (found === undefined) throw new Problem('usage', { reason: `${option} ${name} (${known.join(', ')})` });
      return found;
    });
}

type Optional<T> = { [K in keyof T]?: T[K] | undefined };

/** Without the fields that were not given, so that `namesNothing` and the exact types see only what narrows. */
function present({ states, ...fields }: Optional<BreakFilter> & Pick<BreakFilter, 'states'>): BreakFilter {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { states, ...(Object.fromEntries(given) as Omit<BreakFilter, 'states'>) };
}
