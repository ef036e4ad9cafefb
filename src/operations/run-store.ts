import type { Pool } from 'pg';
import { isProblem, type Language, problems } from '../kernel/problem.ts';
import { queryRuns, type RunPlace, type RunQuery, resultsOf } from '../platform/durable/run-list.ts';
import { countRetries } from '../platform/durable/run-log-store.ts';
import { type Run, type RunDetail, type RunState, showRun } from '../platform/durable/runs.ts';
import { comparable, countsOf, sumCounts } from './run-counts.ts';
import {
  type Beginning,
  beginningsOf,
  factsOfRuns,
  lostReconciliations,
  type RunFacts,
  type StageFacts,
  stagesOf,
} from './run-facts-store.ts';
import { filesOf, type RunFile } from './run-file-store.ts';
import { readRunName } from './run-name.ts';
import { comparisonOf, forgottenRuns, samplesFor, tookMs, unusualOf, usualRules } from './run-record-store.ts';
import { findUnusual, stuckAfterMs, type Unusual, type Usual, usualDuration, usualOf } from './usual.ts';

/** A run as it is listed; `not_begun`: it was asked for, but no process ever took it to the engine. */
export type ListedRun = {
  readonly id: string;
  readonly job: string;
  readonly state: RunState | 'not_begun';
  /** The business day. */
  readonly on: string | undefined;
  readonly run: Run | undefined;
  readonly facts: RunFacts | undefined;
  readonly beginning: Beginning | undefined;
  /** What is not as usual; of a run that still runs, that it takes too long. */
  readonly unusual: readonly Unusual[];
};

/** What is asked for: jobs are workflows by their names; payout runs are listed only where they are asked for. */
export type RunFilter = Omit<RunQuery, 'workflows' | 'error'> & {
  readonly jobs?: readonly string[];
  readonly text?: string;
};

export type RunPage = { readonly rows: readonly ListedRun[]; readonly next: RunPlace | undefined };

/** Runs that nobody's workflow started, newest first unless asked otherwise, and where the next page begins. */
export async function findRuns(pool: Pool, filter: RunFilter): Promise<RunPage> {
  const { jobs, text, ...query } = filter;
  const runs = await queryRuns(pool, {
    ...query,
    ...(jobs === undefined ? {} : { workflows: jobs }),
    ...(text === undefined ? {} : { error: { text, codes: codesSaying(text) } }),
  });
  const pageEnd = runs.length < filter.limit ? undefined : runs.at(-1)?.createdAt;
  const others = await otherRuns(pool, filter, pageEnd);
  const found = [...(await describe(pool, [...runs, ...others.forgotten], filter.now)), ...others.lost];
  const order = filter.oldestFirst ? 1 : -1;
  found.sort((left, right) => order * (createdMs(left) - createdMs(right)));
  const rows = found.slice(0, filter.limit);
  const last = rows.at(-1);
  const next =
    rows.length < filter.limit || last === undefined ? undefined : { createdMs: createdMs(last), id: last.id };
  return { rows, next };
}

function createdMs({ run, facts }: ListedRun): number {
  return run?.createdAt.epochMilliseconds ?? Date.parse(facts?.startedAt ?? '');
}

/** Refusals whose text in either language says this. */
function codesSaying(text: string): string[] {
  const wanted = text.toLowerCase();
  const says = (of: Readonly<Record<Language, string>>): boolean =>
    of.ko.toLowerCase().includes(wanted) || of.en.toLowerCase().includes(wanted);
  return Object.entries(problems).flatMap(([code, of]) => (says(of) ? [code] : []));
}

async function describe(pool: Pool, runs: readonly Run[], now: Temporal.Instant): Promise<ListedRun[]> {
  if (runs.length === 0) return [];
  const ids = runs.map((run) => run.id);
  const facts = await factsOfRuns(pool, ids);
  const beginnings = await beginningsOf(pool, ids);
  const unusual = await unusualOf(pool, ids);
  const rules = await usualRules(pool);
  const described: ListedRun[] = [];
  for (const run of runs) {
    described.push({
      id: run.id,
      job: run.workflow,
      state: run.state,
      on: readRunName(run.id).on,
      run,
      facts: facts.get(run.id),
      beginning: beginnings.get(run.id),
      unusual: run.state === 'running' ? await takesLong(pool, run, now, rules) : (unusual.get(run.id) ?? []),
    });
  }
  return described;
}

type Rules = Awaited<ReturnType<typeof usualRules>>;

/** Of a run that is still at it: whether it already takes longer than its like. */
async function takesLong(pool: Pool, run: Run, now: Temporal.Instant, rules: Rules): Promise<Unusual[]> {
  const rule = rules(run.workflow);
  const of = comparisonOf(run.id, run.startedAt);
  const samples = await samplesFor(pool, of, rule, { before: now, except: run.id });
  const value = tookMs(run.startedAt, now);
  const took = usualDuration(samples, rule);
  if (took !== undefined) return value > took.high ? [{ what: 'milliseconds', value, ...took }] : [];
  const high = stuckAfterMs(samples, rule);
  return value > high ? [{ what: 'milliseconds', value, samples: samples.length, median: 0, low: 0, high }] : [];
}

/**
 * Within the time of this page: runs of which only the record is left, and reconciliations that were asked for and never
 * began. A filter that asks for what nobody knows of them leaves them out.
 */
async function otherRuns(
  pool: Pool,
  filter: RunFilter,
  pageEnd: Temporal.Instant | undefined,
): Promise<{ readonly forgotten: readonly Run[]; readonly lost: readonly ListedRun[] }> {
  const { jobs, states, provider, node, text, atLeastMs, atMostMs, on, since, until, after, limit } = filter;
  const asksMore = [provider, node, text, atLeastMs, atMostMs].some((each) => each !== undefined);
  if (asksMore || filter.oldestFirst) return { forgotten: [], lost: [] };
  const to = after === undefined ? until : Temporal.Instant.fromEpochMilliseconds(after.createdMs);
  const within = { on, from: pageEnd ?? since, to, limit };
  const forgotten = await forgottenRuns(pool, { ...within, jobs, states });
  if (states !== undefined || !(jobs?.includes('reconcile') ?? true)) return { forgotten, lost: [] };
  const lost = (await lostReconciliations(pool, within)).map(({ id, ...facts }) => ({
    id,
    job: 'reconcile',
    state: 'not_begun' as const,
    on: facts.on,
    run: undefined,
    facts,
    beginning: undefined,
    unusual: [],
  }));
  return { forgotten, lost };
}

/** What a step, or a part, came to beside its times. */
export type StepFacts = { readonly counts: Readonly<Record<string, bigint>>; readonly retried: number };

/** A run with everything that is known of it. */
export type InspectedRun = {
  readonly listed: ListedRun;
  readonly run: RunDetail;
  readonly stages: readonly StageFacts[];
  readonly steps: ReadonlyMap<number, StepFacts>;
  readonly parts: ReadonlyMap<string, Readonly<Record<string, bigint>>>;
  readonly counts: Readonly<Record<string, bigint>>;
  readonly files: readonly RunFile[];
  /** What is usual: of the duration by `milliseconds`, of each count by its name. */
  readonly usual: Readonly<Record<string, Usual>>;
};

/**
 * A run with its steps and parts, what they counted, its files, and what is usual.
 * @throws Problem `not_found`
 */
export async function inspectRun(pool: Pool, id: string, now: Temporal.Instant): Promise<InspectedRun> {
  const run = await rememberedRun(pool, id);
  const results = await resultsOf(pool, id);
  const retries = await countRetries(pool, id);
  const steps = new Map(
    run.steps.map(({ number }) => [
      number,
      { counts: countsOf(results.steps.get(number)), retried: retries.get(number) ?? 0 },
    ]),
  );
  const parts = new Map([...results.parts].map(([part, value]) => [part, countsOf(value)]));
  const counts = sumCounts([...parts.values()]);
  const [listed] = await describe(pool, [run], now);
  const { usual, unusual } = await compare(pool, run, counts);
  return {
    listed: { ...(listed as ListedRun), ...(run.state === 'done' ? { unusual } : {}) },
    run,
    stages: await stagesOf(pool, id),
    steps,
    parts,
    counts,
    files: await filesOf(pool, id),
    usual,
  };
}

/** The engine's record, or what is left of it. @throws Problem `not_found` */
async function rememberedRun(pool: Pool, id: string): Promise<RunDetail> {
  try {
    return await showRun(pool, id);
  } catch (error) {
    const [run] = isProblem(error, 'not_found') ? await forgottenRuns(pool, { ids: [id], limit: 1 }) : [];
    if (run === undefined) throw error;
    return { ...run, arguments: [], output: undefined, steps: [], children: [] };
  }
}

async function compare(pool: Pool, run: Run, counts: Readonly<Record<string, bigint>>) {
  const rule = (await usualRules(pool))(run.workflow);
  const before = run.completedAt ?? run.updatedAt;
  const of = comparisonOf(run.id, run.startedAt);
  const samples = await samplesFor(pool, of, rule, { before, except: run.id });
  const took = usualDuration(samples, rule);
  const own = comparable(counts);
  const usual: Record<string, Usual> = took === undefined ? {} : { milliseconds: took };
  for (const name of Object.keys(own)) {
    const found = usualOf(
      samples.flatMap((sample) => sample.counts[name] ?? []),
      rule,
    );
    if (found !== undefined) usual[name] = found;
  }
  return { usual, unusual: findUnusual({ milliseconds: tookMs(run.startedAt, before), counts: own }, samples, rule) };
}
