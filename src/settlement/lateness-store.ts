import { closeFinding, listFindings, openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import { type Forecast, forecastSlot, type LatenessLimits, latenessAudience, msPerCapture } from './lateness.ts';
import { formatSlot, nextSlot, slotAt } from './slot.ts';

/** Cycles that the pace is measured over. */
const paceCycles = 12;
const forecastKind = 'settlement_forecast';

/**
 * 지연 감시. Tells who has to know of slots whose last wallet was credited late, or is not credited yet, and of a next slot
 * that will be late; the forecast closes by itself when it is over. Safe to repeat: each slot is told of once.
 */
export async function watchLateness(db: Queryable, now: Temporal.Instant, limits: LatenessLimits): Promise<void> {
  for (const cycle of await lateCycles(db, now, limits)) await tellLate(db, cycle, limits);
  const next = nextSlot(slotAt(now));
  const forecast = await forecastNext(db, now, next, limits);
  const subject = formatSlot(next);
  for (const open of await listFindings(db, { kind: forecastKind })) {
    if (forecast !== undefined && open.subject === subject) continue;
    await closeFinding(db, { kind: forecastKind, subject: open.subject, by: 'clock' });
  }
  if (forecast === undefined) return;
  const { waiting, stillRunning, expectedMs, kind } = forecast;
  const detail = { expected: kind, expectedSeconds: Math.ceil(expectedMs / 1000), waiting, stillRunning };
  await openFinding(db, { kind: forecastKind, subject, audience: 'in_charge', detail });
}

type LateCycle = { readonly slot: Date; readonly state: string; readonly captures: bigint; readonly afterMs: number };

/** Cycles of the last day over the limit. The very first one has nothing to be late for before it is started. */
async function lateCycles(db: Queryable, now: Temporal.Instant, { lateMs }: LatenessLimits): Promise<LateCycle[]> {
  return await query<LateCycle>(
    db,
    `select slot, state, captures, "afterMs" from (
       select c.slot, c.state, c.captures,
              (extract(epoch from case c.state when 'running' then $1::timestamptz else c.credited_at end
                 - case when exists (select from settlement_cycle e where e.slot < c.slot) then c.slot
                        else c.started_at end) * 1000)::float8 as "afterMs"
         from settlement_cycle c
        where c.slot > $1::timestamptz - interval '1 day' and c.state in ('running', 'settled')) c
      where "afterMs" > $2 order by slot limit 300`,
    [now.toString(), lateMs],
  );
}

async function tellLate(db: Queryable, cycle: LateCycle, limits: LatenessLimits): Promise<void> {
  const audience = latenessAudience(cycle.afterMs, limits);
  if (audience === undefined) return;
  const subject = formatSlot(cycle.slot.toTemporalInstant());
  const told = await listFindings(db, { kind: 'settlement_late', subject, closed: true });
  if (told.some((finding) => finding.audience === audience || finding.audience === 'operations')) return;
  const { state, captures, afterMs } = cycle;
  const detail = { state, captures, creditedAfterSeconds: Math.round(afterMs / 1000) };
  await openFinding(db, { kind: 'settlement_late', subject, audience, detail });
}

type NextForecast = Forecast & { readonly waiting: number; readonly stillRunning: number };

async function forecastNext(
  db: Queryable,
  now: Temporal.Instant,
  next: Temporal.Instant,
  limits: LatenessLimits,
): Promise<NextForecast | undefined> {
  const paces = await query<{ captures: number; tookMs: number }>(
    db,
    `select (items + set_aside + waiting)::float8 as captures,
            (extract(epoch from credited_at - started_at) * 1000)::float8 as "tookMs"
       from settlement_cycle where state = 'settled' and items > 0 order by slot desc limit ${paceCycles}`,
  );
  const pace = msPerCapture(paces);
  if (pace === undefined) return undefined;
  const [backlog] = await query<{ waiting: number; stillRunning: number }>(
    db,
    `select (select coalesce(sum(captures), 0)::float8 from capture_arrival where taken_by is null)
            + (select count(*)::float8 from unsettled_capture where due_at <= $1) as waiting,
            coalesce((select greatest(captures - items - set_aside - waiting, 0)::float8
                        from settlement_cycle where state = 'running'), 0) as "stillRunning"`,
    [next.toString()],
  );
  check(backlog, 'a select without a table has a row');
  const forecast = forecastSlot({ now, nextSlot: next, msPerCapture: pace, ...backlog }, limits);
  return forecast && { ...forecast, ...backlog };
}
