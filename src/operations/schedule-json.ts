import { seoul } from '../kernel/business-day.ts';
import type { Job } from './job.ts';
import type { Pause } from './pause-store.ts';
import type { ListedSlot, ScheduleOverview } from './schedule-overview-store.ts';
import type { ScheduleTerms } from './schedule-rows.ts';

/** 스케줄. As the interface and `--json` show it. */
export function scheduleToJson(schedule: ScheduleOverview) {
  const { id: _, fromAt: __, pause, last, nextAt, changedAt, ...rest } = schedule;
  return {
    ...rest,
    changedAt: changedAt.toString(),
    nextAt: nextAt?.toString() ?? null,
    pause: pause === null ? null : pauseToJson(pause),
    last: last && { ...last, nominalAt: last.nominalAt.toString() },
  };
}

export function pauseToJson({ kind, since, until, who, reason, subject }: Pause) {
  return { kind, subject, since: since.toString(), until: until?.toString() ?? null, who, reason };
}

export function slotToJson(slot: ListedSlot) {
  const text = (date: Date | null) => date?.toISOString() ?? null;
  return {
    ...slot,
    nominalAt: slot.nominalAt.toISOString(),
    firstAt: text(slot.firstAt),
    makesUpAt: text(slot.makesUpAt),
    madeUpBy: text(slot.madeUpBy),
    startedAt: text(slot.startedAt),
    endedAt: text(slot.endedAt),
  };
}

/** What a schedule is where nothing is said. */
export function usualTerms(given: Pick<ScheduleTerms, 'job' | 'cron'> & Partial<ScheduleTerms>): ScheduleTerms {
  return {
    parameters: {},
    timeZone: seoul,
    businessDays: 'every_day',
    misfire: 'run_once',
    misfireMost: 1,
    overlap: 'skip',
    lateAfterSeconds: 60,
    longAfterSeconds: null,
    enabled: true,
    ...given,
  };
}

export function jobToJson({ name, words }: Pick<Job, 'name' | 'words'>) {
  return { name, ...words };
}
