import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pool } from 'pg';
import type { Clock } from '../differential/ports.ts';
import { seoul } from '../kernel/business-day.ts';
import { type ClaimProvider, claimProviders } from './differential-claims.ts';
import { resendRejected } from './differential-clerk.ts';
import { lateBinDay } from './differential-facts.ts';
import type { FactsInTurn } from './differential-load.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

/** What the product does, as the sandbox asks it to. Each may be asked for again: what was done is found done. */
export type DifferentialProduct = {
  readonly pool: Pool;
  /** Runs a provider's day through all five steps. */
  run(request: { readonly provider: string; readonly on: string; readonly who: string }): Promise<unknown>;
  /** Registers the merchants that a provider has to know first. */
  register(request: { readonly provider: string; readonly on: string; readonly who: string }): Promise<unknown>;
};

export type MonthOptions = {
  readonly days: readonly string[];
  readonly facts: FactsInTurn;
  readonly clock: VirtualClock;
  readonly who: string;
  readonly signal: AbortSignal;
  /** Told how far it has come. */
  readonly onDay?: (on: string) => void;
};

/** After the world's last day: until the last late answer has come and what was rejected is through. */
const tailDays = 14;
/** Somebody registers who sold on the days before: each day of the first week, then every third, until the last is through. */
const isRegisteringDay = (no: number, days: number): boolean => no < 7 || (no % 3 === 0 && no < days + 11);
const belatedDay = 7;
const registering: readonly ClaimProvider[] = ['ksnet', 'welcome'];

/** The month's clock, which a restart finds where it stood. */
export function monthClock(folder: string, firstDay: string, look: (now: Temporal.Instant) => void): VirtualClock {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'clock');
  return virtualClock({
    from: readClock(file) ?? momentOf(Temporal.PlainDate.from(firstDay), '00:00'),
    async onAdvance(to) {
      writeFileSync(`${file}.part`, to.toString());
      renameSync(`${file}.part`, file);
      look(to);
    },
  });
}

/** At these hours of Seoul's somebody looks for answers: what is asked for between them is looked for at the next one. */
const hoursOfLooking = [10, 12, 15, 18];
/** What waits for less is no look for answers. */
const shortMs = 5 * 60_000;

/** The month's clock as the product sees it: it polls every ten minutes for days, of which a simulation spares it most. */
export function patientClock(clock: VirtualClock): Clock {
  return {
    now: clock.now,
    waitUntil(at) {
      const isShort = at.epochMilliseconds - clock.now().epochMilliseconds < shortMs;
      return clock.waitUntil(isShort ? at : nextHourOfLooking(at));
    },
  };
}

function nextHourOfLooking(at: Temporal.Instant): Temporal.Instant {
  const day = at.toZonedDateTimeISO(seoul).startOfDay();
  const hours = [...hoursOfLooking, 24 + (hoursOfLooking[0] ?? 0)].map((hours) => day.add({ hours }).toInstant());
  return hours.find((hour) => Temporal.Instant.compare(hour, at) >= 0) ?? at;
}

function readClock(file: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/**
 * 한 달. Lives through a world's days with the product: facts come in, merchants are registered, each night every
 * provider's day is claimed, and each evening somebody sends again what was rejected. Begun again, it goes on where it
 * was. Rejects where a run failed.
 */
export async function liveMonth(product: DifferentialProduct, options: MonthOptions): Promise<void> {
  const { clock, facts, who, signal } = options;
  const { pool } = product;
  const leave = clock.join();
  const runs: Promise<unknown>[] = [];
  const begin = (work: () => Promise<unknown>): void => {
    const leaveRun = clock.join();
    const run = work().finally(leaveRun);
    // Awaited with the others at the end.
    run.catch(() => {});
    runs.push(run);
  };
  await facts.atFirst(pool);
  const first = Temporal.PlainDate.from(options.days[0] ?? '');
  /** Goes on at that moment. False where that is past, as it is after a restart. */
  const comeTo = async (day: Temporal.PlainDate, time: string): Promise<boolean> => {
    const at = momentOf(day, time);
    if (Temporal.Instant.compare(clock.now(), at) > 0) return false;
    clock.start();
    signal.throwIfAborted();
    await clock.waitUntil(at);
    return true;
  };
  for (let no = 0; no < options.days.length + tailDays; no += 1) {
    const day = first.add({ days: no });
    if (no === lateBinDay || no === belatedDay) {
      await comeTo(day, '00:10');
      await (no === lateBinDay ? facts.lateBin(pool) : facts.belatedCaptures(pool));
    }
    if (isRegisteringDay(no, options.days.length)) {
      await comeTo(day, '00:10');
      for (const provider of registering) begin(() => product.register({ provider, on: day.toString(), who }));
    }
    await comeTo(day, '00:30');
    options.onDay?.(day.toString());
    const on = day.subtract({ days: 1 }).toString();
    for (const provider of no === 0 ? [] : claimProviders) begin(() => product.run({ provider, on, who }));
    if (await comeTo(day, '17:30')) {
      for (const provider of claimProviders) await resendRejected(pool, provider, who, day.toString());
    }
  }
  leave();
  clock.start();
  const ends = await Promise.allSettled(runs);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function momentOf(day: Temporal.PlainDate, time: string): Temporal.Instant {
  return day.toZonedDateTime({ timeZone: seoul, plainTime: Temporal.PlainTime.from(time) }).toInstant();
}
