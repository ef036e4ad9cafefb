import { seoul } from '../kernel/business-day.ts';
import type { Jobs } from './job.ts';
import type { ScheduleTerms } from './schedule-rows.ts';
import type { DefaultSchedule } from './schedule-store.ts';

const usual: Omit<ScheduleTerms, 'job' | 'cron'> = {
  parameters: {},
  timeZone: seoul,
  businessDays: 'every_day',
  misfire: 'run_once',
  misfireMost: 1,
  overlap: 'skip',
  lateAfterSeconds: 60,
  longAfterSeconds: 3600,
  enabled: true,
};

/** Each day has its own run, so that a week of days is made up for one by one. */
const eachDay = { misfire: 'run_all', misfireMost: 7 } as const;

/** 기본 스케줄. What every installation begins with, of the jobs that it has; `claimed` are the providers that it claims from. */
export function defaultSchedules(jobs: Jobs, claimed: readonly string[]): readonly DefaultSchedule[] {
  const all: readonly DefaultSchedule[] = [
    { name: 'reconcile', terms: { ...usual, ...eachDay, job: 'reconcile', cron: '0 8 * * *', longAfterSeconds: 7200 } },
    // A slot is one run, which itself leaves out what cannot run beside another and says so in the list of cycles.
    {
      name: 'settle',
      terms: { ...usual, job: 'settle', cron: '*/5 * * * *', overlap: 'allow', longAfterSeconds: 300 },
    },
    ...claimed.map((provider) => {
      // The run of a day waits for its answers, for days.
      const waits = { overlap: 'allow', longAfterSeconds: null } as const;
      const terms = {
        ...usual,
        ...eachDay,
        ...waits,
        job: 'differential',
        cron: '30 0 * * *',
        parameters: { provider },
      };
      return { name: `differential-${provider}`, terms };
    }),
    { name: 'differential-receive', terms: { ...usual, job: 'differential-receive', cron: '0 9-18 * * *' } },
    {
      name: 'payout-dispatch',
      terms: { ...usual, job: 'payout-dispatch', cron: '*/5 * * * *', longAfterSeconds: 120 },
    },
    {
      name: 'daily-close',
      terms: { ...usual, ...eachDay, job: 'daily-close', cron: '30 1 * * *', longAfterSeconds: 7200 },
    },
    { name: 'retention', terms: { ...usual, job: 'retention', cron: '0 4 * * *' } },
    { name: 'digest', terms: { ...usual, job: 'digest', cron: '30 9 * * *' } },
  ];
  return all.filter(({ terms }) => jobs.all.some(({ name }) => name === terms.job));
}
