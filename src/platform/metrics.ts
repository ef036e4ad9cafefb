import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Pool } from './database/pool.ts';

/** One value of a metric that is asked for when metrics are read. */
export type Reading = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** A metric that the database knows: it is the same whichever process is asked, so take the maximum over processes. */
export type Asked = { readonly name: string; readonly help: string; readonly labels: readonly string[] };

/** 지표. What this process measured, and what it can ask the database, in the form of Prometheus. */
export type Metrics = {
  runEnded(job: string, outcome: 'done' | 'failed', seconds: number): void;
  stepEnded(job: string, step: string, outcome: 'done' | 'failed', seconds: number): void;
  /** Numbers that a step counted: read, written, skipped … */
  counted(job: string, step: string, counts: Readonly<Record<string, number>>): void;
  bankAnswered(bank: string, call: string, outcome: string, seconds: number): void;
  /** From a slot's nominal time to its last credit. */
  slotCredited(seconds: number): void;
  httpAnswered(method: string, route: string, status: number, seconds: number): void;
  watchPool(name: string, pool: WatchedPool): void;
  /** `read` is asked at most every ten seconds, by one reader at a time; while it fails the metrics are not there. */
  ask(metrics: readonly Asked[], read: () => Promise<ReadonlyMap<string, readonly Reading[]>>): void;
  /** All of them as text, and its media type. */
  text(): Promise<{ readonly mediaType: string; readonly body: string }>;
};

const durations = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
const latencies = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30];
const askedEveryMs = 10_000;

/** The metrics of a process; `nowMs` is a clock that is never set. */
export function createMetrics(nowMs: () => number = () => performance.now()): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'jeongsan_' });
  const runs = new Histogram({
    name: 'jeongsan_run_duration_seconds',
    help: 'Runs that ended in this process, by job and outcome',
    labelNames: ['job', 'outcome'],
    buckets: durations,
    registers,
  });
  const steps = new Histogram({
    name: 'jeongsan_step_duration_seconds',
    help: 'Steps that ended in this process',
    labelNames: ['job', 'step', 'outcome'],
    buckets: durations,
    registers,
  });
  const rows = new Counter({
    name: 'jeongsan_rows_total',
    help: 'What steps counted in this process: read, written, set aside and so on',
    labelNames: ['job', 'step', 'what'],
    registers,
  });
  const bank = new Histogram({
    name: 'jeongsan_bank_answer_seconds',
    help: 'How long a bank took to answer, by call and outcome',
    labelNames: ['bank', 'call', 'outcome'],
    buckets: latencies,
    registers,
  });
  const slots = new Histogram({
    name: 'jeongsan_slot_to_credit_seconds',
    help: "From a slot's time to its last credit, of slots that this process settled",
    buckets: [0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 120, 300, 600],
    registers,
  });
  const http = new Histogram({
    name: 'jeongsan_http_answer_seconds',
    help: 'Requests that this process answered',
    labelNames: ['method', 'route', 'status'],
    buckets: latencies,
    registers,
  });
  const pools = watchPools(registry);
  return {
    runEnded: (job, outcome, seconds) => runs.observe({ job, outcome }, seconds),
    stepEnded: (job, step, outcome, seconds) => steps.observe({ job, step, outcome }, seconds),
    counted(job, step, counts) {
      for (const [what, count] of Object.entries(counts)) {
        if (count > 0) rows.inc({ job, step, what }, count);
      }
    },
    bankAnswered: (id, call, outcome, seconds) => bank.observe({ bank: id, call, outcome }, seconds),
    slotCredited: (seconds) => slots.observe(seconds),
    httpAnswered: (method, route, status, seconds) => http.observe({ method, route, status: String(status) }, seconds),
    watchPool: (name, pool) => void pools.set(name, pool),
    ask: (metrics, read) => ask(registry, metrics, atMostEvery(askedEveryMs, nowMs, read)),
    async text() {
      return { mediaType: registry.contentType, body: await registry.metrics() };
    },
  };
}

type WatchedPool = Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount'>;

function watchPools(registry: Registry): Map<string, WatchedPool> {
  const pools = new Map<string, WatchedPool>();
  new Gauge<'pool' | 'state'>({
    name: 'jeongsan_pool_connections',
    help: 'Connections to the database, and how many wait for one',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const [name, pool] of pools) {
        this.set({ pool: name, state: 'used' }, pool.totalCount - pool.idleCount);
        this.set({ pool: name, state: 'idle' }, pool.idleCount);
        this.set({ pool: name, state: 'waited_for' }, pool.waitingCount);
      }
    },
  });
  return pools;
}

type Answers = ReadonlyMap<string, readonly Reading[]>;

function ask(registry: Registry, metrics: readonly Asked[], read: () => Promise<Answers>): void {
  const failed = new Gauge({
    name: 'jeongsan_database_metrics_failed',
    help: '1 while what the database knows cannot be read',
    registers: [registry],
    async collect() {
      this.set(
        await read().then(
          () => 0,
          () => 1,
        ),
      );
    },
  });
  failed.set(0);
  for (const { name, help, labels } of metrics) {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      async collect() {
        this.reset();
        const answers: Answers = await read().catch(() => new Map());
        for (const { labels: named, value } of answers.get(name) ?? []) this.set({ ...named }, value);
      },
    });
  }
}

/** One question at a time, whose answer serves everyone for so long; a failure too. */
function atMostEvery<T>(everyMs: number, nowMs: () => number, read: () => Promise<T>): () => Promise<T> {
  let asked: { readonly atMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (asked === undefined || nowMs() - asked.atMs >= everyMs) asked = { atMs: nowMs(), answer: read() };
    return asked.answer;
  };
}
