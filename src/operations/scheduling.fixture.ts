import { z } from 'zod';
import type { Pool } from '../platform/database/pool.ts';
import { query } from '../platform/database/pool.ts';
import type { RunState } from '../platform/durable/runs.ts';
import { anyJob, collectJobs, slotText } from './job.ts';
import type { ScheduleTerms } from './schedule-rows.ts';
import { addSchedule } from './schedule-store.ts';
import { type Scheduler, type SchedulerPorts, startScheduler } from './scheduler.ts';

/** A world whose time goes on when a test says so: its clocks, its timers, and an engine that is told how runs end. */
export function createSchedulingWorld(pool: Pool, from: string) {
  let nowMs = Temporal.Instant.from(from).epochMilliseconds;
  const timers = new Map<symbol, { readonly atMs: number; readonly ring: () => void }>();
  const states = new Map<string, RunState>();
  const ends = new Map<string, (error?: Error) => void>();
  const started: string[] = [];
  const warned: string[] = [];
  const nodes: Scheduler[] = [];
  /** What a node's clock, and the database's, is ahead of the world's. */
  const skewMs = { node: 0, database: 0 };
  let refusal: Error | undefined;

  const job = anyJob<{ mark: string; ends: boolean }>({
    name: 'count',
    words: { ko: '세기', en: 'count' },
    parameters: z.object({ mark: z.string().default(''), ends: z.boolean().default(true) }),
    runId: async (_, { slot, schedule }) => `${schedule}:${slotText(slot)}`,
    async start(runId, { slot, makesUp, parameters }) {
      if (refusal !== undefined) throw refusal;
      if (!states.has(runId)) {
        const text = (at: Temporal.Instant) => slotText(at).slice(11).replace('+09:00', '');
        const late = Math.round((nowMs - slot.epochMilliseconds) / 1000);
        const made = makesUp === undefined ? '' : ` for ${text(makesUp)}`;
        started.push(`${text(slot)}${late === 0 ? '' : ` +${late}`}${made}${parameters.mark}`);
        states.set(runId, parameters.ends ? 'done' : 'running');
      }
      const done = new Promise<void>((resolve, reject) => {
        if (states.get(runId) === 'done') resolve();
        ends.set(runId, (error) => {
          states.set(runId, error === undefined ? 'done' : 'failed');
          if (error === undefined) resolve();
          else reject(error);
        });
      });
      return { done };
    },
  });
  const jobs = collectJobs([job]);
  const now = () => Temporal.Instant.fromEpochMilliseconds(nowMs);
  const log = {
    debug() {},
    info() {},
    warn: (_: unknown, message?: string) => void warned.push(message ?? ''),
    error: (_: unknown, message?: string) => void warned.push(message ?? ''),
  };
  const idle = async () => {
    for (const node of nodes) await node.idle();
  };

  return {
    jobs,
    started,
    warned,
    states,
    nodes,
    skewMs,
    now,
    idle,
    setRefusal: (error: Error | undefined) => {
      refusal = error;
    },
    /** Ends a run, or fails it. */
    async end(runId: string, error?: Error) {
      ends.get(runId)?.(error);
      await new Promise(setImmediate);
      await idle();
    },
    node(more: Partial<SchedulerPorts> = {}): Scheduler {
      const node = startScheduler({
        pool,
        log,
        jobs,
        executorId: `node-${nodes.length + 1}`,
        now: () => now().add({ milliseconds: skewMs.node }),
        databaseNow: async () => now().add({ milliseconds: skewMs.database }),
        monotonicMs: () => nowMs,
        timer(afterMs, ring) {
          const key = Symbol('timer');
          timers.set(key, { atMs: nowMs + afterMs, ring });
          return () => void timers.delete(key);
        },
        lookEveryMs: 5_000,
        statesOfRuns: async (_, ids) => new Map([...states].filter(([id]) => ids.includes(id))),
        noteClock: async () => {},
        resumed: async () => {},
        ...more,
      });
      nodes.push(node);
      return node;
    },
    /** Lets time pass: every timer rings at its time, and what it begins is over before the next one rings. */
    async advance(to: string) {
      const untilMs = Temporal.Instant.from(to).epochMilliseconds;
      await idle();
      for (;;) {
        const [key, next] = [...timers].sort(([, left], [, right]) => left.atMs - right.atMs)[0] ?? [];
        if (key === undefined || next === undefined || next.atMs > untilMs) break;
        timers.delete(key);
        nowMs = Math.max(nowMs, next.atMs);
        next.ring();
        await idle();
      }
      nowMs = untilMs;
    },
    /** All nodes are gone, without a word where `isKilled`. */
    async stop() {
      timers.clear();
      for (const node of nodes.splice(0)) await node.stop();
    },
    jump(to: string) {
      nowMs = Temporal.Instant.from(to).epochMilliseconds;
    },
    async add(name: string, terms: Partial<ScheduleTerms> = {}) {
      return await addSchedule(pool, jobs, { name, terms: { ...usualTerms, ...terms }, by: tester, now: now() });
    },
    /** The rows of a schedule's slots: time, state, reason, how many, and by whom it was made up. */
    async rows(name: string): Promise<string[]> {
      const rows = await query<{ text: string }>(
        pool,
        `select concat_ws(' ', to_char(nominal_at at time zone 'Asia/Seoul', 'HH24:MI:SS'), l.state, l.reason,
                  case when slots > 1 then 'x' || slots end,
                  'by ' || to_char(made_up_by at time zone 'Asia/Seoul', 'HH24:MI:SS')) as text
           from schedule_slot l join schedule s using (schedule_id) where s.name = $1 order by nominal_at`,
        [name],
      );
      return rows.map(({ text }) => text.replace(/:00( |$)/g, '$1'));
    },
  };
}

export type SchedulingWorld = ReturnType<typeof createSchedulingWorld>;

export const tester = { actor: { who: 'kim@pg.example', from: 'test' }, reason: 'a test' };

export const usualTerms: ScheduleTerms = {
  job: 'count',
  parameters: {},
  cron: '*/5 * * * *',
  timeZone: 'Asia/Seoul',
  businessDays: 'every_day',
  misfire: 'run_once',
  misfireMost: 1,
  overlap: 'skip',
  lateAfterSeconds: null,
  longAfterSeconds: null,
  enabled: true,
};
