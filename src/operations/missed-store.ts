import { closeFinding, listFindings } from '../findings/store.ts';
import { type Pool, type Queryable, query } from '../platform/database/pool.ts';
import { callOf } from './due-store.ts';
import type { Job, Jobs } from './job.ts';
import { type MisfirePolicy, scheduleFindings } from './schedule-rows.ts';

const kind = scheduleFindings.missed;
/** So many missed slots of a schedule are looked at; one that nobody has made good is enough. */
const lookedAtMost = 1_000;

/**
 * Whether it is over with the next slot that starts at its time. Where all missed slots were to run, those beyond the policy's
 * number are each a day that nobody has done.
 */
export function endsWithNextSlot(misfire: MisfirePolicy): boolean {
  return misfire !== 'run_all';
}

/**
 * 누락 회차 확인. Closes what people are told of missed slots, where each was to run, once each was done in another way: by a
 * backfill, or by a person. A person who closes it says that those of before need not be done.
 */
export async function closeMadeGood(pool: Pool, jobs: Pick<Jobs, 'all'>): Promise<void> {
  const told = await query<Told>(
    pool,
    `select s.schedule_id as id, s.name, s.job from finding f join schedule s on s.name = f.subject and s.removed_at is null
      where f.kind = $1 and f.closed_at is null and s.misfire = 'run_all'`,
    [kind],
  );
  for (const schedule of told) {
    const job = jobs.all.find(({ name }) => name === schedule.job);
    if (job === undefined || (await isSomethingUndone(pool, job, schedule))) continue;
    await closeFinding(pool, { kind, subject: schedule.name, by: 'system:scheduler' });
  }
}

type Told = { readonly id: bigint; readonly name: string; readonly job: string };
type Missed = { readonly nominalAt: Date; readonly slots: number; readonly parameters: Record<string, unknown> };

async function isSomethingUndone(pool: Pool, job: Job, schedule: Told): Promise<boolean> {
  const [, before] = await listFindings(pool, { kind, subject: schedule.name, closed: true, limit: 2 });
  for (const slot of await missedSince(pool, schedule.id, before?.closedAt ?? null)) {
    if (slot.slots > 1 || !(await wasDone(pool, job, schedule, slot))) return true;
  }
  return false;
}

async function missedSince(db: Queryable, scheduleId: bigint, since: Date | null): Promise<Missed[]> {
  return await query<Missed>(
    db,
    `select nominal_at as "nominalAt", slots, parameters from schedule_slot
      where schedule_id = $1 and kind = 'clock' and state = 'missed' and reason in ('stopped', 'paused', 'maintenance')
        and made_up_by is null and ended_at > coalesce($2::timestamptz, '-infinity')
      order by nominal_at limit $3`,
    [scheduleId, since?.toISOString() ?? null, lookedAtMost],
  );
}

async function wasDone(pool: Pool, job: Job, { name }: Told, { nominalAt, parameters }: Missed): Promise<boolean> {
  // What this job cannot read, it cannot have done.
  if (!job.parameters.safeParse(parameters).success) return false;
  const at = nominalAt.toTemporalInstant();
  const call = callOf({ name, parameters }, job, { nominalAt: at, makesUp: undefined, who: 'system:scheduler' });
  if (job.wasDone !== undefined) return await job.wasDone(pool, call, at);
  const found = await query(
    pool,
    `select from backfill_day d join backfill b using (backfill_id)
      where b.job = $1 and d.business_on = $2 and d.state = 'done' and d.ended_at >= $3 limit 1`,
    [job.name, call.on.toString(), at.toString()],
  );
  return found.length > 0;
}
